"""
A bus that stays, for one's own files: Kafka, the router, the demonstration's agencies, a directory that is kept fresh.

    python deploy/bus.py up      start it in the background; what it made before is used again
    python deploy/bus.py status  say whether it runs
    python deploy/bus.py down    stop it; keys, topics and stores stay under .run/bus

With KAFKA_BOOTSTRAP it uses that broker, and starts none. The process in the background is `holding`.

Exit codes: 0 done, 1 something did not come up, 2 Java or Maven is missing, 3 status: nothing runs, 130 interrupted.
"""

import sys
from collections.abc import Callable

from referral_bus_command import interruptible


def _command() -> Callable[[], int]:
    import bus_command  # noqa: PLC0415 - whoever presses Ctrl-C meanwhile is not to see where

    return bus_command.main


if __name__ == "__main__":
    sys.exit(interruptible(_command))
