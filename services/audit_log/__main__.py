"""Run the log: ``python -m audit_log``. Settings come from ``REFERRAL_BUS_*`` variables."""

import sys

from audit_log.app import SERVICE, LogService
from audit_log.settings import Settings
from service_chassis.command import command


def main() -> int:
    """Run until SIGTERM and return the exit code: 2 for settings that cannot be used."""
    return command(
        SERVICE,
        Settings,
        lambda settings, clock, metrics, log: LogService(settings, clock=clock, metrics=metrics, log=log),
    )


if __name__ == "__main__":
    sys.exit(main())
