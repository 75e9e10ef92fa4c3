"""
The certificates of one deployment: its own authority, and a short-lived one for each who may connect.

    ca.crt, ca.key              the authority; everything else it can make again
    brokers/kafka/tls.pem       key and certificate of a broker, ca.crt beside it
    operators/admin/tls.pem     of whoever makes topics and access rules

The name in a certificate is all that the broker goes by: O=<deployment>, OU=<kind>, CN=<id>. `principal` says what it
makes of it, and `mapping_rule` has it do so: an agency is its id, all others have a dot in front of theirs, which no
agency's id has, so that no agency can be called like a service, a broker or an operator.
"""

import ipaddress
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kafka_node.errors import KafkaFailed

ORGANISATION: Final = "referral-bus"
"""Who a deployment is where it has no bus of its own yet."""
CERTIFICATE: Final = "tls.pem"
"""Key, certificate and authority in one file: what is renewed is renewed at once."""
CA: Final = "ca.crt"

_CA_KEY: Final = "ca.key"
_CA_TERM: Final = timedelta(days=3650)
_TERM: Final = timedelta(days=30)
"""Kafka knows no revocation lists: a key that was stolen ends with its certificate, or with its rights."""
_RENEW: Final = timedelta(days=20)
"""With less than this left, a certificate is made anew."""
_BROKER_TERM: Final = timedelta(days=365)
_BROKER_RENEW: Final = timedelta(days=335)
"""A broker reads its own when it starts, and runs for long."""
_BACKDATED: Final = timedelta(hours=1)
_ID: Final = re.compile(r"[a-z0-9-]{1,63}")
_PLACE: Final = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
HERE: Final = ("localhost", "127.0.0.1")
"""Where a broker on this machine is reached."""


class Kind(StrEnum):
    """Who connects, as the certificate has it."""

    AGENCY = "agencies"
    BROKER = "brokers"
    OPERATOR = "operators"
    SERVICE = "services"


_PREFIXES: Final = {Kind.AGENCY: "", Kind.BROKER: "broker.", Kind.OPERATOR: "operator.", Kind.SERVICE: "service."}
BROKER: Final = "kafka"
OPERATOR: Final = "admin"


def principal(kind: Kind, name: str) -> str:
    """Return what access rules call the one whose certificate says *kind* and *name*."""
    return f"{_PREFIXES[kind]}{name}"


def mapping_rule(organisation: str, kind: Kind) -> str:
    """Return Kafka's rule for one *kind* of certificates; one that no rule fits is refused at the door."""
    return f"RULE:^O={organisation},OU={kind},CN=([a-z0-9-]+)$/{_PREFIXES[kind]}$1/"


@dataclass(frozen=True, slots=True)
class Held:
    """A certificate with its key, where its owner keeps them."""

    folder: Path

    @property
    def certificate(self) -> Path:
        """Key and chain, readable by its owner alone."""
        return self.folder / CERTIFICATE

    @property
    def authority(self) -> Path:
        """Whom to believe."""
        return self.folder / CA


class Authority:
    """Signs certificates with the key in its folder."""

    def __init__(self, folder: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        """Hold what `open` has read or made."""
        self.folder = folder
        self._certificate = certificate
        self._key = key
        (named,) = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        self.organisation = str(named.value)

    @classmethod
    def open(cls, folder: Path, organisation: str = ORGANISATION) -> Self:
        """
        Return the authority in *folder*, made for *organisation* where there is none.

        Raises:
            KafkaFailed: What is there is no authority.
        """
        folder = folder.absolute()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (folder / CA).exists():
            _make(folder, _checked(organisation))
        try:
            certificate = x509.load_pem_x509_certificate((folder / CA).read_bytes())
            key = serialization.load_pem_private_key((folder / _CA_KEY).read_bytes(), None)
        except (OSError, ValueError) as error:
            raise KafkaFailed(f"{folder} holds no authority that can sign: {type(error).__name__}") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
            raise KafkaFailed(f"{folder} holds the key of another authority")
        return cls(folder, certificate, key)

    def broker(self) -> Held:
        """Return the brokers' certificate."""
        return self.hold(Kind.BROKER, BROKER, self.folder / Kind.BROKER / BROKER)

    def operator(self) -> Held:
        """Return the operator's certificate."""
        return self.hold(Kind.OPERATOR, OPERATOR, self.folder / Kind.OPERATOR / OPERATOR)

    def hold(self, kind: Kind, name: str, folder: Path, places: Sequence[str] = HERE) -> Held:
        """
        Return the certificate of *name* in *folder*, made anew where it has not long to live or is another's.

        Args:
            kind: What it is good for.
            name: Whose it is.
            folder: Where its owner keeps it.
            places: Names and addresses by which a broker is reached; nobody else has any.

        Raises:
            KafkaFailed: One of them cannot be in a certificate.
        """
        held = Held(folder)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        own = self._certificate.public_bytes(serialization.Encoding.PEM)
        if not held.authority.exists() or held.authority.read_bytes() != own:
            _write(held.authority, own, 0o644)
        if not self._good(held, kind, name, places):
            _write(held.certificate, self.issue(kind, name, places=places), 0o600)
        return held

    def issue(
        self,
        kind: Kind,
        name: str,
        *,
        places: Sequence[str] = HERE,
        start: datetime | None = None,
        term: timedelta | None = None,
    ) -> bytes:
        """Return a new key with its certificate, which holds from a little before *start*, by default now."""
        term = term or (_BROKER_TERM if kind is Kind.BROKER else _TERM)
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(self.organisation, kind, _checked(name))
        reached = _places(places) if kind is Kind.BROKER else None
        signed = self._sign(subject, key.public_key(), reached, start or datetime.now(UTC), term)
        return _pem(key) + b"".join(one.public_bytes(serialization.Encoding.PEM) for one in (signed, self._certificate))

    def _sign(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        places: x509.SubjectAlternativeName | None,
        start: datetime,
        term: timedelta,
    ) -> x509.Certificate:
        usages = [ExtendedKeyUsageOID.CLIENT_AUTH]
        builder = _builder(subject, self._certificate.subject, key, start - _BACKDATED, start + term)
        if places is not None:
            # A broker is a client too: of its own controller, and of other brokers.
            usages.append(ExtendedKeyUsageOID.SERVER_AUTH)
            builder = builder.add_extension(places, critical=False)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return (
            builder.add_extension(x509.BasicConstraints(False, None), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(issuer, critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def _good(self, held: Held, kind: Kind, name: str, places: Sequence[str]) -> bool:
        try:
            found = x509.load_pem_x509_certificate(held.certificate.read_bytes())
            found.verify_directly_issued_by(self._certificate)
            if kind is Kind.BROKER and _reached(found) != _places(places):
                return False
        except Exception:  # noqa: BLE001 - missing, broken or signed by another: made anew in every case
            return False
        left = found.not_valid_after_utc - datetime.now(UTC)
        return left > (_BROKER_RENEW if kind is Kind.BROKER else _RENEW) and found.subject == _name(
            self.organisation, kind, name
        )


def _make(folder: Path, organisation: str) -> None:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, "authority"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
        ]
    )
    signs = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    made = (
        _builder(name, name, key.public_key(), now - _BACKDATED, now + _CA_TERM)
        .add_extension(x509.BasicConstraints(True, 0), critical=True)
        .add_extension(signs, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(folder / _CA_KEY, _pem(key), 0o600)
    # Last: a folder with a certificate counts as made.
    _write(folder / CA, made.public_bytes(serialization.Encoding.PEM), 0o644)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )


def _name(organisation: str, kind: Kind, name: str) -> x509.Name:
    # Kafka reads it from its end.
    attributes: Sequence[tuple[x509.ObjectIdentifier, str]] = (
        (NameOID.COMMON_NAME, name),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, kind),
        (NameOID.ORGANIZATION_NAME, organisation),
    )
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes])


def _reached(certificate: x509.Certificate) -> x509.SubjectAlternativeName:
    return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value


def _places(places: Sequence[str]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([_place(place) for place in places])


def _place(place: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(place))
    except ValueError:
        if not _PLACE.fullmatch(place):
            raise KafkaFailed(f"{place!r} is neither an address nor a host's name") from None
        return x509.DNSName(place)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _checked(name: str) -> str:
    if not _ID.fullmatch(name):
        raise KafkaFailed(f"{name!r} cannot be in a certificate: lower-case letters, digits and dashes alone")
    return name


def _write(path: Path, data: bytes, mode: int) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        file.write(data)
    part.replace(path)
