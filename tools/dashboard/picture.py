"""The picture of the dashboard, drawn from what its queries returned in a run."""

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Final

from tools.dashboard.answers import TAKEN, Answers, Series, called
from tools.dashboard.panels import ROWS, Look, Panel, Unit

PICTURE: Final = Path("docs/dashboard.svg")
_COLUMN: Final = 50
_ROW: Final = 26
_GAP: Final = 6
_TITLE: Final = 30
_LINES: Final = ("#3274d9", "#a352cc", "#ff9830", "#37872d", "#e02f44", "#8ab8ff", "#b877d9", "#96d98d")
_GREEN, _YELLOW, _RED = "#37872d", "#d9a500", "#e02f44"
_LONGEST: Final = 58
_STYLE: Final = (
    "text{font-family:DejaVu Sans,Arial,sans-serif;font-size:11px;fill:#222}"
    ".t{font-weight:bold}.n{font-size:26px;font-weight:bold}.r{font-size:13px;font-weight:bold}.s{fill:#666}"
)


def pages(root: Path) -> Iterator[tuple[Path, str]]:
    """Yield the picture of the run that was written down under *root*."""
    yield PICTURE, draw(Answers.model_validate_json((root / TAKEN).read_text()))


def draw(answers: Answers) -> str:
    """Return the picture as SVG."""
    parts, top = [], 0
    for vi, en, panels in ROWS:
        parts.append(_text(_GAP, top + 20, f"{vi} / {en}", "r"))
        top += _TITLE
        left = tallest = 0
        for panel in panels:
            if left + panel.width > 24:
                left, top, tallest = 0, top + tallest * _ROW, 0
            parts.append(_frame(panel, answers.panels[panel.id], left * _COLUMN, top))
            left, tallest = left + panel.width, max(tallest, panel.height)
        top += tallest * _ROW
    size = f'viewBox="0 0 {24 * _COLUMN} {top + _GAP}" width="{24 * _COLUMN}" height="{top + _GAP}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img">'
    return "\n".join(
        (head, f"<style>{_STYLE}</style>", '<rect width="100%" height="100%" fill="#f4f5f5"/>', *parts, "</svg>\n")
    )


def _frame(panel: Panel, found: Mapping[str, Iterable[Series]], left: int, top: int) -> str:
    width, height = panel.width * _COLUMN - _GAP, panel.height * _ROW - _GAP
    drawn = {Look.NUMBER: _number, Look.TABLE: _table, Look.BARS: _bars, Look.LINES: _lines}[panel.look]
    inner = drawn(panel, _named(panel, found), (width, height))
    return (
        f'<g transform="translate({left + _GAP / 2:g} {top})">'
        f'<rect width="{width}" height="{height}" rx="3" fill="#fff" stroke="#ddd"/>'
        f"{_text(8, 16, panel.vi, 't')}{_text(8, 29, panel.en, 's')}{inner}</g>"
    )


def _named(panel: Panel, found: Mapping[str, Iterable[Series]]) -> list[tuple[str, Series]]:
    return [(called(panel, name, series), series) for name, all_of in found.items() for series in all_of]


def _number(panel: Panel, named: list[tuple[str, Series]], size: tuple[int, int]) -> str:
    height = size[1]
    worst = max if panel.alarm is None or panel.warn is None or panel.alarm >= panel.warn else min
    name, series = worst(named, key=lambda pair: pair[1].value)
    told = f'<text x="8" y="{height - 18}" class="n" style="fill:{_colour(panel, series.value)}">'
    told += f"{escape(shown(panel.unit, series.value))}</text>"
    return told if name == panel.en else told + _text(8, height - 5, f"> {name}", "s")


def _table(panel: Panel, named: list[tuple[str, Series]], size: tuple[int, int]) -> str:
    width, height = size
    rows: dict[tuple[tuple[str, str], ...], dict[str, float]] = {}
    columns = [name for name in panel.queries if name]
    keys = [
        key for key in ("rule", "role", "basis", "job", "where", "code") if any(key in one.labels for _, one in named)
    ]
    for name, series in named:
        labels = tuple((key, series.labels.get(key, "")) for key in keys)
        rows.setdefault(labels, {})[name] = series.value
    step = width / (len(keys) + len(columns))
    lines = [[*keys, *columns]]
    for labels, values in sorted(rows.items()):
        numbers = [
            shown(Unit.SECONDS if "for" in name else panel.unit, values[name]) if name in values else ""
            for name in columns
        ]
        lines.append([*(value for _, value in labels), *numbers])
    most = (height - 40) // 15
    return "".join(
        _text(8 + number * step, 46 + 15 * row, cell, "s" if row == 0 else "")
        for row, line in enumerate(lines[:most])
        for number, cell in enumerate(line)
    )


def _bars(panel: Panel, named: list[tuple[str, Series]], size: tuple[int, int]) -> str:
    width, height = size
    most = (height - 36) // 15
    shown_ones = sorted(named, key=lambda pair: -pair[1].value)[:most]
    longest = max((series.value for _, series in shown_ones), default=0) or 1
    room = width - 300
    parts = []
    for row, (name, series) in enumerate(shown_ones):
        y = 36 + 15 * row
        parts.append(_text(8, y + 10, name))
        parts.append(
            f'<rect x="230" y="{y + 1}" width="{room * series.value / longest:.1f}" height="10" fill="{_LINES[0]}"/>'
        )
        parts.append(_text(238 + room * series.value / longest, y + 10, shown(panel.unit, series.value), "s"))
    return "".join(parts)


def _lines(panel: Panel, named: list[tuple[str, Series]], size: tuple[int, int]) -> str:
    width, height = size
    points = [point for _, series in named for point in series.points]
    end, top = max((at for at, _ in points), default=1) or 1, max((value for _, value in points), default=1) or 1
    left, bottom, room, tall = 8, height - 10, width - 210, height - 52
    parts = [_text(left, 42, shown(panel.unit, top), "s")]
    for number, (name, series) in enumerate(named[: len(_LINES)]):
        path = " ".join(
            f"{left + room * at / end:.1f},{bottom - tall * value / top:.1f}" for at, value in series.points
        )
        parts.append(f'<polyline points="{path}" fill="none" stroke="{_LINES[number]}" stroke-width="1.5"/>')
        parts.append(f'<rect x="{width - 190}" y="{36 + 14 * number}" width="8" height="8" fill="{_LINES[number]}"/>')
        parts.append(_text(width - 178, 44 + 14 * number, f"{name} {shown(panel.unit, series.value)}"))
    return "".join(parts)


def _colour(panel: Panel, value: float) -> str:
    warn, alarm = panel.warn, panel.alarm
    if warn is not None and alarm is not None and alarm < warn:
        return _GREEN if value >= warn else _YELLOW if value >= alarm > 0 else _RED
    if alarm is not None and value >= alarm:
        return _RED
    return _YELLOW if warn is not None and value >= warn else _GREEN


def shown(unit: Unit, value: float) -> str:
    """Return *value* as a person reads it."""
    match unit:
        case Unit.SHARE:
            return f"{value:.0%}"
        case Unit.YES_NO:
            return "có / yes" if value else "không / no"
        case Unit.COUNT:
            return f"{value:.0f}"
        case Unit.SECONDS:
            scale = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
            size, name = next(((size, name) for size, name in scale if value >= size), (0.001, "ms"))
            return f"{value / size:.3g} {name}"


def _text(x: float, y: float, text: str, style: str = "") -> str:
    told = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    named = f' class="{style}"' if style else ""
    return f'<text x="{x:g}" y="{y:g}"{named}>{escape(told)}</text>'
