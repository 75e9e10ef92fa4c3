"""
What of a case may be erased, and when. Pure.

A case goes as a whole, or some of its events: once it is closed, nobody has to act in it any more, nobody holds it,
two agencies have asked for it and the time to wait is over. Deadlines stay, as changes of the directory and the log's
own statements do: they say who was late, and who did what to this very log.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from audit_log.core.reading import NO_PARTITION, About, Taken, about
from audit_log.core.trails import Kept
from referral_contracts.codes import Code
from referral_contracts.decisions import Decision, read_decision
from referral_contracts.directory import Directory
from referral_contracts.encoding import event_hash, parse_time, sha256
from referral_contracts.envelope import Envelope
from referral_contracts.errors import RemoteError
from referral_contracts.lifecycle import ENDED_CASES, CaseState
from referral_contracts.log.erasing import (
    Asked,
    Erased,
    Hold,
    Lifted,
    Requested,
    Stated,
    check_asked,
    check_erased,
    check_hold,
    read_stated,
)
from referral_contracts.log.leaf import Statement
from referral_contracts.succession import speaker
from referral_contracts.trail.standing import Spoken, Standing
from referral_contracts.verbs import Verb

_DEADLINE: Final = "deadline."
_ENDS: Final = (Verb.CASE_CLOSED, Verb.CASE_VOIDED)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request that was logged."""

    leaf: int
    requested: Requested
    statement: Statement
    since_ms: int
    """When the log took it."""

    def ready_ms(self, wait_ms: int) -> int:
        """When it may be carried out, after a time to wait of *wait_ms*."""
        asked = self.requested.asked
        return max(self.since_ms + wait_ms, parse_time(asked.not_before or asked.at))


class Logged(NamedTuple):
    """A statement of the log."""

    leaf: int
    logged_ms: int
    """When the log took it."""


@dataclass(slots=True)
class CaseFile:
    """All that the log has of a case, as far as it matters to an erasure."""

    directory: Directory
    events: list[Kept] = field(default_factory=list)
    """What is still there."""
    requests: dict[int, Waiting] = field(default_factory=dict)
    """What was asked for and is not carried out."""
    holds: dict[int, Hold] = field(default_factory=dict)
    statements: dict[str, Logged] = field(default_factory=dict)
    """All that was stated, by its hash."""
    carried: dict[int, int] = field(default_factory=dict)
    """What was carried out: by the request's leaf the erasure's."""
    lifted: dict[int, int] = field(default_factory=dict)
    """What is held no more: by the hold's leaf that of its end."""
    doubted: dict[int, Code] = field(default_factory=dict)
    """What was stated and cannot be verified any more, and why: whoever checks the log names it. It does nothing."""
    state: CaseState | None = None
    owner: str = ""
    acting: bool = False
    """Whether somebody still has to act in a hand-off."""
    ended_ms: int = 0
    """When it was closed, or voided."""

    def judge(self, requested: Requested, now_ms: int) -> tuple[Kept, ...]:
        """
        Return the leaves that *requested* is to erase.

        Raises:
            RemoteError: NOT_FOUND, CASE_OPEN, OPEN_HANDOFFS, HELD, NOT_ERASABLE.
        """
        self.check_owner(requested, now_ms)
        self.check_ended()
        return self._chosen(requested.asked)

    def check_owner(self, requested: Requested, now_ms: int) -> None:
        """
        Return if the case's owner is the agency that asks; another one does not learn whether there is such a case.

        Raises:
            RemoteError: NOT_FOUND.
        """
        if self.state is None or speaker(self.directory, self.owner, now_ms) != requested.other:
            raise RemoteError(Code.NOT_FOUND, "beside the registrar its owner asks; no such case, or another's")

    def check_ended(self) -> None:
        """
        Return if something of the case may be erased.

        Raises:
            RemoteError: CASE_OPEN, OPEN_HANDOFFS, HELD.
        """
        if self.state not in ENDED_CASES:
            raise RemoteError(Code.CASE_OPEN)
        if self.acting:
            raise RemoteError(Code.OPEN_HANDOFFS)
        if self.holds:
            raise RemoteError(Code.HELD, f"held by the statement in leaf {min(self.holds)}")

    @property
    def erasable(self) -> tuple[Kept, ...]:
        """What would go if all of it were asked for."""
        return tuple(one for one in self.events if not _is_deadline(one))

    def _chosen(self, asked: Asked) -> tuple[Kept, ...]:
        if asked.events is None:
            chosen: Sequence[Kept] = self.erasable
        else:
            wanted = {*asked.events}
            chosen = [one for one in self.events if event_hash(one.value or b"") in wanted]
            if any(map(_is_deadline, chosen)) or wanted & self.statements.keys():
                raise RemoteError(Code.NOT_ERASABLE)
            if wanted - {event_hash(one.value or b"") for one in chosen}:
                raise RemoteError(Code.NOT_FOUND, "an event that is not one of this case, or is gone")
        if not chosen:
            raise RemoteError(Code.NOT_FOUND, "nothing of it is left")
        return tuple(chosen)


def read_case(leaves: Iterable[Kept], directory: Directory, logged_ms: Mapping[int, int]) -> CaseFile:
    """Return the case of which these are all *leaves*, in the log's order; *logged_ms*: when each was logged."""
    case, kept = CaseFile(directory), [one for one in leaves if one.value is not None]
    # What was erased moved the case in ways that nobody can tell; but it was closed then, and its owner's word heeded.
    standing = None if any(map(_is_erasure, kept)) else Standing()
    for one in kept:
        if one.decision:
            case.events.append(one)
            _go_on(case, standing, one, read_decision(one.decision))
        else:
            _take(case, one, logged_ms[one.leaf])
    if standing is not None:
        case.state, case.owner = standing.state, standing.owner
        case.acting = any(standing.open_handoffs())
    return case


def _go_on(case: CaseFile, standing: Standing | None, one: Kept, decision: Decision) -> None:
    if decision.code is not Code.ACCEPTED:
        return
    envelope = Envelope.decode(one.value or b"")
    if envelope.verb in _ENDS:
        case.ended_ms = parse_time(decision.admitted)
    if standing is None:
        _guess(case, envelope)
        return
    standing.take(
        Spoken(
            envelope=envelope,
            event=decision.event,
            directory=case.directory,
            admitted_ms=parse_time(decision.admitted),
        )
    )


def _guess(case: CaseFile, envelope: Envelope) -> None:
    """Go on with a case that was erased in part: a hand-off that was asked back counts as open until the next end."""
    if envelope.verb in _ENDS:
        # The router lets nobody close a case in which somebody has to act.
        case.state = CaseState.CLOSED if envelope.verb is Verb.CASE_CLOSED else CaseState.VOIDED
        case.acting = False
    elif envelope.verb is Verb.CASE_REOPENED:
        case.state = CaseState.OPEN
    elif envelope.verb is Verb.CASE_TRANSFER_ACCEPTED:
        case.owner = envelope.source
    elif envelope.verb is Verb.RECALLED:
        case.acting = True


def _take(case: CaseFile, one: Kept, logged_ms: int) -> None:
    """Take a statement."""
    statement = Statement(signatures=tuple((one.signature or b"").split(b"\n")), value=one.value or b"")
    case.statements[event_hash(statement.value)] = Logged(one.leaf, logged_ms)
    try:
        _stated(case, one.leaf, statement, logged_ms)
    except RemoteError as error:
        # It was good when it came. A role or a key that ended since must not hide the case from all who may read it.
        case.doubted[one.leaf] = error.code


def _stated(case: CaseFile, leaf: int, statement: Statement, logged_ms: int) -> None:
    told = read_stated(statement.value)
    match told:
        case Asked():
            requested = check_asked(statement, case.directory)
            case.requests[leaf] = Waiting(leaf, requested, statement, logged_ms)
        case Hold():
            # It outlives whoever stated it, and his key.
            case.holds[leaf] = told
        case Lifted():
            check_hold(statement, case.directory)
            if case.holds.pop(told.hold, None) is not None:
                case.lifted[told.hold] = leaf
        case Erased():
            asked = case.requests.pop(told.asked, None)
            case.carried[told.asked] = leaf
            case.state, case.acting = CaseState.CLOSED, False
            case.owner = case.owner if asked is None else asked.requested.other
            check_erased(leaf, statement, case.directory)
        case None:
            pass


def _is_erasure(one: Kept) -> bool:
    return not one.decision and isinstance(read_stated(one.value or b""), Erased)


def _is_deadline(one: Kept) -> bool:
    told = about(one.value or b"")
    return told is not None and told.verb.startswith(_DEADLINE)


def stated(statement: Statement, told: Stated, source: str, now_ms: int) -> Taken:
    """Return *statement*, which says what is *told*, for the log to take; it is found by its kind and its case."""
    return Taken(
        partition=NO_PARTITION,
        offset=0,
        counter=0,
        chain=b"",
        signature=b"\n".join(statement.signatures),
        value=statement.value,
        decision=b"",
        path=b"",
        root=b"",
        admitted_ms=now_ms,
        code=Code.ACCEPTED.value,
        event=sha256(statement.value),
        about=About(told.subject, None, told.kind, source, (source,)),
    )
