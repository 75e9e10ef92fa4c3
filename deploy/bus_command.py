"""What `bus.py` does: starts a bus in the background, says whether it runs, stops it."""

import argparse
import contextlib
import sys
import tomllib
from pathlib import Path
from typing import Final

from kafka_node import KafkaFailed
from kafka_node.background import StateFolder, up

HOME: Final = Path(".run/bus")
_AGENCIES: Final = Path(__file__).with_name("agencies.toml")
_SERVICES: Final = {"router", "deadline-watcher", "audit-log"}


def main() -> int:
    """Carry out one command and return its exit code."""
    parser = argparse.ArgumentParser(description="A bus that stays, for one's own files.")
    parser.add_argument("command", choices=["up", "down", "status"])
    parser.add_argument("--home", type=Path, default=HOME, help=f"where everything of it lies (default {HOME})")
    options = parser.parse_args()
    folder = StateFolder(options.home)
    try:
        match options.command:
            case "up":
                return _up(folder)
            case "down":
                _say("stopped" if folder.down() else "nothing runs")
                return 0
            case _:
                return _status(folder)
    except KafkaFailed as error:
        _say(str(error))
        return 1
    except KeyboardInterrupt:
        _say("interrupted")
        return 130


def _say(line: str) -> None:
    print(f"bus: {line}", file=sys.stderr, flush=True)


def _up(folder: StateFolder) -> int:
    holding = str(Path(__file__).with_name("holding.py"))
    code = up(
        folder,
        [holding, "--home", str(folder.path)],
        _say,
        what="Kafka, the router, the deadline watcher, the audit log and its witnesses",
    )
    if code == 0:
        home = folder.path
        with contextlib.suppress(ValueError):
            home = folder.path.relative_to(Path.cwd())
        print(f"the bus runs: Kafka at {folder.bootstrap()}")
        print("speak as an agency, for example:")
        print(f"    export PATH={Path(sys.executable).parent}:$PATH REFERRAL_BUS_HOME={home}/agencies/hotline-111")
        print("    referral-bus status")
        print(f"agencies: {', '.join(_agencies(folder))}")
    return code


def _agencies(folder: StateFolder) -> list[str]:
    """Return those that people speak as: the services have folders too, for their keys."""
    told = tomllib.loads(_AGENCIES.read_text("utf-8"))["agency"]
    services = {agency["id"] for agency in told if _SERVICES & set(agency["roles"])}
    return sorted({path.name for path in (folder.path / "agencies").iterdir()} - services)


def _status(folder: StateFolder) -> int:
    bootstrap = folder.bootstrap()
    if bootstrap is None:
        _say("starting or stopping" if folder.held() else "nothing runs")
        return 3
    print(f"the bus runs: Kafka at {bootstrap}")
    return 0
