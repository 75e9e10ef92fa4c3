"""What leaves the house: no small count, none that a subtraction tells, and no command to a spreadsheet."""

import csv
import io
from datetime import date
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_contracts.clock_counts import ClockCounts, Measures, Overdue, RuleCount
from referral_contracts.indicators import Indicators, Rate, Waiting
from referral_contracts.payloads.deadline import Ground
from referral_contracts.published import HIDDEN, MORE, NOTHING, SMALL, Sheet, as_csv, harmless, hidden, share, sheets

COUNTS: Final = st.lists(st.integers(0, 30), max_size=8)


@given(COUNTS)
def test_no_small_count_is_shown(counts: list[int]) -> None:
    shown = hidden(counts)

    assert [cell for cell, count in zip(shown, counts, strict=True) if 0 < count < SMALL and cell != HIDDEN] == []
    assert all(cell in {count, HIDDEN, MORE} for cell, count in zip(shown, counts, strict=True))


@given(COUNTS)
def test_no_small_count_follows_from_the_sum(counts: list[int]) -> None:
    shown = hidden(counts)
    concealed = [count for cell, count in zip(shown, counts, strict=True) if isinstance(cell, str)]

    # One alone would be the sum less the others, unless the sum itself is small and hidden where it stands.
    assert len(concealed) != 1 or sum(counts) < SMALL
    assert shown.count(MORE) <= 1


def test_the_smallest_is_hidden_beside_a_small_one() -> None:
    assert hidden([40, 3, 7, 0]) == [40, HIDDEN, MORE, 0]
    assert hidden([40, 3, 2, 9]) == [40, HIDDEN, HIDDEN, 9]
    assert hidden([40, 0, 7]) == [40, 0, 7]


@pytest.mark.parametrize(
    ("part", "rest", "told"),
    [(0, 0, NOTHING), (1, 30, HIDDEN), (30, 4, HIDDEN), (30, 0, "100.0%"), (0, 6, "0.0%"), (15, 5, "75.0%")],
)
def test_a_share_is_told_where_it_tells_no_small_count(part: int, rest: int, told: str) -> None:
    assert share(part, rest) == told


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_no_cell_is_a_command_to_a_spreadsheet(cell: str) -> None:
    sheet = Sheet(name="t", vi="bảng", en="table", columns=(("a", cell, "a"),), rows=((cell,), (-1,)))

    rows = list(csv.reader(io.StringIO(as_csv([sheet]), newline="")))

    assert harmless(cell) == f"'{cell}"
    assert rows[2] == [f"'{cell}"]
    assert rows[3] == ["-1"]
    assert not rows[1][0].startswith(cell)


def found(**told: object) -> Indicators:
    counts = {"cases": 60, "children": 50, "with_measure": 40, "claimed_measure": 3, "late_measure": 0, "backlog": 7}
    return Indicators(
        **{  # type: ignore[arg-type]
            "since": date(2026, 1, 1),
            "until": date(2026, 12, 31),
            **counts,
            "rates": (rate(met=20, missed=5), rate(met=20, missed=2)),
            "waiting": (
                Waiting(province="01", commune="00001", days=7, children=5),
                Waiting(province="01", commune=None, days=0, children=2),
            ),
            "by": {
                "form": {"abused": 48, "unknown": 2},
                "age_band": {"0-5": 50},
                "sex": {"female": 30, "male": 20},
                "province": {"01": 44, "02": 6},
                "commune": {"01/00001": 41, "01/00002": 3, "02/00003": 6},
            },
            **told,
        }
    )


def rate(met: int, missed: int) -> Rate:
    told = {"rule": "r", "role": "commune", "ground": Ground.LAW, "claimed": 0, "disputed": 0, "cancelled": 0}
    return Rate(**told, met=met, missed=missed)  # type: ignore[arg-type]


def counts(**measures: int) -> ClockCounts:
    told = {"children": 60, "in_time": 40, "late": 10, "ruled_out": 10, "complete": 30, **measures}
    name = {"rule": "r", "role": "commune", "basis": "law"}
    return ClockCounts.model_validate(
        {
            "bus": "training",
            "since": "2026-01-01",
            "until": "2026-12-31",
            "as_of": "2027-01-01T00:00:00Z",
            "rules": [RuleCount.model_validate({**name, "met": 40, "missed": 10, "measured": 2})],
            "overdue": [Overdue.model_validate({**name, "days": 30, "clocks": 3})],
            "measures": Measures.model_validate(told),
        }
    )


def table(name: str, of: Indicators, counted: ClockCounts | None = None) -> dict[object, object]:
    (sheet,) = (sheet for sheet in sheets(of, counted) if sheet.name == name)
    return {row[0]: row[-1] for row in sheet.rows}


def test_the_summary_hides_what_its_own_sum_would_tell() -> None:
    told = table("summary", found())

    assert (told["cases"], told["children"], told["backlog"]) == (60, 50, 7)
    assert (told["with_measure"], told["claimed_measure"], told["late_measure"]) == (40, HIDDEN, 0)
    assert told["waiting"] == MORE
    assert told["timely"] == HIDDEN


def test_the_share_of_children_in_time_is_told_where_nothing_is_hidden() -> None:
    assert table("summary", found(claimed_measure=0))["timely"] == "80.0%"


def test_each_province_hides_its_own_communes() -> None:
    assert table("by_commune", found()) == {"01/00001": MORE, "01/00002": HIDDEN, "02/00003": 6}
    assert table("by_province", found()) == {"01": 44, "02": 6}
    assert table("by_form", found()) == {"abused": MORE, "unknown": HIDDEN}
    assert table("by_sex", found()) == {"female": 30, "male": 20}


def test_a_rate_with_a_small_part_is_not_told() -> None:
    (sheet,) = (sheet for sheet in sheets(found()) if sheet.name == "on_time")

    assert [(row[3], row[5], row[8]) for row in sheet.rows] == [(20, 5, "80.0%"), (20, HIDDEN, HIDDEN)]


def test_what_the_watcher_counted_takes_the_place_of_what_notices_told() -> None:
    told = table("measures", found(), counts())

    assert (told["in_time"], told["late"], told["ruled_out"], told["waiting"]) == (40, 10, 10, 0)
    # Whoever needed no measure is no part of the share of those who had one in time.
    assert (told["timely"], told["complete"]) == ("80.0%", "50.0%")
    (rates,) = (sheet.rows for sheet in sheets(found(), counts()) if sheet.name == "on_time")
    assert rates == (("r", "commune", "law", 40, 0, 10, 0, 0, HIDDEN, 0, "80.0%"),)
    (overdue,) = (sheet.rows for sheet in sheets(found(), counts()) if sheet.name == "overdue")
    assert overdue == (("r", "commune", "law", 30, HIDDEN),)


def test_what_the_watcher_counted_gives_away_no_small_count() -> None:
    told = table("measures", found(), counts(in_time=47, late=3, complete=58))

    assert (told["late"], told["ruled_out"], told["timely"], told["complete"]) == (HIDDEN, MORE, HIDDEN, HIDDEN)


@pytest.mark.parametrize("counted", [None, counts()])
def test_each_column_is_named_in_both_languages(counted: ClockCounts | None) -> None:
    for sheet in sheets(found(), counted):
        assert sheet.vi != sheet.en
        assert all(len(row) == len(sheet.columns) for row in sheet.rows)
        assert all(vi and en for _, vi, en in sheet.columns)
