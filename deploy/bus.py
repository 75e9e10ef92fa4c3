"""
A bus that stays, for one's own files: Kafka, the router, the demonstration's agencies, a directory that is kept fresh.

    python deploy/bus.py up      start it in the background; what it made before is used again
    python deploy/bus.py status  say whether it runs, and what of it is not well
    python deploy/bus.py down    stop it; keys, topics and stores stay under .run/bus

Exit codes: 0 done, 1 something did not come up, 2 Java or Maven is missing, 3 status: nothing runs.
"""

import argparse
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Final

from kafka_node import KafkaFailed, NotInstalled
from kafka_node.background import StateFolder, up
from kafka_node.progress import to_stderr
from referral_contracts.errors import ReferralBusError
from running import RENEW_S, NotReady, RunningBus

HOME: Final = Path(".run/bus")
_LOOK_S: Final = 1.0


def main(arguments: Sequence[str]) -> int:
    """Carry out one command and return its exit code."""
    parser = argparse.ArgumentParser(description="A bus that stays, for one's own files.")
    parser.add_argument("command", choices=["up", "down", "status", "hold"])
    parser.add_argument("--home", type=Path, default=HOME, help=f"where everything of it lies (default {HOME})")
    options = parser.parse_args(arguments)
    folder = StateFolder(options.home)
    try:
        match options.command:
            case "up":
                return _up(folder)
            case "down":
                to_stderr("stopped" if folder.down() else "nothing runs")
                return 0
            case "status":
                return _status(folder)
            case _:
                return _hold(folder)
    except NotInstalled as error:
        to_stderr(str(error))
        return 2
    except (KafkaFailed, NotReady) as error:
        to_stderr(str(error))
        return 1
    except ReferralBusError as error:
        to_stderr(f"{error}; what {options.home} holds is not whole: move it away to found a new bus")
        return 1


def _up(folder: StateFolder) -> int:
    code = up(folder, [str(Path(__file__)), "hold", "--home", str(folder.path)], to_stderr)
    if code == 0:
        home = folder.path
        with contextlib.suppress(ValueError):
            home = folder.path.relative_to(Path.cwd())
        print(f"the bus runs: Kafka at {folder.bootstrap()}")
        print("speak as an agency, for example:")
        print(f"    export REFERRAL_BUS_HOME={home}/agencies/hotline-111")
        print("    referral-bus status")
        print(f"agencies: {', '.join(sorted(path.name for path in (folder.path / 'agencies').iterdir()))}")
    return code


def _status(folder: StateFolder) -> int:
    bootstrap = folder.bootstrap()
    if bootstrap is None:
        to_stderr("nothing runs")
        return 3
    print(f"the bus runs: Kafka at {bootstrap}")
    return 0


def _hold(folder: StateFolder) -> int:
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, end)
    with folder.hold(), RunningBus(folder.path, say=to_stderr, bootstrap=os.environ.get("KAFKA_BOOTSTRAP")) as bus:
        folder.announce(bus.bootstrap)
        waited = 0.0
        while not stop.wait(_LOOK_S):
            bus.look_after()
            waited += _LOOK_S
            if waited >= RENEW_S:
                to_stderr(f"directory renewed: version {bus.renew()}")
                waited = 0.0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
