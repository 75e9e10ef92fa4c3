"""
A process: one agency with the SDK. It sends offers at a fixed rate, or opens what comes and acknowledges it.

Each event's id and time go to a file: for a sender the time at which it was due, so that a sender which falls behind
counts as late; for a recipient when its section lay open.
"""

import asyncio
import gc
import json
import sys
import time
from collections.abc import Sequence
from itertools import cycle
from math import ceil
from pathlib import Path
from typing import Final

from measure.machine import ROOT
from reaching import transport_of
from referral_bus import ReferralBus
from referral_bus.keys import AgencyKeys, load_trust
from referral_contracts.payloads.case import CaseOpening
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.request import HandoffRequest
from referral_contracts.verbs import Verb

_OFFERS: Final = 60
"""Offers in one case, at most: the router takes 128 of one sender."""
_SETTLE_S: Final = 60.0
_QUIET_S: Final = 3.0
"""A recipient has had everything when nothing came for so long."""


def client(home: Path, agency: str, bootstrap: str) -> ReferralBus:
    """Return the agency's client; its keys and its store lie in *home*."""
    keys, trust = AgencyKeys.load(home / f"{agency}.json"), load_trust(home / "trust.json")
    return ReferralBus(agency, keys, trust, store=home / f"{agency}.db", transport=lambda: transport_of(bootstrap))


async def send(bus: ReferralBus, rate: float, seconds: float, recipients: Sequence[str]) -> list[tuple[str, int]]:
    """Send offers at *rate* and return each one's id with the time it was due; in its own time open the cases first."""
    await bus.ready()
    _settle()
    opening, request = _form("case-opening", CaseOpening), _form("police", HandoffRequest)
    opened = [await bus.send(bus.open_case(opening)) for _ in range(ceil(rate * seconds / _OFFERS))]
    subjects = cycle(sent.entries[0].subject for sent in opened)
    _tell("ready")
    await asyncio.to_thread(sys.stdin.readline)
    sending: set[asyncio.Task[object]] = set()
    due: list[tuple[str, int]] = []
    started, clock = time.monotonic(), time.time_ns()
    for number in range(round(rate * seconds)):
        after = number / rate
        await asyncio.sleep(max(0.0, started + after - time.monotonic()))
        draft = bus.offer(next(subjects), {recipient: [request] for recipient in recipients})
        due.append((draft.id, clock + round(after * 1e9)))
        sending.add(asyncio.create_task(bus.send(draft, wait="ack", timeout_s=_SETTLE_S)))
    await asyncio.gather(*sending)
    return due


async def receive(bus: ReferralBus, seen: list[tuple[str, int]]) -> None:
    """Open every offer that comes, and note when, until cancelled."""
    await bus.ready()
    await bus.caught_up()
    _settle()
    _tell("ready")
    async for delivery in bus.inbox():
        if delivery.verb is Verb.OFFERED and delivery.payload(HandoffRequest) is not None:
            seen.append((delivery.id, time.time_ns()))
        await delivery.ack()


async def main(arguments: Sequence[str]) -> None:
    """Play one agency and write what was seen to its file."""
    role, home, agency, bootstrap, *rest = arguments
    noted: list[tuple[str, int]] = []
    async with client(Path(home), agency, bootstrap) as bus:
        if role == "send":
            rate, seconds, recipients = rest
            _tell(json.dumps(await send(bus, float(rate), float(seconds), recipients.split(","))))
            await asyncio.to_thread(sys.stdin.readline)
        else:
            receiving = asyncio.create_task(receive(bus, noted))
            await asyncio.to_thread(sys.stdin.readline)
            count = -1
            while count != len(noted):
                count = len(noted)
                await asyncio.sleep(_QUIET_S)
            receiving.cancel()
            _tell(json.dumps(noted))


def _settle() -> None:
    # As the bus's own services do: what was loaded is not looked through again by the collector, 50 ms at a time.
    gc.collect()
    gc.freeze()


def _form(name: str, model: type[Payload]) -> Payload:
    told = json.loads((ROOT / "examples" / f"{name}.json").read_text("utf-8"))
    return model.model_validate_json(json.dumps(told["body"]))


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
