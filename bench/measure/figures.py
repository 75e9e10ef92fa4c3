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

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def told(self) -> Mapping[str, object]:
        """Return the figure for the file of results."""
        return {
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

    def add(self, what: str, unit: str, values: Sequence[float] | float, target: str = "") -> None:
        """Add a figure."""
        several = tuple(values) if isinstance(values, Sequence) else (values,)
        self.figures.append(Figure(what=what, unit=unit, values=several, target=target))

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
    """Print the part as a table."""
    table = Table(title=part.title, title_justify="left", title_style="bold")
    table.add_column("what", overflow="fold")
    table.add_column("median", justify="right")
    table.add_column("lowest … highest", justify="right")
    table.add_column("unit")
    table.add_column("n", justify="right")
    table.add_column("target")
    for figure in part.figures:
        several = len(figure.values) > 1
        spread = f"{_short(min(figure.values))} … {_short(max(figure.values))}" if several else ""
        count = str(len(figure.values)) if several else ""
        table.add_row(figure.what, _short(figure.median), spread, figure.unit, count, figure.target)
    console.print(table)
    for note in part.notes:
        console.print(f"  {note}", style="dim", highlight=False)
    console.print()


def write(folder: Path, machine: Mapping[str, object], setting: Mapping[str, object], parts: Sequence[Part]) -> Path:
    """Write a run's results and return the file: named by the time, so that none replaces another."""
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    path = folder / f"{now:%Y-%m-%dT%H%M%SZ}.json"
    told = {
        "measured": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "machine": machine,
        "setting": setting,
        "parts": [part.told() for part in parts],
    }
    path.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", "utf-8")
    return path


def _rounded(value: float) -> float:
    return float(f"{value:.4g}") if abs(value) < 1000 else round(value)


def _short(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
