"""
The frame of a service: its work, health and metrics over HTTP on loopback, an orderly end.

Three pages and no framework. FastStream's application would want a broker of its own, whose producer connects at
start-up and leaves a dead process serving HTTP when there is none to connect to; the processor owns its clients.
"""

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import uvicorn
from prometheus_client import CollectorRegistry, make_asgi_app

from service_chassis import memory
from service_chassis.health import Asgi, Readiness, Receive, Scope, Send, Vital, livez, readyz
from service_chassis.logs import Log, tame
from service_chassis.patience import Patience

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
    memory.settle()
    return asyncio.run(_serve(service, http, registry, log))


async def serve(app: Asgi, http: Http, log: Log) -> None:
    """Serve *app* beside `run`, on a port of its own, until cancelled; what is being answered then is finished."""
    server = _Beside(_config(app))
    with socket.create_server((http.host, http.port)) as listener:
        _tell(http, listener, log)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            await asyncio.shield(serving)
        finally:
            server.should_exit = True
            await serving


class _Beside(uvicorn.Server):
    """A server that leaves the signals to the one in charge."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def pages(service: Vital, registry: CollectorRegistry) -> Asgi:
    """Return the application: `/livez`, `/readyz`, `/metrics`, and nothing else."""
    found: Mapping[str, Asgi] = {
        "/livez": livez([service]),
        "/readyz": readyz([service]),
        "/metrics": make_asgi_app(registry),
    }

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        page = found.get(scope["path"], _missing) if scope["type"] == "http" else _missing
        await page(scope, receive, send)

    return app


async def _missing(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


async def _serve(service: Service, http: Http, registry: CollectorRegistry, log: Log) -> int:
    tame(log, asyncio.get_running_loop().time)
    registry.register(Readiness(service))
    server = uvicorn.Server(_config(pages(service, registry)))
    work = asyncio.create_task(service.run())
    work.add_done_callback(_ending(server))
    with socket.create_server((http.host, http.port)) as listener:
        _tell(http, listener, log)
        await server.serve(sockets=[listener])
    asked_to = not work.done()
    work.cancel()
    (outcome,) = await asyncio.gather(work, return_exceptions=True)
    if not asked_to or not isinstance(outcome, asyncio.CancelledError | None):
        log.error("work-ended", error=type(outcome).__name__)
        return 1
    log.info("ended")
    return 0


def _config(app: Asgi) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        http=Patience,
        lifespan="off",
        # Whoever asks can write from where; so what is counted by address is counted by whose connection it is.
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=_LINGER_S,
    )


def _tell(http: Http, listener: socket.socket, log: Log) -> None:
    port = listener.getsockname()[1]
    if http.port_file is not None:
        _announce(http.port_file, port)
    log.info("serving", host=http.host, port=port)


def _ending(server: uvicorn.Server) -> Callable[["asyncio.Task[None]"], None]:
    def ended(_: "asyncio.Task[None]") -> None:
        server.should_exit = True

    return ended


def _announce(path: Path, port: int) -> None:
    # Whoever waits for the file must never see half of it.
    half = path.with_name(f".{path.name}.{os.getpid()}")
    half.write_text(f"{port}\n")
    half.replace(path)
