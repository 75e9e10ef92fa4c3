"""The deadline watcher as a process: what it says of itself, and that it ends in order and goes on afterwards."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from founding import Founding
from kafka_node import NotInstalled
from running import AGENCIES, LAW, PACKS, RunningBus
from service_process import ServiceProcess
from tests.kafka.watched import missed, now_ms, openings, pack, submit, voices

pytestmark = pytest.mark.kafka

LIMIT_S = 4


@pytest.fixture
def unconnected(tmp_path: Path) -> Iterator[ServiceProcess]:
    """Give a watcher whose broker is not there."""
    settings = Founding.open(tmp_path, AGENCIES, None).watcher_settings() | {
        "REFERRAL_BUS_BOOTSTRAP": "127.0.0.1:1",
        "REFERRAL_BUS_PACKS": ":".join(map(str, LAW)),
        "REFERRAL_BUS_CALENDAR": str(PACKS / "calendar" / "vn.toml"),
    }
    process = ServiceProcess(tmp_path, "watcher", "deadline_watcher", settings)
    process.start()
    yield process
    process.stop()


def answer(process: ServiceProcess, path: str) -> tuple[int, bytes]:
    """Return what it says once it listens."""
    deadline = time.monotonic() + 60
    while not (found := process.get(path))[0]:
        assert time.monotonic() < deadline, process.log.read_text()
        time.sleep(0.1)
    return found


def events(process: ServiceProcess) -> list[str]:
    return [json.loads(line)["event"] for line in process.log.read_text().splitlines()]


def test_without_a_broker_it_lives_is_not_ready_and_says_why(unconnected: ServiceProcess) -> None:
    status, body = answer(unconnected, "/readyz")

    assert (status, json.loads(body)["troubles"]) == (503, [{"where": "topics", "code": "broker-away"}])
    assert unconnected.get("/livez")[0] == 200
    assert unconnected.stop() == 0
    assert events(unconnected)[-1] == "ended"


def test_sigterm_ends_it_in_order_and_what_fell_due_meanwhile_is_said_afterwards(tmp_path: Path) -> None:
    try:
        with RunningBus(tmp_path / "bus", say=print, rules=pack(tmp_path, limit=f"PT{LIMIT_S}S")) as bus:
            asyncio.run(_ended_and_begun_again(bus))
    except NotInstalled as error:
        pytest.exit(f"kafka: {error}", returncode=2)


async def _ended_and_begun_again(bus: RunningBus) -> None:
    (watcher,) = bus.watchers
    assert watcher.get("/readyz")[0] == watcher.get("/livez")[0] == 200
    cases = openings(await voices(bus), 5, now_ms())
    await submit(bus, cases)

    assert await asyncio.to_thread(watcher.stop) == 0
    assert events(watcher)[-1] == "ended"
    assert watcher.get("/readyz")[0] == 0

    await asyncio.sleep(LIMIT_S)
    # From the main thread: the process is to end when that does.
    watcher.start()
    await missed(bus, cases)
    assert watcher.get("/readyz")[0] == 200
