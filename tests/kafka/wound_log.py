"""The audit log under a clock that somebody sets: ``python -m tests.kafka.wound_log``; a file says by how many ms."""

import os
import sys
from pathlib import Path

from audit_log.app import SERVICE, LogService
from audit_log.settings import Settings
from service_chassis.command import command

MODULE = "tests.kafka.wound_log"
VARIABLE = "WOUND_BY_FILE"


def main() -> int:
    """Run as the log does."""
    wound = Path(os.environ[VARIABLE])
    return command(
        SERVICE,
        Settings,
        lambda settings, clock, metrics, log: LogService(
            settings, clock=lambda: clock() + int(wound.read_text()), metrics=metrics, log=log
        ),
    )


if __name__ == "__main__":
    sys.exit(main())
