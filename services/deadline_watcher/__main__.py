"""Run the watcher: ``python -m deadline_watcher``. Settings come from ``REFERRAL_BUS_*`` variables."""

import sys

from deadline_watcher.app import SERVICE, WatcherService
from deadline_watcher.settings import Settings
from service_chassis.command import command


def main() -> int:
    """Run until SIGTERM and return the exit code: 2 for settings that cannot be used."""
    return command(
        SERVICE,
        Settings,
        lambda settings, clock, metrics, log: WatcherService(settings, clock=clock, metrics=metrics, log=log),
    )


if __name__ == "__main__":
    sys.exit(main())
