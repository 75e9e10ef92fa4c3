"""Who does not get in: without a certificate, with a wrong one, with a name that is made to look like another's."""

import asyncio
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaConnectionError, NoError, for_code

from kafka_node import Authority, KafkaFailed, Kind
from service_chassis.fold import Limits
from service_chassis.kafka import Kafka
from tests.attacks.closed import ATTACKER, Door, closed_broker, plainly

pytestmark = pytest.mark.kafka


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with closed_broker(tmp_path_factory.mktemp("door")) as door:
        yield door


def is_shut(connection: dict[str, Any]) -> bool:
    """Whether nobody gets in so."""

    async def knock() -> bool:
        client = AIOKafkaAdminClient(**connection)
        try:
            await client.start()
        except KafkaConnectionError:
            return True
        finally:
            await client.close()
            # What was refused in the middle of a handshake ends a turn of the loop later.
            await asyncio.sleep(0.05)
        return False

    return asyncio.run(knock())


def seen(door: Door) -> bool:
    """Whether the broker's log tells that somebody was not let in."""
    return "Failed authentication" in (told := door.told()) or "Failed to map name" in told or "SSL" in told


def test_the_door_opens_for_a_good_certificate(door: Door) -> None:
    assert not is_shut(dict(door.agency().connection))


def test_plaintext(door: Door) -> None:
    door.told()
    assert is_shut(plainly(door.agency()))
    assert seen(door)


def test_no_certificate(door: Door) -> None:
    context = ssl.create_default_context(cafile=str(door.authority.folder / "ca.crt"))
    door.told()
    assert is_shut({**plainly(door.agency()), "security_protocol": "SSL", "ssl_context": context})
    assert seen(door)


def test_another_authority_with_the_same_name(door: Door, tmp_path: Path) -> None:
    other = Authority.open(tmp_path / "pki", door.authority.organisation)
    door.told()
    for kind in Kind:
        assert is_shut(dict(door.comes(other.issue(kind, "admin")).connection))
    assert seen(door)


def test_a_certificate_that_signs_for_others(door: Door, tmp_path: Path) -> None:
    # A member's own leaf as an authority: it is none.
    (tmp_path / "pki").mkdir()
    leaf = door.authority.issue(Kind.AGENCY, ATTACKER)
    key, _, chain = leaf.partition(b"-----BEGIN CERTIFICATE-----")
    (tmp_path / "pki" / "ca.key").write_bytes(key)
    (tmp_path / "pki" / "ca.crt").write_bytes(b"-----BEGIN CERTIFICATE-----" + chain)
    own = Authority.open(tmp_path / "pki")
    door.told()
    assert is_shut(dict(door.comes(own.issue(Kind.OPERATOR, "admin") + chain).connection))
    assert seen(door)


@pytest.mark.parametrize("when", ["expired", "not yet"])
def test_a_certificate_out_of_its_time(door: Door, when: str) -> None:
    start = datetime.now(UTC) + timedelta(days=-3 if when == "expired" else 3)
    pem = door.authority.issue(Kind.AGENCY, ATTACKER, start=start, term=timedelta(days=1))
    door.told()
    assert is_shut(dict(door.comes(pem).connection))
    assert seen(door)


def test_an_older_tls(door: Door) -> None:
    kafka = door.agency()
    context = kafka.connection["ssl_context"]
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    door.told()
    assert is_shut(dict(kafka.connection))
    assert seen(door)


@pytest.mark.parametrize("kind", [Kind.AGENCY, Kind.SERVICE, Kind.OPERATOR])
@pytest.mark.parametrize("listener", ["internal", "controller"])
def test_the_listeners_of_brokers_are_for_brokers(door: Door, kind: Kind, listener: str) -> None:
    port = getattr(door.node.ports, listener)
    door.told()
    assert is_shut(dict(door.comes(door.authority.issue(kind, "admin"), port=port).connection))
    assert seen(door)


def test_a_broker_is_no_client(door: Door) -> None:
    # What a broker's key opens is the cluster: it is not to be used where agencies come in.
    door.told()
    assert is_shut(dict(door.comes(door.authority.issue(Kind.BROKER, "kafka")).connection))
    assert seen(door)


ORGANISATION = "referral-bus"
TRICKS = {
    "a principal as the name": [("O", ORGANISATION), ("OU", "agencies"), ("CN", "operator.admin")],
    "a comma in the name": [("O", ORGANISATION), ("OU", "agencies"), ("CN", "x,CN=admin")],
    "the rest of a name in the name": [("O", ORGANISATION), ("OU", "agencies"), ("CN", "admin,OU=operators,O=x")],
    "capital letters": [("O", ORGANISATION), ("OU", "Operators"), ("CN", "admin")],
    "two units": [("O", ORGANISATION), ("OU", "operators"), ("OU", "agencies"), ("CN", "admin")],
    "two names": [("O", ORGANISATION), ("OU", "agencies"), ("CN", "admin"), ("CN", ATTACKER)],
    "another organisation": [("O", "other"), ("OU", "operators"), ("CN", "admin")],
    "another order": [("OU", "operators"), ("O", ORGANISATION), ("CN", "admin")],
    "no unit": [("O", ORGANISATION), ("CN", "admin")],
    "nothing but the name": [("CN", "operator.admin")],
    "an empty end": [("O", ORGANISATION), ("OU", "operators"), ("CN", "admin\n")],
    "a letter that looks like another": [("O", ORGANISATION), ("OU", "operators"), ("CN", "аdmin")],
}


@pytest.mark.parametrize("fields", TRICKS.values(), ids=TRICKS.keys())
def test_a_name_that_no_rule_fits(door: Door, fields: list[tuple[str, str]]) -> None:
    # The authority would sign none of these; what if it had been talked into it?
    door.told()
    assert is_shut(dict(door.comes(door.named(*fields)).connection))
    assert seen(door)


@pytest.mark.parametrize("name", ["admin", "kafka", "router", "audit-log"])
def test_an_agency_that_is_called_like_somebody_else_is_an_agency(door: Door, name: str) -> None:
    async def attack(kafka: Kafka) -> type[Exception]:
        client = kafka.admin(Limits())
        await client.start()
        try:
            ((_, code, *_),) = (await client.create_topics([NewTopic("mine", 1, 1)])).topic_errors
            found: type[Exception] = for_code(code)
            return found
        finally:
            await client.close()

    door.told()
    assert asyncio.run(attack(door.agency(name))) is not NoError
    assert door.refused(name)


@pytest.mark.parametrize("name", ["operator.admin", "x,CN=admin", "Admin", "", "a" * 64, "a/b", "a\n", "é"])
def test_the_authority_signs_no_such_name(door: Door, name: str) -> None:
    with pytest.raises(KafkaFailed, match="cannot be in a certificate"):
        door.authority.issue(Kind.AGENCY, name)
