"""The real deadline watcher on a real broker, killed while it speaks: each miss is said once, and no rule is named."""

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kafka_node import NotInstalled
from referral_contracts import topics
from referral_contracts.clock_counts import ClockCounts
from referral_contracts.codes import Code
from referral_contracts.verbs import Verb
from running import RunningBus
from tests.kafka.ledger_check import settled
from tests.kafka.town import COMMUNE, HOTLINE
from tests.kafka.watched import RULE, missed, notices, now_ms, openings, pack, submit, told, voices

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio]

LIMIT_S = 12


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBus]:
    home = tmp_path_factory.mktemp("watched")
    try:
        with RunningBus(home / "bus", say=print, rules=pack(home, limit=f"PT{LIMIT_S}S")) as bus:
            yield bus
    except NotInstalled as error:
        pytest.exit(f"kafka: {error}", returncode=2)


def logs_of(home: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in home.glob("*.log")}


async def burst(bus: RunningBus, count: int, kills: int) -> None:
    """Let *count* clocks be due at once, and the watcher be killed *kills* times meanwhile: none is lost or doubled."""
    everybody = await voices(bus)
    cases = openings(everybody, count, now_ms())
    await submit(bus, cases)
    (watcher,) = bus.watchers
    waiting = asyncio.ensure_future(missed(bus, cases, 120.0))
    await asyncio.sleep(LIMIT_S - 2)
    for _ in range(kills):
        await asyncio.sleep(random.uniform(0.1, 1.5))
        watcher.kill()
        watcher.start()
    await waiting
    await asyncio.to_thread(watcher.wait_ready)
    # Whatever was still on its way is judged by then.
    await asyncio.sleep(1)
    held = await settled(bus.bootstrap)
    found = notices(held, Verb.DEADLINE_MISSED)

    assert {found[one.case, Code.ACCEPTED] for one in cases} == {1}
    assert {code for _, code in found} <= {Code.ACCEPTED, Code.ID_REUSED, Code.DUPLICATE}
    delivered = [
        record.key
        for record in held.read(topics.inbox(COMMUNE), 0)
        if Verb.DEADLINE_MISSED.type.encode() in (record.value or b"")
    ]
    assert sorted(key for key in delivered if key in {one.case.encode() for one in cases}) == sorted(
        one.case.encode() for one in cases
    )


async def test_a_watcher_that_is_killed_in_a_burst_loses_no_miss_and_doubles_none(watched: RunningBus) -> None:
    await burst(watched, 300, 3)


@pytest.mark.long
async def test_a_watcher_that_is_killed_again_and_again_loses_no_miss_and_doubles_none(watched: RunningBus) -> None:
    await burst(watched, 5_000, 12)


async def test_no_rule_is_named_in_the_clear(watched: RunningBus) -> None:
    everybody = await voices(watched)
    cases = openings(everybody, 3, now_ms() - (LIMIT_S + 1) * 1000)
    await submit(watched, cases)
    await missed(watched, cases)
    held = await settled(watched.bootstrap)
    topics_of = {
        f"{topic}[{partition}]": b"\n".join(
            part
            for record in records
            for part in (record.key or b"", record.value or b"", *(value or b"" for _, value in record.headers))
        )
        for (topic, partition), records in held.records.items()
    }
    logs = logs_of(watched.founding.home)

    assert any(cases[0].case.encode() in content for content in topics_of.values())
    for needle in (RULE.encode(), b"information-received", b"emergency-measures-applied"):
        assert [place for place, content in {**topics_of, **logs}.items() if needle in content] == []
    # What is counted by rule is aggregated: no case stands beside it.
    _, page = watched.watchers[0].get("/metrics")
    assert RULE.encode() in page
    assert cases[0].case.encode() not in page


async def test_every_clock_is_counted_beside_the_running_watcher(watched: RunningBus) -> None:
    everybody = await voices(watched)
    cases = openings(everybody, 3, now_ms())
    measure = everybody.write(
        HOTLINE,
        Verb.CASE_NOTED,
        now_ms=now_ms(),
        case=cases[0].case,
        to=[COMMUNE],
        clock=told("emergency-measures-applied", now_ms()),
    )
    await submit(watched, cases)
    await submit(watched, [measure])
    held = await missed(watched, cases[1:])
    count = sum(count for (_, code), count in notices(held, Verb.DEADLINE_MISSED).items() if code is Code.ACCEPTED)
    (watcher,) = watched.watchers
    # What was read back last is in the state by the time the next tick could be.
    await asyncio.sleep(1)
    found = ClockCounts.decode(await asyncio.to_thread(counted, watched))

    assert [(one.rule, one.met, one.missed, one.running) for one in found.rules] == [(RULE, 1, count, 0)]
    assert sum(one.clocks for one in found.overdue) == count
    assert watcher.get("/readyz")[0] == 200


async def test_an_answer_that_waits_unrouted_while_the_router_is_down_is_met(watched: RunningBus) -> None:
    everybody, before = await voices(watched), await met(watched)
    # Both were heard of some seconds ago: they are due in a few.
    answered, silent = openings(everybody, 2, now_ms() - (LIMIT_S - 8) * 1000)
    await submit(watched, [answered, silent])
    (router,) = watched.routers
    await asyncio.to_thread(router.stop)
    measure = told("emergency-measures-applied", now_ms())
    said = everybody.write(HOTLINE, Verb.CASE_NOTED, now_ms=now_ms(), case=answered.case, to=[COMMUNE], clock=measure)
    await submit(watched, [said])
    # Both are past due, nothing of either is judged, and the watcher's ticks wait behind them.
    await asyncio.sleep(12)
    router.start()
    held = await missed(watched, [silent])

    assert answered.case not in {case for case, _ in notices(held, Verb.DEADLINE_MISSED)}
    assert await met(watched) == before + 1


async def met(bus: RunningBus) -> int:
    return sum(one.met for one in ClockCounts.decode(await asyncio.to_thread(counted, bus)).rules)


def counted(bus: RunningBus) -> bytes:
    """Return what the watcher's operator is told of yesterday, today and tomorrow."""
    days = [(datetime.now(UTC) + timedelta(days=days)).date().isoformat() for days in (-1, 1)]
    environ = {**os.environ, **bus.watcher_settings(), "REFERRAL_BUS_BOOTSTRAP": bus.bootstrap}
    asked = [sys.executable, "-m", "deadline_watcher.counts", *days]
    return subprocess.run(asked, env=environ, stdout=subprocess.PIPE, check=True, timeout=60).stdout
