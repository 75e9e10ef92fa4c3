"""The audit log on a real bus, with two agencies' witnesses beside it: all of them processes of their own."""

import asyncio
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kafka_node import NotInstalled
from referral_bus.witness import WitnessKey
from referral_contracts.log.policy import Policy
from running import RunningBus
from tests.kafka import logged
from tests.kafka.watched import now_ms, openings, submit, voices
from tests.sdk.witness.running import Files, Running, running

pytestmark = pytest.mark.kafka

WITHIN_S = 60.0


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[RunningBus]:
    """Give a bus with an audit log, which nobody witnesses yet."""
    try:
        with RunningBus(tmp_path / "bus", say=print, log=True) as started:
            yield started
    except NotInstalled as error:
        pytest.exit(f"kafka: {error}", returncode=2)


class Town:
    """A bus and its log, and the policy that two witnesses are named in."""

    def __init__(self, bus: RunningBus, folder: Path) -> None:
        self.bus = bus
        self.file = bus.founding.folder("audit-log") / "log.policy"
        self.files = []
        for name in ("w1", "w2"):
            (folder / name).mkdir()
            self.files.append(Files.made(folder / name, f"{name}.example", self.file.read_text()))

    @property
    def home(self) -> Path:
        return self.bus.founding.home / "log"

    def name(self, *witnesses: Running) -> None:
        """Write the witnesses into the log's policy, and start the log anew: it asks them from then on."""
        log = self.file.read_text().splitlines()[0]
        lines = [log]
        for number, (files, witness) in enumerate(zip(self.files, witnesses, strict=True), 1):
            lines.append(f"witness w{number} {WitnessKey.load(files.key).public.vkey} {witness.url}")
        self.file.write_text("\n".join([*lines, "group both all w1 w2", "quorum both\n"]))
        self.bus.logs[0].stop()
        self.bus.logs.clear()
        self.bus.start_log()

    def witnessed(self) -> int:
        path = self.home / "tiles" / "checkpoint.witnessed"
        if not path.exists():
            return 0
        checked = Policy.parse(self.file.read_bytes()).check(path.read_bytes())
        assert (checked.witnesses, checked.quorum) == (("w1", "w2"), True)
        return checked.checkpoint.size

    async def until(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + WITHIN_S
        while not done():
            assert time.monotonic() < deadline, self.bus.logs[0].log.read_text()
            await asyncio.sleep(0.1)


def test_it_gathers_their_cosignatures_and_is_stopped_when_it_is_put_back(bus: RunningBus, tmp_path: Path) -> None:
    town = Town(bus, tmp_path)

    async def story() -> None:
        everybody = await voices(bus)
        await submit(bus, openings(everybody, 30, now_ms()))
        await town.until(lambda: town.witnessed() > 30)
        bus.logs[0].stop()
        shutil.copytree(town.home, tmp_path / "kept")
        bus.logs[0].start()
        await submit(bus, openings(everybody, 30, now_ms()))
        await town.until(lambda: town.witnessed() > 60)

        bus.logs[0].stop()
        shutil.rmtree(town.home)
        shutil.copytree(tmp_path / "kept", town.home)
        bus.logs[0].start()
        # What it reads again of the ledger it salts anew: by the time that it is asked it may be as large, and another.
        await town.until(lambda: bool(logged.stopped_with(bus.logs[0])))
        assert logged.stopped_with(bus.logs[0]) <= {"log-rollback", "log-fork"}

    with running(town.files[0]) as one, running(town.files[1]) as other:
        town.name(one, other)
        asyncio.run(story())
