"""
A process that counts until SIGTERM, for tests that kill, freeze and replace it: ``python -m tests.kafka.worker``.

Arguments: bootstrap servers, topic prefix, session timeout in ms, records a batch, ms that a restored record costs.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from tests.kafka.counting import Topics
from tests.kafka.running import QUICK, running

ROOT = Path(__file__).parents[2]


@contextlib.contextmanager
def worker(
    bootstrap: str, topics: Topics, *, session_ms: int = 1_500, batch: int = 10, restore_ms: float = 0
) -> Iterator["subprocess.Popen[bytes]"]:
    """Start a worker; whatever has become of it, it is gone at the end of the block."""
    arguments = [bootstrap, topics.prefix, str(session_ms), str(batch), str(restore_ms)]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.kafka.worker", *arguments], cwd=ROOT, stdout=subprocess.PIPE
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGCONT)
        process.kill()
        process.communicate()


async def at_work(process: "subprocess.Popen[bytes]") -> None:
    """Return when a worker has a partition and reads it."""
    assert process.stdout is not None
    assert await asyncio.to_thread(process.stdout.readline) == b"at work\n"


async def main() -> None:
    bootstrap, prefix, session_ms, batch, restore_ms = sys.argv[1:]
    topics = Topics(prefix=prefix)
    limits = replace(QUICK, session_timeout_ms=int(session_ms), batch_records=int(batch), fetch_bytes=20_000)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    parent = os.getppid()
    source = topics.source(restore_s=float(restore_ms) / 1000)
    async with running(bootstrap, topics, limits=limits, source=source) as processor:
        await processor.until(lambda: stop.is_set() or processor.told("partition-open") > 0)
        sys.stdout.write("at work\n")
        sys.stdout.flush()
        while not stop.is_set() and os.getppid() == parent:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 1)


if __name__ == "__main__":
    asyncio.run(main())
