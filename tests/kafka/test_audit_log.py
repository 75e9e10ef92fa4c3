"""The audit log as a process on a real bus: everything of the ledger is in it once, however often it is killed."""

import asyncio
import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from kafka_node import NotInstalled
from referral_contracts.log.checkpoint import Checkpoint
from referral_contracts.log.policy import Policy
from referral_contracts.log.tiles import entries_in
from running import RunningBus
from tests.kafka import logged
from tests.kafka.logged import WITHIN_S
from tests.kafka.watched import now_ms, openings, submit, voices

pytestmark = pytest.mark.kafka


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBus]:
    """Give a bus with an audit log."""
    try:
        with RunningBus(tmp_path_factory.mktemp("logged") / "bus", say=print, log=True) as running:
            yield running
    except NotInstalled as error:
        pytest.exit(f"kafka: {error}", returncode=2)


async def verified(bus: RunningBus) -> Checkpoint:
    home = bus.founding.home / "log"
    return await logged.verified(bus, bus.logs[0], home / "tiles", f"sqlite:///{home / 'log.db'}")


def test_every_decision_is_published_once(bus: RunningBus) -> None:
    async def story() -> None:
        await submit(bus, openings(await voices(bus), 50, now_ms()))

        # The directory's own change, and each opening.
        assert (await verified(bus)).size >= 51

    asyncio.run(story())


def test_killed_again_and_again_it_loses_and_doubles_nothing(bus: RunningBus) -> None:
    async def story() -> None:
        everybody = await voices(bus)
        sizes = []
        for pause_s in (0.05, 0.4, 0.9):
            await submit(bus, openings(everybody, 200, now_ms()))
            await asyncio.sleep(pause_s)
            bus.logs[0].kill()
            sizes.append(logged.size(bus, bus.founding.home / "log" / "tiles"))
            bus.logs[0].start()
        sizes.append((await verified(bus)).size)

        assert sizes == sorted(sizes)

    asyncio.run(story())


def test_of_two_one_writes_and_the_other_says_why_not(bus: RunningBus) -> None:
    second = bus.start_log()
    assert second.process is not None

    assert second.process.wait(WITHIN_S) == 1
    lines = [json.loads(line) for line in second.log.read_text().splitlines()]
    assert [line["code"] for line in lines if line["event"] == "log-stopped"] == ["log-busy"]
    assert bus.logs[0].get("/readyz")[0] == 200
    bus.logs.remove(second)


def test_ended_in_order_it_goes_on_where_it_was(bus: RunningBus) -> None:
    async def story() -> None:
        assert await asyncio.to_thread(bus.logs[0].stop) == 0
        await submit(bus, openings(await voices(bus), 20, now_ms()))
        # From the main thread: the process is to end when that does.
        bus.logs[0].start()
        await verified(bus)

    asyncio.run(story())
    bus.logs[0].wait_ready()


def test_every_agency_finds_the_log_and_what_it_publishes(bus: RunningBus) -> None:
    folder = bus.founding.folder("hotline-111")
    address = tomllib.loads((folder / "bus.toml").read_text())["log"]
    policy = Policy.parse((folder / "log.policy").read_bytes())

    with httpx.Client(base_url=address) as client:
        note = client.get("/checkpoint").content
        size = policy.check(note).checkpoint.size
        entries = client.get("/tile/entries/000" if size >= 256 else f"/tile/entries/000.p/{size}").content

    assert len(entries_in(entries)) == min(256, size)


def audit_verify(bus: RunningBus) -> tuple[int, dict[str, Any]]:
    """Check the whole log as its operator does, beside the log that runs; return how it ended, and what it told."""
    log = bus.founding.home / "log"
    program = Path(sys.executable).parent / "referral-bus"
    where = ["--store", f"sqlite:///{log / 'log.db'}", "--tiles", str(log / "tiles"), "--ledger", bus.bootstrap]
    policy = bus.founding.folder("hotline-111") / "log.policy"
    pinned = ["--policy", str(policy), "--trust", str(bus.founding.home / "trust.json")]
    ended = subprocess.run(
        [program, "audit", "verify", *where, *pinned, "--json"],
        env={**os.environ, "REFERRAL_BUS_HOME": str(bus.founding.folder("audit-log"))},
        check=False,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
    )
    return ended.returncode, json.loads(ended.stdout)


def test_the_whole_log_is_checked_beside_the_one_that_writes(bus: RunningBus) -> None:
    async def story() -> None:
        await verified(bus)
        # More comes in while it is checked.
        events = openings(await voices(bus), 200, now_ms())
        _, (code, told) = await asyncio.gather(submit(bus, events), asyncio.to_thread(audit_verify, bus))

        assert (code, told["findings"]) == (0, [])
        assert told["size"] >= 51
        await verified(bus)

    asyncio.run(story())


def test_a_byte_that_was_flipped_in_the_store_is_named(bus: RunningBus) -> None:
    assert bus.logs[0].stop() == 0
    database = bus.founding.home / "log" / "log.db"
    with contextlib.closing(sqlite3.connect(database)) as store, store:
        (value,) = store.execute("select value from records where idx = 7").fetchone()
        store.execute("update records set value = ? where idx = 7", (bytes([value[0] ^ 1]) + value[1:],))
    code, told = audit_verify(bus)
    with contextlib.closing(sqlite3.connect(database)) as store, store:
        store.execute("update records set value = ? where idx = 7", (value,))
    bus.logs[0].start()
    bus.logs[0].wait_ready()

    assert code == 4
    found = [(one["code"], one["place"]) for one in told["findings"]]
    assert found[:2] == [("leaf-changed", "leaf 7"), ("decision-bad", "leaf 7")]
    assert [code for code, _ in found[2:]] == ["ledger-changed"]
    assert audit_verify(bus)[0] == 0
