"""
The watcher against a reference model that is as plain as can be: random orders, delays, restarts and clocks.

The model knows all that was said, at once, and works each clock out by itself; the watcher hears it record by record,
over a router that is away now and then, is killed, and has a clock that somebody sets.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from referral_contracts.payloads.clock import AboutClock
from referral_contracts.payloads.clock import Said as Word
from referral_contracts.rules.clock import Clock
from referral_contracts.verbs import Verb
from tests.contracts.rules.packs import rule
from tests.stories.deadlines import Watched, clock, moment, trigger
from tests.stories.world import HOTLINE, WARD

HOUR_MS: Final = 3_600_000
LIMIT_H: Final = 12
SETTLE_H: Final = 1
LONG_H: Final = 60
SKEW_S: Final = 5400.0
"""Somebody sets the watcher's own clock; by more than the window its events would be refused until it is right."""

DAY_S: Final = 26 * 3600.0
"""Or by so much that neither its events nor its ticks are of today."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What becomes of one case."""

    heard_h: float
    """How long before it is told it was heard of."""
    done_h: float | None
    """When it was done, after it was told that the case is there."""
    delay_h: float
    """How long after that it is told."""
    disputed_h: float | None
    noise: Sequence[float]
    """When something is said that has nothing to do with it."""


hours = st.integers(0, 40).map(float)
plans = st.builds(
    Plan,
    heard_h=st.sampled_from([0.0, 0.0, 3.0, 11.0, 20.0]),
    done_h=st.none() | hours.map(lambda hour: hour + 0.25),
    delay_h=st.sampled_from([0.0, 0.0, 0.5, 4.0, 15.0]),
    disputed_h=st.none() | st.none() | hours.map(lambda hour: hour + 0.1),
    noise=st.lists(hours, max_size=3),
)
troubles = st.lists(
    st.tuples(
        st.integers(1, LONG_H),
        st.sampled_from(
            ["kill", "watcher away", "router away", "fast", "slow", "a day fast", "a day slow", "back", "back"]
        ),
    ),
    max_size=6,
)


def expected(plan: Plan) -> tuple[str | None, bool]:
    """Return what comes of a clock, and whether anybody is called late; hours count from when the case was told."""
    due = LIMIT_H - plan.heard_h
    alarm = max(due, SETTLE_H)
    told = None if plan.done_h is None else plan.done_h + plan.delay_h
    disputed = plan.disputed_h is not None and plan.disputed_h < LONG_H
    if told is not None and told < LONG_H and plan.done_h is not None:
        if plan.done_h <= due and told <= due:
            return "met", False
        if plan.done_h <= due:
            missed = told > alarm and not (disputed and (plan.disputed_h or 0) < alarm)
            return "met-as-claimed", missed
        if disputed:
            return "disputed", (plan.disputed_h or 0) > alarm
        return "missed", True
    if disputed:
        return "disputed", (plan.disputed_h or 0) > alarm
    return "missed", True


class Play:
    """One case on a bus of its own."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.world = Watched(rule())
        self.began_ms = self.world.clock.now_ms()
        heard = moment(self.began_ms - round(plan.heard_h * HOUR_MS))
        self.case = self.world.opened(trigger("information-received", occurred_at=heard))
        self.world.look()
        # The ward is a party from the first on, or it could not say anything.
        self.note(clock())

    def note(self, section: bytes) -> None:
        said = self.world.write(HOTLINE, Verb.CASE_NOTED, case=self.case.case, to=[WARD], clock=section)
        self.world.submit(said)

    def noise(self) -> None:
        self.note(clock("commune-informed"))

    def done(self) -> None:
        at_ms = self.began_ms + round((self.plan.done_h or 0) * HOUR_MS)
        self.note(clock(trigger("emergency-measures-applied", whose=WARD, occurred_at=moment(at_ms))))

    def dispute(self) -> None:
        about = AboutClock(clock=self.clock.id, said=Word.DISPUTED)
        said = self.world.write(WARD, Verb.CLOCK_DISPUTED, case=self.case.case, clock=clock(about=about))
        self.world.submit(said)

    @property
    def clock(self) -> Clock:
        return self.world.clock_of(self.case)

    def moments(self) -> Iterator[tuple[float, Callable[[], None]]]:
        plan = self.plan
        yield from ((hour, self.noise) for hour in plan.noise)
        if plan.done_h is not None:
            yield plan.done_h + plan.delay_h, self.done
        if plan.disputed_h is not None:
            yield plan.disputed_h, self.dispute

    def go(self, trouble: Sequence[tuple[int, str]]) -> None:
        """Let all of it happen, and then time pass until nothing more is due."""
        world, at = self.world, 0.0
        happens = list(self.moments())
        happens += [(hour + 0.05, partial(suffer, world, what)) for hour, what in trouble]
        for hour, act in sorted(happens, key=lambda one: one[0]):
            if hour >= LONG_H:
                break
            world.clock.wind((hour - at) * 3600)
            at = hour
            if world.simulator.automatic:
                world.look()
            act()
        world.clock.wind((LONG_H - at) * 3600)
        for what in ("back", "kill"):
            suffer(world, what)
        world.keep_directory()
        for _ in range(6):
            world.clock.wind(60)
            world.look()


def play(plan: Plan, trouble: Sequence[tuple[int, str]]) -> tuple[Watched, str | None, int | None, int]:
    """Let it happen; return what came of the clock, its due instant, and how often it was called missed."""
    played = Play(plan)
    played.go(trouble)
    world = played.world
    return world, world.outcome(played.case), played.clock.due_ms, world.verbs(WARD).count("missed")


def suffer(world: Watched, what: str) -> None:
    match what:
        case "kill":
            world.watching.restart()
        case "watcher away":
            world.watching.away = True
        case "router away":
            world.simulator.automatic = False
        case "fast":
            world.watching.skew_s = SKEW_S
        case "slow":
            world.watching.skew_s = -SKEW_S
        case "a day fast":
            world.watching.skew_s = DAY_S
        case "a day slow":
            world.watching.skew_s = -DAY_S
        case _:
            world.watching.away, world.watching.skew_s = False, 0.0
            world.simulator.automatic = True
    if world.simulator.automatic:
        world.simulator.run()


@settings(max_examples=25)
@given(plans)
def test_each_clock_ends_as_the_model_says(plan: Plan) -> None:
    _, outcome, due_ms, missed = play(plan, [])
    wanted, called_late = expected(plan)

    assert outcome == wanted
    assert missed == called_late
    assert due_ms is not None


@settings(max_examples=40)
@given(plans, troubles)
def test_whatever_happens_to_the_bus_nobody_is_called_late_who_was_not(
    plan: Plan, trouble: Sequence[tuple[int, str]]
) -> None:
    world, outcome, due_ms, missed = play(plan, trouble)
    _, _, calm_ms, _ = play(plan, [])

    wanted, called_late = expected(plan)

    # An answer counts from when it was submitted: neither router nor watcher can make it late.
    assert outcome == wanted
    # Who could be called late may be spared, because the answer was known before anybody looked; never the other way.
    assert missed <= called_late
    assert due_ms == calm_ms
    assert world.audit() is not None
