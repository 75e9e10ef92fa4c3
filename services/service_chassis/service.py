"""
The frame of a service: health and metrics over HTTP on loopback, the work in the lifespan, an orderly end.

FastStream carries the lifespan and the routes. Its broker is not used: the processor owns its clients, because
FastStream swallows the errors of fetches and commits.
"""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import uvicorn
from faststream.asgi import AsgiFastStream
from prometheus_client import CollectorRegistry, make_asgi_app

from service_chassis.health import Vital, livez, readyz
from service_chassis.logs import Log, tame

_LINGER_S: Final = 1
"""How long an HTTP answer may still take when the process ends."""


class Service(Vital, Protocol):
    """What `run` runs."""

    async def run(self) -> None:
        """Work until cancelled, and wait for the broker as long as it takes. To return or raise ends the process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Http:
    """Where health and metrics are served."""

    host: str = "127.0.0.1"
    port: int = 0
    """0 takes a free one."""
    port_file: Path | None = None
    """Where to write the port that was taken."""


def run(service: Service, *, http: Http, registry: CollectorRegistry, log: Log) -> int:
    """Serve and work until SIGTERM or SIGINT (returns 0), or until the work fails (returns 1)."""
    # uvicorn raises the signal again once it has ended in order; then the one in charge is this.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    return asyncio.run(_serve(service, http, registry, log))


def asgi(
    service: Service, registry: CollectorRegistry, ended: Callable[["asyncio.Task[None]"], None]
) -> AsgiFastStream:
    """Return `/livez`, `/readyz`, `/metrics` and the work in the lifespan; *ended* hears when it ends by itself."""

    @contextlib.asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        work = asyncio.create_task(service.run())
        work.add_done_callback(ended)
        try:
            yield
        finally:
            work.remove_done_callback(ended)
            work.cancel()
            await asyncio.wait((work,))

    routes = [
        ("/livez", livez([service])),
        ("/readyz", readyz([service])),
        ("/metrics", make_asgi_app(registry)),
    ]
    return AsgiFastStream(asgi_routes=routes, lifespan=lifespan, logger=None)


async def _serve(service: Service, http: Http, registry: CollectorRegistry, log: Log) -> int:
    tame(log, asyncio.get_running_loop().time)
    failures: list[str] = []

    def ended(work: "asyncio.Task[None]") -> None:
        error = None if work.cancelled() else work.exception()
        failures.append(type(error).__name__)
        log.error("work-ended", error=type(error).__name__)
        server.should_exit = True

    config = uvicorn.Config(
        asgi(service, registry, ended),
        log_config=None,
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=_LINGER_S,
    )
    server = uvicorn.Server(config)
    with socket.create_server((http.host, http.port)) as listener:
        port = listener.getsockname()[1]
        log.info("serving", host=http.host, port=port)
        if http.port_file is not None:
            _announce(http.port_file, port)
        await server.serve(sockets=[listener])
    log.info("ended", count=len(failures))
    return 1 if failures else 0


def _announce(path: Path, port: int) -> None:
    # Whoever waits for the file must never see half of it.
    half = path.with_name(f".{path.name}.{os.getpid()}")
    half.write_text(f"{port}\n")
    half.replace(path)
