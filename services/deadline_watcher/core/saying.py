"""
What is to be said of a case's clocks, to whom, and as which event.

All of it follows from the case and from how late it is on the ledger. What was said is known by its event's id, which
follows from the clock, the step and the recipient; nothing is remembered of what was sent.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from deadline_watcher.core.case import SAID, Case, Shown, Summary, Told, Unread, running
from referral_contracts.notices import Notice as Saying
from referral_contracts.payloads.actor import Actor, Role
from referral_contracts.payloads.base import Answer
from referral_contracts.payloads.deadline import (
    ClockUnreadable,
    DeadlineNotice,
    Delivered,
    EventNamed,
    Found,
    Standing,
)
from referral_contracts.rules.clock import EXPLAINED, MISSED, Clock, Notice, Outcome, Step
from referral_contracts.rules.heard import Stamp
from referral_contracts.rules.owners import Owners
from referral_contracts.rules.spans import DAY
from referral_contracts.topics import agency_of
from referral_contracts.verbs import Verb

_SYSTEM: Final = Actor(role=Role.SYSTEM)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
VERBS: Final = {
    Step.ARMED: Verb.DEADLINE_ARMED,
    Step.REMINDED: Verb.DEADLINE_REMINDED,
    Step.MISSED: Verb.DEADLINE_MISSED,
    Step.ESCALATED: Verb.DEADLINE_ESCALATED,
    Step.EXPLAINED: Verb.DEADLINE_EXPLAINED,
}
UNREADABLE: Final = "unreadable"
UNTOLD_MS: Final = DAY
"""How long a miss waits for the word to its agency that the clock began: one that cannot be reached is missed, too."""
_STANDING: Final = {
    Outcome.MET: Standing.MET,
    Outcome.CLAIMED: Standing.MET_AS_CLAIMED,
    Outcome.MISSED: Standing.MISSED,
    Outcome.CANCELLED: Standing.CANCELLED,
    Outcome.DISPUTED: Standing.DISPUTED,
}


@dataclass(frozen=True, slots=True)
class Pending:
    """One notice that is to be said."""

    about: str
    """The clock, or the hash of the unread event."""
    name: str
    """Which of its notices; with the recipient where several are told the same."""
    notice: Notice | None
    clock: Clock | None
    unread: Unread | None = None
    to: str | None = None
    """Who was told before, and is owed this."""


def pending(case: Case, ledger_ms: int) -> Iterator[Pending]:
    """Yield what is to be said of *case* now that the ledger has seen *ledger_ms*, in due order."""
    return iter(sorted(_pending(case, ledger_ms), key=lambda one: 0 if one.notice is None else one.notice.after_ms))


def _pending(case: Case, ledger_ms: int) -> Iterator[Pending]:
    for one in case.unread:
        if UNREADABLE not in case.notices_of(one.sha256):
            yield Pending(one.sha256, UNREADABLE, None, None, one, one.recipient)
    for clock in case.docket.clocks:
        yield from _of_clock(case, clock, ledger_ms)


def _of_clock(case: Case, clock: Clock, ledger_ms: int) -> Iterator[Pending]:
    told = case.notices_of(clock.id)
    owed = _owed(case, clock)
    if owed is not None:
        yield Pending(clock.id, owed.key, owed, clock)
    # Nobody is called late by a start that it was not told of.
    unheard = owed is not None and MISSED not in told and ledger_ms <= clock.late_ms + UNTOLD_MS
    if clock.outcome is Outcome.MISSED and MISSED not in told and clock.late_ms < ledger_ms and not unheard:
        # It was done, and late: that is a miss too, and was none before.
        yield Pending(clock.id, MISSED, Notice(Step.MISSED, 0, clock.late_ms), clock)
    if MISSED in told:
        yield from _explained(told, clock)
    for notice in clock.due_notices(ledger_ms, told.keys()):
        # Nobody is reminded of what is over; what is owed after a miss was said above.
        over = MISSED in told or (clock.due_ms or 0) < ledger_ms
        held = over if notice.step is Step.REMINDED else unheard
        if notice.step is not Step.EXPLAINED and not held:
            yield Pending(clock.id, notice.key, notice, clock)


def _owed(case: Case, clock: Clock) -> Notice | None:
    """Return what the responsible agency has to be told of the start of *clock*, if it cannot know of it."""
    number = case.untold.get(clock.id)
    over = clock.outcome is not None and (clock.outcome is not Outcome.MISSED or MISSED in case.notices_of(clock.id))
    return None if number is None or over or clock.due_ms is None else Notice(Step.ARMED, number, clock.armed_ms)


def _explained(told: Mapping[str, Told], clock: Clock) -> Iterator[Pending]:
    """Yield what is owed to those who were told that it is missed: what became known since."""
    last = {done.recipient: done.admitted_ms for name, done in told.items() if _accusing(name) and done.became == SAID}
    for recipient, told_ms in sorted(last.items()):
        name = f"{EXPLAINED}@{recipient}"
        if name not in told and found_since(clock, told_ms) is not None:
            yield Pending(clock.id, name, Notice(Step.EXPLAINED, 0, clock.armed_ms), clock, None, recipient)


def found_since(clock: Clock, told_ms: int) -> Found | None:
    """Return what became known of *clock* after it was called missed at *told_ms*; None: nothing."""
    if clock.disputed_by is not None:
        return Found.DISPUTED
    stamp = clock.done or clock.cancelled
    if stamp is not None:
        if stamp.admitted_ms < told_ms:
            return None
        if clock.outcome is Outcome.CANCELLED:
            return Found.CANCELLED
        return Found.DONE_IN_TIME if clock.outcome in {Outcome.MET, Outcome.CLAIMED} else Found.DONE_LATE
    if clock.lenient_ms is None or clock.lenient_ms < told_ms:
        return None
    if clock.extended_by is not None:
        return Found.EXTENDED
    return Found.STARTED_OTHERWISE if clock.started.admitted_ms > told_ms else Found.OUTAGE


def _accusing(name: str) -> bool:
    return name == MISSED or name.startswith(f"{Step.ESCALATED.value}/")


def next_ms(case: Case, ledger_ms: int) -> int | None:
    """Return the moment that has to be seen on the ledger before there is something to say; 0: there is already."""
    if next(_pending(case, ledger_ms), None) is not None:
        return 0
    later = [one for clock in case.docket.clocks if (one := clock.next_ms(ledger_ms)) is not None]
    later += [
        clock.late_ms
        for clock in case.docket.clocks
        if clock.outcome is Outcome.MISSED and MISSED not in case.notices_of(clock.id)
    ]
    return min((one + 1 for one in later), default=None)


def summary(case: Case, ledger_ms: int) -> Summary:
    """Return what is kept in front of the record of *case*."""
    shown = () if case.exercise else tuple(_shown(case, clock) for clock in running(case))
    missed = any(MISSED in notices for notices in case.told.values())
    return Summary(next_ms(case, ledger_ms), shown, missed, case.ended_ms)


def _shown(case: Case, clock: Clock) -> Shown:
    rule = clock.rule
    missed = MISSED in case.notices_of(clock.id)
    overdue_ms = clock.lenient_ms if missed and clock.accuses else None
    # The clock of a delivery, whatever a pack calls it: it runs until the receipt is on record.
    since_ms = clock.started.moment_ms if Verb.RECEIVED.value in rule.rule.required else None
    return Shown(rule.id, rule.rule.role_name, rule.basis.value, since_ms, overdue_ms)


def named(case: Case, clock: Clock) -> Iterator[Notice]:
    """Yield every notice that *clock* has ever been able to say: their names are those of its events."""
    yield from (Notice(Step.ARMED, number, 0) for number in range(case.armings(clock.id)))
    yield from (Notice(Step.REMINDED, number, 0) for number in range(len(clock.rule.rule.remind_ms)))
    yield Notice(Step.MISSED, 0, 0)
    levels = (level for level in clock.rule.rule.escalate or () for _ in level.moments_ms)
    yield from (Notice(Step.ESCALATED, number, 0, level) for number, level in enumerate(levels))
    yield Notice(Step.EXPLAINED, 0, 0)


def recipient_of(one: Pending, owners: Owners, now_ms: int) -> str | None:
    """Return to whom *one* goes, as the directory stands; None: nobody is there."""
    if one.to is not None:
        return one.to
    if one.clock is None or one.notice is None:
        return None
    return owners.recipient(one.clock, one.notice.level, now_ms)


def spoken(case: Case, one: Pending, recipient: str, *, calendar: str, ledger_ms: int) -> Saying:
    """Return what is said to *recipient*."""
    if one.unread is not None:
        event = EventNamed(id=one.unread.event, sha256=one.unread.sha256)
        body: ClockUnreadable | DeadlineNotice = ClockUnreadable(actor=_SYSTEM, event=event, code=one.unread.code)
        verb = Verb.DEADLINE_UNREADABLE
    else:
        clock, notice = one.clock, one.notice
        if clock is None or notice is None:
            raise ValueError(one)
        body = body_of(case, clock, notice, calendar=calendar, ledger_ms=ledger_ms)
        verb = VERBS[notice.step]
    return Saying(verb=verb, subject=case.docket.subject, exercise=case.exercise, recipient=recipient, body=body)


def body_of(case: Case, clock: Clock, notice: Notice, *, calendar: str, ledger_ms: int) -> DeadlineNotice:
    """Return the body of a clock's *notice*: all that is needed to work it out again."""
    rule = clock.rule.rule
    told_ms = min((one.admitted_ms for name, one in case.notices_of(clock.id).items() if _accusing(name)), default=0)
    found = found_since(clock, told_ms) if notice.step is Step.EXPLAINED else None
    trigger = next(
        (
            one.name
            for one in case.docket.heard
            if one.event == clock.started.event and one.name in rule.trigger and "." not in one.name
        ),
        None,
    )
    return DeadlineNotice(
        actor=_SYSTEM,
        clock=clock.id,
        rule=clock.rule.named,
        responsible=clock.responsible,
        due_at=_moment(clock.due_ms),
        late_after=None if clock.lenient_ms == clock.due_ms else _moment(clock.lenient_ms),
        provisional=Answer.YES if clock.provisional else None,
        started_at=_at(clock.started.moment_ms),
        # That it is missed is not told together with when it began.
        standing=_standing(clock, clock.armed_ms if notice.step is Step.ARMED else ledger_ms),
        delivery=_delivery(case, clock),
        trigger=trigger,
        started_by=_event(clock.started),
        reached_at=None if clock.second is None else _at(clock.second.moment_ms),
        calendar=calendar,
        step=notice.number,
        level=None if notice.level is None else notice.level.up,
        found=found,
        done_at=None if clock.done is None else _at(clock.done.moment_ms),
        evidence=None if found is None else _evidence(clock),
    )


def _standing(clock: Clock, ledger_ms: int) -> Standing:
    outcome = clock.outcome_at(ledger_ms)
    if outcome is None:
        return Standing.PAUSED if clock.paused else Standing.RUNNING
    return _STANDING.get(outcome, Standing.RUNNING)


def _delivery(case: Case, clock: Clock) -> Delivered | None:
    """Say whether it is on record that the responsible agency has heard of the case: by a receipt, or its own word."""
    if clock.responsible is None:
        return None
    received = any(agency_of(one.partition("/")[2]) == clock.responsible for one in case.received)
    spoke = any(one.sender == clock.responsible for one in case.docket.heard)
    return Delivered.PROVEN if received or spoke else Delivered.NOT_PROVEN


def _evidence(clock: Clock) -> EventNamed | None:
    found = clock.done or clock.cancelled
    return None if found is None else _event(found)


def _event(stamp: Stamp) -> EventNamed:
    return EventNamed(id=stamp.event, sha256=stamp.sha256)


def _at(ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=ms)


def _moment(ms: int | None) -> datetime | None:
    return None if ms is None else _at(ms)
