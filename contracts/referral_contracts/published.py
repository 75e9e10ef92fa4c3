"""
Indicators as they may leave the house: small counts hidden, also where the others would give them away. Pure.

A count of one to four could be a child that a neighbour knows. It is shown as ``<5``; where a sum is published too, the
next smallest count is hidden with it, or a subtraction would tell it.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from referral_contracts.clock_counts import ClockCounts, Overdue, RuleCount
from referral_contracts.indicators import Indicators, Rate, Waiting

SMALL: Final = 5
"""Counts below it are hidden; none at all is no secret."""
HIDDEN: Final = f"<{SMALL}"
MORE: Final = "≥1"
"""A count that is not small, and hidden for the sake of one that is."""
NOTHING: Final = "—"
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a command."""

Cell: TypeAlias = str | int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One table."""

    name: str
    vi: str
    en: str
    columns: tuple[tuple[str, str, str], ...]
    """Of each: its name in data, in Vietnamese and in English."""
    rows: tuple[tuple[Cell, ...], ...]


def hidden(counts: Sequence[int]) -> list[Cell]:
    """Return *counts*, whose sum is known, so that no small one can be read or worked out."""
    shown: list[Cell] = [HIDDEN if 0 < count < SMALL else count for count in counts]
    left = [(count, number) for number, count in enumerate(counts) if count >= SMALL]
    if shown.count(HIDDEN) == 1 and left:
        shown[min(left)[1]] = MORE
    return shown


def small(count: int) -> Cell:
    """Return one count whose neighbours' sum is not published."""
    return HIDDEN if 0 < count < SMALL else count


def share(part: int, rest: int) -> Cell:
    """Return which share *part* has in both together; nothing where that would tell a small count."""
    if part + rest == 0:
        return NOTHING
    return HIDDEN if HIDDEN in {small(part), small(rest)} else f"{part / (part + rest):.1%}"


def sheets(found: Indicators, counts: ClockCounts | None = None) -> tuple[Sheet, ...]:
    """
    Return *found* as tables, ready to be shown to anybody.

    With the deadline watcher's own *counts* of the period these take the place of what can be told of clocks from what
    came in notices: a clock that was simply met is in none of them.
    """
    of_clocks = (_rates(found.rates),) if counts is None else _counted(counts)
    return (_summary(found), *of_clocks, _waiting(found.waiting), *_breakdowns(found.by))


def as_csv(tables: Iterable[Sheet]) -> str:
    """Return *tables* as one CSV file, a blank line between; no cell of it is a command to a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    for number, sheet in enumerate(tables):
        if number:
            writer.writerow(())
        writer.writerow([harmless(f"{sheet.vi} / {sheet.en}")])
        writer.writerow([harmless(f"{vi} / {en}") for _, vi, en in sheet.columns])
        writer.writerows([harmless(cell) for cell in row] for row in sheet.rows)
    return text.getvalue()


def harmless(cell: Cell) -> Cell:
    """Return *cell*, in text where a spreadsheet would run it."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


_INDICATOR: Final = (
    ("indicator", "Mã chỉ số", "indicator"),
    ("vi", "Chỉ số", "in Vietnamese"),
    ("en", "Chỉ số (tiếng Anh)", "in English"),
    ("value", "Giá trị", "value"),
)
_RATE: Final = (
    ("rule", "Quy tắc", "rule"),
    ("role", "Vai trò", "role"),
    ("ground", "Loại thời hạn", "ground"),
    ("met", "Đúng hạn", "met"),
    ("claimed", "Đúng hạn theo khai báo", "met as claimed"),
    ("missed", "Quá hạn", "missed"),
    ("disputed", "Có ý kiến khác", "disputed"),
    ("cancelled", "Thôi tính", "cancelled"),
)


def _summary(found: Indicators) -> Sheet:
    waiting = found.children - found.with_measure - found.claimed_measure - found.late_measure
    parts = hidden((found.with_measure, found.claimed_measure, found.late_measure, waiting))
    names = (
        ("with_measure", "Trẻ em được áp dụng biện pháp đúng hạn", "children with a measure in time"),
        ("claimed_measure", "… theo khai báo, chưa được xác nhận", "… by what was claimed, and not confirmed"),
        ("late_measure", "… sau thời hạn", "… after the deadline"),
        ("waiting", "Trẻ em chưa có biện pháp nào được ghi nhận", "children without a measure on record"),
    )
    timely = share(found.with_measure, found.children - found.with_measure)
    rows: list[tuple[Cell, ...]] = [
        ("cases", "Số vụ việc", "cases", small(found.cases)),
        ("children", "Số trẻ em (mỗi em tính một lần)", "children, each counted once", small(found.children)),
        *((*name, part) for name, part in zip(names, parts, strict=True)),
        (
            "timely",
            "Tỷ lệ trẻ em được áp dụng biện pháp đúng hạn",
            "share of children with a measure in time",
            HIDDEN if MORE in parts else timely,
        ),
        ("backlog", "Thời hạn đã quá, việc chưa làm", "deadlines passed, the work not done", small(found.backlog)),
    ]
    return Sheet(
        name="summary",
        vi=f"Tổng hợp từ {found.since} đến {found.until}",
        en=f"summary from {found.since} to {found.until}",
        columns=_INDICATOR,
        rows=tuple(rows),
    )


def _rates(rates: Iterable[Rate]) -> Sheet:
    return Sheet(
        name="on_time",
        vi="Đúng hạn theo quy tắc và vai trò",
        en="on time, by rule and role",
        columns=(*_RATE, ("on_time", "Tỷ lệ đúng hạn", "share on time")),
        rows=tuple(
            (
                one.rule,
                one.role,
                one.ground.value,
                *map(small, (one.met, one.claimed, one.missed, one.disputed, one.cancelled)),
                share(one.met, one.missed),
            )
            for one in rates
        ),
    )


def _counted(counts: ClockCounts) -> tuple[Sheet, ...]:
    return _measures(counts), _counted_rates(counts.rules), _overdue(counts.overdue)


_MEASURES: Final = (
    ("in_time", "Trẻ em được áp dụng biện pháp đúng hạn", "children with a measure in time"),
    ("claimed", "… đúng hạn theo khai báo, ghi nhận muộn", "… in time as claimed, recorded late"),
    ("late", "… sau thời hạn", "… after the deadline"),
    ("disputed", "… thời hạn đang có ý kiến khác", "… the deadline disputed"),
    ("untimed", "… không tính thời hạn", "… not timed"),
    ("ruled_out", "Trẻ em không cần biện pháp khẩn cấp", "children who needed none after all"),
    ("waiting", "Trẻ em chưa có biện pháp nào được ghi nhận", "children without a measure on record"),
)


def _measures(counts: ClockCounts) -> Sheet:
    found = counts.measures
    parts = hidden([getattr(found, name) for name, _, _ in _MEASURES])
    needed = found.children - found.ruled_out
    concealed = HIDDEN in parts or MORE in parts
    rows: list[tuple[Cell, ...]] = [
        ("cases", "Số vụ việc có thời hạn khẩn cấp", "cases with a clock of a measure", small(found.cases)),
        ("children", "Số trẻ em (mỗi em tính một lần)", "children, each counted once", small(found.children)),
        *((*names, part) for names, part in zip(_MEASURES, parts, strict=True)),
        (
            "timely",
            "Tỷ lệ trẻ em được áp dụng biện pháp đúng hạn",
            "share of children with a measure in time",
            HIDDEN if concealed else share(found.in_time, needed - found.in_time),
        ),
        (
            "complete",
            "Tỷ lệ trẻ em đã có đủ các việc luật yêu cầu",
            "share of children for whom nothing that the law asks for is open",
            share(found.complete, found.children - found.complete),
        ),
    ]
    return Sheet(
        name="measures",
        vi="Biện pháp cho trẻ em, theo bộ theo dõi thời hạn",
        en="measures for children, as the deadline watcher counted them",
        columns=_INDICATOR,
        rows=tuple(rows),
    )


def _counted_rates(rules: Iterable[RuleCount]) -> Sheet:
    return Sheet(
        name="on_time",
        vi="Đúng hạn theo quy tắc và vai trò, theo bộ theo dõi thời hạn",
        en="on time, by rule and role, as the deadline watcher counted it",
        columns=(
            *_RATE,
            ("measured", "Đã làm, không có hạn", "done, no limit"),
            ("running", "Đang tính", "running"),
            ("on_time", "Tỷ lệ đúng hạn", "share on time"),
        ),
        rows=tuple(
            (
                one.rule,
                one.role,
                one.basis,
                *map(
                    small,
                    (one.met, one.claimed, one.missed, one.disputed, one.cancelled, one.measured, one.running),
                ),
                share(one.met, one.missed),
            )
            for one in rules
        ),
    )


def _overdue(rows: Iterable[Overdue]) -> Sheet:
    return Sheet(
        name="overdue",
        vi="Việc tồn đọng: quá hạn mà chưa làm, theo thời gian quá hạn",
        en="backlog: overdue and not done, by age",
        columns=(
            *_RATE[:3],
            ("more_than_days", "Quá số ngày", "for more than days"),
            ("clocks", "Số thời hạn", "clocks"),
        ),
        rows=tuple((one.rule, one.role, one.basis, one.days, small(one.clocks)) for one in rows),
    )


def _waiting(rows: Sequence[Waiting]) -> Sheet:
    counts = hidden([row.children for row in rows])
    return Sheet(
        name="waiting",
        vi="Trẻ em chưa có biện pháp, theo nơi và thời gian chờ",
        en="children without a measure, by place and age",
        columns=(
            ("province", "Tỉnh", "province"),
            ("commune", "Xã", "commune"),
            ("more_than_days", "Quá số ngày", "for more than days"),
            ("children", "Số trẻ em", "children"),
        ),
        rows=tuple(
            (row.province or NOTHING, row.commune or NOTHING, row.days, count)
            for row, count in zip(rows, counts, strict=True)
        ),
    )


_BREAKDOWNS: Final[Mapping[str, tuple[str, str]]] = {
    "form": ("Trẻ em theo đối tượng", "children by form of abuse"),
    "age_band": ("Trẻ em theo nhóm tuổi", "children by age band"),
    "sex": ("Trẻ em theo giới tính", "children by sex"),
    "province": ("Trẻ em theo tỉnh", "children by province"),
    "commune": ("Trẻ em theo xã", "children by commune"),
}


def _breakdowns(by: Mapping[str, Mapping[str, int]]) -> Iterable[Sheet]:
    for name, (vi, en) in _BREAKDOWNS.items():
        # The sum over a province is published too: each has to hide its own.
        groups: dict[str, list[str]] = {}
        for value in by[name]:
            groups.setdefault(value.partition("/")[0] if name == "commune" else "", []).append(value)
        rows = [
            (value, count)
            for values in groups.values()
            for value, count in zip(values, hidden([by[name][value] for value in values]), strict=True)
        ]
        columns = ((name, "Mã", "code"), ("children", "Số trẻ em", "children"))
        yield Sheet(name=f"by_{name}", vi=vi, en=en, columns=columns, rows=tuple(rows))
