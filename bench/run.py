"""
Measure the bus on this machine, against what it has to be measured against.

    python bench/run.py                          everything, some twenty minutes
    python bench/run.py --quick                  a little of everything: to see that it works
    python bench/run.py --only routing,restore   some parts

A table on the terminal and a file under bench/results, named by the time. Figures of different machines, or of a
machine that has something else to do, say nothing about each other; ratios within a run do.
"""

import argparse
import asyncio
import logging
import os
import shutil
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from rich.console import Console

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "deploy"), str(ROOT / "deploy" / "kafka")]

from kafka_node import Authority, KafkaFailed, KafkaNode, NotInstalled  # noqa: E402 - found on the path just made
from measure import machine  # noqa: E402
from measure.auditing import auditing  # noqa: E402
from measure.bench import Bench, now_ms  # noqa: E402
from measure.broker import BROKERS, HEAP_MB, Cluster  # noqa: E402
from measure.directory import directory  # noqa: E402
from measure.failover import failover  # noqa: E402
from measure.figures import Part, Results, show  # noqa: E402
from measure.latency import latency  # noqa: E402
from measure.restore import restore  # noqa: E402
from measure.routing import processes, routing  # noqa: E402
from measure.stages import stages  # noqa: E402
from measure.submissions import Mill  # noqa: E402
from measure.watching import watching  # noqa: E402
from measure.world import found  # noqa: E402
from reaching import settings_of  # noqa: E402

PARTS: Final[Mapping[str, Callable[[Bench], Awaitable[list[Part]]]]] = {
    "routing": routing,
    "stages": stages,
    "processes": processes,
    "latency": latency,
    "restore": restore,
    "directory": directory,
    "failover": failover,
    "watching": watching,
    "audit": auditing,
}
"""In the order in which they run."""
_WIDTH: Final = 120
_HOME: Final = ROOT / "bench" / "work"


def main(arguments: Sequence[str]) -> int:
    """Measure and return the exit code: 2 when Java or Maven is missing."""
    options = _parser().parse_args(arguments)
    options.rounds = options.rounds or (2 if options.quick else 5)
    facts = machine.facts()
    # Without a terminal rich would squeeze everything into 80 columns.
    console = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=_WIDTH)
    # It complains about each topic that is deleted between two measurements.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    closed = os.environ.get("REFERRAL_BUS_UNSAFE_PLAINTEXT") != "1"
    setting = {"brokers": BROKERS, "closed": closed, "rounds": options.rounds, "quick": options.quick}
    results = Results(ROOT / "bench" / "results", facts, setting)
    shutil.rmtree(_HOME, ignore_errors=True)
    try:
        with console.status("starting Kafka") as status, KafkaNode.start(heap_mb=HEAP_MB, say=_quiet) as node:
            _identify(node.authority)
            asyncio.run(_measure(options, node, console, status.update, results))
    except NotInstalled as error:
        console.print(f"bench: error: {error}")
        return 2
    except KafkaFailed as error:
        console.print(f"bench: error: {error}")
        return 1
    console.print(f"written: {results.path.relative_to(ROOT)}")
    return 0


def _identify(authority: Authority | None) -> None:
    """Have everything that is started here speak as the operator: what rights cost is not measured."""
    if authority is not None:
        os.environ["KAFKA_PKI"] = str(authority.folder)
        os.environ |= settings_of(authority.operator())


async def _measure(
    options: argparse.Namespace, node: KafkaNode, console: Console, say: Callable[[str], None], results: Results
) -> None:
    say("founding the bus")
    world = found(_HOME, now_ms())
    bench = Bench(
        cluster=Cluster(node),
        world=world,
        mill=Mill(world),
        home=_HOME,
        rounds=options.rounds,
        quick=options.quick,
        say=say,
    )
    for name in options.only:
        for part in await PARTS[name](bench):
            show(part, console)
            results.add(part)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="run.py", description="Measure the bus on this machine.")
    parser.add_argument("--only", type=_names, default=list(PARTS), help=f"some of {','.join(PARTS)}")
    parser.add_argument("--rounds", type=int, default=0, help="of each comparison (default: 5, quick: 2)")
    parser.add_argument("--quick", action="store_true", help="a little of everything, not to be quoted")
    return parser


def _names(text: str) -> list[str]:
    names = text.split(",")
    if unknown := [name for name in names if name not in PARTS]:
        raise argparse.ArgumentTypeError(f"no such part: {', '.join(unknown)}")
    return names


def _quiet(_: str) -> None:
    """The status line says what is going on."""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
