"""With a context the transport speaks TLS from the first byte, and checks whom it speaks to."""

import asyncio
import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from referral_bus import Code, LocalError
from referral_bus._kafka import KafkaTransport

pytestmark = pytest.mark.asyncio


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Return a file with a key and its certificate for this machine, signed by itself."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "broker")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "broker.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


@pytest.mark.parametrize("trusted", [True, False])
async def test_it_greets_a_broker_it_trusts_and_no_other(certificate: Path, trusted: bool) -> None:
    greeted: list[str | None] = []

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.read(1):
            greeted.append(writer.get_extra_info("ssl_object").version())
        writer.close()

    server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_side.load_cert_chain(certificate)
    client_side = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_side.minimum_version = ssl.TLSVersion.TLSv1_3
    if trusted:
        client_side.load_verify_locations(certificate)
    async with await asyncio.start_server(accept, "127.0.0.1", 0, ssl=server_side) as server:
        transport = KafkaTransport(
            f"127.0.0.1:{server.sockets[0].getsockname()[1]}", ssl_context=client_side, deadline_s=5
        )
        with pytest.raises(LocalError) as refusal:
            await transport.partitions("any")
        await transport.close()

    assert refusal.value.code is Code.BROKER_AWAY
    assert (["TLSv1.3"] if trusted else []) == greeted
