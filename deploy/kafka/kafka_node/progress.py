"""Says what is going on while somebody waits."""

import sys
from collections.abc import Callable

Say = Callable[[str], None]


def to_stderr(line: str) -> None:
    """Tell it to whoever called a command."""
    print(f"kafka: {line}", file=sys.stderr, flush=True)


def to_terminal(line: str) -> None:
    """Tell it only if a person is watching: in a log, waiting is no news."""
    if sys.stderr.isatty():
        to_stderr(line)


def silently(_line: str) -> None:
    """Tell nobody."""
