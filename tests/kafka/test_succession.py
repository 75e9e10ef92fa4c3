"""A commune that is split, and in part merged into another: its open work goes on, over a real broker."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kafka_node import KafkaNode, NotInstalled
from referral_contracts.encoding import format_time, parse_time
from running import AGENCIES, RunningBus
from tests.kafka.town import OTHER_COMMUNE, OTHER_POLICE, TWO_MORE, now_ms
from tests.kafka.typed import COMMUNE, EXAMPLES, Town, said

pytestmark = pytest.mark.kafka

HOTLINE = "hotline-111"
LEFT_S = 25
"""How long the commune has to move what it has: four commands."""


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    home = tmp_path_factory.mktemp("town")
    agencies = home / "agencies.toml"
    agencies.write_text(AGENCIES.read_text("utf-8") + TWO_MORE, "utf-8")
    try:
        with (
            KafkaNode.start() as node,
            RunningBus(home / "bus", say=lambda _text: None, bootstrap=node.bootstrap, agencies=agencies),
        ):
            yield Town(home / "bus")
    except NotInstalled as error:
        pytest.exit(f"kafka: {error}", returncode=2)


def assigned(town: Town, case: str) -> str:
    """Return a duty of the commune's."""
    to = f"{COMMUNE}={EXAMPLES / 'commune.json'}"
    told = said(town, HOTLINE, "send", "assign", "--case", case, "--to", to, "--json")
    return str(json.loads(told)["handoffs"][0]["opening"])


def end(town: Town, folder: Path, agency: str, *successors: str) -> int:
    """Let the registrar write down that *agency* ends soon, and who follows; return when."""
    entry = json.loads(said(town, HOTLINE, "directory", "show", agency, "--json"))
    ends_ms = now_ms() + LEFT_S * 1000
    file = folder / "entry.json"
    file.write_text(json.dumps({**entry, "ends_at": format_time(ends_ms), "successors": successors}), "utf-8")
    said(town, "registrar", "directory", "publish", str(file))
    return ends_ms


def test_open_handoffs_survive_a_merge_and_a_split_of_their_recipient(town: Town, tmp_path: Path) -> None:
    told = said(town, HOTLINE, "send", "open", str(EXAMPLES / "case-opening.json"), "--json")
    case = json.loads(told)["subject"]
    moved, left = assigned(town, case), assigned(town, case)
    said(town, COMMUNE, "inbox", "list")
    ends_ms = end(town, tmp_path, COMMUNE, OTHER_COMMUNE, OTHER_POLICE)

    # Before the end: one of the two is moved, sealed again to the second successor alone, which goes on at once.
    said(town, COMMUNE, "move", moved, str(EXAMPLES / "moving.json"), "--to", OTHER_POLICE)
    open_ = json.loads(said(town, COMMUNE, "agency", "open", "--json"))
    assert [item["opening"] for item in open_["received"]] == [left]
    told = said(town, OTHER_POLICE, "inbox", "list", "--json")
    assert {section["schema"] for section in json.loads(told.splitlines()[0])["sections"]} >= {
        "moving/1.0",
        "handoff-request/1.0",
    }
    said(town, OTHER_POLICE, "accept", moved, str(EXAMPLES / "commune-accepted.json"))
    time.sleep(max(0.0, (ends_ms - now_ms()) / 1000 + 1))

    # After it: the commune says nothing more, and what it left is the first-named one's.
    told = said(town, COMMUNE, "accept", left, str(EXAMPLES / "commune-accepted.json"), code=2)
    assert "agency-ended" in told
    said(town, OTHER_POLICE, "accept", left, str(EXAMPLES / "commune-accepted.json"), code=2)
    store = town.home / "agencies" / COMMUNE / "store.db"
    told = said(town, OTHER_COMMUNE, "agency", "adopt", COMMUNE, str(store), "--json")
    assert json.loads(told)["taken"] == 1
    said(town, OTHER_COMMUNE, "accept", left, str(EXAMPLES / "commune-accepted.json"))
    for agency, duty in ((OTHER_COMMUNE, left), (OTHER_POLICE, moved)):
        told = said(town, agency, "complete", duty, str(EXAMPLES / "commune-completed.json"), "--json")
        assert json.loads(told)["events"][0]["recipients"] == [HOTLINE]
    for duty, agency in ((left, OTHER_COMMUNE), (moved, OTHER_POLICE)):
        told = said(town, HOTLINE, "close", duty, str(EXAMPLES / "closed.json"), "--json")
        assert json.loads(told)["events"][0]["recipients"] == [agency]
    said(town, HOTLINE, "case", "close", case, str(EXAMPLES / "case-closing.json"))
    assert parse_time(open_["ends_at"]) == ends_ms
