"""
What agencies state about erasing, as it comes: requests, holds and their ends. Each proves itself by its signatures.

    1. what is signed is read, and its time looked at
    2. the signatures are verified: of a request the registrar's and another agency's, of a hold the registrar's or an
       auditor's; an auditor's needs a grant
    3. the case is looked at: who may not know of it learns no more than of one that is not there
    4. it is appended, and durable when it is answered

The same once more is answered as it was the first time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

from audit_log.cases import Cases
from audit_log.core.erasing import CaseFile, Logged, stated
from audit_log.core.granting import grant_of
from audit_log.core.reading import DIRECTORY_CHANGED, Taken
from audit_log.core.searching import Query
from referral_contracts.codes import Code
from referral_contracts.directory import ROLE_REGISTRAR, Directory
from referral_contracts.encoding import b64, event_hash, parse_time
from referral_contracts.errors import LocalError, RemoteError
from referral_contracts.log.erasing import Asked, Erased, Hold, Lifted, check_asked, check_hold, read_stated, signing
from referral_contracts.log.leaf import Statement

AHEAD_MS: Final = 3_600_000
BEHIND_MS: Final = 90 * 86_400_000
"""A request goes from one agency to the other, and then here: longer than this it does not take."""


State: TypeAlias = Callable[[Sequence[Taken]], Awaitable[list[int]]]
"""`Statements.state`."""
Told: TypeAlias = Asked | Hold | Lifted


class Threaded(Protocol):
    """Does work in a thread."""

    def __call__(self, work: Callable[..., Any], /, *arguments: object) -> Awaitable[Any]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """That a statement is in the log: always the same, of the same statement."""

    kind: str
    leaf: int
    logged_ms: int
    not_before_ms: int | None
    """Of a request: when it may be carried out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StandsAt:
    """What has become of a statement."""

    answer: Answer
    state: str
    """Of a request: waits, erased. Of a hold: holds, lifted. Of the end of one: logged."""
    by: int | None
    """The leaf of what ended it."""
    code: Code | None
    """Why a request would not be carried out now."""


class Asking:
    """Takes statements for one log."""

    def __init__(
        self,
        cases: Callable[[], Cases | None],
        state: State,
        threaded: Threaded,
        *,
        clock: Callable[[], int],
        wait_ms: int,
    ) -> None:
        """Look into *cases*, None while there is no open log; log by *state*; look in a thread, by *threaded*."""
        self._cases, self._state, self._threaded = cases, state, threaded
        self._clock, self._wait_ms = clock, wait_ms
        self._one = asyncio.Lock()

    async def take(self, statement: Statement) -> Answer:
        """
        Log a request, a hold or the end of one; return where it is. What was logged before is not logged again.

        Raises:
            RemoteError: OUTSIDE_WINDOW, MALFORMED_RECORD, NOT_FOUND, or as `check_asked`, `check_hold` and
                `CaseFile.judge` say.
            LocalError: STORE_AWAY, STORE_BUSY, DIRECTORY_MISSING and as the store says: it may be in the log, or not.
        """
        cases, now_ms = self._open(), self._clock()
        told = await self._threaded(check, statement, cases.directory, now_ms)
        # One at a time: two of the same would not find each other.
        async with self._one:
            found = await self._threaded(look, cases, statement, told, now_ms)
            if isinstance(found, Taken):
                (leaf,) = await self._state([found])
                found = Logged(leaf, now_ms)
        return self._answer(told, found)

    async def standing(self, event: bytes) -> StandsAt:
        """
        Return what has become of the statement with the hash *event*: who knows that has the statement.

        Raises:
            RemoteError: NOT_FOUND.
            LocalError: As `take` says.
        """
        found: StandsAt = await self._threaded(self._stands, self._open(), event)
        return found

    def _open(self) -> Cases:
        cases = self._cases()
        if cases is None:
            raise LocalError(Code.STORE_AWAY, "the log is not open")
        return cases

    def _answer(self, told: Told, logged: Logged) -> Answer:
        not_before_ms = None
        if isinstance(told, Asked):
            not_before_ms = max(logged.logged_ms + self._wait_ms, parse_time(told.not_before or told.at))
        return Answer(kind=told.kind, leaf=logged.leaf, logged_ms=logged.logged_ms, not_before_ms=not_before_ms)

    def _stands(self, cases: Cases, event: bytes) -> StandsAt:
        for one in cases.found(Query(event=event)):
            (kept,) = cases.kept([one.leaf])
            told = None if kept.decision or kept.value is None else read_stated(kept.value)
            if isinstance(told, Asked | Hold | Lifted):
                answer = self._answer(told, Logged(one.leaf, one.admitted_ms))
                return _standing(cases.case(told.subject), told, answer, self._clock())
        raise RemoteError(Code.NOT_FOUND, "no such statement")


def _standing(case: CaseFile, told: Told, answer: Answer, now_ms: int) -> StandsAt:
    leaf, code = answer.leaf, None
    if isinstance(told, Lifted):
        return StandsAt(answer=answer, state="logged", by=None, code=None)
    if isinstance(told, Hold):
        by = case.lifted.get(leaf)
        return StandsAt(answer=answer, state="holds" if by is None else "lifted", by=by, code=None)
    by, waiting = case.carried.get(leaf), case.requests.get(leaf)
    if waiting is not None:
        try:
            case.judge(waiting.requested, now_ms)
        except RemoteError as error:
            code = error.code
    return StandsAt(answer=answer, state="waits" if by is None else "erased", by=by, code=code)


def check(statement: Statement, directory: Directory, now_ms: int) -> Told:
    """
    Return what is stated, once all that can be told without looking at a case is found in order.

    Raises:
        RemoteError: As `Asking.take` says.
    """
    told = read_stated(statement.value)
    if told is None or isinstance(told, Erased):
        raise RemoteError(Code.MALFORMED_RECORD, "neither a request to erase nor a hold")
    if not now_ms - BEHIND_MS <= parse_time(told.at) <= now_ms + AHEAD_MS:
        raise RemoteError(Code.OUTSIDE_WINDOW, "stated too long ago, or ahead of this clock")
    if isinstance(told, Asked):
        check_asked(statement, directory, now_ms)
    else:
        check_hold(statement, directory, now_ms)
    return told


def look(cases: Cases, statement: Statement, told: Told, now_ms: int) -> Taken | Logged:
    """
    Return what is to be logged; or where it was, before.

    Raises:
        RemoteError: As `Asking.take` says.
    """
    case, directory = cases.case(told.subject), cases.directory
    before = case.statements.get(event_hash(statement.value))
    if isinstance(told, Asked):
        requested = check_asked(statement, directory)
        case.check_owner(requested, now_ms)
        if before is None:
            _refuse_others(cases, told)
            case.judge(requested, now_ms)
        source = requested.other
    else:
        source = _holder(case, statement, told.subject, now_ms)
        if before is None and isinstance(told, Lifted) and told.hold not in case.holds:
            raise RemoteError(Code.NOT_FOUND, "there is no such hold of this case")
    return before or stated(statement, told, source, now_ms)


def _holder(case: CaseFile, statement: Statement, subject: str, now_ms: int) -> str:
    """
    Return who states a hold, or the end of one: the registrar, or an auditor with a grant for the case.

    Raises:
        RemoteError: NOT_FOUND: no grant; or no such case, which is told alike.
    """
    members = [found for name in sorted(signing(statement, case.directory)) if (found := case.directory.member(name))]
    registrar = next((one.id for one in members if ROLE_REGISTRAR in one.roles), None)
    if registrar is not None:
        return registrar
    for one in members:
        if case.state is not None and grant_of(one, subject, case.owner, case.directory, now_ms) is not None:
            return one.id
    raise RemoteError(Code.NOT_FOUND, "no such case, or none that this auditor was granted")


def _refuse_others(cases: Cases, asked: Asked) -> None:
    """Refuse what is in the log, and no event of a case: a change of the directory."""
    changes = {b64(one.event) for one in cases.found(Query(verb=DIRECTORY_CHANGED))} if asked.events else set()
    if changes & {*(asked.events or ())}:
        raise RemoteError(Code.NOT_ERASABLE)
