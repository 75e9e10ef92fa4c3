"""The store of a log, on the machine that keeps it: what it has of cases, for `audit` to check and show."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from operator_commands.stores import judge_of, pinned
from referral_contracts.codes import Code
from referral_contracts.directory import Directory, TrustRoot
from referral_contracts.errors import LocalError
from referral_contracts.log.note import NoteKey
from referral_contracts.log.policy import Policy
from referral_contracts.trail.answers import MOST_FOUND, CaseAnswer, Search, SearchAnswer

if TYPE_CHECKING:
    from audit_log.showing import CaseShown
    from audit_log.store.reading import StoreReader


@contextmanager
def open_kept(url: str, tiles: str | None, policy: Policy, trust: TrustRoot) -> Iterator["KeptLog"]:
    """
    Give the log in the store at *url*, of which *policy* and *trust* have to be. It is only read.

    In the published folder *tiles* lies what witnesses have cosigned; without it all is provisional.

    Raises:
        LocalError: STATE_FORMAT: it is another one's. NOT_FOUND: it has no checkpoint yet. DIRECTORY_MISSING.
    """
    # A second of imports, which no other verb needs.
    from audit_log.store import open_reader  # noqa: PLC0415

    witnessed = _witnessed(tiles, policy)
    directory = _directory(url, policy, trust)
    with closing(open_reader(url)) as reader:
        newest = reader.newest()
        if newest is None:
            raise LocalError(Code.NOT_FOUND, "the log has no checkpoint yet")
        yield KeptLog(reader, directory, policy.check(newest.note).log, witnessed)


class KeptLog:
    """A log's store, answering as the log does over HTTP; to whoever keeps it, without asking who that is."""

    def __init__(self, reader: "StoreReader", directory: Directory, key: NoteKey, witnessed: bytes | None) -> None:
        """Answer with what *reader* reads of the log with *key*, under *directory* and a checkpoint *witnessed*."""
        self._reader, self._directory, self._key, self._witnessed = reader, directory, key, witnessed

    async def case(self, subject: str) -> CaseAnswer:
        """Return the leaves of a case, and what proves them."""
        return self._case(subject).answer(self._reader)

    async def bundle(self, subject: str) -> bytes:
        """Return its evidence bundle."""
        return self._case(subject).bundle(self._reader)

    async def reads(self, subject: str, after: int | None = None) -> CaseAnswer:
        """Return who read it: a page of such leaves, behind the leaf *after*."""
        from audit_log.showing import show_reads  # noqa: PLC0415 - as above

        start = -1 if after is None else after
        known, seen = (self._reader, subject, self._directory, self._key), self._witnessed
        shown, following = show_reads(*known, seen, after=start, most=MOST_FOUND)
        return shown.answer(self._reader, after=following)

    async def search(self, search: Search) -> SearchAnswer:
        """Return a page of what is found."""
        from audit_log.showing import show_search  # noqa: PLC0415 - as above

        return show_search(self._reader, search, self._directory.head.bus, lambda _: True)

    def _case(self, subject: str) -> "CaseShown":
        from audit_log.showing import show_case  # noqa: PLC0415 - as above

        return show_case(self._reader, subject, self._directory, self._key, self._witnessed)


def _witnessed(tiles: str | None, policy: Policy) -> bytes | None:
    """Return the newest checkpoint that enough of the policy's witnesses have cosigned; None where none is found."""
    from audit_log.witnesses import WITNESSED_PATH  # noqa: PLC0415

    path = None if tiles is None else Path(tiles) / WITNESSED_PATH
    if path is None or not path.exists():
        return None
    note = pinned(str(path))
    return note if policy.check(note).quorum else None


def _directory(url: str, policy: Policy, trust: TrustRoot) -> Directory:
    """Return the newest directory that is in the log: each change of it is judged again, from the pinned root on."""
    from audit_log.core.growing import Kind  # noqa: PLC0415
    from audit_log.store import open_snapshot  # noqa: PLC0415

    with open_snapshot(url) as seen:
        judge = judge_of(seen, policy, trust)
        for leaf in seen.leaves(seen.last_partition()):
            if leaf.kind == Kind.DECISION and leaf.salt is not None:
                judge.change(leaf.logged)
    found = judge.directory()
    if found is None:
        raise LocalError(Code.DIRECTORY_MISSING, "the log holds no directory that the pinned root signed")
    return found
