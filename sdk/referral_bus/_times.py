"""
The clocks that this agency knows of: those that the deadline watcher told it of, and its own, worked out from what it
said and heard.

The watcher's word counts. What is worked out here fills in what the watcher has no need to say: that a clock of ours
runs, of which we got the `clock` section. Others' clocks are not worked out: what ends them may be sealed to others.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from referral_bus._clocks import ToldOfClock, told_of_clocks
from referral_bus._home import Home
from referral_bus._kept import AtHand
from referral_bus._open import own_clock
from referral_bus._store import inbox, outbox
from referral_bus.views import ClockView, Rules
from referral_contracts.directory import Directory
from referral_contracts.encoding import parse_time
from referral_contracts.envelope import Envelope
from referral_contracts.payloads.clock import ClockSection
from referral_contracts.payloads.deadline import Ground, Standing
from referral_contracts.rules.clock import Clock, Outcome
from referral_contracts.rules.docket import Docket
from referral_contracts.rules.heard import World
from referral_contracts.rules.hearing import Letter, happenings
from referral_contracts.rules.owners import Owners
from referral_contracts.rules.pack import Basis
from referral_contracts.succession import speaker


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heard:
    envelope: Envelope
    sha256: str
    admitted_ms: int
    section: ClockSection | None


def clocks(home: Home, directory: Directory, rules: Rules | None, subject: str | None = None) -> tuple[ClockView, ...]:
    """Return the clocks that are known here, of the case *subject* or of all; first due first, then those without."""
    found: dict[str, ClockView] = {}
    if rules is not None:
        found.update({clock.clock: clock for clock in _worked_out(home, directory, rules, subject)})
    for told in told_of_clocks(home, directory, subject):
        known = found.get(told.notice.clock)
        if known is None or not known.told_by_watcher or known.known_ms <= told.admitted_ms:
            found[told.notice.clock] = _as_told(told)
    return tuple(sorted(found.values(), key=lambda clock: (clock.due_ms is None, clock.due_ms or 0, clock.clock)))


def _as_told(told: ToldOfClock) -> ClockView:
    notice = told.notice
    return ClockView(
        clock=notice.clock,
        subject=told.subject,
        exercise=told.exercise,
        rule=notice.rule.id,
        vi=notice.rule.vi,
        en=notice.rule.en,
        ground=notice.rule.ground,
        source=notice.rule.source,
        confidence=notice.rule.confidence,
        responsible=notice.responsible,
        started_ms=_ms(notice.started_at) or 0,
        due_ms=_ms(notice.due_at),
        done_ms=_ms(notice.done_at),
        standing=notice.standing,
        delivery=notice.delivery,
        told_by_watcher=True,
        known_ms=told.admitted_ms,
    )


def _worked_out(home: Home, directory: Directory, rules: Rules, subject: str | None) -> Iterator[ClockView]:
    now_ms, owners = home.now_ms(), Owners(directory)
    world = World(
        bus=home.bus,
        book=rules.book,
        calendar=rules.calendar,
        owner=lambda rule, start: owners.owner(rule, start, start.admitted_ms),
    )
    for case, heard in _by_case(home, subject).items():
        docket = Docket(case)
        for one in heard:
            made = happenings(Letter(one.envelope, one.sha256), one.section, one.admitted_ms)
            supersedes = one.envelope.data.supersedes
            docket = docket.hear(world, made, superseded=None if supersedes is None else supersedes.sha256)
        for clock in docket.clocks:
            if clock.responsible is not None and speaker(directory, clock.responsible, now_ms) == home.agency:
                yield _as_worked_out(clock, case, exercise=heard[0].envelope.exercise)


def _as_worked_out(clock: Clock, subject: str, *, exercise: bool) -> ClockView:
    rule = clock.rule.rule
    return ClockView(
        clock=clock.id,
        subject=subject,
        exercise=exercise,
        rule=clock.rule.id,
        vi=rule.vi,
        en=rule.en,
        ground=Ground.LAW if clock.rule.basis is Basis.LAW else Ground.POLICY,
        source=rule.source,
        confidence=rule.confidence,
        responsible=clock.responsible,
        started_ms=clock.started.moment_ms,
        due_ms=clock.due_ms,
        done_ms=None if clock.done is None else clock.done.moment_ms,
        standing=_standing(clock),
        delivery=None,
        told_by_watcher=False,
        known_ms=clock.armed_ms,
    )


def _standing(clock: Clock) -> Standing:
    """Return how *clock* stands by what was heard. That it is missed the watcher alone says."""
    match clock.outcome:
        case Outcome.MET | Outcome.MEASURED:
            return Standing.MET
        case Outcome.CLAIMED | Outcome.MISSED:
            return Standing.MET_AS_CLAIMED if clock.outcome is Outcome.CLAIMED else Standing.RUNNING
        case Outcome.CANCELLED:
            return Standing.CANCELLED
        case Outcome.DISPUTED:
            return Standing.DISPUTED
        case None:
            return Standing.PAUSED if clock.paused else Standing.RUNNING


def _by_case(home: Home, subject: str | None) -> Mapping[str, list[_Heard]]:
    found: dict[str, dict[str, _Heard]] = {}
    for one in (*_got(home, subject), *_said(home, subject)):
        found.setdefault(one.envelope.subject, {})[one.sha256] = one
    return {case: sorted(told.values(), key=lambda one: one.admitted_ms) for case, told in found.items()}


def _got(home: Home, subject: str | None) -> Iterable[_Heard]:
    for stored in inbox.listed(home.store.db, acknowledged=None):
        if subject in {None, stored.subject}:
            delivery = AtHand(stored.read_back, home.keys)
            sections = (one.read.payload for one in delivery.opened.sections if one.read is not None)
            section = next((one for one in sections if isinstance(one, ClockSection)), None)
            verified = delivery.verified
            yield _Heard(
                envelope=verified.envelope, sha256=verified.event, admitted_ms=verified.admitted_ms, section=section
            )


def _said(home: Home, subject: str | None) -> Iterable[_Heard]:
    for entry in outbox.entries(home.store.db):
        accepted = entry.verdict is not None and entry.verdict.accepted
        attempt = outbox.in_force(home.store.db, entry.id) if accepted and subject in {None, entry.subject} else None
        if attempt is not None and entry.verdict is not None:
            envelope = Envelope.decode(attempt.value)
            yield _Heard(
                envelope=envelope,
                sha256=attempt.hash,
                admitted_ms=parse_time(entry.verdict.admitted),
                section=own_clock(envelope, home.agency, home.keys),
            )


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)
