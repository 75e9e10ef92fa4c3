"""
An agency's system that accepts whatever it is offered, as a process to be killed: ``python -m tests.kafka.answering``.

Arguments: the agency's folder, bootstrap servers. The acceptance and the acknowledgement are one transaction of its
store, which is all that it has: killed anywhere, it must neither forget an offer nor answer one twice.
"""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from founding import transport_in
from referral_bus import AgencyKeys, ReferralBus, load_trust
from referral_contracts.payloads.handoff import Acceptance
from referral_contracts.verbs import Verb
from tests.contracts.payloads.forms import ACTOR
from tests.kafka.demo_run import ROOT


@contextlib.contextmanager
def answering(folder: Path, bootstrap: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Start it; whatever has become of it, it is gone at the end of the block."""
    with (folder / "answering.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.kafka.answering", str(folder), bootstrap], cwd=ROOT, stderr=log
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def main() -> None:
    folder, bootstrap = Path(sys.argv[1]), sys.argv[2]
    keys = AgencyKeys.load(folder / "keys.json")
    trust = load_trust(folder / "trust.json")
    async with ReferralBus(
        keys.agency, keys, trust, store=folder / "store.db", transport=lambda: transport_in(folder, bootstrap)
    ) as bus:
        async for delivery in bus.inbox():
            async with delivery:
                if delivery.verb is Verb.OFFERED:
                    await delivery.accept(Acceptance(actor=ACTOR))


if __name__ == "__main__":
    asyncio.run(main())
