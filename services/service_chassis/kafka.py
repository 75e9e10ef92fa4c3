"""
Kafka clients as every service needs them, and how to get rid of them.

The only module that constructs clients. No consumer here commits by itself.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from pydantic import BaseModel

from referral_contracts.codes import Code
from referral_contracts.errors import LocalError
from referral_tls import Tls
from service_chassis.client import Client
from service_chassis.fold import Limits
from service_chassis.producer import Producer, TransactionalProducer
from service_chassis.submitter import Submitter

STOP_S: Final = 3.0
"""How long a client may take to say goodbye. One whose broker is away would never finish."""


@dataclass(frozen=True, kw_only=True)
class Kafka:
    """Where the broker is and how to talk to it."""

    bootstrap: str
    """Host and port, several with commas."""
    tls: Tls | None
    """Who we are. None is plaintext: nothing is encrypted, and nobody knows who speaks."""
    client_id: str = "referral-bus"

    @cached_property
    def connection(self) -> Mapping[str, Any]:
        """
        Return how to connect, in aiokafka's own words.

        Raises:
            LocalError: BAD_CERTIFICATE: what is to be shown to the broker cannot be used.
        """
        # aiokafka wants the protocol said as well: with a context alone it would speak plaintext.
        secured = {"security_protocol": "SSL", "ssl_context": self.tls.context()} if self.tls else {}
        return {"bootstrap_servers": self.bootstrap, "client_id": self.client_id, **secured}

    def client(self, limits: Limits) -> Client:
        """Return a client for raw requests; `bootstrap` connects it."""
        return Client(request_timeout_ms=limits.request_timeout_ms, **self.connection)

    async def topics(self, limits: Limits) -> Mapping[str, int]:
        """
        Return the broker's topics, and how many partitions each has.

        Raises:
            KafkaError, OSError, TimeoutError: It does not answer.
        """
        client = self.client(limits)
        try:
            await client.bootstrap()
            cluster = await client.fetch_all_metadata()
            return {name: len(cluster.partitions_for_topic(name) or ()) for name in cluster.topics()}
        finally:
            await close(client)

    def member(self, group: str, limits: Limits) -> AIOKafkaConsumer:
        """Return a consumer that is a member of *group* and nothing else: each partition is read by its own reader."""
        return AIOKafkaConsumer(
            group_id=group,
            enable_auto_commit=False,
            # Never used: the position comes from the state topic. "none" would raise for a group without offsets.
            auto_offset_reset="earliest",
            session_timeout_ms=limits.session_timeout_ms,
            heartbeat_interval_ms=limits.heartbeat_ms,
            request_timeout_ms=limits.request_timeout_ms,
            **self.connection,
        )

    def producer(self, transactional_id: str, limits: Limits) -> Producer:
        """Return a producer for one partition's transactions; `start` fences whoever had its id."""
        return TransactionalProducer(
            self.client(limits),
            transactional_id,
            transaction_timeout_ms=limits.transaction_timeout_ms,
            request_timeout_ms=limits.request_timeout_ms,
        )

    def admin(self, limits: Limits) -> AIOKafkaAdminClient:
        """Return a client that may delete; `start` connects it."""
        return AIOKafkaAdminClient(request_timeout_ms=limits.request_timeout_ms, **self.connection)

    def submitter(self, limits: Limits) -> Submitter:
        """Return a producer for what a service submits as agencies do; it connects with its first call."""
        return Submitter(
            lambda: self.client(limits),
            request_timeout_ms=limits.request_timeout_ms,
            patience_s=limits.transaction_s,
        )


async def discard(producer: Producer) -> None:
    """
    Let go of *producer*, whatever state it is in.

    What it has already sent carries an old epoch, which the next InitProducerId of its id has fenced.
    """
    with contextlib.suppress(Exception):
        async with asyncio.timeout(STOP_S):
            await producer.stop()


async def close(client: Client) -> None:
    """Close *client*, whatever state it is in."""
    with contextlib.suppress(Exception):
        async with asyncio.timeout(STOP_S):
            await client.close()


class BrokerSettings(BaseModel):
    """What every service is told of the broker."""

    bootstrap: str
    """Kafka's bootstrap servers, e.g. ``kafka:9092``."""
    tls_certificate: Path | None = None
    """The service's certificate in PEM; its key too, where that has no file of its own."""
    tls_key: Path | None = None
    """The certificate's key."""
    tls_ca: Path | None = None
    """The certificate of the authority that the broker's own is to be signed by."""
    unsafe_plaintext: bool = False
    """Speak in plaintext, as nobody: whoever reaches the broker may read and write what the service may."""

    def kafka(self, client_id: str, warn: Callable[[str], object]) -> Kafka:
        """
        Return the way to the broker; *warn* is told, each time, that it is not a safe one.

        Raises:
            LocalError: BAD_CERTIFICATE: there are no files of TLS, or they cannot be used.
        """
        if self.unsafe_plaintext:
            warn("unsafe-plaintext")
            return Kafka(bootstrap=self.bootstrap, tls=None, client_id=client_id)
        if self.tls_certificate is None or self.tls_ca is None:
            raise LocalError(Code.BAD_CERTIFICATE, "no certificate, or no authority, is named")
        tls = Tls(certificate=self.tls_certificate, key=self.tls_key, authority=self.tls_ca)
        kafka = Kafka(bootstrap=self.bootstrap, tls=tls, client_id=client_id)
        # Now, and not when somebody first wants to connect.
        _ = kafka.connection
        return kafka
