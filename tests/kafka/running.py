"""A counting processor in this process: started, watched until it has done its work, stopped."""

import asyncio
import contextlib
import io
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from reaching import operator_of
from service_chassis.fold import Limits, Source
from service_chassis.health import Trouble
from service_chassis.logs import make_log, tame
from service_chassis.metrics import Metrics
from service_chassis.processor import Processor
from service_chassis.producer import Producer
from tests.kafka.counting import Topics

QUICK = Limits(session_timeout_ms=6_000, heartbeat_ms=300, report_s=0.2, transaction_s=5.0, grace_s=1.0)
"""The defaults, but sooner: a test waits for every one of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """The processor and what it told."""

    processor: Processor
    metrics: Metrics
    log: io.StringIO

    def positions(self) -> dict[int, int]:
        """Return how far each partition of this processor is."""
        return {lane.tp.partition: lane.position() or 0 for lane in self.processor._lanes.values()}

    async def reach(self, position: dict[int, int], timeout_s: float = 30.0) -> None:
        """Return when every partition is at its *position* or further."""
        await self.until(lambda: all(self.positions().get(p, 0) >= at for p, at in position.items()), timeout_s)

    async def until(self, condition: Callable[[], bool], timeout_s: float = 30.0) -> None:
        """Return when *condition* holds; say what is wrong if it does not in time."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError((self.positions(), self.troubles(), self.log.getvalue()))
            await asyncio.sleep(0.02)

    def told(self, event: str) -> int:
        """Return how often the log says *event*."""
        return self.log.getvalue().count(f'"event": "{event}"')

    def troubles(self) -> Sequence[Trouble]:
        return self.processor.troubles()


@contextlib.asynccontextmanager
async def running(
    bootstrap: str,
    topics: Topics,
    *,
    limits: Limits = QUICK,
    clock: Callable[[], int] = lambda: int(time.time() * 1000),
    producers: Callable[[str], Producer] | None = None,
    source: Source | None = None,
) -> AsyncIterator[Running]:
    """Run a counting processor for as long as the block lasts."""
    metrics, told = Metrics(), io.StringIO()
    log = make_log("counting", dropped=metrics.dropped_log_fields.inc, out=told)
    tame(log, time.monotonic)
    processor = Processor(
        service=topics.prefix,
        kafka=operator_of(bootstrap),
        sources=[source or topics.source()],
        clock=clock,
        metrics=metrics,
        log=log,
        limits=limits,
        producers=producers,
    )
    task = asyncio.create_task(processor.run())
    try:
        yield Running(processor=processor, metrics=metrics, log=told)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
