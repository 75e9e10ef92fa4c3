"""
The topics and users of a bus as Strimzi's resources: what `deploy/provision.py` makes elsewhere, from the same data.

    python deploy/kubernetes/kafka_resources.py --partitions 12 AGENCY… | kubectl apply -f -

Partitions are fixed for ever: the number that the bus begins with is the number it has. Strimzi makes a user's key and
certificate and puts both into a secret of the user's name: `agency-<id>`, `service-<name>`.
"""

import argparse
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import yaml

from access import Access, Operation, Pattern, Rate, Resource, Rule, read_access
from difference import wanted
from kafka_node.authority import Kind, principal
from referral_contracts.topics import TopicSpec

VERSION: Final = "kafka.strimzi.io/v1"
NAMESPACE: Final = "referral-bus"
CLUSTER: Final = "bus"
REPLICAS: Final = 3
_RESOURCES: Final = {
    Resource.TOPIC: "topic",
    Resource.GROUP: "group",
    Resource.TRANSACTIONAL_ID: "transactionalId",
}
_PATTERNS: Final = {Pattern.LITERAL: "literal", Pattern.PREFIXED: "prefix"}
_RATES: Final = {
    Rate.PRODUCED: "producerByteRate",
    Rate.CONSUMED: "consumerByteRate",
    Rate.REQUESTS: "requestPercentage",
}
_NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,55}[a-z0-9])?")
"""Kubernetes has no name with a dash at its end; Strimzi no user of more than 64 characters."""


def topic(spec: TopicSpec) -> dict[str, Any]:
    """Return *spec* as a KafkaTopic."""
    return _resource(
        "KafkaTopic",
        spec.name,
        {
            "topicName": spec.name,
            "partitions": spec.partitions,
            "replicas": REPLICAS,
            "config": {**spec.config, "min.insync.replicas": str(REPLICAS - 1)},
        },
    )


def user(name: str, rules: Iterable[Rule], quotas: Mapping[str, float]) -> dict[str, Any]:
    """Return a KafkaUser with a certificate of its own, and these rights alone."""
    told: dict[str, Any] = {
        "authentication": {"type": "tls"},
        "authorization": {"type": "simple", "acls": [_acl(rule) for rule in sorted(rules)]},
    }
    if quotas:
        told["quotas"] = {_RATES[Rate(rate)]: int(value) for rate, value in sorted(quotas.items())}
    return _resource("KafkaUser", name, told)


def resources(
    partitions: int, named: Iterable[str], registrars: Sequence[str], access: Access | None = None
) -> Iterator[dict[str, Any]]:
    """
    Give everything that a bus has in Kafka where all of *named* have an inbox: agencies, *registrars*, services.

    Raises:
        ValueError: Strimzi cannot have a user for somebody of that name.
    """
    access = access or read_access()
    want = wanted(partitions, access, named, registrars)
    users = {f"service-{name}": principal(Kind.SERVICE, name) for name in sorted(access.services)}
    for name in want.quotas:
        if not _NAME.fullmatch(name):
            raise ValueError(f"Strimzi can have no user for the agency {name!r}")
        users[f"agency-{name}"] = principal(Kind.AGENCY, name)
    yield from map(topic, want.topics)
    for name, who in users.items():
        yield user(name, (rule for rule in want.rules if rule.principal == f"User:{who}"), want.quotas.get(who, {}))


def _acl(rule: Rule) -> dict[str, Any]:
    return {
        "type": "allow",
        "resource": {
            "type": _RESOURCES[Resource(rule.resource)],
            "name": rule.name,
            "patternType": _PATTERNS[Pattern(rule.pattern)],
        },
        "operations": [Operation(rule.operation).name.title().replace("_", "")],
        "host": rule.host,
    }


def _resource(kind: str, name: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": VERSION,
        "kind": kind,
        "metadata": {"name": name, "namespace": NAMESPACE, "labels": {"strimzi.io/cluster": CLUSTER}},
        "spec": spec,
    }


def main(arguments: Sequence[str]) -> int:
    """Write them, a document each."""
    parser = argparse.ArgumentParser(description="The topics and users of a bus as Strimzi's resources.")
    parser.add_argument("--partitions", type=int, default=12, help="of submissions, fixed for ever (default 12)")
    parser.add_argument("--registrar", action="append", metavar="AGENCY", help="who signs the directory")
    parser.add_argument("agency", nargs="*", help="agencies and services that get an inbox")
    options = parser.parse_args(arguments)
    try:
        made = list(resources(options.partitions, options.agency, options.registrar or ["registrar"]))
    except ValueError as error:
        print(f"kafka_resources: error: {error}", file=sys.stderr)
        return 2
    yaml.safe_dump_all(made, sys.stdout, sort_keys=False, explicit_start=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
