"""
What an auditor is given of a case: its trail and its evidence bundle, made from the store and the directory.

The store is not believed: what is read is proven under a checkpoint, and the trail tells what is not. As a receipt
is, it is under the newest that enough witnesses have cosigned and that covers the whole case; where none does, under
the newest of all, and provisional. Reads of the case that are newer than that checkpoint are left out.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from audit_log.core.searching import MOST, Query, query_of, told
from audit_log.core.trails import Kept, agencies_in, erased_in, reader_in, seal
from audit_log.store.reading import StoreReader
from audit_log.store.store import Signed
from referral_contracts.codes import Code
from referral_contracts.directory import Directory
from referral_contracts.errors import LocalError
from referral_contracts.log.access import ACCESSED
from referral_contracts.log.checkpoint import Checkpoint, open_checkpoint
from referral_contracts.log.note import NoteKey
from referral_contracts.log.policy import Checked
from referral_contracts.log.tiles import TileReader
from referral_contracts.trail.answers import CaseAnswer, FoundLeaf, Search, SearchAnswer, answer_case
from referral_contracts.trail.bundle import Sealed, write_bundle
from referral_contracts.trail.checking import NO_DISCLOSURE, Grounds, make_trail
from referral_contracts.trail.extract import extract, part_of
from referral_contracts.trail.leaves import Disclosed
from referral_contracts.trail.model import Trail

_LOOKS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseShown:
    """The leaves of a case, and what they are proven under."""

    subject: str
    leaves: Sequence[Sealed]
    checkpoint: Signed
    newest: int
    """How large the log is by its newest checkpoint."""
    grounds: Grounds
    directory: Directory
    """The whole one."""

    def trail(self, disclosed: Disclosed = NO_DISCLOSURE) -> Trail:
        """Return the trail."""
        return make_trail(self.grounds, self.subject, [one.leaf for one in self.leaves], disclosed)

    def bundle(self, reader: StoreReader, disclosed: Disclosed = NO_DISCLOSURE) -> bytes:
        """
        Return the evidence bundle.

        Raises:
            LocalError: OVERSIZE. DIRECTORY_MISSING: the log has not come as far as the directory yet.
        """
        return write_bundle(
            self.grounds,
            self.subject,
            self.leaves,
            checkpoint=self.checkpoint.note,
            directory=self._extract(reader),
            disclosed=disclosed,
        )

    def answer(self, reader: StoreReader, *, after: int | None = None) -> CaseAnswer:
        """
        Return what proves it to whoever asked; with *after* there are leaves behind it that it has not.

        Raises:
            LocalError: DIRECTORY_MISSING, as `bundle`.
        """
        return answer_case(
            self.subject,
            self.leaves,
            bus=self.directory.head.bus,
            checkpoint=self.checkpoint.note,
            directory=self._extract(reader),
            after=after,
        )

    def _extract(self, reader: StoreReader) -> bytes:
        # It proves itself, and may be younger than what the witnesses have seen.
        signed = reader.head(self.directory.version, self.newest)
        return extract(self.directory, signed, self.grounds.directory)


def show_case(
    reader: StoreReader, subject: str, directory: Directory, key: NoteKey, witnessed: bytes | None = None
) -> CaseShown:
    """
    Return what the log with *key* has of the case *subject*.

    Args:
        reader: Of the store.
        subject: The case.
        directory: The newest that is in the log.
        key: The log's.
        witnessed: The newest checkpoint with enough cosignatures, where there is one.

    Raises:
        LocalError: NOT_FOUND: nothing. OVERSIZE, and as the store says.
        RemoteError: BAD_TILE, BAD_SIGNATURE, MALFORMED_RECORD: the store was changed.
        Fatal: LOG_FORK: it has lost leaves.
    """
    newest = reader.newest()
    if newest is None:
        raise LocalError(Code.NOT_FOUND, "no leaf names such a case")
    # Its own word, which is signed, and not the store's, says how far to look.
    size = open_checkpoint(newest.note, key).size
    kept = reader.kept(found) if (found := reader.case(subject, size)) else []
    if all(reader_in(one) is not None for one in kept):
        raise LocalError(Code.NOT_FOUND, "no leaf names such a case")
    gone = erased_in(kept) - set(found)
    if gone:
        kept = reader.kept(sorted({*found, *gone}))
    # Who reads is logged first. Were that read to be shown as well, no witness would ever have seen all of it.
    signed = _covering(max(one.leaf for one in kept if reader_in(one) is None), newest, witnessed, key)
    return _shown(reader, kept, signed, size, subject=subject, directory=directory, key=key)


def show_reads(
    reader: StoreReader,
    subject: str,
    directory: Directory,
    key: NoteKey,
    witnessed: bytes | None,
    *,
    after: int,
    most: int,
) -> tuple[CaseShown, int | None]:
    """
    Return the statements of who has read the case *subject*, behind the leaf *after*, and behind which there is more.

    Raises:
        LocalError: NOT_FOUND: no leaf names such a case. RemoteError, Fatal: As `show_case`.
    """
    newest = reader.newest()
    if newest is None or not reader.search(Query(case=subject, most=1), newest.size):
        raise LocalError(Code.NOT_FOUND, "no leaf names such a case")
    asked = Query(case=subject, verb=ACCESSED, after=after, most=most)
    found = [one.leaf for one in reader.search(asked, newest.size)]
    signed = _covering(max(found, default=0), newest, witnessed, key)
    shown = _shown(reader, reader.kept(found), signed, newest.size, subject=subject, directory=directory, key=key)
    return shown, found[-1] if len(found) == most else None


def _shown(
    reader: StoreReader,
    kept: Sequence[Kept],
    signed: Signed,
    newest: int,
    *,
    subject: str,
    directory: Directory,
    key: NoteKey,
) -> CaseShown:
    checkpoint = open_checkpoint(signed.note, key)
    kept = [one for one in kept if one.leaf < checkpoint.size]
    return CaseShown(
        subject=subject,
        leaves=_sealed(reader, kept, checkpoint),
        checkpoint=signed,
        newest=newest,
        # Whether witnesses are enough is for whoever reads it.
        grounds=Grounds(
            checked=Checked(checkpoint=checkpoint, log=key, witnesses=(), quorum=False),
            directory=part_of(directory, agencies_in(kept, directory)),
        ),
        directory=directory,
    )


def _sealed(reader: StoreReader, kept: Sequence[Kept], checkpoint: Checkpoint) -> list[Sealed]:
    # One transaction for all the tiles, each of which is read and checked once.
    with reader.snapshot() as seen:
        return seal(kept, checkpoint.size, TileReader(seen.tile, checkpoint.size, checkpoint.root))


def _covering(last: int, newest: Signed, witnessed: bytes | None, key: NoteKey) -> Signed:
    """Return the checkpoint that leaves up to *last* are proven under."""
    if witnessed is None:
        return newest
    seen = open_checkpoint(witnessed, key)
    # A larger one than the store's is another store's: what this one has is not to be proven by it.
    return Signed(seen.size, seen.root, witnessed) if last < seen.size <= newest.size else newest


def show_search(reader: StoreReader, search: Search, bus: str, may: Callable[[str], bool | None]) -> SearchAnswer:
    """
    Return a page of what answers *search* in the cases that *may* be seen; None: it will not say of any more.

    A page may hold less than was asked for, and there is more all the same: no more is looked through for it than
    a few times what it can hold, however little of it may be seen.
    """
    newest = reader.newest()
    size = 0 if newest is None else newest.size
    query, found = query_of(search), list[FoundLeaf]()
    after, more = query.after, True
    for _ in range(_LOOKS):
        page = reader.search(replace(query, after=after, most=MOST), size)
        more = len(page) == MOST
        for one in page:
            leaf = told(one)
            seen = leaf is not None and may(leaf.subject)
            # That others follow, of which nothing may be seen, is not told by a page that is empty.
            if seen is None or (seen and len(found) == search.limit):
                return SearchAnswer(bus=bus, found=tuple(found), next=after, size=size)
            after = one.leaf
            if leaf is not None and seen:
                found.append(leaf)
        if not more:
            break
    return SearchAnswer(bus=bus, found=tuple(found), next=after if more else None, size=size)
