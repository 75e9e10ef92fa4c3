"""The days off against the library that knows them, and what a file of days is refused for."""

from datetime import date, timedelta

import holidays
import pytest

from referral_contracts.rules.calendar import number_of
from referral_contracts.rules.days import read_calendar
from referral_contracts.rules.faults import Fault, PackRefused
from tests.contracts.rules.packs import SHELF

TEXT = (SHELF / "calendar/vn.toml").read_text()
CALENDAR = read_calendar("vn.toml", TEXT)
YEARS = range(2024, 2028)
EVERY_DAY = [date(2024, 1, 1) + timedelta(days=number) for number in range(4 * 365 + 1)]
SWAPPED_TOO = {date(2026, 1, 2): date(2026, 1, 10)}
"""Days that were swapped by an announcement that the library does not know of."""


def test_the_days_are_those_of_the_library_and_of_the_announcements() -> None:
    known = holidays.country_holidays("VN", years=YEARS)
    off = {day for day in known if number_of(day) not in CALENDAR.doubtful}

    assert {day for day in EVERY_DAY if number_of(day) in CALENDAR.off} == off | set(SWAPPED_TOO)


def test_each_day_that_is_worked_on_was_swapped_for_one_off() -> None:
    known = holidays.country_holidays("VN", years=YEARS, language="en_US")
    told = {day: name for day, name in known.items() if "substituted from" in name}
    worked = [day for day in EVERY_DAY if number_of(day) in CALENDAR.worked]

    assert len(worked) == len(told) + len(SWAPPED_TOO)
    assert all(any(f"{day:%m/%d/%Y}" in name for name in told.values()) for day in worked if day.year < 2026)


def test_what_nobody_has_found_a_source_for_is_in_doubt() -> None:
    doubtful = [day for day in EVERY_DAY if number_of(day) in CALENDAR.doubtful]

    assert date(2026, 11, 24) in doubtful
    assert {day.year for day in doubtful} == {2026, 2027}
    assert CALENDAR.works(number_of(date(2026, 11, 24)), strict=True)
    assert not CALENDAR.works(number_of(date(2026, 11, 24)), strict=False)
    assert CALENDAR.announced == {2024, 2025, 2026}


HEAD = TEXT[: TEXT.index("[[day]]")]
DAY = {"date": "2026-03-03", "vi": '"nghỉ"', "en": '"off"', "source": '"x"', "confidence": '"S"'}


def day(**more: str | None) -> str:
    return "\n".join(["[[day]]", *(f"{key} = {value}" for key, value in {**DAY, **more}.items() if value), ""])


@pytest.mark.parametrize(
    ("text", "rule", "field", "fault"),
    [
        ("x =", "", "", Fault.MALFORMED_TOML),
        (HEAD + "[strange]\n", "", "strange", Fault.UNKNOWN_FIELD),
        (HEAD + day(source=None), "day 1", "source", Fault.MISSING_SOURCE),
        (HEAD + day(date='"soon"'), "day 1", "date", Fault.WRONG_VALUE),
        (HEAD + day(works="true"), "2026-03-03", "works", Fault.WRONG_VALUE),
        (HEAD + day(date="2031-03-03"), "2031-03-03", "date", Fault.MISSING_FIELD),
        (HEAD + day() + day(), "2026-03-03", "date", Fault.DUPLICATE_RULE),
    ],
)
def test_a_file_of_days_that_is_wrong_is_refused_with_its_place(text: str, rule: str, field: str, fault: Fault) -> None:
    with pytest.raises(PackRefused) as refused:
        read_calendar("vn.toml", text)

    assert (rule, field, fault) in {(found.rule, found.field, found.fault) for found in refused.value.problems}
