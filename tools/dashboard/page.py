"""The page that tells how to read the dashboard, and what to do when an alert comes: `docs/dashboard.md`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import yaml

from tools.dashboard.panels import ROWS, Look
from tools.tables import code, table

PAGE: Final = Path("docs/dashboard.md")
ALERTS: Final = Path("deploy/prometheus/alerts.yaml")
_OPENING: Final = Path(__file__).with_name("page.md")
_LOOKS: Final = {Look.NUMBER: "number", Look.TABLE: "table", Look.BARS: "bars", Look.LINES: "lines"}


def pages(root: Path) -> Iterator[tuple[Path, str]]:
    """Yield the page; the alerts are those under *root*."""
    parts = [_OPENING.read_text()]
    for vi, en, panels in ROWS:
        rows = ((f"**{one.vi}** / {one.en}", _LOOKS[one.look], one.read_vi, one.read_en) for one in panels)
        parts.append(f"\n### {vi} / {en}\n\n" + table(("panel", "", "đọc thế nào", "how to read it"), rows))
    parts.append("\n## When an alert comes\n\n`page` wakes a person, `ticket` waits for the morning.\n")
    for group in yaml.safe_load((root / ALERTS).read_text())["groups"]:
        for rule in group["rules"]:
            notes = rule["annotations"]
            wait = f", after {rule['for']}" if "for" in rule else ""
            parts.append(
                f"\n### {rule['alert']}\n\n*{rule['labels']['severity']}*{wait}: {code(rule['expr'])}\n\n"
                f"- {notes['runbook_vi']}\n- {notes['runbook_en']}\n"
            )
    yield PAGE, "".join(parts)
