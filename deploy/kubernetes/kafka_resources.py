"""
The topics of a bus as Strimzi's resources: what `deploy/provision.py` makes elsewhere.

    python deploy/kubernetes/kafka_resources.py --partitions 12 AGENCY… | kubectl apply -f -

Partitions are fixed for ever: the number that the bus begins with is the number it has.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Final

import yaml

from referral_contracts.topics import TopicSpec, topic_specs

VERSION: Final = "kafka.strimzi.io/v1"
NAMESPACE: Final = "referral-bus"
CLUSTER: Final = "bus"
REPLICAS: Final = 3


def topic(spec: TopicSpec) -> dict[str, Any]:
    """Return *spec* as a KafkaTopic."""
    return {
        "apiVersion": VERSION,
        "kind": "KafkaTopic",
        "metadata": {"name": spec.name, "namespace": NAMESPACE, "labels": {"strimzi.io/cluster": CLUSTER}},
        "spec": {
            "topicName": spec.name,
            "partitions": spec.partitions,
            "replicas": REPLICAS,
            "config": {**spec.config, "min.insync.replicas": str(REPLICAS - 1)},
        },
    }


def resources(partitions: int, agencies: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Give everything that a bus with these agencies has in Kafka."""
    yield from map(topic, topic_specs(partitions, agencies))


def main(arguments: Sequence[str]) -> int:
    """Write them, a document each."""
    parser = argparse.ArgumentParser(description="The topics of a bus as Strimzi's resources.")
    parser.add_argument("--partitions", type=int, default=12, help="of submissions, fixed for ever (default 12)")
    parser.add_argument("agency", nargs="*", help="agencies that get an inbox")
    options = parser.parse_args(arguments)
    yaml.safe_dump_all(resources(options.partitions, options.agency), sys.stdout, sort_keys=False, explicit_start=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
