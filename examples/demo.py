"""
Play two cases: Kafka, the router, the deadline watcher, and ten agencies, each a process with its own keys.

    python examples/demo.py [--home FOLDER]

Ends by itself. Exit code 0: every step came out as the story says; 1: one did not, or something did not come up;
2: Java or Maven is missing; 130: interrupted. With KAFKA_BOOTSTRAP it uses that broker, and starts none.
"""

import sys
from collections.abc import Callable

from referral_bus_command import interruptible


def _demonstration() -> Callable[[], int]:
    import playing  # noqa: PLC0415 - whoever presses Ctrl-C meanwhile is not to see where

    return playing.main


if __name__ == "__main__":
    sys.exit(interruptible(_demonstration))
