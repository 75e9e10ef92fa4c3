"""Run the router: ``python -m referral_router``. Settings come from ``REFERRAL_BUS_*`` variables."""

import sys

from referral_router.app import SERVICE, RouterService
from referral_router.settings import Settings
from service_chassis.command import command


def main() -> int:
    """Run until SIGTERM and return the exit code: 2 for settings that cannot be used."""
    return command(
        SERVICE,
        Settings,
        lambda settings, clock, metrics, log: RouterService(settings, clock=clock, metrics=metrics, log=log),
    )


if __name__ == "__main__":
    sys.exit(main())
