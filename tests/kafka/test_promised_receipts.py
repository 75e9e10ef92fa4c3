"""The SDK looks for what verdicts promise, on a real bus with the real log: also while that is down for a while."""

import asyncio
import time
import tomllib
from collections.abc import Callable, Iterator

import pytest

from kafka_node import NotInstalled
from referral_bus import Code, LogAccess, ReferralBus, http_log
from referral_contracts.log.policy import Policy
from referral_contracts.log.proof import Receipt, verify_receipt
from running import RunningBus
from tests.sdk.town import OPENING

pytestmark = pytest.mark.kafka

HOTLINE = "hotline-111"
WITHIN_S = 60.0


@pytest.fixture(scope="module")
def bus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBus]:
    """Give a bus with an audit log and its witnesses."""
    try:
        with RunningBus(tmp_path_factory.mktemp("promised") / "bus", say=print, log=True, witnessed=True) as running:
            yield running
    except NotInstalled as error:
        pytest.exit(f"kafka: {error}", returncode=2)


def access(bus: RunningBus) -> LogAccess:
    """Return the log as the hotline's folder names it."""
    folder = bus.founding.folder(HOTLINE)
    address = tomllib.loads((folder / "bus.toml").read_text())["log"]
    return LogAccess(open=http_log(address), policy=Policy.parse((folder / "log.policy").read_bytes()))


def hotline(bus: RunningBus) -> ReferralBus:
    founding = bus.founding
    store, connect = founding.home / "hotline.db", lambda: founding.transport(bus.bootstrap, HOTLINE)
    return ReferralBus(HOTLINE, founding.keys(HOTLINE), founding.trust, store=store, transport=connect, log=access(bus))


def kept(client: ReferralBus) -> list[bytes | None]:
    rows = client._engine.home.store.db.execute("SELECT receipt FROM receipts ORDER BY position")
    return [row["receipt"] for row in rows]


async def until(look: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not look():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)


def test_what_a_verdict_promises_comes_by_itself_and_is_checked_offline(bus: RunningBus) -> None:
    async def story() -> None:
        async with hotline(bus) as client:
            await client.ready()
            sent = [await client.send(client.open_case(OPENING)) for _ in range(5)]
            await until(lambda: len(kept(client)) == 5 and None not in kept(client))

            found = await client.receipt(sent[2].id)
            assert found.receipt == kept(client)[2]
            proven = verify_receipt(Receipt.decode(found.receipt), found.signature, found.value, access(bus).policy)
            assert (proven.decision.code, proven.decision.event) == (Code.ACCEPTED, sent[2].entries[0].verdict.event)  # type: ignore[union-attr]
            assert client.alarms() == ()

    asyncio.run(story())


def test_a_log_that_is_killed_keeps_nobody_waiting_and_gives_it_later(bus: RunningBus) -> None:
    async def story() -> None:
        async with hotline(bus) as client:
            await client.ready()
            bus.logs[0].kill()
            assert (await client.send(client.open_case(OPENING))).accepted
            await asyncio.sleep(2)
            assert kept(client)[-1] is None
            # From the main thread: the process is to end when that does.
            bus.logs[0].start()
            await until(lambda: None not in kept(client))
            assert client.alarms() == ()

    asyncio.run(story())


def test_while_a_witness_is_away_a_receipt_is_provisional(bus: RunningBus) -> None:
    async def story() -> None:
        async with hotline(bus) as client:
            await client.ready()
            one, other = bus.witnesses
            other.stop()
            sent = await client.send(client.open_case(OPENING))
            found = await client.receipt(sent.id, timeout_s=WITHIN_S)
            assert (found.proven.witnesses, found.proven.witnessed) == ((), False)

            # From the main thread: the process is to end when that does.
            other.start()
            # The log stands still meanwhile: it is the same checkpoint that they are asked for.
            deadline = time.monotonic() + WITHIN_S
            while not (found := await client.receipt(sent.id)).proven.witnessed:
                assert time.monotonic() < deadline
                await asyncio.sleep(0.5)
            assert found.proven.witnesses == (one.place.agency, other.place.agency)
            assert client.alarms() == ()

    asyncio.run(story())
