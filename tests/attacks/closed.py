"""A broker that is closed as a deployment's is, and whoever comes to its door."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import Name, NameAttribute, ObjectIdentifier
from cryptography.x509.oid import NameOID

from access import read_access
from difference import Wanted, wanted
from kafka_node import Authority, KafkaNode, Kind
from provision import apply, look
from reaching import as_operator
from referral_bus._kafka import KafkaTransport
from referral_tls import Tls
from service_chassis.kafka import Kafka

ATTACKER, VICTIM, REGISTRAR = "attacker", "victim", "registrar"
PARTITIONS = 2
_FIELDS = {"CN": NameOID.COMMON_NAME, "O": NameOID.ORGANIZATION_NAME, "OU": NameOID.ORGANIZATIONAL_UNIT_NAME}


@dataclass(slots=True)
class Door:
    """The broker, and what it has told since it was last asked."""

    node: KafkaNode
    authority: Authority
    folder: Path
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _read: int = 0

    @property
    def operator(self) -> Kafka:
        """Whoever runs it."""
        return as_operator(self.node.bootstrap, self.authority)

    @property
    def wanted(self) -> Wanted:
        """What it has to have."""
        return wanted(PARTITIONS, read_access(), [ATTACKER, VICTIM], [REGISTRAR])

    async def furnish(self) -> None:
        """Make topics, rules and quotas."""
        await apply(self.operator, await look(self.operator, self.wanted))

    def comes(self, pem: bytes, *, port: int | None = None) -> Kafka:
        """Return the way to the broker of whoever has *pem*, a key and a certificate."""
        file = self.folder / f"{next(self._numbers)}.pem"
        file.touch(mode=0o600)
        file.write_bytes(pem)
        tls = Tls(certificate=file, authority=self.authority.folder / "ca.crt")
        return Kafka(bootstrap=f"127.0.0.1:{port or self.node.ports.client}", tls=tls, client_id="visitor")

    def agency(self, name: str = ATTACKER, *, port: int | None = None) -> Kafka:
        """Return the way of the agency *name*, with a good certificate."""
        return self.comes(self.authority.issue(Kind.AGENCY, name), port=port)

    def transport(self, name: str = ATTACKER) -> KafkaTransport:
        """Return the SDK's way to the broker, of the agency *name*."""
        kafka = self.agency(name)
        return KafkaTransport(kafka.bootstrap, ssl_context=kafka.connection["ssl_context"], deadline_s=5)

    def named(self, *fields: tuple[str, str]) -> bytes:
        """Return a key with a certificate of the right authority for any name, in the order in which it is read."""
        key = ec.generate_private_key(ec.SECP256R1())
        kinds: list[tuple[ObjectIdentifier, str]] = [(_FIELDS[kind], value) for kind, value in reversed(fields)]
        name = Name([NameAttribute(oid, value) for oid, value in kinds])
        signed = self.authority._sign(name, key.public_key(), None, datetime.now(UTC), timedelta(days=1))
        plain = serialization.NoEncryption()
        pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
        return pem + signed.public_bytes(serialization.Encoding.PEM)

    def told(self) -> str:
        """Return what the broker has written since it was last asked."""
        written = (self.node.home / "broker.log").read_text("utf-8", "replace")
        new, self._read = written[self._read :], len(written)
        return new

    def refused(self, who: str = ATTACKER) -> bool:
        """Whether the broker's log names *who* as one that it has refused something."""
        return f"Principal = User:{who} is Denied" in self.told()


@contextmanager
def closed_broker(folder: Path) -> Iterator[Door]:
    """Give a broker with the topics of a bus and three agencies."""
    with KafkaNode.start() as node:
        assert node.authority is not None
        yield Door(node, node.authority, folder)


def plainly(kafka: Kafka) -> dict[str, Any]:
    """Return the same way without TLS."""
    return {"bootstrap_servers": kafka.bootstrap, "request_timeout_ms": 5_000}
