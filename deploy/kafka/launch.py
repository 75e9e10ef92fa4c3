"""
The command for a Kafka node without a container.

    python deploy/kafka/launch.py run                          in the foreground, until Ctrl-C
    python deploy/kafka/launch.py up --state-dir .run/kafka    in the background, data kept
    python deploy/kafka/launch.py status --state-dir .run/kafka
    python deploy/kafka/launch.py down --state-dir .run/kafka
    python deploy/kafka/launch.py fetch                        fill the cache, start nothing

On standard output stands one line, KAFKA_BOOTSTRAP=host:port; everything for people goes to standard error. With
KAFKA_BOOTSTRAP set, run, up and status name that broker and start nothing.

Exit codes: 0 done, 1 the broker failed, 2 Java or Maven is missing (or a wrong argument), 3 status: nothing runs.
"""

import sys
from collections.abc import Callable

from referral_bus_command import interruptible


def _launcher() -> Callable[[], int]:
    import launching  # noqa: PLC0415 - whoever presses Ctrl-C meanwhile is not to see where

    return launching.main


if __name__ == "__main__":
    sys.exit(interruptible(_launcher))
