"""
Erasing: requests and holds are logged when they come, and carried out when their time has come.

    1. the store takes the statement that leaves were erased and removes what was in them, in one transaction
    2. the database lets go of the bytes: they are overwritten in its files
    3. the log publishes, as after any other leaf

A crash before 1 leaves a request that waits. After 1 it is carried out and named; what runs next does 2 once more, and
3 as every start does. At no time are bytes gone without the statement, or the statement there without its bytes gone.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from audit_log.core.erasing import CaseFile, Waiting, read_case, stated
from audit_log.core.reading import DIRECTORY_CHANGED
from audit_log.core.searching import MOST, Found, Query
from audit_log.core.trails import Kept
from audit_log.log import Desk, Log
from audit_log.store.reading import StoreReader
from referral_contracts.codes import Code
from referral_contracts.directory import ROLE_REGISTRAR, Directory, TrustRoot, apply
from referral_contracts.directory_model import ROLE_LOG, Change
from referral_contracts.encoding import b64, event_hash, format_time, parse_time
from referral_contracts.errors import LocalError, RemoteError
from referral_contracts.log.erasing import (
    ASKED,
    Asked,
    Erased,
    Hold,
    Lifted,
    Request,
    check_asked,
    check_erased,
    check_hold,
    read_stated,
)
from referral_contracts.log.leaf import Statement
from referral_contracts.verbs import Verb

DAY_MS: Final = 86_400_000
_AHEAD_MS: Final = 3_600_000
_BEHIND_MS: Final = 90 * DAY_MS
"""A request goes from one agency to the other, and then here: longer than this it does not take."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a request now."""

    waiting: Waiting
    leaves: tuple[Kept, ...]
    code: Code | None
    """Why it is not carried out; None: it is, or would be."""
    ready_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """By which an eraser works."""

    root: TrustRoot
    wait_ms: int


class Eraser:
    """Erases from one log, which nobody else writes meanwhile."""

    def __init__(self, log: Log, reader: StoreReader, desk: Desk, rules: Rules, scrub: Callable[[], None]) -> None:
        """
        Read the directory that the log has; *scrub* lets the store overwrite what was erased.

        Raises:
            LocalError: DIRECTORY_MISSING.
        """
        self._log, self._reader, self._desk, self._rules, self._scrub = log, reader, desk, rules, scrub
        self.directory = self._read_directory()

    def state(self, statement: Statement) -> int:
        """
        Log a request, a hold or the end of one; return its leaf.

        Raises:
            RemoteError: OUTSIDE_WINDOW, DUPLICATE, NOT_FOUND, or as `check_asked`, `check_hold` and `CaseFile.judge`.
        """
        now_ms = self._desk.clock()
        told = read_stated(statement.value)
        if told is None or isinstance(told, Erased):
            raise RemoteError(Code.MALFORMED_RECORD, "neither a request to erase nor a hold")
        if not now_ms - _BEHIND_MS <= parse_time(told.at) <= now_ms + _AHEAD_MS:
            raise RemoteError(Code.OUTSIDE_WINDOW, "stated too long ago, or ahead of this clock")
        case = self.case(told.subject)
        if event_hash(statement.value) in case.statements:
            raise RemoteError(Code.DUPLICATE, "this was stated already")
        source = self._check(statement, told, case, now_ms)
        leaf = self._log.append([stated(statement, told, source, now_ms)], {})
        self._log.publish()
        return leaf

    def _check(self, statement: Statement, told: Asked | Hold | Lifted, case: CaseFile, now_ms: int) -> str:
        if isinstance(told, Asked):
            requested = check_asked(statement, self.directory)
            self._refuse_others(told)
            case.judge(requested, now_ms)
            return requested.other
        check_hold(statement, self.directory)
        if isinstance(told, Lifted) and told.hold not in case.holds:
            raise RemoteError(Code.NOT_FOUND, "there is no such hold of this case")
        return self.directory.service(ROLE_REGISTRAR) or ""

    def _refuse_others(self, asked: Asked) -> None:
        """Refuse what is in the log, and no event of a case: a change of the directory."""
        changes = {b64(one.event) for one in self._found(Query(verb=DIRECTORY_CHANGED))} if asked.events else set()
        if changes & {*(asked.events or ())}:
            raise RemoteError(Code.NOT_ERASABLE)

    def outcomes(self) -> Iterator[Outcome]:
        """Go through the requests that wait, with what would become of each now."""
        now_ms = self._desk.clock()
        for subject in dict.fromkeys(one.subject or "" for one in self._found(Query(verb=ASKED))):
            case = self.case(subject)
            for waiting in case.requests.values():
                ready_ms = waiting.ready_ms(self._rules.wait_ms)
                try:
                    leaves = case.judge(waiting.requested, now_ms)
                except RemoteError as error:
                    yield Outcome(waiting, (), error.code, ready_ms)
                    continue
                yield Outcome(waiting, leaves, Code.TOO_EARLY if now_ms < ready_ms else None, ready_ms)

    def run(self) -> list[Outcome]:
        """
        Carry out what may be; return what became of each request.

        Raises:
            Fatal, LocalError: As `Log` and `scrub` say. STORE_BUSY: bytes are still in the file, run it again.
        """
        # After a crash the statement may be there, and the bytes still in the file.
        self._scrub()
        found = []
        for one in list(self.outcomes()):
            # An erasure before it may have been of the same leaves.
            again = next((now for now in self.outcomes() if now.waiting.leaf == one.waiting.leaf), one)
            if again.code is None:
                self._erase(again)
            found.append(again)
        self._scrub()
        self._log.publish()
        return found

    def _erase(self, outcome: Outcome) -> None:
        waiting, now_ms, index = outcome.waiting, self._desk.clock(), self._log.size
        told = Erased(
            asked=waiting.leaf,
            at=format_time(now_ms),
            bus=self._rules.root.bus,
            entries=tuple(b64(one.entry) for one in outcome.leaves),
            leaves=tuple(one.leaf for one in outcome.leaves),
            request=Request.of(waiting.statement),
            subject=waiting.requested.asked.subject,
        )
        statement = Statement.signed(told.encode(), self._desk.key)
        # What nobody could verify must not be written: the bytes would then be gone without a reason.
        check_erased(index, statement, self.directory)
        source = self.directory.service(ROLE_LOG) or ""
        self._log.append([stated(statement, told, source, now_ms)], {}, erased=told.leaves)

    def due(self, days: int) -> list[tuple[str, CaseFile]]:
        """Return the cases that ended *days* ago or longer, of which something could be erased and nobody has asked."""
        before_ms = self._desk.clock() - days * DAY_MS
        found = []
        ended = [
            one
            for verb in (Verb.CASE_CLOSED, Verb.CASE_VOIDED)
            for one in self._found(Query(verb=verb.value, accepted=True, until_ms=before_ms))
        ]
        for subject in dict.fromkeys(one.subject or "" for one in sorted(ended)):
            case = self.case(subject)
            try:
                case.check_ended()
            except RemoteError:
                continue
            if case.ended_ms < before_ms and case.erasable and not case.requests:
                found.append((subject, case))
        return found

    def case(self, subject: str) -> CaseFile:
        """Return what the log has of a case."""
        leaves = self._reader.case(subject, self._log.size)
        since = {one.leaf: one.admitted_ms for one in self._found(Query(case=subject, verb=ASKED))}
        kept = [one for start in range(0, len(leaves), MOST) for one in self._reader.kept(leaves[start : start + MOST])]
        return read_case(kept, self.directory, since)

    def _found(self, query: Query) -> Iterator[Found]:
        found: Sequence[Found] = self._reader.search(query, self._log.size)
        yield from found
        while len(found) == query.most:
            query = Query(
                case=query.case,
                verb=query.verb,
                accepted=query.accepted,
                until_ms=query.until_ms,
                after=found[-1].leaf,
            )
            found = self._reader.search(query, self._log.size)
            yield from found

    def _read_directory(self) -> Directory:
        directory: Directory | None = None
        kids: dict[str, str] = {}
        for one in self._found(Query(verb=DIRECTORY_CHANGED, accepted=True)):
            (kept,) = self._reader.kept([one.leaf])
            change = Change.decode(kept.value or b"")
            directory = apply(directory, change, self._rules.root, kids)
            kids.update((key.kid, entry.id) for entry in change.data.agencies for key in entry.keys)
        if directory is None:
            raise LocalError(Code.DIRECTORY_MISSING, "the log has no directory yet")
        return directory
