"""
Make the topics of a bus as they have to be, and say what differs: nothing is changed without being asked.

    python deploy/provision.py --bootstrap HOST:PORT --partitions 4 AGENCY…

Idempotent. A topic that exists with other settings is named, with the difference, and the exit code is 1.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, KafkaTimeoutError, TopicAlreadyExistsError, for_code

from referral_contracts.topics import TopicSpec, topic_specs

_AT_ONCE = 200
"""Topics created by one request: a controller on a small machine does some two thousand a second."""

_KNOWN_S = 30.0
_POLL_S = 0.05


async def provision(bootstrap: str, specs: Sequence[TopicSpec], *, replicas: int = 1) -> list[str]:
    """Create what is missing of *specs* and return what differs, a line each."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        there = set(await admin.list_topics())
        missing = [spec for spec in specs if spec.name not in there]
        for start in range(0, len(missing), _AT_ONCE):
            await _create(admin, missing[start : start + _AT_ONCE], replicas)
        await _known(admin, {spec.name for spec in missing})
        return await _differences(admin, [spec for spec in specs if spec.name in there])
    finally:
        await admin.close()


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


async def _differences(admin: AIOKafkaAdminClient, specs: Sequence[TopicSpec]) -> list[str]:
    if not specs:
        return []
    found = []
    described = {topic["topic"]: topic for topic in await admin.describe_topics([spec.name for spec in specs])}
    for spec in specs:
        partitions = len(described[spec.name]["partitions"])
        if partitions != spec.partitions:
            found.append(f"{spec.name}: {partitions} partitions, not {spec.partitions}")
    resources = [ConfigResource(ConfigResourceType.TOPIC, spec.name) for spec in specs]
    wanted = {spec.name: spec.config for spec in specs}
    for answer in await admin.describe_configs(resources):
        for _, _, _, name, entries in answer.resources:
            settings = {entry[0]: entry[1] for entry in entries}
            found += [
                f"{name}: {key} is {settings.get(key)}, not {value}"
                for key, value in wanted[name].items()
                if settings.get(key) != value
            ]
    return found


def main(arguments: Sequence[str]) -> int:
    """Carry out the command and return its exit code."""
    parser = argparse.ArgumentParser(description="Make the topics of a bus, and say what differs.")
    parser.add_argument("--bootstrap", required=True, metavar="HOST:PORT")
    parser.add_argument("--partitions", type=int, default=4, help="of submissions, fixed for ever (default 4)")
    parser.add_argument("--replicas", type=int, default=1)
    parser.add_argument("agency", nargs="*", help="agencies that get an inbox")
    options = parser.parse_args(arguments)
    specs = topic_specs(options.partitions, options.agency)
    try:
        differences = asyncio.run(provision(options.bootstrap, specs, replicas=options.replicas))
    except KafkaError as error:
        print(f"provision: error: {type(error).__name__}", file=sys.stderr)
        return 1
    for line in differences:
        print(line)
    print(f"{len(specs)} topics, {len(differences)} differences", file=sys.stderr)
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
