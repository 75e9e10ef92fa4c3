"""What `launch.py` does: one Kafka node, run, started, stopped, looked at, or only fetched."""

import argparse
import os
import signal
import time
from pathlib import Path
from types import FrameType

from kafka_node.background import StateFolder, up
from kafka_node.errors import KafkaFailed, NotInstalled
from kafka_node.home import Ports
from kafka_node.installation import install
from kafka_node.node import KafkaNode
from kafka_node.progress import to_stderr

_WATCH_S = 0.5
_STATE_DIR = Path(".run/kafka")


def main() -> int:
    """Carry out one command and return its exit code."""
    options = _parser().parse_args()
    try:
        return _carry_out(options)
    except NotInstalled as error:
        to_stderr(str(error))
        return 2
    except KafkaFailed as error:
        to_stderr(str(error))
        return 1
    except KeyboardInterrupt:
        return 130


def _carry_out(options: argparse.Namespace) -> int:
    existing = os.environ.get("KAFKA_BOOTSTRAP")
    if existing and options.command in {"run", "up", "status"}:
        to_stderr("KAFKA_BOOTSTRAP is set: that broker is used, none is started")
        return _print_bootstrap(existing)
    match options.command:
        case "run":
            return _run(options)
        case "up":
            return _up(options)
        case "down":
            to_stderr("stopped" if StateFolder(options.state_dir).down() else "nothing runs")
            return 0
        case "status":
            return _status(StateFolder(options.state_dir))
        case _:
            install(to_stderr)
            return 0


def _run(options: argparse.Namespace) -> int:
    # SIGINT too: a shell without job control starts what runs beside it with SIGINT ignored.
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, _interrupt)
    try:
        if options.state_dir is None:
            return _hold(options, None, ())
        folder = StateFolder(options.state_dir)
        with folder.hold() as lock:
            return _hold(options, folder, (lock,))
    except KeyboardInterrupt:
        return 0  # being asked to end is how this command ends


def _hold(options: argparse.Namespace, folder: StateFolder | None, keep_open: tuple[int, ...]) -> int:
    ports = Ports.free(options.port) if options.port else None
    data_dir = folder.path if folder else None
    with KafkaNode.start(
        data_dir=data_dir, ports=ports, heap_mb=options.heap_mb, say=to_stderr, keep_open=keep_open
    ) as node:
        if folder:
            folder.announce(node.bootstrap)
        if node.authority:
            to_stderr(
                f"closed: whoever connects needs a certificate, the operator's with KAFKA_PKI={node.authority.folder}"
            )
        _print_bootstrap(node.bootstrap)
        while node.running:
            time.sleep(_WATCH_S)
        raise KafkaFailed(f"the broker ended by itself:\n{node.log_tail()}")


def _up(options: argparse.Namespace) -> int:
    install(to_stderr)  # here, where somebody can see that it takes a while
    folder = StateFolder(options.state_dir)
    command = [str(Path(__file__).with_name("launch.py").absolute()), "run", "--state-dir", str(folder.path)]
    command += ["--port", str(options.port), "--heap-mb", str(options.heap_mb)]
    code = up(folder, command, to_stderr)
    return code or _status(folder)


def _status(folder: StateFolder) -> int:
    bootstrap = folder.bootstrap()
    if bootstrap is None:
        to_stderr("starting or stopping" if folder.held() else "nothing runs")
        return 3
    return _print_bootstrap(bootstrap)


def _print_bootstrap(bootstrap: str) -> int:
    print(f"KAFKA_BOOTSTRAP={bootstrap}", flush=True)
    return 0


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="launch.py", description="A Kafka node without a container.")
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run a node until Ctrl-C")
    run.add_argument("--state-dir", type=Path, help="keep the data here (default: a temporary folder)")
    background = commands.add_parser("up", help="start a node in the background")
    for command in (run, background):
        command.add_argument("--port", type=int, default=0, help="where to listen on 127.0.0.1 (default: a free port)")
        command.add_argument("--heap-mb", type=int, default=256, help="the broker's memory (default: 256)")
    down = commands.add_parser("down", help="stop the node in the background")
    status = commands.add_parser("status", help="say where it listens")
    for command in (background, down, status):
        command.add_argument("--state-dir", type=Path, default=_STATE_DIR, help="its folder (default: .run/kafka)")
    commands.add_parser("fetch", help="fill the cache, start nothing")
    return parser
