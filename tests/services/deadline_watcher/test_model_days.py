"""
The watcher against a reference model that counts days one by one: leap days, Tết, swap days, years not announced.

The model reads the file of days off by itself and tries every reading of the law that nobody has ruled out; the watcher
hears what happened in any order, is killed, is away, waits for a router, and has a clock that somebody sets.
"""

import tomllib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import product
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from referral_contracts.payloads.clock import Trigger
from referral_contracts.payloads.shown import VIET_NAM
from referral_contracts.rules.days import read_calendar
from referral_contracts.verbs import Verb
from tests.contracts.rules.packs import SHELF, rule
from tests.services.deadline_watcher.test_model import suffer
from tests.stories.deadlines import Watched, clock, moment, trigger
from tests.stories.world import HOTLINE, WARD

HOUR_MS: Final = 3_600_000
DAYS: Final = (SHELF / "calendar/vn.toml").read_text("utf-8")
CALENDAR: Final = read_calendar("vn.toml", DAYS)
TOLD: Final = {row["date"]: row for row in tomllib.loads(DAYS)["day"]}
SATURDAY: Final = 5
MEASURE: Final = "emergency-measures-applied"


@dataclass(frozen=True, slots=True)
class Limit:
    """A rule's limit, as the model understands it."""

    kind: str
    amount: int
    read: bool
    """Whether somebody has read how days are counted: the first left out, the last rolling."""

    @property
    def row(self) -> str:
        limit = f'"PT{self.amount}H"' if self.kind == "elapsed" else str(self.amount)
        counting = f'{{ confidence = "{"T" if self.read else "N"}" }}'
        return rule(kind=f'"{self.kind}"', limit=limit, counting=counting)

    def ends(self, began: datetime) -> tuple[datetime, datetime]:
        """Return the last moments in time by the earliest and by the latest of all readings."""
        if self.kind == "elapsed":
            due = began + timedelta(hours=self.amount)
            return due, due
        conventions = [(False, True)] if self.read else [*product((False, True), repeat=2)]
        found = [
            self._last_day(began.date(), first=first, rolls=rolls, doubted_off=doubted)
            for (first, rolls), doubted in product(conventions, (False, True))
        ]
        last, zone = time(23, 59, 59, 999_000), began.tzinfo
        return datetime.combine(min(found), last, zone), datetime.combine(max(found), last, zone)

    def _last_day(self, began: date, *, first: bool, rolls: bool, doubted_off: bool) -> date:
        def free(day: date) -> bool:
            told = TOLD.get(day)
            if told is not None and told["confidence"] == "N":
                return doubted_off
            return day.weekday() >= SATURDAY if told is None else not told.get("works", False)

        day = began
        if self.kind == "working_days":
            left = self.amount - (first and not free(day))
            while left:
                day += timedelta(days=1)
                left -= not free(day)
            return day
        day = _months_later(began, self.amount) if self.kind == "months" else began + timedelta(days=self.amount)
        day -= timedelta(days=first)
        while rolls and free(day):
            day += timedelta(days=1)
        return day


def _months_later(began: date, months: int) -> date:
    later = date(began.year + (began.month + months - 1) // 12, (began.month + months - 1) % 12 + 1, 1)
    for number in range(began.day, 0, -1):
        with suppress(ValueError):
            return later.replace(day=number)
    return later


LIMITS: Final = (
    Limit("elapsed", 36, read=True),
    Limit("working_days", 2, read=True),
    Limit("working_days", 5, read=False),
    Limit("calendar_days", 3, read=True),
    Limit("calendar_days", 9, read=False),
    Limit("months", 1, read=True),
    Limit("months", 1, read=False),
)
STARTS: Final = (
    date(2024, 1, 30),  # a month later there is no such day, but a leap day
    date(2024, 2, 7),  # the day before Tết
    date(2024, 2, 26),  # towards a leap day
    date(2024, 2, 29),
    date(2024, 4, 26),  # Monday off, and Saturday 4 May worked for it
    date(2024, 5, 3),
    date(2024, 12, 31),
    date(2025, 4, 25),  # Saturday 26 April worked for Friday 2 May
    date(2026, 2, 12),  # Tết from Saturday on
    date(2026, 2, 18),
    date(2026, 8, 27),
    date(2026, 12, 30),  # into a year that nobody has announced
    date(2027, 2, 3),
)
# To either side of the day's end, where one minute is one day.
MINUTES: Final = st.sampled_from([0, 1, 9 * 60, 17 * 60, 23 * 60 + 59])


def began_on(day: date, minute: int) -> datetime:
    """Return a moment of *day* in Viet Nam."""
    return datetime.combine(day, time(minute // 60, minute % 60), VIET_NAM)


STEPS: Final = st.sampled_from(
    ["kill", "watcher away", "router away", "fast", "slow", "a day fast", "a day slow", "back", "back"]
)
TROUBLES: Final = st.lists(st.tuples(st.floats(0, 1), STEPS), max_size=5)


class Play:
    """One case on a bus of its own, that began at a moment of some year."""

    def __init__(self, limit: Limit, began: datetime, later_h: float = 0) -> None:
        self.began = began
        self.ends = limit.ends(began)
        self.world = Watched(limit.row, calendar=CALENDAR, begins_ms=ms(began) + round(later_h * HOUR_MS))
        self.case = self.world.opened(trigger("record-kept")) if later_h else self.world.opened(self.told(began))
        self.note(clock())

    def told(self, at: datetime, name: str = "information-received") -> Trigger:
        return trigger(name, occurred_at=at, whose=WARD if name == MEASURE else None)

    def note(self, section: bytes) -> None:
        self.world.submit(self.world.write(HOTLINE, Verb.CASE_NOTED, case=self.case.case, to=[WARD], clock=section))

    def until(self, at: datetime) -> None:
        """Let time pass, in hours at first and then in longer steps, and everybody look."""
        world = self.world
        left = (ms(at) - world.clock.now_ms()) / 1000
        if left > 0:
            world.clock.wind(left)
        if world.simulator.automatic:
            world.keep_directory()
            world.look()

    def end(self) -> None:
        """Let everything be well again, and time pass until nothing more is due."""
        for what in ("back", "kill"):
            suffer(self.world, what)
        for hours in (30, 1, 1):
            self.until(moment(self.world.clock.now_ms()) + timedelta(hours=hours))

    @property
    def due(self) -> tuple[datetime | None, datetime | None]:
        found = self.world.clock_of(self.case)
        return at(found.due_ms), at(found.lenient_ms)

    @property
    def called_late(self) -> int:
        return self.world.verbs(WARD).count("missed")


def ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def at(found_ms: int | None) -> datetime | None:
    return None if found_ms is None else moment(found_ms)


MOMENTS: Final = ("never", "early", "strict", "lenient", "over")


def done_at(play: Play, when: str) -> datetime | None:
    """Return when it is done: in the last millisecond that counts, or in the first that does not."""
    strict, lenient = play.ends
    return {
        "never": None,
        "early": play.began + timedelta(hours=2),
        "strict": strict,
        "lenient": lenient,
        "over": lenient + timedelta(milliseconds=1),
    }[when]


@settings(max_examples=60)
@given(
    st.sampled_from(LIMITS),
    st.builds(began_on, st.sampled_from(STARTS), MINUTES),
    st.sampled_from(MOMENTS),
    st.sampled_from([0.0, 0.0, 20.0]),
    TROUBLES,
)
def test_whatever_day_it_is_a_clock_ends_as_the_model_says(
    limit: Limit, began: datetime, when: str, delay_h: float, trouble: Sequence[tuple[float, str]]
) -> None:
    play = Play(limit, began)
    strict, lenient = play.ends
    done = done_at(play, when)
    told = None if done is None else done + timedelta(hours=delay_h)
    whole = max(lenient, told or lenient) - began
    happens = [(began + whole * share, what) for share, what in trouble]
    happens += [(told, "told")] if told is not None else []
    for moment_, what in sorted(happens):
        play.until(moment_)
        if what == "told" and done is not None:
            play.note(clock(play.told(done, MEASURE)))
        else:
            suffer(play.world, what)
    play.until(max(lenient, told or lenient))
    play.end()

    assert play.due == (strict, lenient)
    in_time = done is not None and done <= lenient
    wanted = "missed" if not in_time else "met" if told is not None and told <= lenient else "met-as-claimed"
    assert play.world.outcome(play.case) == wanted
    # Nobody is called late who was not, except where the word of it came after the miss: then it is explained.
    assert play.called_late <= (wanted != "met")
    assert play.called_late == 1 or wanted != "missed"


@settings(max_examples=40)
@given(
    st.sampled_from(LIMITS),
    st.builds(began_on, st.sampled_from(STARTS), MINUTES),
    st.permutations(["first", "second", "done", "beside", "kill", "watcher away", "back"]),
)
def test_whatever_comes_first_the_due_instant_is_the_same(limit: Limit, began: datetime, order: Sequence[str]) -> None:
    # All of it is told afterwards, half a day after it was heard of first.
    play = Play(limit, began, later_h=12)
    tells = {
        "first": play.told(began),
        "second": play.told(began + timedelta(hours=5)),
        "done": play.told(began + timedelta(hours=6), MEASURE),
        "beside": play.told(began + timedelta(hours=1), "commune-informed"),
    }
    for number, what in enumerate(order, 1):
        play.until(began + timedelta(hours=12, minutes=number))
        if what in tells:
            play.note(clock(tells[what]))
        else:
            suffer(play.world, what)
    play.end()

    assert play.due == play.ends
    assert (play.world.outcome(play.case), play.called_late) == ("met", 0)
