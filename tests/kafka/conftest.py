"""Where the tests of the launcher find it. The fixtures are in `tests/conftest.py`: others need them too."""

from pathlib import Path

LAUNCHER = Path(__file__).parents[2] / "deploy" / "kafka"
