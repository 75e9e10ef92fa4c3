"""A service without work, as a process: ``python -m tests.services.service_chassis.framed PORT_FILE [fails]``."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from service_chassis.health import Trouble
from service_chassis.logs import make_log
from service_chassis.metrics import Metrics
from service_chassis.service import Http, run


class Idle:
    """Waits, or fails."""

    def __init__(self, *, fails: bool) -> None:
        self._fails = fails

    def troubles(self) -> Sequence[Trouble]:
        return [Trouble("group", "no-assignment")]

    async def run(self) -> None:
        if self._fails:
            raise ZeroDivisionError
        await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    metrics = Metrics()
    log = make_log("idle", dropped=lambda: None)
    http = Http(port_file=Path(sys.argv[1]))
    sys.exit(run(Idle(fails="fails" in sys.argv), http=http, registry=metrics.registry, log=log))
