"""
Asks a port which Kafka cluster answers there, in Kafka's own protocol: an open port is not yet a broker.

The cluster id tells our broker from another that took the port first.
"""

import contextlib
import socket
import ssl
import struct
import time

from kafka_node.authority import Held
from kafka_node.broker import POLL_S, Broker

_METADATA, _VERSION, _CORRELATION = 3, 4, 1
# Header: api key, version, correlation id, no client id. Body: an empty list of topics, none (0) to be created.
_REQUEST = struct.pack(">hhihib", _METADATA, _VERSION, _CORRELATION, -1, 0, 0)


def cluster_at(port: int, held: Held | None = None, timeout_s: float = 2.0) -> str | None:
    """Return the id of the cluster that answers the owner of *held* at *port* with a live broker, or None."""
    try:
        with contextlib.ExitStack() as stack:
            raw = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout_s))
            connection = stack.enter_context(_as(held, raw)) if held else raw
            connection.sendall(struct.pack(">i", len(_REQUEST)) + _REQUEST)
            stream = stack.enter_context(connection.makefile("rb"))
            (size,) = struct.unpack(">i", stream.read(4))
            return _cluster_id(stream.read(min(size, 65536)))
    except (OSError, struct.error, UnicodeDecodeError):
        return None  # nobody there, not ready, or not Kafka: the caller asks again


def wait_for_cluster(broker: Broker, port: int, held: Held | None, cluster_id: str, timeout_s: float) -> bool:
    """Return True once *broker* answers, False when it has ended or the time is up."""
    deadline = time.monotonic() + timeout_s
    while cluster_at(port, held) != cluster_id:
        if broker.exit_code() is not None or time.monotonic() > deadline:
            return False
        time.sleep(POLL_S)
    return True


def _as(held: Held, raw: socket.socket) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(held.authority)
    context.load_cert_chain(held.certificate)
    return context.wrap_socket(raw, server_hostname="127.0.0.1")


def _cluster_id(answer: bytes) -> str | None:
    _correlation, _throttle_ms, brokers = struct.unpack_from(">iii", answer)
    at = 12
    for _ in range(brokers):
        _host, at = _string(answer, at + 4)
        _rack, at = _string(answer, at + 4)
    cluster_id, _ = _string(answer, at)
    return cluster_id if brokers > 0 else None


def _string(data: bytes, at: int) -> tuple[str | None, int]:
    (size,) = struct.unpack_from(">h", data, at)
    if size < 0:
        return None, at + 2
    return data[at + 2 : at + 2 + size].decode(), at + 2 + size
