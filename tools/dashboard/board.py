"""Grafana's dashboard, made of the panels."""

import json
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Final, TypeAlias

from grafana_foundation_sdk.builders import bargauge, common, dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.common import BarGaugeDisplayMode, VizOrientation
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from tools.dashboard.panels import ROWS, Look, Panel, Unit

BOARD: Final = Path("deploy/grafana/dashboard.json")
UNKNOWN: Final = "không rõ / unknown"
"""A process that does not answer has no numbers, and no zeros."""
_NO_LINES: Final = "không có, nếu bộ theo dõi chạy tốt / none, if the watcher is well"
_SOURCE: Final = models.DataSourceRef(type_val="prometheus", uid="${source}")
_Builder: TypeAlias = stat.Panel | table.Panel | bargauge.Panel | timeseries.Panel


def pages() -> Iterator[tuple[Path, str]]:
    """Yield the dashboard."""
    yield BOARD, json.dumps(board(), cls=JSONEncoder, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def board() -> models.Dashboard:
    """Return the dashboard: what is overdue comes first."""
    made = (
        dashboard.Dashboard("referral-bus")
        .uid("referral-bus")
        .description("Cái gì quá hạn, ở đâu, từ bao lâu; và trục có chậm không. docs/dashboard.md")
        .tags(["referral-bus"])
        .timezone("Asia/Ho_Chi_Minh")
        .time("now-24h", "now")
        .refresh("30s")
        .readonly()
        .with_variable(dashboard.DatasourceVariable("source").label("Prometheus").type("prometheus"))
    )
    numbers = count(1)
    for vi, en, panels in ROWS:
        made = made.with_row(dashboard.Row(f"{vi} / {en}").id(next(numbers)))
        for panel in panels:
            made = made.with_panel(_panel(panel).id(next(numbers)))
    return made.build()


def _panel(panel: Panel) -> _Builder:
    match panel.look:
        case Look.NUMBER:
            made: _Builder = stat.Panel().reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        case Look.BARS:
            options = common.ReduceDataOptions().calcs(["lastNotNull"])
            made = bargauge.Panel().reduce_options(options).orientation(VizOrientation.HORIZONTAL)
            made = made.display_mode(BarGaugeDisplayMode.BASIC).min(0)
        case Look.TABLE:
            made = _columns(table.Panel(), panel)
        case Look.LINES:
            made = timeseries.Panel().min(0)
    made = (
        made.title(f"{panel.vi} / {panel.en}")
        .description(f"{panel.read_vi}\n\n{panel.read_en}")
        .datasource(_SOURCE)
        .unit(panel.unit.value)
        .thresholds(_thresholds(panel))
        .no_value(_NO_LINES if panel.look is Look.TABLE else UNKNOWN)
        .span(panel.width)
        .height(panel.height)
    )
    if panel.unit is Unit.COUNT:
        # What Prometheus extrapolates to the edges of a span is no part of a case.
        made = made.decimals(0)
    for letter, (name, query) in zip("ABCDEF", panel.queries.items(), strict=False):
        made = made.with_target(_target(panel, letter, name, query))
    return made


def _target(panel: Panel, letter: str, name: str, query: str) -> prometheus.Dataquery:
    made = prometheus.Dataquery().expr(query).ref_id(letter)
    if panel.look is Look.LINES:
        return made.legend_format(name).range()
    if panel.look is Look.TABLE:
        return made.format(PromQueryFormat.TABLE).instant()
    return made.legend_format(name or f"{panel.vi} / {panel.en}").instant()


def _columns(made: table.Panel, panel: Panel) -> table.Panel:
    """Make one line of what the queries say of the same labels, and call the values what they are."""
    several = len(panel.queries) > 1
    names = {
        (f"Value #{letter}" if several else "Value"): name
        for letter, name in zip("ABCDEF", panel.queries, strict=False)
        if name
    }
    hidden = {"Time": True, "__name__": True, "instance": True} | ({} if names else {"Value": True})
    made = made.with_transformation(models.DataTransformerConfig(id_val="merge", options={}))
    organize = {"excludeByName": hidden, "renameByName": names}
    made = made.with_transformation(models.DataTransformerConfig(id_val="organize", options=organize))
    return made.override_by_name("bao lâu / for", [models.DynamicConfigValue("unit", "s")])


def _thresholds(panel: Panel) -> dashboard.ThresholdsConfig:
    warn, alarm = panel.warn, panel.alarm
    steps = [models.Threshold(None, "green")]
    if warn is not None and alarm is not None and alarm < warn:
        steps = [models.Threshold(None, "red"), models.Threshold(warn, "green")]
        if alarm > 0:
            steps.insert(1, models.Threshold(alarm, "yellow"))
    else:
        steps += [models.Threshold(warn, "yellow")] if warn is not None else []
        steps += [models.Threshold(alarm, "red")] if alarm is not None else []
    return dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps)
