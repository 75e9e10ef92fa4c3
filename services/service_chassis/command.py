"""What a service's command does: read settings and keys, or say what is wrong with them; then run."""

import sys
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from pydantic import ValidationError

from referral_contracts.errors import ReferralBusError
from service_chassis.logs import Log, make_log
from service_chassis.metrics import Metrics
from service_chassis.service import Http, Service, run


class Served(Protocol):
    """Settings, as far as every service has them."""

    @property
    def http(self) -> Http:
        """Where health and metrics are served."""


SettingsT = TypeVar("SettingsT", bound=Served)
Clock = Callable[[], int]


def command(
    name: str, settings: Callable[[], SettingsT], make: Callable[[SettingsT, Clock, Metrics, Log], Service]
) -> int:
    """
    Run the service *name* until SIGTERM and return the exit code: 2 for settings that cannot be used.

    Args:
        name: What it is called in its logs and in what it says here.
        settings: Reads the settings, from the environment.
        make: Wires the service; nothing connects yet.
    """
    metrics = Metrics()
    log = make_log(name, dropped=metrics.dropped_log_fields.inc)
    try:
        read = settings()
        service = make(read, now_ms, metrics, log)
    except (ValidationError, ReferralBusError) as error:
        return complain(name, error)
    return run(service, http=read.http, registry=metrics.registry, log=log)


def now_ms() -> int:
    """Return how late it is by this machine's clock."""
    return time.time_ns() // 1_000_000


def complain(name: str, error: ValidationError | ReferralBusError) -> int:
    """Say why *name* cannot do what it was asked, which variable is wrong or what to do; return the exit code: 2."""
    if isinstance(error, ValidationError):
        for fault in error.errors(include_url=False, include_context=False, include_input=False):
            variable = "_".join(str(part) for part in fault["loc"]).upper()
            _say(name, f"error: REFERRAL_BUS_{variable}: {fault['msg'].lower()}")
    else:
        _say(name, f"error: {error}")
        if error.hint:
            _say(name, f"hint: {error.hint}")
    return 2


def _say(name: str, text: str) -> None:
    sys.stderr.write(f"{name}: {text}\n")
