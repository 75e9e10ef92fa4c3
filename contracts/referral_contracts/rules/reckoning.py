"""How a clock follows from what was heard: its cycles, its due instant, its end."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeAlias

from referral_contracts.rules.book import CASE_VOIDED, RuleInForce, cancelling
from referral_contracts.rules.calendar import Interval, due
from referral_contracts.rules.clock import Clock, clock_id
from referral_contracts.rules.heard import Happening, Say, Saying, Stamp, World
from referral_contracts.rules.pack import Kind, Rule, Teller, Whose
from referral_contracts.topics import agency_of

Bearing: TypeAlias = Mapping[str, Sequence[Happening]]
"""What bears on a clock, by name."""


@dataclass(frozen=True, slots=True)
class Cycle:
    """One time that a rule runs: the triggers that start it, the earliest first, and what bears on it."""

    starts: Sequence[tuple[Happening, RuleInForce]]
    bearing: Bearing

    def first(self, names: Sequence[str] | frozenset[str]) -> Happening | None:
        """Return the earliest of the happenings *names*."""
        return min(self.all(names), key=_moment, default=None)

    def all(self, names: Sequence[str] | frozenset[str]) -> list[Happening]:
        """Return the happenings *names*."""
        return [one for name in names for one in self.bearing.get(name, ())]


def cycles(ordered: Sequence[tuple[Happening, RuleInForce]], bearing: Bearing) -> Iterator[Cycle]:
    """Yield the cycles that the triggers *ordered* start: one, or for a rule that repeats one after each end."""
    rule = ordered[0][1].rule
    if not rule.repeats:
        yield Cycle(ordered, bearing)
        return
    ends = sorted(one.moment_ms for name in {*rule.required, *cancelling(rule)} for one in bearing.get(name, ()))
    begun: list[list[tuple[Happening, RuleInForce]]] = []
    ended: int | None = None
    for start in ordered:
        if not begun or (ended is not None and start[0].moment_ms > ended):
            begun.append([])
            ended = next((end for end in ends if end >= start[0].moment_ms), None)
        begun[-1].append(start)
    # What ends a cycle may be told until the next begins; what was found in the case holds for all of them.
    held = {*rule.requires, *rule.unless}
    for starts, following in pairwise([*begun, None]):
        if starts is not None:
            begin, end = starts[0][0].moment_ms, None if following is None else following[0][0].moment_ms
            yield Cycle(
                starts,
                {
                    name: [
                        one
                        for one in told
                        if name in held or (begin <= one.moment_ms and (end is None or one.moment_ms < end))
                    ]
                    for name, told in bearing.items()
                },
            )


def make_clock(
    world: World,
    subject: str,
    scope: str,
    number: int,
    cycle: Cycle,
    *,
    known: Clock | None,
    sayings: Sequence[Saying],
) -> Clock | None:
    """
    Return the clock of *cycle*, or None where not all that it requires was found.

    Args:
        known: The same clock as it was. While the same trigger starts it, it keeps its rule and whose it is.
    """
    start, in_force = cycle.starts[0]
    same = known is not None and known.started.event == start.event
    in_force = known.rule if known is not None and same else in_force
    rule = in_force.rule
    if not all(cycle.bearing.get(name) for name in rule.requires):
        return None
    name = clock_id(world.bus, subject, in_force.id, scope, number) if known is None else known.id
    second = cycle.first(rule.second)
    kept = known if same else _placed(known, cycle, rule)
    where = start if kept is None else kept
    owner = (None if kept is None else kept.responsible) or world.owner(in_force, start)
    owner = world.owner(in_force, second) if owner is None and second is not None else owner
    due_ms, lenient_ms, provisional, paused = _due(rule, start.moment_ms, cycle, world)
    clock = Clock(
        id=name,
        rule=in_force,
        scope=scope,
        cycle=number,
        started=start.stamp,
        armed_ms=_armed_ms(rule, start, cycle),
        settled_ms=_settled_ms(rule, cycle, world, known),
        told_ms=None if known is None else known.told_ms,
        responsible=owner,
        due_ms=due_ms,
        lenient_ms=None if lenient_ms is None else _with_notice(rule, lenient_ms, cycle, world, known),
        province=where.province,
        commune=where.commune,
        provisional=provisional,
        paused=paused,
        second=_stamp(second),
        delay_told=_stamp(cycle.first(rule.delay_told_by)),
    )
    ends, over = _ending(world, clock, cycle, known), _taking_off(world, clock, cycle, known)
    return _ended(_said(clock, sayings), cycle, ends, over)


def _placed(known: Clock | None, cycle: Cycle, rule: Rule) -> Clock | None:
    """Return *known* if it keeps whose it is whoever tells an earlier start: the place decided, and still stands."""
    if known is None or known.responsible is None or rule.whose is not Whose.PLACE:
        return None
    return known if known.started.event in {one.event for one, _ in cycle.starts} else None


def _due(rule: Rule, started: int, cycle: Cycle, world: World) -> tuple[int | None, int | None, bool, bool]:
    """Return when what began at *started* is due and from when it is late; whether provisional, and whether paused."""
    if rule.span is None:
        return None, None, False, False
    pauses, standing = _pauses(rule, started, cycle)
    lost = world.outages
    found = due(world.calendar, started, rule.span, rule.counting, pauses, lost=lost)
    for when, span in rule.longer_spans:
        told = cycle.first((when,))
        if told is not None and told.moment_ms <= found.lenient_ms:
            longer = due(world.calendar, started, span, rule.counting, pauses, lost=lost)
            found = longer if longer.lenient_ms > found.lenient_ms else found
    if standing is not None and standing <= found.lenient_ms:
        return None, None, False, True
    return found.strict_ms, found.lenient_ms, found.provisional, False


def _armed_ms(rule: Rule, start: Happening, cycle: Cycle) -> int:
    """Return when the ledger had *start* and all that the rule requires beside it."""
    return max([start.admitted_ms, *(min(one.admitted_ms for one in cycle.bearing[it]) for it in rule.requires)])


def _settled_ms(rule: Rule, cycle: Cycle, world: World, known: Clock | None) -> int:
    """Return before when it is not called missed: who tells other starts, again and again, puts nothing off."""
    found = min(_armed_ms(rule, one, cycle) for one, _ in cycle.starts) + world.book.settle_ms
    return found if known is None else min(found, known.settled_ms)


def _with_notice(rule: Rule, lenient_ms: int, cycle: Cycle, world: World, known: Clock | None) -> int:
    """Return from when what is late by *lenient_ms* may be called so by those who heard of it start by start."""
    told = (None if known is None else known.lenient_ms) or 0
    starts = [
        # What a correction stands in the place of is not heard any more; what followed from it was told.
        (one.moment_ms, _armed_ms(rule, one, cycle), None if one.corrects is None or known is None else told)
        for one, _ in sorted(cycle.starts, key=lambda start: (start[0].admitted_ms, start[0].event))
    ]
    kept = late_as_told(starts, lambda moment_ms: _due(rule, moment_ms, cycle, world)[1], world.book.settle_ms)
    return lenient_ms if kept is None else max(lenient_ms, kept)


def late_as_told(
    starts: Iterable[tuple[int, int, int | None]], late: Callable[[int], int | None], settle_ms: int
) -> int | None:
    """
    Return from when what was told start by start may be called late, or None if it never is.

    A start that is told afterwards, of an earlier moment, is heard as soon as it leaves time to act; where by it the
    time is up already, or nearly, what was known before goes on. So nobody is late by what another remembers too late.

    Args:
        starts: When each was, when it was told, and what had been told before, where it corrects that; as they came.
        late: From when what began at a moment is late.
        settle_ms: The time to act.
    """
    kept: int | None = None
    earliest: int | None = None
    for moment_ms, told_ms, before_ms in starts:
        if earliest is not None and moment_ms >= earliest:
            continue
        earliest = moment_ms
        late_ms, in_time_ms = late(moment_ms), told_ms + settle_ms
        if late_ms is not None and (kept is None or late_ms >= in_time_ms):
            kept = late_ms if kept is None else min(kept, late_ms)
        if before_ms is not None and (late_ms or 0) < in_time_ms:
            kept = max(kept or 0, before_ms)
    return kept


def _pauses(rule: Rule, started: int, cycle: Cycle) -> tuple[list[Interval], int | None]:
    """Return when a clock stood still that began at *started*, and since when it does."""
    if not rule.paused_by:
        return [], None
    # What is done while it stands still was done before it would have gone on.
    ends = {*rule.resumed_by, *rule.required}
    told = [(one.moment_ms, name in ends) for name in {*rule.paused_by, *ends} for one in cycle.bearing.get(name, ())]
    found: list[Interval] = []
    since: int | None = None
    for moment, ending in sorted(told):
        if ending and since is not None:
            found.append((since, moment))
            since = None
        elif not ending and since is None:
            since = max(moment, started)
    return found, since


def _said(clock: Clock, sayings: Sequence[Saying]) -> Clock:
    own = (one for one in sayings if one.clock == clock.id)
    for one in sorted(own, key=lambda one: (one.admitted_ms, one.event)):
        match one.say:
            case Say.DISPUTED:
                clock = replace(clock, disputed_by=clock.disputed_by or one.event)
            case Say.CONFIRMED if one.superior:
                clock = replace(clock, confirmed_by=clock.confirmed_by or one.event)
            case Say.EXTENDED if one.until_ms is not None and clock.lenient_ms is not None:
                # An agency extends what still runs, but no measure beyond the longest that it may last; a superior all.
                able = one.admitted_ms <= clock.lenient_ms and clock.rule.rule.kind is not Kind.DURATION
                if one.superior or able:
                    later = max(clock.lenient_ms, one.until_ms)
                    # What it says of itself is shown beside what is due, and not in its place.
                    shown = max(clock.due_ms or 0, one.until_ms) if one.superior else clock.due_ms
                    clock = replace(clock, due_ms=shown, lenient_ms=later, extended_by=one.event)
            case _:
                pass
    return clock


def _ending(world: World, clock: Clock, cycle: Cycle, known: Clock | None) -> list[Happening]:
    """Return what may have ended the clock. What has once, has, whatever became of the agency that told it."""
    rule, told = clock.rule.rule, cycle.all(clock.rule.rule.required)
    done = None if known is None else known.done
    if rule.told_by is Teller.ROLE:
        teller = clock.rule.teller
        told = [one for one in told if one.stamp == done or world.owner(teller, one) is not None]
    if rule.told_to:
        told = [one for one in told if one.stamp == done or _reached(world, clock.rule, one)]
    return told


def _reached(world: World, rule: RuleInForce, one: Happening) -> bool:
    """Return whether *one* went to whom the rule wants it told; the hand-off that it is about says to whom."""
    to = one.scope.partition("/")[2]
    # What was forwarded is about the hand-off that its sender has, and does not say whom the next one is with.
    if not to or one.sender is None or agency_of(to) == agency_of(one.sender):
        return True
    return world.owner(rule.receiver, replace(one, whose=to)) is not None


def _taking_off(world: World, clock: Clock, cycle: Cycle, known: Clock | None) -> Happening | None:
    """Return what takes the clock off first. A verb was judged by the router; a word of another's is none of its."""
    rule, told = clock.rule.rule, cycle.all(clock.rule.cancelling)
    if rule.off_told_by is Teller.ROLE:
        teller, off = clock.rule.teller, None if known is None else known.cancelled
        told = [one for one in told if "." in one.name or one.stamp == off or world.owner(teller, one) is not None]
    return min(told, key=_moment, default=None)


def _ended(clock: Clock, cycle: Cycle, told: Sequence[Happening], over: Happening | None) -> Clock:
    late = clock.lenient_ms
    if not told and over is None:
        return clock
    in_time = [one for one in told if late is None or one.admitted_ms <= late]
    claimed = [one for one in told if late is None or one.moment_ms <= late]
    done = min(in_time or claimed or told, key=_moment, default=None)
    if over is not None and done is not None and done.moment_ms <= over.moment_ms:
        over = None
    cancelled = _stamp(over)
    if cancelled is not None and cycle.bearing.get(CASE_VOIDED):
        # The case was entered in error: it never ran.
        cancelled = replace(cancelled, moment_ms=clock.started.moment_ms)
    return replace(clock, done=_stamp(done), cancelled=cancelled)


def _stamp(one: Happening | None) -> Stamp | None:
    return None if one is None else one.stamp


def _moment(one: Happening) -> tuple[int, int, str]:
    return one.moment_ms, one.admitted_ms, one.event
