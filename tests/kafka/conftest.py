"""
Where the tests of the launcher find it; one run of the demonstration, and one bus to be mistreated.

The broker's fixtures are in `tests/conftest.py`: others need them too.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kafka_node import NotInstalled
from running import AGENCIES, RunningBus
from tests.kafka.demo_run import DemoRun, run
from tests.kafka.town import TWO_MORE

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
