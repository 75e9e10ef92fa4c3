"""How a service, and the SDK beside it, shows who it is; both have the same words for it."""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest

import referral_bus
from kafka_node import Authority, Held, Kind
from referral_bus.transport import kafka
from referral_contracts.codes import Code
from referral_contracts.errors import LocalError
from service_chassis.kafka import BrokerSettings, Kafka
from service_chassis.tls import Tls

Makes = Callable[..., Tls | referral_bus.Tls]
BOTH = pytest.mark.parametrize("make", [Tls, referral_bus.Tls], ids=["service", "sdk"])


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.open(tmp_path / "pki")


@pytest.fixture
def held(authority: Authority, tmp_path: Path) -> Held:
    return authority.hold(Kind.SERVICE, "router", tmp_path / "router")


@BOTH
@pytest.mark.asyncio
async def test_a_renewed_certificate_is_shown_by_the_next_connection(
    make: Makes, authority: Authority, held: Held
) -> None:
    shown: list[bytes | None] = []

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        shown.append(writer.get_extra_info("ssl_object").getpeercert(binary_form=True))
        writer.close()

    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(authority.broker().certificate)
    server.load_verify_locations(authority.folder / "ca.crt")
    server.verify_mode = ssl.CERT_REQUIRED
    context = make(certificate=held.certificate, authority=held.authority).context()
    assert context.minimum_version is ssl.TLSVersion.TLSv1_3
    async with await asyncio.start_server(greet, "127.0.0.1", 0, ssl=server) as listening:
        port = listening.sockets[0].getsockname()[1]
        for renew in (False, False, True, None):
            if renew:
                held.certificate.write_bytes(authority.issue(Kind.SERVICE, "router"))
            elif renew is None:
                # Half replaced: what was read before goes on.
                held.certificate.write_bytes(b"-----BEGIN")
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
            await reader.read()
            writer.close()

    assert shown[0] == shown[1]
    assert shown[1] != shown[2] == shown[3]


@BOTH
def test_files_that_cannot_be_used_are_told_with_a_code(make: Makes, held: Held) -> None:
    held.certificate.chmod(0o640)
    with pytest.raises(LocalError) as told:
        make(certificate=held.certificate, authority=held.authority).context()
    assert told.value.code is Code.LOOSE_PERMISSIONS

    held.certificate.chmod(0o600)
    held.certificate.write_bytes(b"garbage")
    for certificate in (held.certificate, held.folder / "none.pem"):
        with pytest.raises(LocalError) as told:
            make(certificate=certificate, authority=held.authority).context()
        assert told.value.code is Code.BAD_CERTIFICATE
        assert str(held.folder) not in str(told.value)


def test_a_service_needs_a_certificate_or_the_unsafe_setting(held: Held) -> None:
    warned: list[str] = []
    with pytest.raises(LocalError) as told:
        BrokerSettings(bootstrap="x:1").kafka("router", warned.append)
    assert (told.value.code, warned) == (Code.BAD_CERTIFICATE, [])

    closed = BrokerSettings(bootstrap="x:1", tls_certificate=held.certificate, tls_ca=held.authority)
    assert closed.kafka("router", warned.append).connection["security_protocol"] == "SSL"
    assert warned == []

    unsafe = BrokerSettings(bootstrap="x:1", unsafe_plaintext=True).kafka("router", warned.append)
    assert (unsafe, warned) == (Kafka(bootstrap="x:1", tls=None, client_id="router"), ["unsafe-plaintext"])
    assert "security_protocol" not in unsafe.connection


def test_the_sdk_needs_a_certificate_or_the_unsafe_setting(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(LocalError) as told:
        kafka("x:1")
    assert told.value.code is Code.BAD_CERTIFICATE
    assert caplog.messages == []

    kafka("x:1", unsafe_plaintext=True)
    assert "unsafe plaintext" in caplog.text
