"""A case on a real bus is erased while its log runs: asked for over HTTP by two agencies, waited for, gone."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from audit_log.store.opening import open_snapshot
from kafka_node import NotInstalled
from referral_contracts.verbs import Verb
from running import RunningBus, _free_port
from service_process import ServiceProcess
from tests.kafka.logged import WITHIN_S, told
from tests.kafka.town import HOTLINE
from tests.kafka.voices import Voices
from tests.kafka.watched import now_ms, submit, voices
from tests.stories.world import Said

pytestmark = pytest.mark.kafka

WAIT_S = 12
DAY_S = 86_400


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBus]:
    """Give a bus on which each test has a log of its own."""
    try:
        with RunningBus(tmp_path_factory.mktemp("erasing") / "bus", say=print, log=True) as running:
            yield running
    except NotInstalled as error:
        pytest.exit(f"kafka: {error}", returncode=2)


class Host:
    """A log that waits for seconds, and what agencies and its operator type."""

    def __init__(self, bus: RunningBus, home: Path) -> None:
        self.bus, self.home, self.port = bus, home, _free_port()
        self.store, self.files = f"sqlite:///{home / 'log.db'}", home
        self.settings = bus.founding.log_settings(self.port) | {
            "REFERRAL_BUS_BOOTSTRAP": bus.bootstrap,
            "REFERRAL_BUS_LOG_STORE": self.store,
            "REFERRAL_BUS_LOG_TILES": str(home / "tiles"),
            "REFERRAL_BUS_LOG_WAIT_DAYS": str(WAIT_S / DAY_S),
            "REFERRAL_BUS_LOG_ERASE_S": "0.3",
        }
        self.log = ServiceProcess(home, "audit log", "audit_log", self.settings)
        self.log.start()

    def types(self, agency: str, *words: object) -> tuple[int, list[dict[str, Any]], str]:
        program = Path(sys.executable).parent / "referral-bus"
        ended = subprocess.run(
            [program, *map(str, words), "--json"],
            check=False,
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
            env=self.settings | {"REFERRAL_BUS_HOME": str(self.bus.founding.folder(agency))},
        )
        return ended.returncode, [json.loads(line) for line in ended.stdout.splitlines()], ended.stderr

    def asks(self, agency: str, *words: object) -> dict[str, Any]:
        code, out, err = self.types(agency, "erase", *words)
        assert code == 0, err
        return out[0]

    def request(self, case: str) -> Path:
        path = self.home / f"{case}.json"
        self.asks(HOTLINE, "draft", "--case", case, "--ground", "Luật 91/2025/QH15", "--out", path)
        for agency in (HOTLINE, "registrar"):
            self.asks(agency, "sign", path)
        return path

    def submits(self, path: Path) -> dict[str, Any]:
        return self.asks(HOTLINE, "submit", path, "--log", f"http://127.0.0.1:{self.port}")

    def stands(self, path: Path) -> dict[str, Any]:
        return self.asks(HOTLINE, "list", path, "--log", f"http://127.0.0.1:{self.port}")

    async def erased(self, path: Path) -> dict[str, Any]:
        deadline = time.monotonic() + WITHIN_S
        while (found := await asyncio.to_thread(self.stands, path))["state"] != "erased":
            assert time.monotonic() < deadline, (found, self.log.log.read_text())
            await asyncio.sleep(0.3)
        return found

    def verified(self) -> list[Any]:
        pinned = ["--policy", self.settings["REFERRAL_BUS_LOG_POLICY"], "--trust", self.settings["REFERRAL_BUS_TRUST"]]
        where = ["--store", self.store, "--tiles", self.home / "tiles", "--ledger", self.bus.bootstrap]
        _, out, err = self.types("audit-log", "audit", "verify", *where, *pinned)
        assert out, err
        found: list[Any] = out[0]["findings"]
        return found

    def on_disk(self) -> bytes:
        return b"".join(path.read_bytes() for path in sorted(self.home.glob("log.db*")))

    def leaves(self, case: str) -> int:
        engine = create_engine(self.store)
        with engine.connect() as connection:
            found = connection.execute(text("select count(*) from search where subject = :case"), {"case": case})
            count: int = found.scalar_one()
        engine.dispose()
        return count


@pytest.fixture
def host(bus: RunningBus, tmp_path: Path) -> Iterator[Host]:
    found = Host(bus, tmp_path)
    yield found
    found.log.stop()


def found_in(host: Host, *said: Said) -> list[bytes]:
    """Return which parts of what was *said* are in the store's files: a page holds no long value whole."""
    sections = [one for event in said for one in json.loads(event.value)["data"]["sections"]]
    sealed = [told[:40].encode() for section in sections for told in section.values() if isinstance(told, str)]
    data = host.on_disk()
    return [part for part in (*(one.signature[-60:] for one in said), *sealed) if part in data]


async def ended(host: Host, count: int = 1) -> list[tuple[Said, Said]]:
    """Open and close cases; return what was said once the log has it."""
    everybody: Voices = await voices(host.bus)
    opened = [everybody.write(HOTLINE, Verb.CASE_OPENED, now_ms=now_ms()) for _ in range(count)]
    closed = [everybody.write(HOTLINE, Verb.CASE_CLOSED, now_ms=now_ms(), case=one.case, answers=one) for one in opened]
    await submit(host.bus, [*opened, *closed])
    await told(host.log)
    deadline = time.monotonic() + WITHIN_S
    while any(host.leaves(one.case) < 2 for one in opened):
        assert time.monotonic() < deadline, host.log.log.read_text()
        await asyncio.sleep(0.1)
    return list(zip(opened, closed, strict=True))


def test_a_case_is_erased_while_the_log_runs(host: Host) -> None:
    async def story() -> None:
        ((opened, closed), (other, _)) = await ended(host, 2)
        assert found_in(host, opened)
        path = await asyncio.to_thread(host.request, opened.case)
        first = await asyncio.to_thread(host.submits, path)
        assert await asyncio.to_thread(host.submits, path) == first
        assert (await asyncio.to_thread(host.stands, path))["state"] == "waits"

        assert (await host.erased(path))["by"] > first["leaf"]
        assert found_in(host, opened, closed) == []
        assert found_in(host, other)
        # Kafka's ledger still has it, for as long as it keeps anything; the log says why its own store has not.
        assert await asyncio.to_thread(host.verified) == []

    asyncio.run(story())


def test_killed_while_it_waits_and_erases_it_does_so_once(host: Host) -> None:
    async def story() -> None:
        cases = await ended(host, 3)
        paths = [await asyncio.to_thread(host.request, opened.case) for opened, _ in cases]
        for path in paths:
            await asyncio.to_thread(host.submits, path)
        for pause_s in (0.5, WAIT_S, 0.2):
            await asyncio.sleep(pause_s)
            host.log.kill()
            host.log.start()
            await told(host.log)
        for path in paths:
            await host.erased(path)

        assert found_in(host, *(one for pair in cases for one in pair)) == []
        assert [host.leaves(opened.case) for opened, _ in cases] == [2, 2, 2]
        assert await asyncio.to_thread(host.verified) == []

    asyncio.run(story())


def test_a_hold_keeps_a_case(host: Host) -> None:
    async def story() -> None:
        ((opened, _),) = await ended(host)
        hold = host.home / "hold.json"
        path = await asyncio.to_thread(host.request, opened.case)
        words = ("hold", "--case", opened.case, "--ground", "điều tra", "--out", hold)
        await asyncio.to_thread(host.asks, "registrar", *words)
        await asyncio.to_thread(host.submits, path)
        await asyncio.to_thread(host.submits, hold)
        await asyncio.sleep(WAIT_S + 2)
        found = await asyncio.to_thread(host.stands, path)

        assert (found["state"], found["code"]) == ("waits", "held")
        assert found_in(host, opened)

    asyncio.run(story())


def test_what_would_go_from_the_ledger_is_shown_and_stays(host: Host) -> None:
    async def story() -> None:
        await ended(host)
        words = ("erase", "ledger", "--bootstrap", host.bus.bootstrap, "--store", host.store)
        code, rows, err = await asyncio.to_thread(host.types, "audit-log", *words)

        assert code == 0, err
        # A partition of which nothing was ever logged has nothing to go.
        with open_snapshot(host.store) as kept:
            assert {row["partition"] for row in rows} == set(kept.places())
        assert len(rows) > 1
        assert all(row["before"] == 0 and row["end"] >= row["durable"] for row in rows)
        assert all(row["read"] == {"deadline-watcher": None} for row in rows)

    asyncio.run(story())
