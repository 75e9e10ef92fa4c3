"""A process: the directory's reader as a service has it, until it holds it; then every agency is asked for."""

import asyncio
import json
import os
import sys
import time
from pathlib import Path

from measure.machine import memory_mb
from reaching import operator_of
from referral_contracts.trust import TrustRoot
from service_chassis import memory
from service_chassis.directory import DirectoryReader
from service_chassis.fold import Limits
from service_chassis.logs import make_log
from service_chassis.metrics import Metrics

_POLL_S = 0.002
_WITHIN_MS = 5_000


async def read(bootstrap: str, trust: bytes) -> dict[str, float]:
    """Return how long it took and what it holds, in seconds and MB."""
    memory.settle()
    metrics = Metrics()
    reader = DirectoryReader(
        operator_of(bootstrap),
        TrustRoot.decode(trust),
        within_ms=_WITHIN_MS,
        limits=Limits(),
        metrics=metrics,
        log=make_log("bench", dropped=metrics.dropped_log_fields.inc),
    )
    before, started = memory_mb(os.getpid()), time.monotonic()
    following = asyncio.create_task(reader.run())
    while reader.unusable(time.time_ns() // 1_000_000) is not None:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(_POLL_S)
    loaded, held = time.monotonic(), memory_mb(os.getpid())
    directory = reader.current
    found = [] if directory is None else [directory.member(name) for name in directory.entries]
    asked = time.monotonic()
    following.cancel()
    del found
    return {
        "load_s": loaded - started,
        "load_mb": held - before,
        "ask_s": asked - loaded,
        "ask_mb": memory_mb(os.getpid()) - before,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(read(sys.argv[1], Path(sys.argv[2]).read_bytes()))))
