"""
Make the topics, access rules and quotas of a bus as they have to be; show first what differs.

    python deploy/provision.py --bootstrap HOST:PORT --partitions 4 AGENCY…          show it
    python deploy/provision.py --bootstrap HOST:PORT --partitions 4 --apply AGENCY…  and make it so

Rights of agencies that are not named stay as they are; with --whole they are taken away. A topic that nobody asked for
is told then, and never deleted. It speaks as the operator, with the certificate of the authority in the folder that
KAFKA_PKI names. Idempotent. The exit code is 1 while anything differs that it can change, and 3 when only that is left
which it cannot.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, KafkaTimeoutError, TopicAlreadyExistsError, for_code

from access import read_access
from difference import Difference, Found, FoundTopic, Wanted, concerning, difference, wanted
from kafka_node import KafkaFailed
from reaching import operator_of
from referral_contracts.errors import LocalError
from referral_contracts.topics import TopicSpec
from rights import Rights
from service_chassis.fold import Limits
from service_chassis.kafka import Kafka

_AT_ONCE = 200
"""Topics created by one request: a controller on a small machine does some two thousand a second."""

_KNOWN_S = 30.0
_POLL_S = 0.05
_SET_FOR_TOPIC: Final = 1
"""Where a setting comes from, in Kafka's numbers: it was set for this topic."""
_INTERNAL: Final = "__"


async def look(kafka: Kafka, want: Wanted, *, closed: bool = True, whole: bool = False) -> Difference:
    """
    Return how the broker differs from what it should be.

    Args:
        whole: Whether nobody else is to have any right; without it, those that are not named keep theirs.
        closed: Whether it has access rules at all: one that listens in plaintext has none.
    """
    admin = kafka.admin(Limits())
    await admin.start()
    try:
        found = await _topics(admin, {spec.name for spec in want.topics})
    finally:
        await admin.close()
    if not closed:
        return difference(Wanted(topics=want.topics), Found(topics=found))
    async with Rights(kafka) as rights:
        there = Found(topics=found, rules=await rights.rules(), quotas=await rights.quotas())
    return difference(want, there if whole else concerning(there, want))


async def apply(kafka: Kafka, what: Difference, *, replicas: int = 1) -> None:
    """Make it so. Rights are taken away before others are given."""
    admin = kafka.admin(Limits())
    await admin.start()
    try:
        for start in range(0, len(what.missing), _AT_ONCE):
            await _create(admin, what.missing[start : start + _AT_ONCE], replicas)
        await _known(admin, {spec.name for spec in what.missing})
        if what.drifted:
            await _set(admin, what.drifted)
    finally:
        await admin.close()
    if what.revoked or what.granted or what.quotas:
        async with Rights(kafka) as rights:
            await rights.revoke(what.revoked)
            await rights.grant(what.granted)
            await rights.limit(what.quotas)
            await _in_force(rights, what)


async def _in_force(rights: Rights, what: Difference) -> None:
    """Return once the broker goes by the rules: it learns of them a little after its controller."""
    async with asyncio.timeout(_KNOWN_S):
        while True:
            there = await rights.rules()
            if there >= set(what.granted) and not there & set(what.revoked):
                return
            await asyncio.sleep(_POLL_S)


async def provision(kafka: Kafka, specs: Sequence[TopicSpec], *, replicas: int = 1) -> list[str]:
    """Create what is missing of *specs* and return what differs, a line each: nothing of what is there is changed."""
    found = await look(kafka, Wanted(topics=specs), closed=False)
    await apply(kafka, Difference(missing=found.missing), replicas=replicas)
    return [*found.drift, *found.miscounted]


async def _topics(admin: AIOKafkaAdminClient, wanted_names: AbstractSet[str]) -> dict[str, FoundTopic]:
    names = [name for name in await admin.list_topics() if not name.startswith(_INTERNAL)]
    if not names:
        return {}
    counts = {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics(names)}
    known = [name for name in names if name in wanted_names]
    settings: dict[str, FoundTopic] = {}
    for start in range(0, len(known), _AT_ONCE):
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in known[start : start + _AT_ONCE]]
        for answer in await admin.describe_configs(resources):
            for _, _, _, name, entries in answer.resources:
                settings[name] = FoundTopic(
                    partitions=counts[name],
                    settings={entry[0]: entry[1] for entry in entries},
                    own={entry[0] for entry in entries if entry[3] == _SET_FOR_TOPIC},
                )
    return {name: settings.get(name, FoundTopic(counts[name], {})) for name in names}


async def _create(admin: AIOKafkaAdminClient, specs: Sequence[TopicSpec], replicas: int) -> None:
    topics = [
        NewTopic(spec.name, num_partitions=spec.partitions, replication_factor=replicas, topic_configs=spec.config)
        for spec in specs
    ]
    answer = await admin.create_topics(topics)
    for name, code, *_ in answer.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            raise error(f"topic {name}")


async def _set(admin: AIOKafkaAdminClient, specs: Sequence[TopicSpec]) -> None:
    # All of a topic's own settings are replaced: what was set by hand goes.
    answers = await admin.alter_configs(
        [ConfigResource(ConfigResourceType.TOPIC, spec.name, configs=spec.config) for spec in specs]
    )
    for answer in answers:
        for code, _, _, name in answer.resources:
            if code:
                raise for_code(code)(f"topic {name}")


async def _known(admin: AIOKafkaAdminClient, names: AbstractSet[str]) -> None:
    """Return once the broker knows the topics that its controller has made: a busy one learns of them later."""
    try:
        async with asyncio.timeout(_KNOWN_S):
            while True:
                if names <= set(await admin.list_topics()):
                    return
                await asyncio.sleep(_POLL_S)
    except TimeoutError:
        raise KafkaTimeoutError from None


async def _carry_out(kafka: Kafka, want: Wanted, *, act: bool, replicas: int, whole: bool) -> Difference:
    found = await look(kafka, want, closed=kafka.tls is not None, whole=whole)
    if act and found.anything:
        await apply(kafka, found, replicas=replicas)
    return found


def main(arguments: Sequence[str]) -> int:
    """Carry out the command and return its exit code."""
    parser = argparse.ArgumentParser(description="Make topics, access rules and quotas as they have to be.")
    parser.add_argument("--bootstrap", required=True, metavar="HOST:PORT")
    parser.add_argument("--partitions", type=int, default=4, help="of submissions, fixed for ever (default 4)")
    parser.add_argument("--replicas", type=int, default=1)
    parser.add_argument("--registrar", action="append", metavar="AGENCY", help="who signs the directory")
    parser.add_argument("--whole", action="store_true", help="these are all: nobody else keeps any right")
    parser.add_argument("--apply", action="store_true", help="make it so; without this, it is only shown")
    parser.add_argument("agency", nargs="*", help="agencies and services that get an inbox")
    options = parser.parse_args(arguments)
    want = wanted(options.partitions, read_access(), options.agency, options.registrar or ["registrar"])
    try:
        kafka = operator_of(options.bootstrap)
        found = asyncio.run(_carry_out(kafka, want, act=options.apply, replicas=options.replicas, whole=options.whole))
    except (KafkaError, KafkaFailed, LocalError, OSError) as error:
        print(f"provision: error: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    stays = [*found.miscounted, *(found.strange if options.whole else ())]
    for line in (*found.lines, *(f"  {line}" for line in stays)):
        print(line)
    done = "put right" if options.apply else "to be put right with --apply"
    print(f"{len(found.lines)} {done}, {len(stays)} left alone", file=sys.stderr)
    if found.anything and not options.apply:
        return 1
    return 3 if stays else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
