"""
Where the tests of the launcher find it, and one run of the demonstration that several tests look at.

The broker's fixtures are in `tests/conftest.py`: others need them too.
"""

from pathlib import Path

import pytest

from kafka_node import NotInstalled
from tests.kafka.demo_run import DemoRun, run

LAUNCHER = Path(__file__).parents[2] / "deploy" / "kafka"


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoRun:
    """Give the demonstration as it was played once, and what it left behind."""
    try:
        return run(tmp_path_factory.mktemp("demo") / "home")
    except NotInstalled as error:
        pytest.exit(f"kafka: {error}", returncode=2)
