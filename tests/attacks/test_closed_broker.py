"""What a member agency can do at the broker itself, past the SDK: nothing that is not its own. The operator sees it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka import errors as kafka_errors
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

from access import Operation, Resource, Rule
from referral_bus.transport import Submission
from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.errors import LocalError
from referral_contracts.topics import inbox
from rights import Rights
from service_chassis.fetching import FETCH, fetch_request, fetched
from service_chassis.fold import Limits
from service_chassis.kafka import Kafka
from service_chassis.wire import Wire
from tests.attacks.closed import ATTACKER, VICTIM, Door, closed_broker

pytestmark = pytest.mark.kafka

OTHERS = [
    inbox(VICTIM),
    topics.SUBMISSIONS,
    topics.DIRECTORY_SUBMISSIONS,
    topics.LEDGER,
    topics.STATE,
    topics.WATCHER_STATE,
]
NOT_TO_BE_WRITTEN = [inbox(VICTIM), inbox(ATTACKER), topics.DIRECTORY, *OTHERS[2:]]


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    with closed_broker(tmp_path_factory.mktemp("door")) as door:
        asyncio.run(door.furnish())
        yield door


@asynccontextmanager
async def wire(kafka: Kafka) -> AsyncIterator[Wire]:
    host, _, port = kafka.bootstrap.rpartition(":")
    made = await Wire.open(host, int(port), client_id="x", ssl_context=kafka.connection["ssl_context"])
    try:
        yield made
    finally:
        made.close()


@asynccontextmanager
async def admin(kafka: Kafka) -> AsyncIterator[AIOKafkaAdminClient]:
    made = kafka.admin(Limits())
    await made.start()
    try:
        yield made
    finally:
        await made.close()


@pytest.mark.parametrize("topic", OTHERS)
def test_reading_what_is_anothers(door: Door, topic: str) -> None:
    async def attack() -> None:
        # Without asking first whether the topic is there, as no client would.
        async with wire(door.agency()) as asked:
            request = fetch_request(topic, 0, 0, most=1 << 20, wait_ms=10, isolation=0)
            with pytest.raises(kafka_errors.TopicAuthorizationFailedError):
                fetched(await asked.ask(*FETCH, [request]))
        transport = door.transport()
        with pytest.raises(LocalError) as told:
            await transport.read(topic, 0, 0, 0.1)
        await transport.close()
        # An agency may submit there, and so may see that it is there.
        assert told.value.code is Code.NOT_AUTHORISED

    asyncio.run(attack())
    assert door.refused()


@pytest.mark.parametrize("topic", NOT_TO_BE_WRITTEN)
@pytest.mark.parametrize("idempotent", [True, False])
def test_writing_where_only_services_write(door: Door, topic: str, idempotent: bool) -> None:
    async def attack() -> None:
        kafka = door.agency()
        async with AIOKafkaProducer(**kafka.connection, enable_idempotence=idempotent, acks="all") as producer:
            with pytest.raises(kafka_errors.TopicAuthorizationFailedError):
                await producer.send_and_wait(topic, b"forged", partition=0)

    asyncio.run(attack())
    assert door.refused()


@pytest.mark.parametrize("group", ["referral-router", "deadline-watcher", f"{VICTIM}.desk", ATTACKER, f"{ATTACKER}x.y"])
def test_joining_the_group_of_another(door: Door, group: str) -> None:
    async def attack() -> None:
        consumer = AIOKafkaConsumer(inbox(ATTACKER), group_id=group, **door.agency().connection)
        try:
            with pytest.raises(kafka_errors.GroupAuthorizationFailedError):
                await asyncio.wait_for(_joined(consumer), 20)
        finally:
            await consumer.stop()

    asyncio.run(attack())
    assert door.refused()


async def _joined(consumer: AIOKafkaConsumer) -> None:
    await consumer.start()
    await consumer.getmany(timeout_ms=500)


@pytest.mark.parametrize("name", ["referral-router-referral.submissions-0", "deadline-watcher-x", f"{ATTACKER}.own"])
def test_taking_over_a_transactional_id(door: Door, name: str) -> None:
    async def attack() -> None:
        producer = AIOKafkaProducer(**door.agency().connection, transactional_id=name)
        try:
            with pytest.raises(kafka_errors.TransactionalIdAuthorizationFailed):
                await producer.start()
        finally:
            await producer.stop()

    asyncio.run(attack())
    assert door.refused()


def _first_error(answer: Any) -> type[kafka_errors.KafkaError]:
    (found,) = answer.topic_errors if hasattr(answer, "topic_errors") else answer.topic_error_codes
    error: type[kafka_errors.KafkaError] = for_code(found[1])
    return error


def test_making_and_deleting_topics(door: Door) -> None:
    async def attack() -> tuple[Any, Any, Any]:
        async with admin(door.agency()) as mine:
            made = await mine.create_topics([NewTopic("mine", 1, 1)])
            gone = await mine.delete_topics([inbox(VICTIM)])
            own = await mine.delete_topics([inbox(ATTACKER)])
        return made, gone, own

    made, *gone = asyncio.run(attack())
    assert _first_error(made) in {
        kafka_errors.TopicAuthorizationFailedError,
        kafka_errors.ClusterAuthorizationFailedError,
    }
    assert {_first_error(one) for one in gone} == {kafka_errors.TopicAuthorizationFailedError}
    assert door.refused()


@pytest.mark.parametrize("topic", [inbox(VICTIM), inbox(ATTACKER), topics.SUBMISSIONS])
def test_changing_the_settings_of_a_topic(door: Door, topic: str) -> None:
    async def attack() -> list[int]:
        change = ConfigResource(ConfigResourceType.TOPIC, topic, configs={"retention.ms": "1"})
        async with admin(door.agency()) as mine:
            return [code for answer in await mine.alter_configs([change]) for code, *_ in answer.resources]

    assert {for_code(code) for code in asyncio.run(attack())} == {kafka_errors.TopicAuthorizationFailedError}
    assert door.refused()


def test_listing_who_else_is_on_the_bus(door: Door) -> None:
    async def attack() -> list[str]:
        async with admin(door.agency()) as mine:
            found: list[str] = await mine.list_topics()
            return found

    assert sorted(asyncio.run(attack())) == [topics.DIRECTORY, inbox(ATTACKER), topics.SUBMISSIONS]


def test_an_inbox_that_is_not_there_looks_like_one_that_is(door: Door) -> None:
    async def ask(name: str) -> Code:
        transport = door.transport()
        with pytest.raises(LocalError) as told:
            await transport.partitions(inbox(name))
        await transport.close()
        return told.value.code

    assert asyncio.run(ask(VICTIM)) is asyncio.run(ask("nobody")) is Code.NOT_AUTHORISED


def test_giving_oneself_rights_and_room(door: Door) -> None:
    async def attack() -> None:
        async with Rights(door.agency()) as rights:
            for attempt in (
                rights.grant([Rule.allow(ATTACKER, Resource.TOPIC, "*", Operation.ALL)]),
                rights.revoke(list(door.wanted.rules)),
                rights.limit({VICTIM: {"producer_byte_rate": 1.0}}),
                rights.rules(),
                rights.quotas(),
            ):
                with pytest.raises(kafka_errors.ClusterAuthorizationFailedError):
                    await attempt

    asyncio.run(attack())
    assert door.refused()


def test_only_the_registrar_submits_to_the_directory(door: Door) -> None:
    async def story() -> None:
        for name, may in (("registrar", True), (ATTACKER, False)):
            transport = door.transport(name)
            try:
                await transport.submit(topics.DIRECTORY_SUBMISSIONS, [Submission(0, None, b"{}")])
                assert may
            except LocalError as error:
                assert (error.code, may) == (Code.NOT_AUTHORISED, False)
            finally:
                await transport.close()

    asyncio.run(story())
    assert door.refused()


def test_rights_that_are_taken_away_are_gone_at_once_and_a_client_goes_on_when_they_are_back(door: Door) -> None:
    mine = [rule for rule in door.wanted.rules if rule.principal == f"User:{ATTACKER}"]

    async def story() -> float:
        transport, loop = door.transport(), asyncio.get_running_loop()
        said = [Submission(0, None, b"{}")]
        await transport.submit(topics.SUBMISSIONS, said)
        async with Rights(door.operator) as rights:
            await rights.revoke(mine)
            since = loop.time()
            while True:
                try:
                    await transport.submit(topics.SUBMISSIONS, said)
                except LocalError as error:
                    assert error.code is Code.NOT_AUTHORISED
                    break
            took = loop.time() - since
            with pytest.raises(LocalError):
                await transport.read(inbox(ATTACKER), 0, 0, 0.1)
            await rights.grant(mine)
        async with asyncio.timeout(10):
            while True:
                try:
                    await transport.submit(topics.SUBMISSIONS, said)
                    break
                except LocalError:
                    await asyncio.sleep(0.05)
        await transport.close()
        return took

    assert asyncio.run(story()) < 2
    assert door.refused()


def test_what_is_its_own_an_agency_may(door: Door) -> None:
    async def story() -> None:
        transport = door.transport()
        assert await transport.partitions(topics.SUBMISSIONS) == 2
        await transport.submit(topics.SUBMISSIONS, [Submission(1, None, b"{}")])
        assert await transport.read(inbox(ATTACKER), 0, 0, 0.1) == []
        assert await transport.read(topics.DIRECTORY, 0, 0, 0.1) == []
        await transport.close()
        consumer = AIOKafkaConsumer(inbox(ATTACKER), group_id=f"{ATTACKER}.desk", **door.agency().connection)
        await asyncio.wait_for(_joined(consumer), 20)
        await consumer.stop()

    door.told()
    asyncio.run(story())
    assert not door.refused()
