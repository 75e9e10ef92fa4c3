"""
Where the tests of the launcher find it; one run of the demonstration, a bus to be mistreated, buses to type at.

The broker's fixtures are in `tests/conftest.py`: others need them too.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kafka_node import KafkaNode, NotInstalled
from running import AGENCIES, RunningBus
from tests.kafka.demo_run import DemoRun, run
from tests.kafka.town import TWO_MORE
from tests.kafka.typed import Town

LAUNCHER = Path(__file__).parents[2] / "deploy" / "kafka"


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoRun:
    """Give the demonstration as it was played once, and what it left behind."""
    try:
        return run(tmp_path_factory.mktemp("demo") / "home")
    except NotInstalled as error:
        pytest.exit(f"kafka: {error}", returncode=2)


@pytest.fixture(scope="session")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBus]:
    """Give a bus with two routers, on a broker of its own that may be killed; each test leaves it at work."""
    home = tmp_path_factory.mktemp("bus")
    agencies = home / "agencies.toml"
    agencies.write_text(AGENCIES.read_text("utf-8") + TWO_MORE, "utf-8")
    try:
        with RunningBus(home / "bus", say=print, agencies=agencies) as running:
            running.start_router().wait_ready()
            yield running
    except NotInstalled as error:
        pytest.exit(f"kafka: {error}", returncode=2)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Give agencies that type, on a bus with a broker of its own: a bus has topics of fixed names."""
    home = tmp_path_factory.mktemp("town")
    try:
        with KafkaNode.start() as node, RunningBus(home, say=lambda _text: None, bootstrap=node.bootstrap):
            yield Town(home)
    except NotInstalled as error:
        pytest.exit(f"kafka: {error}", returncode=2)
