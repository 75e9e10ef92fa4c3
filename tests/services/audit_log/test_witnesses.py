"""A log and its witnesses over real HTTP: cosignatures are gathered, another history is found out."""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any, Final

import httpx
import pytest
from prometheus_client import CollectorRegistry

from audit_log.folder import Folder
from audit_log.log import Log
from audit_log.metrics import WitnessMetrics
from audit_log.witnesses import Surroundings, Witnesses
from referral_bus.witness import WitnessKey
from referral_contracts.codes import Code
from referral_contracts.errors import Fatal, LocalError
from referral_contracts.log.note import Kind, NoteKey
from referral_contracts.log.policy import Policy
from service_chassis.logs import make_log
from tests.sdk.witness.running import Files, Running, running
from tests.services.audit_log.world import ORIGIN, World

BEAT_S: Final = 0.02
LOG_LINE: Final = f"log {World.on_files(Path()).desk.note_key.vkey}\n"


class Town:
    """Two agencies with a witness each, and the policy that wants both."""

    def __init__(self, folder: Path) -> None:
        self.files = []
        for name in ("w1", "w2"):
            (folder / name).mkdir()
            self.files.append(Files.made(folder / name, f"{name}.example", f"{LOG_LINE}quorum none\n"))

    def policy(self, *urls: str, quorum: str = "all") -> Policy:
        lines = [LOG_LINE]
        for number, (files, url) in enumerate(zip(self.files, urls, strict=True), 1):
            lines.append(f"witness w{number} {WitnessKey.load(files.key).public.vkey} {url}\n")
        return Policy.parse("".join([*lines, f"group both {quorum} w1 w2\nquorum both\n"]).encode())


@contextmanager
def both(town: Town) -> Iterator[tuple[Running, Running]]:
    with running(town.files[0]) as one, running(town.files[1]) as other:
        yield one, other


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path)


@pytest.fixture
def world(tmp_path: Path) -> World:
    (tmp_path / "log").mkdir()
    return World.on_files(tmp_path / "log")


class Asking:
    """A log that asks its witnesses while it grows."""

    def __init__(self, world: World, policy: Policy, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.world, self.policy = world, policy
        self.registry = CollectorRegistry()
        self.metrics = WitnessMetrics(self.registry)
        self.client = lambda: httpx.AsyncClient(timeout=5.0, transport=transport)

    def witnesses(self, log: Log, folder: Folder) -> Witnesses:
        around = Surroundings(
            key=self.world.desk.note_key,
            folder=folder,
            metrics=self.metrics,
            log=make_log("audit-log", dropped=lambda: None),
            clock=lambda: self.world.now_ms,
            threaded=asyncio.to_thread,
            client=self.client,
        )
        return Witnesses(self.policy, log, around, BEAT_S)

    def until(self, done: Callable[[], bool], meanwhile: Callable[[Log], None] = lambda _: None) -> None:
        """Run the log until *done*; what its witnesses can show against it is raised."""
        with self.world.opened() as log:
            folder = Folder(self.world.tiles)
            try:
                asyncio.run(self._run(self.witnesses(log, folder), lambda: meanwhile(log), done))
            finally:
                folder.close()

    async def _run(self, witnesses: Witnesses, meanwhile: Callable[[], None], done: Callable[[], bool]) -> None:
        task, began = asyncio.create_task(witnesses.run()), monotonic()
        while not done() and not task.done():
            assert monotonic() - began < 60
            await asyncio.to_thread(meanwhile)
            await asyncio.sleep(BEAT_S)
        if task.done():
            task.result()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    def witnessed(self) -> int:
        """Return the size of the published checkpoint that both have cosigned."""
        path = self.world.tiles / "checkpoint.witnessed"
        if not path.exists():
            return 0
        checked = self.policy.check(path.read_bytes())
        assert checked.quorum
        return checked.checkpoint.size

    def value(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0


def grown(world: World, *counts: int) -> None:
    world.ledger.write(counts)
    with world.opened() as log:
        world.catch_up(log)


def test_both_witnesses_cosign_what_the_log_publishes(town: Town, world: World) -> None:
    grown(world, 5)
    with both(town) as (one, other):
        asking = Asking(world, town.policy(one.url, other.url))
        asking.until(lambda: asking.witnessed() == 5)
        grown(world, 300)
        asking.until(lambda: asking.value("referral_bus_log_witnessed_size") == 305)

    assert asking.witnessed() == 305
    assert asking.value("referral_bus_log_witnesses") == 2
    assert asking.value("referral_bus_log_witness_failures_total", code="bad-checkpoint") == 0


def test_it_grows_while_witnesses_are_asked(town: Town, world: World) -> None:
    left = iter(range(30))

    def grow(log: Log) -> None:
        if next(left, None) is not None:
            world.ledger.write([3])
            taken, places = world.ledger.after(log.places)
            log.append(taken[log.size :], places)
            log.publish()

    with both(town) as (one, other):
        asking = Asking(world, town.policy(one.url, other.url))
        asking.until(lambda: asking.witnessed() == 90, grow)

    assert world.verify().size == 90


def test_a_split_view_is_found_out(town: Town, world: World, tmp_path: Path) -> None:
    """Somebody with the log's key shows one of the witnesses another history."""
    grown(world, 5)
    (tmp_path / "other").mkdir()
    other_world = World.on_files(tmp_path / "other")
    grown(other_world, 0, 9)
    with both(town) as (one, other):
        policy = town.policy(one.url, other.url)
        asking, forked = Asking(world, policy), Asking(other_world, policy)
        asking.until(lambda: asking.witnessed() == 5)

        with pytest.raises(Fatal) as found:
            forked.until(lambda: forked.witnessed() > 0)
        grown(world, 4)
        asking.until(lambda: asking.witnessed() == 9)

        assert found.value.code is Code.LOG_FORK
        assert forked.witnessed() == 0
        assert "bad-proof: training.log, size 9" in one.errors() + other.errors()


def test_a_rollback_is_found_out(town: Town, world: World, tmp_path: Path) -> None:
    """The operator puts yesterday's store and folder back."""
    grown(world, 5)
    shutil.copytree(world.home, tmp_path / "kept")
    with both(town) as (one, other):
        asking = Asking(world, town.policy(one.url, other.url))
        grown(world, 4)
        asking.until(lambda: asking.witnessed() == 9)
        shutil.rmtree(world.home)
        shutil.copytree(tmp_path / "kept", world.home)

        with pytest.raises(Fatal) as found:
            asking.until(lambda: asking.witnessed() > 0)

    assert found.value.code is Code.LOG_ROLLBACK


def test_a_store_put_back_alone_is_found_out_by_what_is_published(town: Town, world: World, tmp_path: Path) -> None:
    grown(world, 5)
    shutil.copytree(world.home, tmp_path / "kept")
    with both(town) as (one, other):
        asking = Asking(world, town.policy(one.url, other.url))
        grown(world, 4)
        asking.until(lambda: asking.witnessed() == 9)
    witnessed = (world.tiles / "checkpoint.witnessed").read_bytes()
    shutil.rmtree(world.home)
    shutil.copytree(tmp_path / "kept", world.home)
    (world.tiles / "checkpoint.witnessed").write_bytes(witnessed)

    with pytest.raises(Fatal) as found:
        asking.until(lambda: False)

    assert found.value.code is Code.LOG_ROLLBACK


def test_a_witness_that_is_away_costs_its_own_cosignature(town: Town, world: World) -> None:
    grown(world, 5)
    with running(town.files[0]) as one:
        away = "http://127.0.0.1:9"
        asking = Asking(world, town.policy(one.url, away, quorum="any"))
        asking.until(lambda: asking.witnessed() == 5)
        grown(world, 4)
        asking.until(lambda: asking.witnessed() == 9 and asking.value(*AWAY, code="timed-out") > 0)
        asking = Asking(world, town.policy(one.url, away))
        asking.until(lambda: asking.value(*AWAY, code="timed-out") > 0)

    assert asking.value("referral_bus_log_witnessed_size") == 0


AWAY = ("referral_bus_log_witness_failures_total",)


def answering(status: int, body: bytes, delay_s: float = 0.0) -> httpx.MockTransport:
    async def answer(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(delay_s)
        return httpx.Response(status, content=body)

    return httpx.MockTransport(answer)


def test_what_a_witness_packs_is_not_opened(town: Town, world: World) -> None:
    async def packed(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"content-encoding": "gzip, gzip"}, stream=httpx.ByteStream(b"no zip"))

    grown(world, 5)
    asking = Asking(world, town.policy("http://w1", "http://w2"), httpx.MockTransport(packed))
    asking.until(lambda: asking.value(*AWAY, code="oversize") >= 2)

    assert asking.witnessed() == 0


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (200, b"", "bad-note"),
        (200, b"\xe2\x80\x94 w1.example AAAAAAAAAAAA\n", "bad-signature"),
        (200, b"a" * 400_000, "oversize"),
        (409, b"0\n", "bad-checkpoint"),
        (409, b"99\n", "bad-note"),
        (409, b"?\n", "bad-note"),
        (422, b"", "bad-note"),
        (404, b"", "bad-checkpoint"),
        (500, b"", "bad-checkpoint"),
    ],
)
def test_a_witness_that_answers_with_anything_stops_nothing(
    town: Town, world: World, status: int, body: bytes, code: str
) -> None:
    grown(world, 5)
    # What it shows when it is asked for its last checkpoint is the same nonsense, under 200.
    shown = answering(status, body) if status not in {409, 422} else objecting(status, body)
    asking = Asking(world, town.policy("http://w1", "http://w2"), shown)

    asking.until(lambda: asking.value(*AWAY, code=code) >= 2)

    assert asking.witnessed() == 0


def objecting(status: int, body: bytes) -> httpx.MockTransport:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(status if request.method == "POST" else 200, content=body)

    return httpx.MockTransport(answer)


def test_a_checkpoint_never_waits_for_a_witness(town: Town, world: World) -> None:
    asking = Asking(world, town.policy("http://w1", "http://w2"), answering(500, b"", delay_s=30.0))
    published: list[int] = []

    def grow(log: Log) -> None:
        world.ledger.write([1])
        taken, places = world.ledger.after(log.places)
        log.append(taken[log.size :], places)
        found: Any = log.publish()
        published.append(found.size)

    began = monotonic()
    asking.until(lambda: len(published) == 20, grow)

    assert published == [*range(1, 21)]
    assert monotonic() - began < 25


def test_a_policy_of_another_log_is_refused(town: Town, world: World) -> None:
    grown(world, 1)
    policy = town.policy("http://w1", "http://w2")
    key = WitnessKey.generate("other").signing
    another = NoteKey(ORIGIN, Kind.ED25519, key.verify_key).vkey
    asking = Asking(world, Policy.parse(policy.format().replace(policy.logs[0].key.vkey.encode(), another.encode())))

    with pytest.raises(LocalError) as refused:
        asking.until(lambda: True)

    assert refused.value.code is Code.BAD_LOG_POLICY
