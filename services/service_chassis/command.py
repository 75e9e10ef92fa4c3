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
        service = make(read, lambda: time.time_ns() // 1_000_000, metrics, log)
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_context=False, include_input=False):
            variable = "_".join(str(part) for part in fault["loc"]).upper()
            _say(name, f"error: REFERRAL_BUS_{variable}: {fault['msg'].lower()}")
        return 2
    except ReferralBusError as error:
        _say(name, f"error: {error}")
        if error.hint:
            _say(name, f"hint: {error.hint}")
        return 2
    return run(service, http=read.http, registry=metrics.registry, log=log)


def _say(name: str, text: str) -> None:
    sys.stderr.write(f"{name}: {text}\n")
