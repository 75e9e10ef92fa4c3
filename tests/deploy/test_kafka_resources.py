"""What Strimzi is told to make is what `provision` would make, topic by topic and rule by rule."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest
import yaml

from access import Operation, Pattern, Permission, Resource, Rule, read_access
from difference import Found, FoundTopic, difference, wanted
from kubernetes.kafka_resources import main, resources

NAMED: Final = ["police", "hospital", "router", "deadline-watcher"]
WANTED: Final = wanted(8, read_access(), NAMED, ["registrar"])
# Strimzi's own words, as its definitions of August 2026 have them.
TYPES: Final = {"topic": Resource.TOPIC, "group": Resource.GROUP, "transactionalId": Resource.TRANSACTIONAL_ID}
PATTERNS: Final = {"literal": Pattern.LITERAL, "prefix": Pattern.PREFIXED}
OPERATIONS: Final = {
    "Read": Operation.READ,
    "Write": Operation.WRITE,
    "Delete": Operation.DELETE,
    "Describe": Operation.DESCRIBE,
}
RATES: Final = {
    "producerByteRate": "producer_byte_rate",
    "consumerByteRate": "consumer_byte_rate",
    "requestPercentage": "request_percentage",
}


@pytest.fixture
def made(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    assert main(["--partitions", "8", *NAMED]) == 0
    return list(yaml.safe_load_all(capsys.readouterr().out))


def who(user: Mapping[str, Any]) -> str:
    """Return our principal for a user; Strimzi's own is `CN=` and the user's name."""
    kind, _, name = str(user["metadata"]["name"]).partition("-")
    return {"agency": name, "service": f"service.{name}"}[kind]


def rules(user: Mapping[str, Any]) -> Iterator[Rule]:
    """Give what Strimzi's user operator puts on the broker."""
    for acl in user["spec"]["authorization"]["acls"]:
        for operation in acl["operations"]:
            about = acl["resource"]
            yield Rule(
                f"User:{who(user)}",
                TYPES[about["type"]],
                about["name"],
                PATTERNS[about["patternType"]],
                OPERATIONS[operation],
                Permission[acl["type"].upper()],
                acl["host"],
            )


def test_a_broker_with_what_it_makes_differs_in_nothing(made: list[dict[str, Any]]) -> None:
    topics = {one["spec"]["topicName"]: one["spec"] for one in made if one["kind"] == "KafkaTopic"}
    users = [one for one in made if one["kind"] == "KafkaUser"]
    limits = {who(user): user["spec"]["quotas"] for user in users if "quotas" in user["spec"]}
    granted = [rule for user in users for rule in rules(user)]
    found = Found(
        topics={name: FoundTopic(spec["partitions"], spec["config"]) for name, spec in topics.items()},
        rules=frozenset(granted),
        quotas={name: {RATES[key]: value for key, value in quotas.items()} for name, quotas in limits.items()},
    )
    told = difference(WANTED, found)

    assert (told.lines, told.miscounted, told.strange) == ([], [], [])
    assert len(granted) == len(WANTED.rules)
    assert WANTED.quotas.keys() == {"police", "hospital", "registrar"}
    assert {who(user) for user in users} == {
        *("police", "hospital", "registrar"),
        *("service.router", "service.deadline-watcher", "service.audit-log"),
    }


def test_everybody_comes_by_a_certificate_and_every_record_is_on_three_nodes(made: list[dict[str, Any]]) -> None:
    specs = {kind: [one["spec"] for one in made if one["kind"] == kind] for kind in ("KafkaTopic", "KafkaUser")}

    assert [spec for spec in specs["KafkaUser"] if spec["authentication"] != {"type": "tls"}] == []
    assert {(spec["replicas"], spec["config"]["min.insync.replicas"]) for spec in specs["KafkaTopic"]} == {(3, "2")}
    assert len({(one["kind"], one["metadata"]["name"]) for one in made}) == len(made)


@pytest.mark.parametrize("name", ["a" * 58, "ward-", "-ward", "Ward", "ward\n"])
def test_who_cannot_be_a_user_there_is_told_and_nothing_is_made(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--registrar", "registrar", "--", "police", name]) == 2
    told = capsys.readouterr()
    assert (told.out, "no user for the agency" in told.err) == ("", True)


def test_the_longest_name_fits_into_a_certificate() -> None:
    users = [one["metadata"]["name"] for one in resources(1, ["a" * 57], []) if one["kind"] == "KafkaUser"]

    assert max(map(len, users)) == 64
