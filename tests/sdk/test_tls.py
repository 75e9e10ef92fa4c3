"""How agencies and services show who they are."""

import asyncio
import ssl
from pathlib import Path

import pytest

from kafka_node import Authority, Held, Kind
from referral_bus.transport import kafka
from referral_contracts.codes import Code
from referral_contracts.errors import LocalError
from referral_tls import Tls


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.open(tmp_path / "pki")


@pytest.fixture
def held(authority: Authority, tmp_path: Path) -> Held:
    return authority.hold(Kind.SERVICE, "router", tmp_path / "router")


@pytest.mark.asyncio
async def test_a_renewed_certificate_is_shown_by_the_next_connection(authority: Authority, held: Held) -> None:
    shown: list[bytes | None] = []

    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        shown.append(writer.get_extra_info("ssl_object").getpeercert(binary_form=True))
        writer.close()

    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(authority.broker().certificate)
    server.load_verify_locations(authority.folder / "ca.crt")
    server.verify_mode = ssl.CERT_REQUIRED
    context = Tls(certificate=held.certificate, authority=held.authority).context()
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


def test_files_that_cannot_be_used_are_told_with_a_code(held: Held) -> None:
    held.certificate.chmod(0o640)
    with pytest.raises(LocalError) as told:
        Tls(certificate=held.certificate, authority=held.authority).context()
    assert told.value.code is Code.LOOSE_PERMISSIONS

    held.certificate.chmod(0o600)
    held.certificate.write_bytes(b"garbage")
    for certificate in (held.certificate, held.folder / "none.pem"):
        with pytest.raises(LocalError) as told:
            Tls(certificate=certificate, authority=held.authority).context()
        assert told.value.code is Code.BAD_CERTIFICATE
        assert str(held.folder) not in str(told.value)


def test_the_sdk_needs_a_certificate_or_the_unsafe_setting(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(LocalError) as told:
        kafka("x:1")
    assert told.value.code is Code.BAD_CERTIFICATE
    assert caplog.messages == []

    kafka("x:1", unsafe_plaintext=True)
    assert "unsafe plaintext" in caplog.text
