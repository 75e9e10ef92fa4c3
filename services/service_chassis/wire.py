"""
A connection to one broker: requests go out in order, and each answer goes to its request.

For what a transaction asks, with large pieces that are written as they lie. Nothing is retried, nothing times out here:
whoever asks gives up, and an answer that comes later is dropped. Requests in the format of Kafka's own protocol guide,
request header version 1.
"""

import asyncio
import ssl
import struct
from collections import deque
from collections.abc import Sequence
from typing import Final

from aiokafka import errors as kafka_errors

_SMALL: Final = 64 * 1024
"""What is joined and written at once; larger requests are written piece by piece, so that nothing copies them."""
_LARGEST: Final = 16 * 1024 * 1024
"""No answer to these requests comes near it: a larger one is nonsense, and would fill the memory."""
_ROOM: Final = 64 * 1024
"""Where answers are received; one that does not fit in is received where it stays."""
_SIZE: Final = struct.Struct(">i")
_HEAD: Final = struct.Struct(">hhi")


def string(text: str) -> bytes:
    """Return *text* as a request has it, behind its length."""
    encoded = text.encode("utf-8")
    return struct.pack(">h", len(encoded)) + encoded


def check(code: int) -> None:
    """Raise the KafkaError that *code* in an answer stands for, unless it says that all is well."""
    if code:
        raise kafka_errors.for_code(code)


class Wire(asyncio.BufferedProtocol):
    """An open connection, until it is lost or `close`."""

    def __init__(self, client_id: str) -> None:
        """Speak as *client_id*; `open` connects."""
        self._name = string(client_id)
        self._transport: asyncio.Transport | None = None
        self._room = bytearray(_ROOM)
        self._filled = 0
        self._large: bytearray | None = None
        """An answer that has no room beside others, with a place of its own."""
        self._large_filled = 0
        self._waiting: deque[tuple[int, asyncio.Future[memoryview]]] = deque()
        self._asked = 0

    @classmethod
    async def open(cls, host: str, port: int, *, client_id: str, ssl_context: ssl.SSLContext | None) -> "Wire":
        """
        Connect to a broker.

        Raises:
            OSError: There is none.
        """
        loop = asyncio.get_running_loop()
        _, wire = await loop.create_connection(lambda: cls(client_id), host, port, ssl=ssl_context)
        return wire

    @property
    def closed(self) -> bool:
        """Whether nothing can be asked any more."""
        return self._transport is None or self._transport.is_closing()

    def close(self) -> None:
        """End the connection; what still waits for an answer gets an error."""
        if self._transport is not None:
            self._transport.abort()

    def ask(self, api: int, version: int, body: Sequence[bytes]) -> "asyncio.Future[memoryview]":
        """Send a request; the future has the answer's bytes behind its header, or `KafkaConnectionError`."""
        answer: asyncio.Future[memoryview] = asyncio.get_running_loop().create_future()
        if self._transport is None or self._transport.is_closing():
            answer.set_exception(kafka_errors.KafkaConnectionError("the connection is closed"))
            return answer
        self._asked = (self._asked + 1) & 0x7FFFFFFF
        self._waiting.append((self._asked, answer))
        head = _HEAD.pack(api, version, self._asked) + self._name
        size = len(head) + sum(map(len, body))
        pieces = (_SIZE.pack(size) + head, *body)
        if size <= _SMALL:
            self._transport.write(b"".join(pieces))
        else:
            for piece in pieces:
                # A view: what the socket does not take at once is cut off without a copy.
                self._transport.write(memoryview(piece))
        return answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a connection that cannot be written to")
        self._transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:
        """Say where to put what comes next: behind what has come."""
        del sizehint
        if self._large is not None:
            return memoryview(self._large)[self._large_filled :]
        return memoryview(self._room)[self._filled :]

    def buffer_updated(self, nbytes: int) -> None:
        """Hand out the answers that are whole."""
        if self._large is None:
            self._filled += nbytes
            if not self._divide():
                # Whatever this is, it is not a broker that answers what it was asked.
                self.close()
            return
        self._large_filled += nbytes
        if self._large_filled == len(self._large):
            answer, self._large = self._large, None
            if not self._hand_out(answer):
                self.close()

    def _divide(self) -> bool:
        """Take the answers out of the room; return whether they are answers."""
        room, at = self._room, 0
        while self._filled - at >= _SIZE.size:
            (size,) = _SIZE.unpack_from(room, at)
            start, end = at + _SIZE.size, at + _SIZE.size + size
            if not _SIZE.size <= size <= _LARGEST:
                return False
            if end > self._filled:
                if size > _ROOM - _SIZE.size:
                    self._large, self._large_filled = bytearray(size), self._filled - start
                    self._large[: self._large_filled] = memoryview(room)[start : self._filled]
                    at = self._filled
                break
            if not self._hand_out(room[start:end]):
                return False
            at = end
        left = self._filled - at
        room[:left] = room[at : self._filled]
        self._filled = left
        return True

    def _hand_out(self, answer: bytearray) -> bool:
        if not self._waiting or self._waiting[0][0] != _SIZE.unpack_from(answer)[0]:
            return False
        _, future = self._waiting.popleft()
        if not future.done():
            future.set_result(memoryview(answer)[_SIZE.size :])
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell everybody who still waits."""
        self._transport = None
        while self._waiting:
            _, future = self._waiting.popleft()
            if not future.done():
                error = kafka_errors.KafkaConnectionError("the connection was lost")
                error.__cause__ = exc
                future.set_exception(error)
