"""The demonstration, played: everything is started, the story told and checked, everything ended."""

import argparse
import asyncio
import contextlib
import logging
import os
import shutil
import signal
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from kafka_node import KafkaFailed, NotInstalled
from kafka_node.background import StateFolder
from office import NotAsTold, Office
from outsider import Outsider
from referral_bus import Code
from referral_bus._kafka import KafkaTransport
from running import RunningBus, not_answering
from service_process import NotReady, ServiceProcess
from story import CAST, COMMUNE, SCHOOL, Story, expect
from telling import Teller

HOME: Final = Path(".run/demo")
_MARKER: Final = "demonstration"
_OURS: Final = frozenset({"lock", "pid"})
"""What holding the folder makes."""
_STRANGE_CODES: Final = {
    Code.STALE_HEAD: 1,
    Code.BAD_SIGNATURE: 1,
    Code.UNKNOWN_KEY: 1,
    Code.DUPLICATE: 1,
    Code.OPEN_HANDOFFS: 1,
}
"""What the ledger refuses in the story."""


def main() -> int:
    """Play the story as the command line asks and return the exit code."""
    parser = argparse.ArgumentParser(description="Play one case, from hotline 111 to four agencies.")
    parser.add_argument("--home", type=Path, default=HOME, help=f"where keys, stores and logs go (default {HOME})")
    options = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGHUP):
        # One way out for all: asyncio ends what runs, and the processes are ended below.
        signal.signal(number, _interrupt)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # what it complains of is said below, in one line
    bootstrap = os.environ.get("KAFKA_BOOTSTRAP")
    try:
        home = options.home if bootstrap is None else asyncio.run(_home_of(options.home, bootstrap))
        with StateFolder(home).hold():
            if bootstrap is None:
                _clear(home)
            return _run(home, bootstrap)
    except NotInstalled as error:
        return _failed(str(error), 2)
    except (KafkaFailed, NotReady, NotAsTold, KafkaError) as error:
        return _failed(str(error) or type(error).__name__, 1)
    except KeyboardInterrupt:
        return _failed("interrupted", 130)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    signal.raise_signal(signal.SIGINT)


def _end_undisturbed() -> None:
    """From here on everything is being ended: a second Ctrl-C must not leave half of it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _failed(text: str, code: int) -> int:
    print(f"demo: {text}", file=sys.stderr)
    return code


async def _home_of(home: Path, bootstrap: str) -> Path:
    """Return the folder that belongs to a broker that stays: its topics go with one set of keys."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
    except KafkaError as error:
        raise not_answering(bootstrap, error) from error
    try:
        cluster = (await admin.describe_cluster())["cluster_id"]
    finally:
        await admin.close()
    return home.with_name(f"{home.name}-{cluster}")


def _clear(home: Path) -> None:
    """Remove what the last run left, and nothing that a demonstration did not make."""
    found = [path for path in home.iterdir() if path.name not in _OURS]
    marker = home / _MARKER
    if found and not marker.exists():
        raise NotReady(f"{home} holds something else than a demonstration: move it away, or name another with --home")
    marker.touch()
    for path in found:
        if path.is_dir():
            shutil.rmtree(path)
        elif path != marker:
            path.unlink()


def _run(home: Path, bootstrap: str | None) -> int:
    teller = Teller(CAST, sys.stdout)
    teller.title(
        "Một vụ việc bảo vệ trẻ em đi qua referral-bus",
        "one child-protection case crosses the bus; every name and place in it is invented",
        "Kafka thật, bộ định tuyến, 8 cơ quan: mỗi nơi một tiến trình, một bộ khóa, một kho riêng",
        "real Kafka, the router, 8 agencies: each a process with its own keys and store",
    )
    bus: RunningBus | None = None
    try:
        bus = RunningBus(home, say=teller.note, bootstrap=bootstrap)
        asyncio.run(_play(bus, teller))
    except NotAsTold as error:
        teller.end("Không như câu chuyện.", str(error), good=False, lines=_logs(home))
        return 1
    finally:
        _end_undisturbed()
        if bus is not None:
            bus.close()
    teller.end(
        "Vụ việc đã kết thúc, mọi bước đúng như câu chuyện.",
        "The case is closed, and every step came out as told.",
        good=True,
        lines=_logs(home),
    )
    return 0


def _logs(home: Path) -> list[str]:
    return [
        f"nhật ký / logs: {home}/router-1.log, {home}/kafka/broker.log",
        f"                {home}/agencies/*/agency.log, store.db beside it",
        f"số đo / metrics: {home}/router-1.metrics",
    ]


async def _play(bus: RunningBus, teller: Teller) -> None:
    offices: dict[str, Office] = {}
    transport = KafkaTransport(bus.bootstrap)
    try:
        for who in CAST:
            offices[who] = await Office.open(who, bus.founding.folder(who))
        teller.note(f"starting {len(offices)} agencies")
        await asyncio.gather(*(office.ready() for office in offices.values()))
        teller.note("every agency has the directory, checked against the pinned key of the registrar")
        outsider = await Outsider.arrive(transport, bus.founding.trust)
        router = bus.routers[0]
        story = Story(teller, offices, outsider, lambda: _paused(router), bus.founding.keys(SCHOOL).signing)
        await story.play()
        await _look_back(story, offices, outsider, teller)
        _keep_metrics(router)
    finally:
        _end_undisturbed()
        for office in offices.values():
            office.go_home()
        outcomes = await asyncio.gather(*(office.close() for office in offices.values()))
        await transport.close()
    expect(set(outcomes) == {0}, f"an agency's process ended with {outcomes}")


@contextlib.contextmanager
def _paused(router: ServiceProcess) -> Iterator[None]:
    process = router.process
    if process is None:
        raise NotAsTold("there is no router")
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


async def _look_back(story: Story, offices: Mapping[str, Office], outsider: Outsider, teller: Teller) -> None:
    """Compare what everybody holds with what the ledger says, and show it."""
    codes = await outsider.codes()
    accepted = codes.pop(Code.ACCEPTED)
    expect(accepted == story.accepted, f"the ledger accepted {accepted} events, the story tells of {story.accepted}")
    expect(codes == _STRANGE_CODES, f"the ledger refused: {dict(codes)}")
    rows = []
    for who, office in offices.items():
        seen = await office.look(story.subject)
        left = office.unheard(story.subject)
        expect(not left, f"{who} was delivered {len(left)} events that the story does not tell of")
        expect(seen.waiting == seen.unacknowledged == 0, f"{who} has nothing left to do")
        expect(seen.owned == (who == COMMUNE), f"{who} knows who owns the case")
        copies = story.copies[who]
        counted = sorted(heard.counter for heard in copies)
        expect(counted == list(range(1, len(copies) + 1)), f"{who} has the copies {counted}")
        opened = sum(len(heard.parts) for heard in copies)
        sealed = sum(len(heard.sealed) for heard in copies)
        expect(seen.alarms == (), f"{who} has no alarm")
        states = ", ".join(sorted({state.value for state in seen.handoffs.values()}))
        rows.append((CAST[who], str(len(copies)), str(opened), str(sealed), states))
    teller.table(
        "Ai giữ gì / who holds what",
        ("", "bản / copies", "phần đọc / parts read", "niêm phong / sealed", "lượt chuyển gửi / hand-offs"),
        rows,
    )
    refused = ", ".join(f"{count} {code.value}" for code, count in sorted(codes.items()))
    told = accepted + sum(codes.values())
    teller.tell(
        f"Sổ cái: {told} quyết định, mỗi quyết định có chữ ký của bộ định tuyến; không nơi nào có cảnh báo.",
        f"Ledger: {told} decisions, each signed by the router, and no alarm: {accepted} accepted, {refused}.",
    )


def _keep_metrics(router: ServiceProcess) -> None:
    _, page = router.get("/metrics")
    router.log.with_suffix(".metrics").write_bytes(page)
