"""What a service is told of the broker."""

from pathlib import Path

import pytest

from kafka_node import Authority, Held, Kind
from referral_contracts.codes import Code
from referral_contracts.errors import LocalError
from service_chassis.kafka import BrokerSettings, Kafka


@pytest.fixture
def held(tmp_path: Path) -> Held:
    return Authority.open(tmp_path / "pki").hold(Kind.SERVICE, "router", tmp_path / "router")


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
