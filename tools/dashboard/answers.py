"""What Prometheus answered to the queries of the panels, as a run wrote it down."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from tools.dashboard.panels import SPAN, Panel

TAKEN: Final = Path("docs/dashboard-run.json")
"""The answers of one run of `tests/interop/test_dashboard.py`."""
_RATE: Final = "$__rate_interval"

Labels = Mapping[str, str]
Point = tuple[float, float]
"""Seconds since the start of the run, and the value."""


class Series(BaseModel):
    """One answer: labels, and a value, or values over time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    labels: Labels
    points: Annotated[tuple[Point, ...], Field(min_length=1)]

    @property
    def value(self) -> float:
        """The last value."""
        return self.points[-1][1]


class Answers(BaseModel):
    """The answers to every query, by panel and by what the query is called in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    panels: Mapping[str, Mapping[str, tuple[Series, ...]]]


def asked(query: str, span_s: int) -> str:
    """Return *query* as Grafana asks it when the dashboard shows *span_s* seconds."""
    return query.replace(SPAN, f"{span_s}s").replace(_RATE, "1m")


def called(panel: Panel, name: str, series: Series) -> str:
    """Return what *series* is called in *panel*: its query's name with the labels put in."""
    for label, value in series.labels.items():
        name = name.replace(f"{{{{{label}}}}}", value)
    return name or panel.en
