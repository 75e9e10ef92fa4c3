"""
Whether this process lives and whether it works, told truthfully.

`/livez` fails when only a restart or a person can help: a partition is stuck, or the broker never came. `/readyz`
fails while anything keeps a partition from being processed, and says what: a JSON body with one code for each trouble.
The same is a metric, so that whoever watches needs to ask in one place only.
"""

import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is wrong."""

    where: str
    """A lane, a topic, a part of the process: never a key or an id."""
    code: str
    fatal: bool = False
    """Whether it will not pass by itself."""


class Vital(Protocol):
    """A part of the process that knows how it is."""

    def troubles(self) -> Sequence[Trouble]:
        """Say what is wrong; nothing when all is well."""


class Readiness(Collector):
    """What `/readyz` says, asked anew whenever the metrics are read."""

    def __init__(self, vital: Vital) -> None:
        """Ask *vital*."""
        self._vital = vital

    def collect(self) -> Iterable[Metric]:
        """Yield whether all is well, and each trouble."""
        troubles = {(trouble.where, str(trouble.code)) for trouble in self._vital.troubles()}
        found = GaugeMetricFamily("referral_bus_troubles", "What is wrong, by part and code", labels=["where", "code"])
        for where, code in sorted(troubles):
            found.add_metric([where, code], 1)
        yield GaugeMetricFamily("referral_bus_ready", "Whether nothing is wrong", value=not troubles)
        yield found


def livez(vitals: Iterable[Vital]) -> Asgi:
    """Answer 200 unless something will not pass by itself."""
    parts = tuple(vitals)
    return _answer("alive", lambda: [trouble for part in parts for trouble in part.troubles() if trouble.fatal])


def readyz(vitals: Iterable[Vital]) -> Asgi:
    """Answer 200 when nothing is wrong."""
    parts = tuple(vitals)
    return _answer("ready", lambda: [trouble for part in parts for trouble in part.troubles()])


def _answer(word: str, look: Callable[[], Sequence[Trouble]]) -> Asgi:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        troubles = look()
        found = [{"where": trouble.where, "code": str(trouble.code)} for trouble in troubles]
        body = json.dumps({word: not found, "troubles": found}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 503 if found else 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app
