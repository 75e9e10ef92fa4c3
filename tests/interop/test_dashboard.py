"""Every panel of the dashboard shows something, when a real Prometheus has scraped a bus on which cases were played."""

import json
from collections.abc import Mapping

import pytest

from kafka_node import NotInstalled
from tests.interop.dashboard_run import run
from tools.dashboard.answers import Answers, Series
from tools.dashboard.board import pages
from tools.dashboard.panels import PANELS, Panel
from tools.dashboard.picture import draw

pytestmark = [pytest.mark.interop, pytest.mark.kafka]


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    try:
        return run(tmp_path_factory.mktemp("dashboard"))
    except NotInstalled as error:
        pytest.exit(f"kafka: {error}", returncode=2)


@pytest.mark.parametrize("panel", PANELS, ids=[panel.id for panel in PANELS])
def test_the_queries_of_a_panel_return_data(panel: Panel, answers: Answers) -> None:
    assert [name for name, series in answers.panels[panel.id].items() if not series] == []


def values(found: Mapping[str, tuple[Series, ...]], label: str = "rule") -> dict[tuple[str, str], float]:
    return {(name, one.labels.get(label, "")): one.value for name, series in found.items() for one in series}


def test_what_it_shows_is_what_was_played(answers: Answers) -> None:
    panels = answers.panels
    where = values(panels["where"])

    assert where["số lượng / how many", "demo-emergency-measures"] == 1
    assert 0 < where["bao lâu / for", "demo-emergency-measures"] < 120
    # Demonstration rules are no law, and nothing here calls them so.
    assert values(panels["overdue-law"]) == {("", ""): 0}
    assert values(panels["overdue-policy"]) == {("", ""): 2}
    assert values(panels["router"]) == values(panels["watcher"]) == {("", ""): 1}
    assert {how for _, how in values(panels["outcomes"], "how")} >= {"in-time", "claimed"}


def test_the_board_asks_what_was_asked_here(answers: Answers) -> None:
    ((_, text),) = pages()
    asked = [target["expr"] for panel in json.loads(text)["panels"] for target in panel.get("targets", ())]

    assert asked == [query for panel in PANELS for query in panel.queries.values()]
    assert draw(answers).count("<g ") == len(PANELS)
