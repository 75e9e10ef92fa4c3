import itertools
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_contracts.payloads.basis import Confidence
from referral_contracts.rules.calendar import (
    Calendar,
    Interval,
    date_of,
    day_of,
    due,
    end_of,
    number_of,
    shifted,
)
from referral_contracts.rules.days import read_calendar
from referral_contracts.rules.pack import Counting, FirstDay, LastDay
from referral_contracts.rules.spans import COUNT_MAX, DAY, HOUR, Span, Unit
from tests.contracts.rules.packs import SHELF

VIET_NAM = read_calendar("vn.toml", (SHELF / "calendar/vn.toml").read_text())
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
READ = Counting(confidence=Confidence.TEXT)
STAYS = Counting(last_day=LastDay.STAYS, confidence=Confidence.TEXT)
INCLUDED = Counting(first_day=FirstDay.INCLUDED, last_day=LastDay.STAYS, confidence=Confidence.TEXT)
UNREAD = Counting()


def ms(text: str) -> int:
    """Return the moment at which a clock in Viet Nam shows *text*."""
    return (datetime.fromisoformat(text).replace(tzinfo=timezone(timedelta(hours=7))) - EPOCH) // timedelta(
        milliseconds=1
    )


def last_day(start: str, span: Span, counting: Counting = READ, paused: tuple[Interval, ...] = ()) -> str:
    """Return the last day on which something is in time; of two readings, both."""
    found = due(VIET_NAM, ms(start), span, counting, paused)
    days = dict.fromkeys(date_of(day_of(moment)).isoformat() for moment in (found.strict_ms, found.lenient_ms))
    return " or ".join(days)


def working(amount: int) -> Span:
    return Span(Unit.WORKING_DAYS, amount)


def days(amount: int) -> Span:
    return Span(Unit.CALENDAR_DAYS, amount)


def months(amount: int) -> Span:
    return Span(Unit.MONTHS, amount)


@pytest.mark.parametrize(
    ("start", "span", "last"),
    [
        # A week without a holiday; begun in the morning, in the evening, on a Sunday.
        ("2026-03-02T08:00", working(5), "2026-03-09"),
        ("2026-03-02T23:59", working(5), "2026-03-09"),
        ("2026-03-01T12:00", working(5), "2026-03-06"),
        # Tết 2026: nine days off from Saturday 14 to Sunday 22 February.
        ("2026-02-12T08:00", working(1), "2026-02-13"),
        ("2026-02-13T08:00", working(1), "2026-02-23"),
        ("2026-02-13T08:00", working(5), "2026-02-27"),
        # 29 April 2024 was swapped for Saturday 4 May.
        ("2024-04-26T08:00", working(1), "2024-05-02"),
        ("2024-05-02T08:00", working(2), "2024-05-04"),
        ("2024-05-02T08:00", working(3), "2024-05-06"),
        # Friday 2 January 2026 for Saturday 10 January.
        ("2025-12-31T08:00", working(1), "2026-01-05"),
        ("2026-01-08T08:00", working(2), "2026-01-10"),
        # Nobody has found that 24 November 2026 is a day off: both readings are told.
        ("2026-11-23T08:00", working(1), "2026-11-24 or 2026-11-25"),
        # Days of the calendar, over the end of a year and a leap day.
        ("2025-12-20T08:00", days(20), "2026-01-09"),
        ("2024-02-20T08:00", days(9), "2024-02-29"),
        ("2023-02-20T08:00", days(9), "2023-03-01"),
        # A last day on which nobody works rolls: a Sunday, Tết, a swap day is worked on.
        ("2026-03-01T08:00", days(7), "2026-03-09"),
        ("2026-02-05T08:00", days(9), "2026-02-23"),
        ("2024-04-30T08:00", days(4), "2024-05-04"),
        # Months end on the same day, or on the last of a shorter one.
        ("2026-03-10T08:00", months(1), "2026-04-10"),
        ("2024-01-31T08:00", months(1), "2024-02-29"),
        ("2026-01-31T08:00", months(3), "2026-05-04"),
        ("2025-12-16T08:00", months(2), "2026-02-23"),
        ("2024-02-29T08:00", months(12), "2025-02-28"),
        # Before 15 December: this year, or the next when it has begun.
        ("2026-03-10T08:00", Span(Unit.BEFORE_DAY, 1215), "2026-12-14"),
        ("2026-12-14T23:59", Span(Unit.BEFORE_DAY, 1215), "2026-12-14"),
        ("2025-12-15T00:00", Span(Unit.BEFORE_DAY, 1215), "2026-12-14"),
    ],
)
def test_the_last_day(start: str, span: Span, last: str) -> None:
    assert last_day(start, span) == last


@pytest.mark.parametrize(
    ("counting", "last"),
    [
        (READ, "2026-03-09"),
        (STAYS, "2026-03-07"),
        (INCLUDED, "2026-03-06"),
        (Counting(first_day=FirstDay.INCLUDED, confidence=Confidence.TEXT), "2026-03-06"),
        (UNREAD, "2026-03-06 or 2026-03-09"),
    ],
)
def test_how_days_are_counted_is_said_by_the_rule(counting: Counting, last: str) -> None:
    assert last_day("2026-03-02T08:00", days(5), counting) == last


def test_a_first_day_that_counts_is_one_day_less() -> None:
    assert last_day("2026-03-02T08:00", working(5), INCLUDED) == "2026-03-06"
    assert last_day("2026-03-01T08:00", working(5), INCLUDED) == "2026-03-06"
    assert last_day("2026-03-10T08:00", months(1), INCLUDED) == "2026-04-09"
    assert last_day("2026-03-02T08:00", days(1), INCLUDED) == "2026-03-02"


def test_hours_run_through_nights_and_tet() -> None:
    start = ms("2026-02-16T20:00")
    found = due(VIET_NAM, start, Span(Unit.MILLISECONDS, 12 * HOUR), READ)

    assert (found.strict_ms, found.lenient_ms, found.provisional) == (ms("2026-02-17T08:00"),) * 2 + (False,)


def test_a_day_ends_with_its_last_millisecond() -> None:
    assert due(VIET_NAM, ms("2026-03-02T08:00"), days(1), READ).strict_ms == ms("2026-03-04T00:00") - 1


@pytest.mark.parametrize(
    ("start", "span", "counting", "provisional"),
    [
        ("2026-03-02T08:00", working(5), READ, False),
        ("2026-12-30T08:00", working(5), READ, True),
        ("2026-12-30T08:00", days(5), READ, True),
        ("2026-12-30T08:00", days(5), STAYS, False),
        ("2026-12-30T08:00", days(5), UNREAD, True),
        ("2026-12-30T08:00", Span(Unit.MILLISECONDS, 90 * HOUR), READ, False),
        ("2023-06-01T08:00", working(5), READ, True),
    ],
)
def test_a_day_that_rests_on_an_unannounced_year_says_so(
    start: str, span: Span, counting: Counting, provisional: bool
) -> None:
    assert due(VIET_NAM, ms(start), span, counting).provisional is provisional


def test_days_on_which_a_clock_stood_still_do_not_count() -> None:
    pause = (ms("2026-03-03T10:00"), ms("2026-03-05T10:00"))

    # Wednesday stood still from beginning to end; Tuesday and Thursday for a part of the day.
    assert last_day("2026-03-02T08:00", working(5), READ, (pause,)) == "2026-03-10 or 2026-03-12"
    assert last_day("2026-03-02T08:00", days(7), READ, (pause,)) == "2026-03-10 or 2026-03-12"
    assert due(VIET_NAM, ms("2026-03-03T08:00"), Span(Unit.MILLISECONDS, 3 * HOUR), READ, (pause,)).strict_ms == ms(
        "2026-03-05T11:00"
    )


@pytest.mark.parametrize(
    ("lost", "moved"),
    [
        ((), 0),
        (((110, 120),), 10),
        (((90, 105),), 5),
        (((10, 90),), 0),
        (((200, 300),), 0),
        (((199, 300),), 101),
        (((110, 120), (205, 215)), 20),
        (((110, 120), (210, 220)), 10),
        (((110, 150), (120, 130)), 40),
        (((110, 130), (120, 150)), 40),
        (((50, 60), (40, 70)), 0),
    ],
)
def test_no_time_that_was_lost_counts(lost: tuple[Interval, ...], moved: int) -> None:
    assert shifted(100, 200, lost) == 200 + moved
    assert shifted(100, 200, tuple(reversed(lost))) == 200 + moved


INTERVALS = st.lists(
    st.tuples(st.integers(0, 300), st.integers(1, 80)).map(lambda told: (told[0], sum(told))), max_size=5
)


@given(INTERVALS, st.integers(0, 200), st.integers(0, 150))
def test_as_much_time_is_left_as_without_what_was_lost(lost: list[Interval], start: int, lasting: int) -> None:
    found = shifted(start, start + lasting, lost)
    counted = [moment for moment in range(start, found) if not any(begin <= moment < end for begin, end in lost)]

    assert len(counted) == lasting


STARTS = st.integers(ms("2023-12-01"), ms("2027-12-31"))
SPANS = st.one_of(
    st.builds(Span, st.sampled_from([Unit.WORKING_DAYS, Unit.CALENDAR_DAYS]), st.integers(1, 60)),
    st.builds(Span, st.just(Unit.MONTHS), st.integers(1, 14)),
    st.builds(Span, st.just(Unit.MILLISECONDS), st.integers(1, 100 * DAY)),
)
COUNTINGS = st.builds(
    Counting,
    first_day=st.sampled_from(FirstDay),
    last_day=st.sampled_from(LastDay),
    confidence=st.sampled_from([Confidence.TEXT, Confidence.NOT_VERIFIED]),
)


@given(STARTS, SPANS, COUNTINGS)
def test_the_strict_reading_is_never_after_the_lenient_and_neither_is_over_before_it_begins(
    start: int, span: Span, counting: Counting
) -> None:
    found = due(VIET_NAM, start, span, counting)

    assert start <= found.strict_ms <= found.lenient_ms


@given(STARTS, SPANS, COUNTINGS, st.integers(0, 400 * DAY))
def test_what_begins_later_is_not_due_earlier(start: int, span: Span, counting: Counting, later: int) -> None:
    one, other = due(VIET_NAM, start, span, counting), due(VIET_NAM, start + later, span, counting)

    assert (one.strict_ms, one.lenient_ms) <= (other.strict_ms, other.lenient_ms)
    assert one.lenient_ms <= other.lenient_ms


@given(STARTS, SPANS, COUNTINGS)
def test_a_longer_limit_is_not_due_earlier(start: int, span: Span, counting: Counting) -> None:
    one = due(VIET_NAM, start, span, counting)
    other = due(VIET_NAM, start, Span(span.unit, span.amount + 1), counting)

    assert one.strict_ms <= other.strict_ms
    assert one.lenient_ms <= other.lenient_ms


@given(STARTS, st.integers(1, 60), st.booleans())
def test_working_days_are_counted_one_by_one(start: int, amount: int, strict: bool) -> None:
    counting = Counting(confidence=Confidence.TEXT)
    found = due(VIET_NAM, start, working(amount), counting)
    last = day_of(found.strict_ms if strict else found.lenient_ms)
    counted = [day for day in range(day_of(start) + 1, last + 1) if VIET_NAM.works(day, strict=strict)]

    assert len(counted) == amount
    assert counted[-1] == last


@given(STARTS, SPANS, COUNTINGS)
def test_a_due_instant_is_the_last_of_a_day_or_an_exact_time_later(start: int, span: Span, counting: Counting) -> None:
    found = due(VIET_NAM, start, span, counting)

    for moment in (found.strict_ms, found.lenient_ms):
        assert moment == (start + span.amount if span.unit is Unit.MILLISECONDS else end_of(day_of(moment)))


@pytest.mark.skipif("Asia/Ho_Chi_Minh" not in available_timezones(), reason="this machine knows no time zones")
@given(st.integers(ms("1976-01-01"), ms("2037-12-31")))
def test_a_day_is_that_of_ho_chi_minh_city(at_ms: int) -> None:
    moment = EPOCH + timedelta(milliseconds=at_ms)

    assert date_of(day_of(at_ms)) == moment.astimezone(ZoneInfo("Asia/Ho_Chi_Minh")).date()
    assert number_of(date_of(day_of(at_ms))) == day_of(at_ms)


def test_a_long_limit_ends_where_no_holiday_is_known() -> None:
    empty = Calendar("none", frozenset())
    found = due(empty, 0, working(COUNT_MAX), READ)

    assert found.provisional
    assert date_of(day_of(found.strict_ms)) == date(1970, 1, 1) + timedelta(days=COUNT_MAX * 7 // 5)


def test_a_calendar_is_named_by_what_it_holds() -> None:
    text = (SHELF / "calendar/vn.toml").read_text()
    words = read_calendar("vn.toml", text.replace("Giao thừa", "Đêm giao thừa"))
    other = read_calendar("vn.toml", text.replace("2026-02-16", "2026-02-15"))

    assert VIET_NAM.version == words.version
    assert VIET_NAM.version != other.version
    assert list(itertools.islice(sorted(VIET_NAM.worked), 1)) == [number_of(date(2024, 5, 4))]
