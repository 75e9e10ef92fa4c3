"""
Where the command line meets the machine: environment, broker, clock and event loop, handed in, so that a test brings
its own. Standard output and error are Python's own.
"""

import asyncio
import os
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from referral_bus.clock import Clock, SystemClock
from referral_bus.erasure import OpenStatements, http_statements
from referral_bus.log import OpenLog, http_log
from referral_bus.transport import Connect, kafka
from referral_tls import Tls

if TYPE_CHECKING:
    # Only who asks pays for loading the client.
    import httpx


class Exit(IntEnum):
    """What the process says when it ends; `command.EXITS` tells people."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    AWAY = 3
    ALARM = 4
    BUSY = 5
    FAULT = 70
    """EX_SOFTWARE of sysexits.h."""
    INTERRUPTED = 130
    """What a shell says of SIGINT."""
    PIPE = 141
    """What a shell says of SIGPIPE: whoever read the output has gone."""


Identity: TypeAlias = Callable[[], Tls | None]
"""Who speaks, looked up when somebody connects; None: in plaintext, for that was asked for by name."""


def _over_kafka(bootstrap: str, identity: Identity) -> Connect:
    tls = identity()
    return kafka(bootstrap, tls=tls, unsafe_plaintext=tls is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What a command may touch besides files and its own output."""

    environ: Mapping[str, str]
    connect: Callable[[str, Identity], Connect]
    """From the broker's address, and who speaks, to what connects to it."""
    clock: Clock
    open_log: Callable[[str], OpenLog] = http_log
    """From the log's address to what asks it."""
    open_statements: OpenStatements = http_statements
    """From the log's address to what states something there."""
    transport: "httpx.AsyncBaseTransport | None" = None
    """How else than over the network a log is asked what it has of cases."""
    run: Callable[[Coroutine[Any, Any, Exit]], Exit]

    @classmethod
    def of_this_process(cls) -> Self:
        """Return the real one."""
        return cls(environ=os.environ, connect=_over_kafka, clock=SystemClock(), run=asyncio.run)
