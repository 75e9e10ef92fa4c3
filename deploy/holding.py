"""
Holds a bus until it is asked to end: what `bus.py up` leaves in the background.

    python deploy/holding.py --home .run/bus

Exit codes: 0 asked to end, 1 something did not come up, 2 Java or Maven is missing, 130 asked to end while starting.
"""

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Final

from kafka_node import KafkaFailed, NotInstalled
from kafka_node.background import StateFolder
from referral_contracts.errors import ReferralBusError
from running import RENEW_S, RunningBus, rules_from
from service_process import NotReady

_LOOK_S: Final = 1.0
_ENDING: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def main(arguments: Sequence[str]) -> int:
    """Hold a bus and return the exit code."""
    parser = argparse.ArgumentParser(description="Hold a bus until asked to end.")
    parser.add_argument("--home", type=Path, required=True, help="where everything of it lies")
    options = parser.parse_args(arguments)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what it complains of is said below, in one line
    for number in _ENDING:
        signal.signal(number, _interrupt)
    try:
        _hold(StateFolder(options.home), os.environ.get("KAFKA_BOOTSTRAP"))
    except NotInstalled as error:
        return _failed(str(error), 2)
    except (KafkaFailed, NotReady) as error:
        hint = (
            f"\nanother version of Kafka wrote {options.home}: move it away"
            if "UnsupportedVersion" in str(error)
            else ""
        )
        return _failed(f"{error}{hint}", 1)
    except ReferralBusError as error:
        return _failed(f"{error}; what {options.home} holds is not whole: move it away to found a new bus", 1)
    except KeyboardInterrupt:
        return 130
    return 0


def _say(line: str) -> None:
    print(f"bus: {line}", file=sys.stderr, flush=True)


def _failed(text: str, code: int) -> int:
    _say(text)
    return code


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _hold(folder: StateFolder, bootstrap: str | None) -> None:
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    rules = rules_from(os.environ)
    with (
        folder.hold(),
        RunningBus(folder.path, say=_say, bootstrap=bootstrap, rules=rules, log=True, witnessed=True) as bus,
    ):
        # From here on it ends in order, whatever else it is told meanwhile.
        for number in _ENDING:
            signal.signal(number, end)
        folder.announce(bus.bootstrap)
        waited = 0.0
        while not stop.wait(_LOOK_S):
            bus.look_after()
            waited += _LOOK_S
            if waited >= RENEW_S:
                _say(f"directory renewed: version {bus.renew()}")
                waited = 0.0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
