"""
Reads of cases, judged, logged and answered, in this order:

    1. whether who asks may read it, by the directory that counts now
    2. the answer is made; nothing of it has left
    3. the read is stated, and durable: from here on the case's owner can see it
    4. it is answered

Where the third fails nothing is shown. After it an answer may be lost, and the read is logged all the same.
"""

from collections.abc import Callable, Mapping
from typing import Final

from audit_log.asking import State, Threaded
from audit_log.cases import Cases
from audit_log.core.granting import Granted, Refused, judge
from audit_log.core.reads import accessed
from audit_log.log import Desk
from audit_log.showing import CaseShown, show_case, show_reads, show_search
from audit_log.signed import Asked
from audit_log.store.reading import StoreReader
from referral_contracts.codes import Code
from referral_contracts.directory import Directory
from referral_contracts.errors import LocalError, RemoteError
from referral_contracts.log.access import Way
from referral_contracts.trail.answers import Search

_CASES_AT_ONCE: Final = 200
"""Of which a search finds out whose they are: it goes on behind the last."""


class Reads:
    """Answers for one log."""

    def __init__(
        self,
        opened: Callable[[], tuple[StoreReader, Cases] | None],
        state: State,
        threaded: Threaded,
        *,
        desk: Desk,
        witnessed: Callable[[], bytes | None],
        clock: Callable[[], int],
    ) -> None:
        """Read what is *opened*, None while nothing is; log by *state*, signed by *desk*; read in a thread."""
        self._opened, self._state, self._threaded = opened, state, threaded
        self._desk, self._witnessed, self._clock = desk, witnessed, clock

    async def trail(self, asked: Asked, subject: str) -> bytes:
        """
        Return the trail of a case.

        Raises:
            LocalError: NOT_FOUND: there is none, or not for who asks. OVERSIZE. STORE_AWAY and as the store says.
            RemoteError: As `judge` refuses a key, or the store was changed.
        """

        def made(reader: StoreReader, directory: Directory) -> bytes:
            return self._shown(reader, directory, subject).answer(reader).encode()

        return await self._of_case(asked, Way.TRAIL, subject, made)

    async def bundle(self, asked: Asked, subject: str) -> bytes:
        """Return the evidence bundle of a case; what is raised see `trail`."""

        def made(reader: StoreReader, directory: Directory) -> bytes:
            return self._shown(reader, directory, subject).bundle(reader)

        return await self._of_case(asked, Way.BUNDLE, subject, made)

    async def reads(self, asked: Asked, subject: str, after: int | None, most: int) -> bytes:
        """Return who has read a case, behind the leaf *after*; what is raised see `trail`."""

        def made(reader: StoreReader, directory: Directory) -> bytes:
            start = -1 if after is None else after
            key, seen = self._desk.note_key, self._witnessed()
            shown, following = show_reads(reader, subject, directory, key, seen, after=start, most=most)
            return shown.answer(reader, after=following).encode()

        return await self._of_case(asked, Way.READS, subject, made)

    async def search(self, asked: Asked, search: Search) -> bytes:
        """Return a page of what is found in cases that may be read; what is raised see `trail`."""
        reader, cases = self._open()
        now_ms, directory = self._clock(), cases.directory
        whole = self._judge(asked, Way.SEARCH, None, cases, now_ms)

        def made() -> tuple[bytes, dict[str, Granted]]:
            judged: dict[str, Granted | Refused] = {}

            def may(subject: str) -> bool | None:
                if subject not in judged:
                    if len(judged) == _CASES_AT_ONCE:
                        return None
                    judged[subject] = self._judged(asked, Way.SEARCH, subject, cases, now_ms)
                return isinstance(judged[subject], Granted)

            page = show_search(reader, search, directory.head.bus, may)
            granted = {one.subject: judged[one.subject] for one in page.found}
            return page.encode(), {name: one for name, one in granted.items() if isinstance(one, Granted)}

        found: tuple[bytes, dict[str, Granted]] = await self._threaded(made)
        body, granted = found
        await self._log(asked, Way.SEARCH, granted or {None: whole}, directory, now_ms)
        return body

    async def _of_case(
        self, asked: Asked, way: Way, subject: str, make: Callable[[StoreReader, Directory], bytes]
    ) -> bytes:
        reader, cases = self._open()
        now_ms, directory = self._clock(), cases.directory
        # Judged first, and made; none of it has left.
        granted = await self._threaded(self._judge, asked, way, subject, cases, now_ms)
        body: bytes = await self._threaded(make, reader, directory)
        # Stated and durable.
        await self._log(asked, way, {subject: granted}, directory, now_ms)
        return body

    def _open(self) -> tuple[StoreReader, Cases]:
        opened = self._opened()
        if opened is None:
            raise LocalError(Code.STORE_AWAY, "the log is not open")
        return opened

    def _judge(self, asked: Asked, way: Way, subject: str | None, cases: Cases, now_ms: int) -> Granted:
        found = self._judged(asked, way, subject, cases, now_ms)
        if isinstance(found, Refused):
            raise RemoteError(found.code)
        return found

    @staticmethod
    def _judged(asked: Asked, way: Way, subject: str | None, cases: Cases, now_ms: int) -> Granted | Refused:
        def owner(subject: str) -> str | None:
            try:
                return cases.case(subject).owner or None
            except LocalError as error:
                if error.code is Code.OVERSIZE:
                    # Too large to be shown: to say so would tell who may not know that it is there.
                    return None
                raise

        return judge(asked.asker, way, subject, directory=cases.directory, owner=owner, now_ms=now_ms)

    async def _log(
        self,
        asked: Asked,
        way: Way,
        granted: Mapping[str, Granted] | Mapping[None, Granted],
        directory: Directory,
        now_ms: int,
    ) -> None:
        await self._state(
            [
                accessed(
                    asked.asker,
                    way,
                    subject,
                    one,
                    request=asked.base,
                    directory=directory,
                    key=self._desk.key,
                    now_ms=now_ms,
                )
                for subject, one in granted.items()
            ]
        )

    def _shown(self, reader: StoreReader, directory: Directory, subject: str) -> CaseShown:
        return show_case(reader, subject, directory, self._desk.note_key, self._witnessed())
