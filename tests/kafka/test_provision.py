"""Topics, rules and quotas of a real broker: what differs is shown, then made so, and then nothing differs."""

import asyncio
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from aiokafka.admin import NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from access import Operation, Resource, Rule
from difference import Difference
from kafka_node import KafkaNode
from provision import apply, look
from reaching import operator_of
from referral_contracts.topics import LEDGER, inbox, topic_specs
from rights import Rights
from running import PARTITIONS, RunningBus
from service_chassis.fold import Limits

pytestmark = pytest.mark.kafka

PROGRAM = Path(__file__).parents[2] / "deploy" / "provision.py"
STRANGE = Rule.allow("ward-b", Resource.TOPIC, inbox("ward-a"), Operation.READ)


def provision(node: KafkaNode, *arguments: str) -> tuple[int, Sequence[str], str]:
    """Run the command; return what it ends with and what it writes."""
    ended = subprocess.run(
        [sys.executable, PROGRAM, "--bootstrap", node.bootstrap, *arguments, "ward-a", "router"],
        capture_output=True,
        check=False,
        text=True,
        timeout=120,
    )
    return ended.returncode, ended.stdout.splitlines(), ended.stderr


async def tamper(node: KafkaNode) -> None:
    """Do what an operator should not: another setting, a setting of one's own, a right, a limit, a topic."""
    kafka = operator_of(node.bootstrap)
    settings = {**next(spec.config for spec in topic_specs(4) if spec.name == LEDGER), "retention.ms": "1"}
    admin = kafka.admin(Limits())
    await admin.start()
    change = ConfigResource(ConfigResourceType.TOPIC, LEDGER, configs={**settings, "flush.ms": "7"})
    await admin.alter_configs([change])
    await admin.create_topics([NewTopic("mine", 1, 1)])
    await admin.close()
    async with Rights(kafka) as rights:
        await rights.grant([STRANGE])
        await rights.limit({"ward-a": {"producer_byte_rate": 1e9}, "ward-b": {"consumer_byte_rate": 5.0}})


def test_the_command_shows_what_differs_and_makes_it_so(own_kafka: KafkaNode) -> None:
    code, shown, _ = provision(own_kafka)
    assert code == 1
    assert "+ referral.ledger: 5 partitions" in shown
    assert "+ ward-a may read topic inbox.ward-a" in shown
    assert "+ ward-a: producer_byte_rate 2097152" in shown
    # Only shown, so nothing has changed; and what is done is what was shown.
    assert provision(own_kafka)[:2] == (1, shown)
    assert provision(own_kafka, "--apply")[:2] == (0, shown)
    assert provision(own_kafka) == (0, [], "0 to be put right with --apply, 0 left alone\n")

    asyncio.run(tamper(own_kafka))
    # Of who is not named nothing is said, unless those that are named are all.
    _, shown, _ = provision(own_kafka)
    assert not [line for line in shown if "ward-b" in line or "mine" in line]
    code, shown, _ = provision(own_kafka, "--whole", "--apply")
    assert (code, set(shown)) == (
        3,
        {
            "~ referral.ledger: retention.ms is 1, not -1",
            "~ referral.ledger: flush.ms is 7, set by hand",
            "- ward-b may read topic inbox.ward-a",
            "~ ward-a: producer_byte_rate is 1000000000, not 2097152",
            "- ward-b: consumer_byte_rate 5",
            "  mine: nobody asked for it",
        },
    )
    # A topic is never deleted by it.
    assert provision(own_kafka, "--whole")[:2] == (3, ["  mine: nobody asked for it"])


def test_a_bus_puts_rights_right_when_it_starts(tmp_path: Path, own_kafka: KafkaNode) -> None:
    kafka = operator_of(own_kafka.bootstrap)

    async def give() -> None:
        async with Rights(kafka) as rights:
            await rights.grant([Rule.allow("hotline-111", Resource.TOPIC, LEDGER, Operation.READ)])

    asyncio.run(give())
    with RunningBus(tmp_path, say=lambda _text: None, bootstrap=own_kafka.bootstrap) as bus:
        wanted = bus.founding.wanted(PARTITIONS)
        assert not asyncio.run(look(kafka, wanted)).anything
        # To give what there is already changes nothing.
        asyncio.run(apply(kafka, Difference(granted=sorted(wanted.rules))))
        assert not asyncio.run(look(kafka, wanted)).anything
