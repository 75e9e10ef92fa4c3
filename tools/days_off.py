"""
The days off of Viet Nam, `contracts/packs/calendar/vn.toml`: what `holidays` knows, and what was announced besides.

Where the library knows of a swap that nobody has written down with its source, there is no calendar: a person has to
look.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

import holidays

ANNOUNCED: Final = Path(__file__).with_suffix(".toml")
CALENDAR: Final = Path("contracts/packs/calendar/vn.toml")
_BY_YEAR: Final = ("Tết Nguyên", "29 Tết", "Quốc khánh")
"""The holidays of which each year's announcement says which days they are."""
_HEAD: Final = """\
# The days off and the swap days of Viet Nam. Generated: what was announced is in tools/days_off.toml, with its sources.
# `works = true`: a weekend day that was swapped for a working day. Confidence N: nobody has found the announcement.

[calendar]
id = "vn"
vi = "Ngày nghỉ lễ, tết và ngày làm bù của Việt Nam"
en = "Public holidays and swap days of Viet Nam"
"""


def reckoned(years: list[int]) -> Mapping[date, tuple[str, str]]:
    """Return the days that the library knows, each with its name in Vietnamese and in English."""
    vi, en = (holidays.country_holidays("VN", years=years, language=language) for language in ("vi", "en_US"))
    return {day: (vi[day], en[day]) for day in sorted(vi)}


def pages() -> Iterator[tuple[Path, str]]:
    """Yield the calendar."""
    told = tomllib.loads(ANNOUNCED.read_text())
    years = {year["year"]: year for year in told["year"]}
    days = {day: _day(day, names, years, told["code"]) for day, names in reckoned(list(years)).items()}
    swapped = {day for day in days if "hoán đổi" in days[day]["vi"]}
    if unknown := swapped - {swap["off"] for swap in told["swap"]}:
        msg = f"swaps that tools/days_off.toml does not know: {sorted(map(str, unknown))}"
        raise ValueError(msg)
    for swap in told["swap"]:
        days |= _swap(swap)
    for doubt in told["doubt"]:
        common = {name: doubt[name] for name in ("vi", "en", "source")}
        days |= {day: {"date": day, **common, "confidence": "N"} for day in doubt["days"]}
    rows = [_table("year", year) for year in told["year"]] + [_table("day", days[day]) for day in sorted(days)]
    yield CALENDAR, "\n".join([_HEAD, *rows])


def _day(
    day: date, names: tuple[str, str], years: Mapping[int, Mapping[str, Any]], code: Mapping[str, str]
) -> Mapping[str, Any]:
    vi, en = names
    if "thay cho" in vi:
        vi = "nghỉ hoán đổi"
    said = years[day.year] if any(name in vi for name in _BY_YEAR) and years[day.year]["announced"] else code
    return {"date": day, "vi": vi, "en": en, "source": said["source"], "confidence": said["confidence"]}


def _swap(swap: Mapping[str, Any]) -> Mapping[date, Mapping[str, Any]]:
    off, works = swap["off"], swap["works"]
    told = {"source": swap["source"], "confidence": swap["confidence"]}
    return {
        off: {"date": off, "vi": f"nghỉ, làm bù {works:%d/%m/%Y}", "en": f"off, swapped for {works}", **told},
        works: {
            "date": works,
            "works": True,
            "vi": f"làm bù cho {off:%d/%m/%Y}",
            "en": f"worked in the place of {off}",
            **told,
        },
    }


def _table(name: str, fields: Mapping[str, Any]) -> str:
    # A TOML string, true and number are written as in JSON; a date bare.
    rows = [
        f"{key} = {value if isinstance(value, date) else json.dumps(value, ensure_ascii=False)}"
        for key, value in fields.items()
    ]
    return "\n".join([f"[[{name}]]", *rows, ""])
