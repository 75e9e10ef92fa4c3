"""
Erasing: what was asked for is carried out by the log's one writer once its time has come.

    1. the store takes the statement that leaves were erased and removes what was in them, in one transaction, in which
       it also notes that their bytes are still in its files
    2. the database lets go of the bytes: they are overwritten
    3. the note is taken back
    4. the log publishes, as after any other leaf

A crash before 1 leaves a request that waits. After 1 the next start does 2 before the log is open: it needs no more
than the note. After 2 it does 2 once more, and finds nothing to overwrite. At no time are bytes gone without the
statement, or the statement there and its bytes to be had from the store.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from audit_log.cases import Cases
from audit_log.core.erasing import CaseFile, Waiting, stated
from audit_log.core.searching import Query
from audit_log.core.trails import Kept
from audit_log.log import Desk, Log
from referral_contracts.codes import Code
from referral_contracts.directory_model import ROLE_LOG
from referral_contracts.encoding import b64, format_time
from referral_contracts.errors import LocalError, RemoteError
from referral_contracts.log.erasing import ASKED, ERASED, Erased, Request, check_erased, compromised, read_stated
from referral_contracts.log.leaf import Statement


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a request now."""

    leaf: int
    """The request's."""
    subject: str
    code: Code | None
    """Why it is not carried out; None: it is, or would be."""
    ready_ms: int
    leaves: tuple[Kept, ...] = ()
    waiting: Waiting | None = None


class Requests:
    """The requests of a log that were not carried out yet."""

    def __init__(self, cases: Cases, wait_ms: int) -> None:
        self._cases, self._wait_ms = cases, wait_ms
        self._seen = -1
        self._open: dict[int, tuple[str, int]] = {}

    def outcomes(self, now_ms: int) -> Iterator[Outcome]:
        """Go through them, with what would become of each now."""
        for leaf in self.waiting():
            yield self.outcome(leaf, now_ms)

    def ready(self, now_ms: int) -> list[int]:
        """Return the leaves of those whose time to wait is over."""
        return [leaf for leaf in self.waiting() if self._open[leaf][1] + self._wait_ms <= now_ms]

    def waiting(self) -> list[int]:
        """Return the leaves of all of them; only what came since is looked for."""
        after, size = self._seen, self._cases.size
        for one in self._cases.found(Query(verb=ASKED, after=after)):
            self._open[one.leaf] = (one.subject or "", one.admitted_ms)
        carried = [one.leaf for one in self._cases.found(Query(verb=ERASED, after=after))]
        for kept in self._cases.kept(carried):
            told = read_stated(kept.value or b"")
            if isinstance(told, Erased):
                self._open.pop(told.asked, None)
        self._seen = size - 1
        return [*self._open]

    def outcome(self, leaf: int, now_ms: int) -> Outcome:
        """Return what would become now of the request in *leaf*."""
        subject, logged_ms = self._open[leaf]
        try:
            case = self._cases.case(subject)
            waiting = case.requests.get(leaf)
            if waiting is None:
                return Outcome(leaf, subject, case.doubted.get(leaf, Code.NOT_FOUND), logged_ms + self._wait_ms)
            return self._judged(case, waiting, now_ms)
        except RemoteError as error:
            # Something was stated of the case that nobody could verify: whoever checks the log will name it.
            return Outcome(leaf, subject, error.code, logged_ms + self._wait_ms)

    def _judged(self, case: CaseFile, waiting: Waiting, now_ms: int) -> Outcome:
        ready_ms, subject = waiting.ready_ms(self._wait_ms), waiting.requested.asked.subject
        try:
            leaves = case.judge(waiting.requested, now_ms)
        except RemoteError as error:
            return Outcome(waiting.leaf, subject, error.code, ready_ms)
        code = Code.TOO_EARLY if now_ms < ready_ms else None
        # That is what the time to wait is for, too.
        if compromised(waiting.statement, case.directory):
            code = Code.KEY_NOT_VALID
        return Outcome(waiting.leaf, subject, code, ready_ms, leaves, waiting)


class Eraser:
    """Erases from one log, in the turn of whoever appends to it."""

    def __init__(self, log: Log, cases: Cases, desk: Desk, wait_ms: int) -> None:
        self._log, self._cases, self._desk = log, cases, desk
        self._requests = Requests(cases, wait_ms)
        self.busy = False
        """Whether something that was erased is still in the store's files, because somebody reads them."""

    def run(self) -> list[Outcome]:
        """
        Carry out what may be; return what became of each request whose time to wait is over.

        Raises:
            Fatal, LocalError: As `Log` and `Cases` say; but not STORE_BUSY, which the next run may not find.
        """
        # What could not be overwritten the last time.
        self._scrub()
        found = []
        for leaf in self._requests.ready(self._desk.clock()):
            # Nothing comes in between what is judged and what is done: a case may be reopened at any moment.
            with self._log.turn:
                found.append(self._carry_out(leaf))
        self._scrub()
        return found

    def _carry_out(self, leaf: int) -> Outcome:
        outcome = self._requests.outcome(leaf, self._desk.clock())
        if outcome.code is None and outcome.waiting is not None:
            try:
                self._erase(outcome, outcome.waiting)
            except RemoteError as error:
                return Outcome(leaf, outcome.subject, error.code, outcome.ready_ms)
        return outcome

    def _erase(self, outcome: Outcome, waiting: Waiting) -> None:
        directory, now_ms, index = self._cases.directory, self._desk.clock(), self._log.size
        told = Erased(
            asked=waiting.leaf,
            at=format_time(now_ms),
            bus=directory.head.bus,
            entries=tuple(b64(one.entry) for one in outcome.leaves),
            leaves=tuple(one.leaf for one in outcome.leaves),
            request=Request.of(waiting.statement),
            subject=waiting.requested.asked.subject,
        )
        statement = Statement.signed(told.encode(), self._desk.key)
        # What nobody could verify must not be written: the bytes would then be gone without a reason.
        check_erased(index, statement, directory)
        source = directory.service(ROLE_LOG) or ""
        self._log.append([stated(statement, told, source, now_ms)], {}, erased=told.leaves)

    def _scrub(self) -> None:
        try:
            self._log.scrub()
            self.busy = False
        except LocalError as error:
            if error.code is not Code.STORE_BUSY:
                raise
            self.busy = True
