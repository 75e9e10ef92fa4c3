"""Run the watcher: ``python -m deadline_watcher``. Settings come from ``REFERRAL_BUS_*`` variables."""

import sys
import time

from pydantic import ValidationError

from deadline_watcher.app import SERVICE, WatcherService
from deadline_watcher.settings import Settings
from referral_contracts.errors import ReferralBusError
from service_chassis.logs import make_log
from service_chassis.metrics import Metrics
from service_chassis.service import run


def main() -> int:
    """Run until SIGTERM and return the exit code: 2 for settings that cannot be used."""
    metrics = Metrics()
    log = make_log(SERVICE, dropped=metrics.dropped_log_fields.inc)
    try:
        settings = Settings()
        watcher = WatcherService(settings, clock=lambda: time.time_ns() // 1_000_000, metrics=metrics, log=log)
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_context=False, include_input=False):
            name = "_".join(str(part) for part in fault["loc"]).upper()
            _say(f"error: REFERRAL_BUS_{name}: {fault['msg'].lower()}")
        return 2
    except ReferralBusError as error:
        _say(f"error: {error}")
        if error.hint:
            _say(f"hint: {error.hint}")
        return 2
    return run(watcher, http=settings.http, registry=metrics.registry, log=log)


def _say(text: str) -> None:
    sys.stderr.write(f"deadline-watcher: {text}\n")


if __name__ == "__main__":
    sys.exit(main())
