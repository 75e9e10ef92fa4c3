"""The demonstration, played: everything is started, the story told and checked, everything ended."""

import argparse
import asyncio
import contextlib
import logging
import os
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Final

from aiokafka.errors import KafkaError

from counted import show_clocks
from kafka_node import KafkaFailed, NotInstalled
from kafka_node.background import StateFolder
from office import NotAsTold, Office
from outsider import Outsider
from proven import FOLDER, Proof
from reaching import operator_of
from referral_bus import Code
from referral_bus._kafka import KafkaTransport
from referral_contracts.rules.book import RuleBook
from referral_contracts.rules.loading import load_packs
from running import DEMONSTRATION, RunningBus, not_answering
from service_chassis.fold import Limits
from service_process import NotReady, ServiceProcess
from stage import Stage, expect
from story import AUDITOR, CAST, COMMUNE, HOTLINE, SCHOOL, WATCHER, Story
from telling import Teller
from timed import NOTICES, Timed

HOME: Final = Path(".run/demo")
_MARKER: Final = "demonstration"
_OURS: Final = frozenset({"lock", "pid"})
"""What holding the folder makes."""
_LOOK_S: Final = 0.5
_STRANGE_CODES: Final[Mapping[Code, int]] = {
    Code.STALE_HEAD: 1,
    Code.BAD_SIGNATURE: 1,
    Code.UNKNOWN_KEY: 1,
    Code.DUPLICATE: 1,
    Code.OPEN_HANDOFFS: 1,
}
"""What the ledger refuses in the story."""


def main() -> int:
    """Play the story as the command line asks and return the exit code."""
    parser = argparse.ArgumentParser(description="Play two cases, one of them against the clock.")
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
    admin = operator_of(bootstrap).admin(Limits())
    try:
        await admin.start()
    except (KafkaError, OSError) as error:
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
    teller = Teller({**CAST, WATCHER: "Bộ theo dõi", AUDITOR: "Thanh tra"}, sys.stdout)
    teller.title(
        "Hai vụ việc bảo vệ trẻ em đi qua referral-bus",
        "two child-protection cases cross the bus; every name and place in them is invented",
        f"Kafka thật, bộ định tuyến, bộ theo dõi thời hạn, nhật ký, {len(CAST)} cơ quan: mỗi nơi một tiến trình",
        f"real Kafka, router, deadline watcher, audit log, {len(CAST)} agencies: each a process with its own keys",
    )
    bus: RunningBus | None = None
    try:
        bus = RunningBus(home, say=teller.note, bootstrap=bootstrap, rules=DEMONSTRATION, log=True, witnessed=True)
        asyncio.run(_play(bus, teller))
    except NotAsTold as error:
        teller.end("Không như câu chuyện.", str(error), good=False, lines=_logs(home))
        return 1
    finally:
        _end_undisturbed()
        if bus is not None:
            bus.close()
    teller.end(
        "Mọi bước đúng như câu chuyện, cả việc đúng hạn lẫn việc quá hạn.",
        "What was in time and what was late: every step came out as told.",
        good=True,
        lines=_logs(home),
    )
    return 0


def _logs(home: Path) -> list[str]:
    return [
        f"nhật ký / logs: {home}/router-1.log, watcher-1.log, audit-log-1.log, kafka/broker.log",
        f"                {home}/agencies/*/agency.log, store.db beside it",
        f"chứng cứ / evidence: {home}/{FOLDER}/case.zip, case.html, event.tlog-proof",
        f"số đo / metrics: {home}/router-1.metrics, watcher-1.metrics, audit-log-1.metrics",
    ]


async def _play(bus: RunningBus, teller: Teller) -> None:
    offices: dict[str, Office] = {}
    transport = KafkaTransport(bus.bootstrap, ssl_context=bus.kafka.connection.get("ssl_context"))
    looking_after = asyncio.create_task(_look_after(bus))
    try:
        for who in CAST:
            offices[who] = await Office.open(who, bus.founding.folder(who))
        teller.note(f"starting {len(offices)} agencies")
        await asyncio.gather(*(office.ready() for office in offices.values()))
        teller.note("every agency has the directory, checked against the pinned key of the registrar")
        outsider = await Outsider.arrive(transport, bus.founding.trust)
        await _tell(bus, teller, offices, outsider)
        for service in bus.services:
            _keep_metrics(service)
    finally:
        _end_undisturbed()
        looking_after.cancel()
        for office in offices.values():
            office.go_home()
        outcomes = await asyncio.gather(*(office.close() for office in offices.values()))
        await transport.close()
    expect(set(outcomes) == {0}, f"an agency's process ended with {outcomes}")


async def _look_after(bus: RunningBus) -> None:
    while True:
        await asyncio.sleep(_LOOK_S)
        bus.look_after()


async def _tell(bus: RunningBus, teller: Teller, offices: Mapping[str, Office], outsider: Outsider) -> None:
    (router,), (watcher,) = bus.routers, bus.watchers
    process = watcher.process
    first, second = Stage(teller, offices, outsider), Stage(teller, offices, outsider)
    await Story(first, lambda: _paused(router), bus.founding.keys(SCHOOL).signing).play()
    rules = load_packs({path.name: path.read_text("utf-8") for path in DEMONSTRATION})
    await Timed(second, RuleBook(rules)).play()
    await show_clocks(watcher, first.handoffs + second.handoffs, teller, restarted=watcher.process is not process)
    rows = [row for row in [await _held(first, who, owner=COMMUNE) for who in offices] if row[1] != "0"]
    for who in offices:
        await _held(second, who, owner=SCHOOL)
    teller.table(
        "Ai giữ gì của vụ việc đầu / who holds what of the first case",
        ("", "bản / copies", "phần đọc / parts read", "niêm phong / sealed", "lượt chuyển gửi / hand-offs"),
        rows,
    )
    await _look_back(first.accepted + second.accepted, outsider, teller)
    expect(await offices[HOTLINE].close() == 0, "the hotline's people go home")
    await Proof(first, bus.founding).show()


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


async def _held(stage: Stage, who: str, owner: str) -> Sequence[str]:
    """Compare what *who* holds of a case with what the story tells, and return it."""
    office = stage.offices[who]
    seen = await office.look(stage.subject)
    left = office.unheard(stage.subject)
    expect(not left, f"{who} was delivered {len(left)} events that the story does not tell of")
    expect(seen.waiting == seen.unacknowledged == 0, f"{who} has nothing left to do")
    expect(seen.owned == (who == owner), f"{who} knows who owns the case")
    expect(seen.alarms == (), f"{who} has no alarm")
    copies = stage.copies[who]
    counted = sorted(heard.counter for heard in copies)
    expect(counted == list(range(1, len(copies) + 1)), f"{who} has the copies {counted}")
    opened = sum(len(heard.parts) for heard in copies)
    sealed = sum(len(heard.sealed) for heard in copies)
    states = ", ".join(sorted({state.value for state in seen.handoffs.values()}))
    return CAST[who], str(len(copies)), str(opened), str(sealed), states


async def _look_back(told: int, outsider: Outsider, teller: Teller) -> None:
    """Compare the ledger with the *told* events of both stories, and show it."""
    notices = await outsider.codes_of(WATCHER)
    said = {verb: count for (verb, code), count in notices.items() if code is Code.ACCEPTED}
    expect(said == NOTICES, f"the watcher has said {said}, the story tells of {dict(NOTICES)}")
    codes = await outsider.codes()
    accepted = codes.pop(Code.ACCEPTED)
    expect(accepted == told, f"the ledger accepted {accepted} events, the story tells of {told}")
    # What the watcher says twice, not having read it back in time, is let in once: how often depends on the machine.
    again: Counter[Code] = Counter(
        code for (_, code), count in notices.items() for _ in range(count) if code is not Code.ACCEPTED
    )
    expect(codes - again == _STRANGE_CODES, f"the ledger refused: {dict(codes)}")
    refused = ", ".join(f"{count} {code.value}" for code, count in sorted(codes.items()))
    decided = accepted + sum(codes.values())
    teller.tell(
        f"Sổ cái: {decided} quyết định, mỗi quyết định có chữ ký của bộ định tuyến; không nơi nào có cảnh báo.",
        f"Ledger: {decided} decisions, each signed by the router, and no alarm: {accepted} accepted, {refused}.",
    )


def _keep_metrics(service: ServiceProcess) -> None:
    _, page = service.get("/metrics")
    service.log.with_suffix(".metrics").write_bytes(page)
