"""
How long a server waits for whoever asks, and for how many at once: a stranger who begins to ask and never ends holds a
connection, and with enough of them all the files that the process may open.
"""

import asyncio
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

MOST_CONNECTIONS: Final = 400
"""Of one server. A process has a thousand files or more, and others need some too."""
LOOK_S: Final = 5.0
ASK_S: Final = 20.0
"""How long a question may take to arrive, whole."""
ANSWER_S: Final = 300.0
"""How long an answer may take, and be read."""


class Patience(H11Protocol):
    """A connection that ends when nothing comes of it."""

    most: int = MOST_CONNECTIONS
    look_s: float = LOOK_S
    ask_s: float = ASK_S
    answer_s: float = ANSWER_S

    def __init__(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401
        """See the server."""
        super().__init__(*arguments, **named)
        self._look: asyncio.TimerHandle | None = None
        self._seen: object = None
        self._since_s = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin; one too many ends at once."""
        super().connection_made(transport)
        if len(self.connections) > self.most:
            transport.abort()
            return
        self._since_s = self.loop.time()
        self._look = self.loop.call_later(self.look_s, self._looked)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        if self._look is not None:
            self._look.cancel()
        super().connection_lost(exc)

    def _looked(self) -> None:
        asking = self.conn.their_state in {h11.IDLE, h11.SEND_BODY}
        now_s, seen = self.loop.time(), (asking, self.cycle)
        if seen != self._seen:
            self._seen, self._since_s = seen, now_s
        if now_s - self._since_s >= (self.ask_s if asking else self.answer_s):
            self.transport.abort()
            return
        self._look = self.loop.call_later(self.look_s, self._looked)
