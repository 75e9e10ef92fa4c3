"""
What was measured: every value as it came out, and how it is shown.

A figure keeps all its values. The table shows their median and their spread; nothing is left out or smoothed.
"""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One quantity, measured once or in several rounds."""

    what: str
    unit: str
    values: Sequence[float]
    target: str = ""
    """What it should be, in words."""
    of: str = ""
    """Whose it is, where several are measured alike: they are shown side by side."""

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def told(self) -> Mapping[str, object]:
        """Return the figure for the file of results."""
        return {
            **({"of": self.of} if self.of else {}),
            "what": self.what,
            "unit": self.unit,
            "median": _rounded(self.median),
            "lowest": _rounded(min(self.values)),
            "highest": _rounded(max(self.values)),
            "values": [_rounded(value) for value in self.values],
            **({"target": self.target} if self.target else {}),
        }


@dataclass(slots=True, kw_only=True)
class Part:
    """What one part of the benchmark found."""

    name: str
    title: str
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What has to be known to read the figures, and what did not go as planned."""

    def add(self, what: str, unit: str, values: Sequence[float] | float, target: str = "", *, of: str = "") -> None:
        """Add a figure."""
        several = tuple(values) if isinstance(values, Sequence) else (values,)
        self.figures.append(Figure(what=what, unit=unit, values=several, target=target, of=of))

    def told(self) -> Mapping[str, object]:
        """Return the part for the file of results."""
        return {
            "name": self.name,
            "title": self.title,
            "figures": [figure.told() for figure in self.figures],
            "notes": self.notes,
        }


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that *share* (0 to 1) of *values* do not exceed: one of them, never one in between."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def show(part: Part, console: Console) -> None:
    """Print the part as tables: what several were measured for side by side, the rest below."""
    console.print(part.title, style="bold")
    alike = [figure for figure in part.figures if figure.of]
    if alike:
        console.print(_compared(alike))
    single = [figure for figure in part.figures if not figure.of]
    if single:
        console.print(_listed(single))
    for note in part.notes:
        console.print(f"  {note}", style="dim", highlight=False)
    console.print()


def _compared(figures: Sequence[Figure]) -> Table:
    aspects = list(dict.fromkeys(figure.what for figure in figures))
    table = Table("", *(f"{aspect}\n{_unit(figures, aspect)}" for aspect in aspects))
    for of in dict.fromkeys(figure.of for figure in figures):
        cells = {figure.what: f"{_short(figure.median)}{_spread(figure)}" for figure in figures if figure.of == of}
        table.add_row(of, *(cells.get(aspect, "") for aspect in aspects))
    return table


def _unit(figures: Sequence[Figure], aspect: str) -> str:
    return next(figure.unit for figure in figures if figure.what == aspect)


def _spread(figure: Figure) -> str:
    if len(figure.values) == 1:
        return ""
    return f" ({_short(min(figure.values))} … {_short(max(figure.values))})"


def _listed(figures: Sequence[Figure]) -> Table:
    table = Table("", "median (lowest … highest)", "unit", "target")
    for figure in figures:
        table.add_row(figure.what, f"{_short(figure.median)}{_spread(figure)}", figure.unit, figure.target)
    return table


class Results:
    """The file of one run, named by the time at which it began, so that none replaces another."""

    def __init__(self, folder: Path, machine: Mapping[str, object], setting: Mapping[str, object]) -> None:
        """Begin; nothing is written before the first part is measured."""
        now = datetime.now(UTC)
        self.path = folder / f"{now:%Y-%m-%dT%H%M%SZ}.json"
        self._told = {"measured": f"{now:%Y-%m-%dT%H:%M:%SZ}", "machine": machine, "setting": setting}
        self._parts: list[Part] = []

    def add(self, part: Part) -> None:
        """Write down a part, behind those before it: what is measured is not lost with what comes later."""
        self._parts.append(part)
        told = {**self._told, "parts": [each.told() for each in self._parts]}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", "utf-8")


def _rounded(value: float) -> float:
    return float(f"{value:.4g}") if abs(value) < 1000 else round(value)


def _short(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
