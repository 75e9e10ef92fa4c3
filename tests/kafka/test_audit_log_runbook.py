"""`docs/audit-log.md` is true: what it tells to type is typed, and what it says comes of it, on a log that is used."""

import asyncio
import json
import shutil
import time
import tomllib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from kafka_node import NotInstalled
from referral_bus import LogAccess, LogReceipt, ReferralBus, http_log
from referral_contracts.log.policy import Policy
from referral_contracts.log.proof import Receipt, verify_receipt
from running import RunningBus
from tests.docs.runbook import Shell, commands
from tests.kafka import logged
from tests.kafka.logged import WITHIN_S
from tests.kafka.watched import now_ms, openings, submit, voices
from tests.sdk.town import OPENING

pytestmark = pytest.mark.kafka

HOTLINE = "hotline-111"


class Machine:
    """The log's machine, and an agency that has receipts."""

    def __init__(self, bus: RunningBus, folder: Path) -> None:
        self.bus, self.home = bus, bus.founding.home / "log"
        self.agency, self.backup = bus.founding.folder(HOTLINE), folder / "backup"
        named = {"LOG": str(self.home), "BACKUP": str(self.backup), "AGENCY": str(self.agency)}
        self.shell = Shell(folder, named)
        self.policy = Policy.parse((self.agency / "log.policy").read_bytes())

    async def say(self, count: int) -> None:
        await submit(self.bus, openings(await voices(self.bus), count, now_ms()))

    async def whole(self) -> int:
        """Check everything from outside, once the whole ledger is published; return how much that is."""
        store = f"sqlite:///{self.home / 'log.db'}"
        return (await logged.verified(self.bus, self.bus.logs[0], self.home / "tiles", store)).size

    async def receipt(self) -> LogReceipt:
        """Say something as an agency, and return its receipt."""
        founding = self.bus.founding
        address = tomllib.loads((self.agency / "bus.toml").read_text())["log"]
        log = LogAccess(open=http_log(address), policy=self.policy)
        store = self.agency / "store.db"
        connect = partial(founding.transport, self.bus.bootstrap, HOTLINE)
        keys = founding.keys(HOTLINE)
        async with ReferralBus(HOTLINE, keys, founding.trust, store=store, transport=connect, log=log) as client:
            await client.ready()
            sent = await client.send(client.open_case(OPENING))
            deadline = time.monotonic() + WITHIN_S
            while not (found := await client.receipt(sent.id, timeout_s=WITHIN_S)).proven.witnessed:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.2)
            return found

    def holds(self, receipt: LogReceipt) -> bool:
        """Whether a receipt is good, and what it is under is a beginning of what the log publishes now."""
        found = verify_receipt(Receipt.decode(receipt.receipt), receipt.signature, receipt.value, self.policy)
        (self.shell.folder / "kept").write_bytes(Receipt.decode(receipt.receipt).checkpoint)
        (whole,) = commands("Restore")[:1]
        since = whole.replace("$BACKUP/log.db", "$LOG/log.db") + " --from kept"
        ended, told = self.shell.type(since)
        assert ended == 0, told
        return found.witnessed

    def stopped_with(self, code: str) -> None:
        """Wait until readiness tells that the log stopped, and why."""
        deadline = time.monotonic() + WITHIN_S
        while True:
            status, body = self.bus.logs[0].get("/readyz")
            if status == 503 and code in {one["code"] for one in json.loads(body)["troubles"]}:
                return
            assert time.monotonic() < deadline, (status, body)
            time.sleep(0.1)

    def restart(self) -> None:
        self.bus.logs[0].start()
        self.bus.logs[0].wait_ready()


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBus]:
    """Give a bus with an audit log and its witnesses."""
    try:
        with RunningBus(tmp_path_factory.mktemp("kept") / "bus", say=print, log=True, witnessed=True) as running:
            yield running
    except NotInstalled as error:
        pytest.exit(f"kafka: {error}", returncode=2)


@pytest.fixture
def machine(bus: RunningBus, tmp_path: Path) -> Machine:
    return Machine(bus, tmp_path)


def test_a_copy_that_is_made_while_it_runs_is_whole_and_is_not_gone_on_from_once_it_is_old(machine: Machine) -> None:
    async def used() -> LogReceipt:
        await machine.say(30)
        before = await machine.receipt()
        await asyncio.gather(machine.say(100), asyncio.to_thread(machine.shell.follow, "Back up"))
        await machine.say(5)
        await machine.whole()
        return before

    before = asyncio.run(used())
    log = machine.bus.logs[0]
    log.kill()
    compare, *put_back = commands("Restore")
    ended, told = machine.shell.type(compare)
    assert (ended, "checkpoint-ahead" in told) == (4, True)
    for command in put_back:
        assert machine.shell.type(command) == (0, "")
    log.start()
    machine.stopped_with("log-rollback")

    # Without its folder nobody on this machine can know; the witnesses do.
    log.stop()
    shutil.move(machine.home / "tiles", machine.home / "lost")
    since = log.log.stat().st_size
    log.start()
    deadline = time.monotonic() + WITHIN_S
    while not (codes := logged.stopped_with(log, since)):
        assert time.monotonic() < deadline, log.log.read_text()
        time.sleep(0.1)
    # What it reads again of the ledger it salts anew: by the time that it is asked it may be as large, and another.
    assert codes <= {"log-rollback", "log-fork"}

    log.stop()
    for path in (*machine.home.glob("log.db*"), machine.home / "tiles"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in [*(machine.home / "lost").iterdir()]:
        shutil.move(path, machine.home)
    (machine.home / "lost").rmdir()
    machine.restart()
    asyncio.run(machine.whole())
    assert machine.holds(before)


def test_a_copy_that_has_everything_is_gone_on_from_and_receipts_of_before_still_verify(machine: Machine) -> None:
    before = asyncio.run(machine.receipt())
    machine.bus.logs[0].stop()
    machine.shell.follow("Back up", "Restore")
    assert (machine.home / "lost" / "log.db").exists()
    machine.restart()

    after = asyncio.run(machine.receipt())
    asyncio.run(machine.whole())
    assert machine.holds(before)
    assert machine.holds(after)
    assert after.proven.checkpoint.size > before.proven.checkpoint.size


def test_a_folder_that_is_lost_is_written_anew_byte_for_byte(machine: Machine) -> None:
    asyncio.run(machine.say(3))
    asyncio.run(machine.whole())
    machine.bus.logs[0].stop()
    machine.shell.follow("The folder is lost")
    machine.restart()
    asyncio.run(machine.whole())

    tiles, lost = machine.home / "tiles", machine.home / "tiles.lost"
    written = {path.relative_to(tiles) for path in (tiles / "tile").rglob("*") if path.is_file()}
    assert len(written) > 1
    assert all((tiles / name).read_bytes() == (lost / name).read_bytes() for name in (*written, Path("checkpoint")))


def test_with_another_key_it_stops_and_with_its_own_it_goes_on(machine: Machine) -> None:
    log, keys = machine.bus.logs[0], machine.bus.founding.folder("audit-log") / "keys.json"
    log.stop()
    own = keys.rename(keys.with_name("sealed"))
    shutil.copy(machine.agency / "keys.json", keys)
    log.start()
    machine.stopped_with("bad-checkpoint")
    log.stop()
    own.rename(keys)
    machine.restart()
    asyncio.run(machine.say(1))
    asyncio.run(machine.whole())
