"""A directory of twelve thousand agencies: how long its reader takes to hold it, and how much memory."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Final

from measure.bench import Bench, now_ms
from measure.contestants import PYTHONPATH
from measure.figures import Part
from measure.world import BUS, POLICY, entry
from referral_bus.keys import AgencyKeys
from referral_bus.registrar import Registrar
from referral_contracts import topics
from referral_contracts.directory_model import HEAD_KEY, POLICY_KEY, Change
from referral_contracts.records import Write

_HEAD_MS: Final = 24 * 3_600_000


async def directory(bench: Bench) -> list[Part]:
    """Measure a reader of its own, in a process of its own, several times."""
    count = bench.count(12_000, 1_000)
    bench.say(f"making {count:,} agencies")
    await bench.clean(stand_ins=False)
    size = await asyncio.to_thread(lambda: list(_writes(bench, count)))
    await bench.cluster.fill(size)
    part = Part(name="directory", title=f"A directory of {count:,} agencies (1 broker)")
    looks = []
    for number in range(bench.rounds):
        bench.say(f"reading the directory, {number + 1} of {bench.rounds}")
        looks.append(await asyncio.to_thread(_read, bench))
    part.add("connected to in force", "s", [look["load_s"] for look in looks], "<= 3")
    part.add("memory for it", "MB", [look["load_mb"] for look in looks], "<= 200")
    part.add("every agency asked for once", "s", [look["ask_s"] for look in looks])
    part.add("memory for it then", "MB", [look["ask_mb"] for look in looks], "<= 200")
    part.notes.append(f"{sum(len(write.value or b'') for write in size) / 1e6:.0f} MB in the topic, read over Kafka.")
    part.notes.append("An entry is parsed when its agency is first asked for; the last 4,096 stay parsed.")
    return [part]


def _writes(bench: Bench, count: int) -> Iterator[Write]:
    at_ms = now_ms()
    names = ["registrar", *(f"agency-{number:05d}" for number in range(count - 1))]
    entries = [entry(name, AgencyKeys.generate(name), at_ms) for name in names]
    registrar = Registrar(agency="registrar", bus=BUS, keys=[bench.world.root])
    value, _ = registrar.change(None, at_ms, _HEAD_MS, agencies=entries, policy=POLICY)
    # Not through the router: no change holds so many, and what is measured is the reading.
    told = Change.model_validate_json(value)
    for agency in told.data.agencies:
        yield Write(topics.DIRECTORY, 0, agency.id.encode("ascii"), agency.encode())
    yield Write(topics.DIRECTORY, 0, POLICY_KEY.encode("ascii"), POLICY.encode())
    yield Write(topics.DIRECTORY, 0, HEAD_KEY.encode("ascii"), told.data.head.encode())


def _read(bench: Bench) -> dict[str, float]:
    command = [sys.executable, "-m", "measure.reading", bench.cluster.bootstrap, str(bench.world.trust)]
    env = {**os.environ, "PYTHONPATH": PYTHONPATH}
    told = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if told.returncode:
        raise RuntimeError(f"the directory's reader ended with {told.returncode}: {told.stderr[-500:]}")
    found: dict[str, float] = json.loads(told.stdout.splitlines()[-1])
    return found
