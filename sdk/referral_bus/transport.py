"""
What the SDK asks of a bus: three verbs.

`_kafka` is the real one, `testing` has one in memory; one suite tests both.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple, Protocol, TypeAlias

from referral_contracts.codes import Code
from referral_contracts.errors import LocalError
from referral_contracts.records import Record
from referral_tls import Tls

_LOG: Final = logging.getLogger("referral_bus")


class Submission(NamedTuple):
    """One record to append."""

    partition: int
    key: bytes | None
    value: bytes
    headers: Sequence[tuple[str, bytes]] = ()


class Transport(Protocol):
    """A way to the broker. Every wait has a deadline; an unreachable broker is LocalError(BROKER_AWAY)."""

    async def submit(self, topic: str, submissions: Sequence[Submission]) -> None:
        """
        Append records; return when every in-sync replica has all of them.

        Within a partition they keep their order, and so do calls from one coroutine. After an error each may have been
        written or not, and none before one of its partition that was not.
        """

    async def read(self, topic: str, partition: int, offset: int, timeout_s: float) -> Sequence[Record]:
        """
        Return committed records from *offset* on, or nothing after *timeout_s*.

        Raises:
            LocalError: BROKER_AWAY, TOPIC_MISSING, or POSITION_LOST where *offset* is below what the topic still has.
        """

    async def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """Return the first offset the topic still has and the one after its last committed record."""

    async def partitions(self, topic: str) -> int:
        """Return how many partitions *topic* has, or raise LocalError(TOPIC_MISSING)."""

    async def close(self) -> None:
        """Let go of the broker."""


Connect: TypeAlias = Callable[[], Transport | Awaitable[Transport]]
"""Makes a connection: at the start, for each of the client's three loops, and again whenever one has failed."""


def kafka(
    bootstrap: str, *, tls: Tls | None = None, unsafe_plaintext: bool = False, client_id: str = "referral-bus"
) -> Connect:
    """
    Return what connects to the Kafka cluster at *bootstrap*: host and port, several with commas.

    Args:
        bootstrap: Where to begin.
        tls: The agency's certificate, and whom to believe.
        unsafe_plaintext: Do without: nothing is encrypted and nobody is identified; the log warns of it.
        client_id: What the broker's own log calls this client.

    Raises:
        LocalError: BAD_CERTIFICATE: there is none, or it cannot be used.
    """
    if tls is None and not unsafe_plaintext:
        raise LocalError(Code.BAD_CERTIFICATE, "no certificate is given")
    if tls is None:
        _LOG.warning("unsafe plaintext: nothing is encrypted, and the broker does not know who speaks")
    context = None if tls is None else tls.context()

    def connect() -> Transport:
        # Only who connects pays for loading the client.
        from referral_bus._kafka import KafkaTransport  # noqa: PLC0415

        return KafkaTransport(bootstrap, ssl_context=context, client_id=client_id)

    return connect
