"""
One case: what was heard of it that some clock waits for, and the clocks that follow.

`hear` takes what one ledger record tells, `say` an agency's word about a clock. The clocks that these bear on are
worked out anew from all that was heard, so that the order in which it came decides nothing but the numbers of cycles.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from referral_contracts.rules.book import RuleInForce
from referral_contracts.rules.clock import Clock
from referral_contracts.rules.heard import Happening, Saying, World
from referral_contracts.rules.pack import Rule, Scope, Whose
from referral_contracts.rules.reckoning import Cycle, cycles, make_clock

Start: TypeAlias = tuple[Happening, RuleInForce]


@dataclass(frozen=True, slots=True)
class Docket:
    """The clocks of a case, and what they follow from."""

    subject: str
    heard: tuple[Happening, ...] = ()
    sayings: tuple[Saying, ...] = ()
    clocks: tuple[Clock, ...] = ()

    def clock(self, name: str) -> Clock | None:
        """Return the clock *name*."""
        return next((clock for clock in self.clocks if clock.id == name), None)

    def hear(self, world: World, happenings: Iterable[Happening], *, superseded: str | None = None) -> "Docket":
        """
        Return the docket after one record.

        Args:
            superseded: The hash of the event that this one corrects. What it tells stands in the place of what that
                one, or an earlier correction of it, told under the same name; all the rest stays as it was.
        """
        new = [one for one in happenings if one.name in world.book.waiting and one not in self.heard]
        gone: list[Happening] = []
        if superseded is not None:
            corrected = [_corrected(one, superseded, self.heard) for one in new]
            new, gone = [one for one, _ in corrected], [one for _, wrong in corrected for one in wrong]
        if not new:
            return self
        heard = (*(one for one in self.heard if one not in gone), *new)
        names = {rule for one in (*new, *gone) for rule in world.book.waiting.get(one.name, ())}
        return _worked_out(Docket(self.subject, heard, self.sayings, self.clocks), world, names)

    def say(self, world: World, saying: Saying) -> "Docket":
        """Return the docket after an agency's word about one of its clocks."""
        clock = self.clock(saying.clock)
        if clock is None or saying in self.sayings:
            return self
        return _worked_out(replace(self, sayings=(*self.sayings, saying)), world, {clock.rule.id})

    def again(self, world: World) -> "Docket":
        """Return the docket worked out anew: an outage was said, or the calendar has changed."""
        return _worked_out(self, world, {clock.rule.id for clock in self.clocks})


def _corrected(one: Happening, superseded: str, heard: Iterable[Happening]) -> tuple[Happening, list[Happening]]:
    """Return *one* as a correction tells it, and what it stands in the place of: a word of its own sender."""
    wrong = [
        old
        for old in heard
        if superseded in {old.sha256, old.corrects}
        and (old.name, old.sender) == (one.name, one.sender)
        and old.scope in {one.scope, ""}
    ]
    moment_ms = one.occurred_ms
    if moment_ms is None and wrong:
        moment_ms = min(old.admitted_ms if old.sha256 == superseded else old.moment_ms for old in wrong)
    return replace(one, occurred_ms=moment_ms, corrects=superseded), wrong


def _worked_out(docket: Docket, world: World, rule_ids: Iterable[str]) -> Docket:
    wanted = frozenset(rule_ids)
    kept = [clock for clock in docket.clocks if clock.rule.id not in wanted or clock.rule.id not in world.book.places]
    # A rule that is in none of the packs any more has no new clocks; those that run go on as they are.
    known = sorted((one for one in wanted if one in world.book.places), key=world.book.places.__getitem__)
    made = [clock for rule_id in known for clock in _of_rule(docket, world, rule_id)]
    return Docket(docket.subject, docket.heard, docket.sayings, (*kept, *made))


def _of_rule(docket: Docket, world: World, rule_id: str) -> Iterator[Clock]:
    scopes: dict[str, list[Start]] = {}
    starting = world.book.starting[rule_id]
    for one in docket.heard:
        if one.name in starting:
            found = world.book.in_force(rule_id, one.moment_ms, one.province, one.commune)
            if found is not None and one.name in found.rule.trigger and _starts(docket, world, one, found):
                scopes.setdefault(one.scope if found.rule.scope is Scope.HANDOFF else "", []).append((one, found))
    left = {clock.id: clock for clock in docket.clocks if clock.rule.id == rule_id}
    for scope, starts in scopes.items():
        mine = [clock for clock in docket.clocks if clock.rule.id == rule_id and clock.scope == scope]
        for made in _of_scope(docket, world, scope, starts, mine):
            left.pop(made.id, None)
            yield made
    # What armed these is no more. Whoever was told of them is owed their end.
    yield from (replace(clock, done=None, cancelled=clock.started) for clock in left.values())


def _starts(docket: Docket, world: World, one: Happening, rule: RuleInForce) -> bool:
    # A rule that waits for certain agencies is not started by others. What has once started it, has.
    if rule.rule.whose is Whose.PLACE or world.owner(rule, one) is not None:
        return True
    return any(clock.rule.id == rule.id and clock.started == one.stamp for clock in docket.clocks)


def _of_scope(
    docket: Docket, world: World, scope: str, starts: Sequence[Start], mine: Sequence[Clock]
) -> Iterator[Clock]:
    ordered = sorted(starts, key=lambda start: (start[0].moment_ms, start[0].event))
    found = list(cycles(ordered, _bearing(docket, world, ordered[0][1].rule, scope)))
    known = _clocks_of(found, mine)
    # A clock whose trigger was corrected goes on with the right one; one that lost its trigger does not come back.
    spare = [clock for clock in mine if clock not in known and not _unarmed(clock)]
    taken = max((clock.cycle for clock in mine), default=-1)
    for cycle, same in zip(found, known, strict=True):
        before = same or (spare.pop(0) if spare else None)
        number = taken + 1 if before is None else before.cycle
        made = make_clock(world, docket.subject, scope, number, cycle, known=before, sayings=docket.sayings)
        if made is not None:
            taken = max(taken, number)
            yield made


def _clocks_of(found: Sequence[Cycle], clocks: Sequence[Clock]) -> list[Clock | None]:
    """Return which of *clocks* each cycle is. One event may start several: each is one clock, and stays that one."""
    left, known = list(clocks), list[Clock | None]()
    for cycle in found:
        events = {one.event for one, _ in cycle.starts}
        same = [clock for clock in left if clock.started.event in events]
        known.append(
            next((clock for clock in same if clock.started == cycle.starts[0][0].stamp), next(iter(same), None))
        )
        left = [clock for clock in left if clock is not known[-1]]
    return known


def _unarmed(clock: Clock) -> bool:
    return clock.cancelled is not None and clock.cancelled.event == clock.started.event


def _bearing(docket: Docket, world: World, rule: Rule, scope: str) -> Mapping[str, Sequence[Happening]]:
    # What was found in a case bears on each of its hand-offs; what happened to a hand-off, on that one.
    everywhere, names = {*rule.requires, *rule.unless}, world.book.bearing[rule.id]
    of_case = rule.scope is Scope.CASE
    found: dict[str, list[Happening]] = {}
    for one in docket.heard:
        if one.name in names and (of_case or one.scope in {scope, ""} or one.name in everywhere):
            found.setdefault(one.name, []).append(one)
    return found
