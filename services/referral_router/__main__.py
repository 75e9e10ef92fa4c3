"""Run the router: ``python -m referral_router``. Settings come from ``REFERRAL_BUS_*`` variables."""

import sys
import time

from pydantic import ValidationError
from referral_contracts.errors import ReferralBusError
from service_chassis.logs import make_log
from service_chassis.metrics import Metrics
from service_chassis.service import run

from referral_router.app import SERVICE, RouterService
from referral_router.settings import Settings


def main() -> int:
    """Run until SIGTERM and return the exit code: 2 for settings that cannot be used."""
    metrics = Metrics()
    log = make_log(SERVICE, dropped=metrics.dropped_log_fields.inc)
    try:
        settings = Settings()
        router = RouterService(settings, clock=lambda: time.time_ns() // 1_000_000, metrics=metrics, log=log)
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_context=False, include_input=False):
            name = "_".join(str(part) for part in fault["loc"]).upper()
            print(f"referral-router: error: REFERRAL_BUS_{name}: {fault['msg'].lower()}", file=sys.stderr)
        return 2
    except ReferralBusError as error:
        print(f"referral-router: error: {error}", file=sys.stderr)
        if error.hint:
            print(f"referral-router: hint: {error.hint}", file=sys.stderr)
        return 2
    return run(router, http=settings.http, registry=metrics.registry, log=log)


if __name__ == "__main__":
    sys.exit(main())
