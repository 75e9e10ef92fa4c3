"""Who may do what, as the file says: the least that each needs."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from access import ACCESS, Operation, Pattern, Permission, Resource, Rule, read_access
from referral_contracts import topics
from referral_contracts.topics import topic_specs

AGENCIES = ["ward-a", "ward-ab", "registrar"]
RULES = read_access().rules(AGENCIES, ["registrar"])


def of(who: str, operation: Operation, resource: Resource = Resource.TOPIC) -> set[str]:
    return {
        rule.name + ("*" if rule.pattern == Pattern.PREFIXED else "")
        for rule in RULES
        if (rule.principal, rule.operation, rule.resource) == (f"User:{who}", operation, resource)
    }


def test_an_agency_writes_one_topic_and_reads_its_own_inbox_and_the_directory() -> None:
    assert of("ward-a", Operation.WRITE) == {topics.SUBMISSIONS}
    assert of("ward-a", Operation.READ) == {topics.DIRECTORY, "inbox.ward-a"}
    assert of("ward-a", Operation.READ, Resource.GROUP) == {"ward-a.*"}
    assert {rule.operation for rule in RULES if rule.principal == "User:ward-a"} == {Operation.READ, Operation.WRITE}


def test_no_agency_reaches_another_whose_name_begins_with_its_own() -> None:
    assert not any(
        "ward-ab".startswith(rule.name) or "inbox.ward-ab".startswith(rule.name)
        for rule in RULES
        if rule.principal == "User:ward-a" and rule.pattern == Pattern.PREFIXED
    )


def test_only_the_registrar_submits_changes_of_the_directory() -> None:
    writers = {rule.principal for rule in RULES if rule.name == topics.DIRECTORY_SUBMISSIONS and rule.operation == 4}

    assert writers == {"User:registrar"}


def test_only_the_router_writes_inboxes_ledger_state_and_directory() -> None:
    for topic in ("inbox.ward-a", topics.LEDGER, topics.STATE, topics.DIRECTORY):
        writers = {
            rule.principal
            for rule in RULES
            if rule.resource == Resource.TOPIC
            and rule.operation == Operation.WRITE
            and (topic.startswith(rule.name) if rule.pattern == Pattern.PREFIXED else topic == rule.name)
        }
        assert writers == {"User:service.router"}, topic


def test_nothing_is_forbidden_by_name_and_nobody_has_every_right_or_any_over_the_cluster() -> None:
    assert {rule.permission for rule in RULES} == {Permission.ALLOW}
    assert {rule.host for rule in RULES} == {"*"}
    assert not [rule for rule in RULES if rule.operation == Operation.ALL or rule.resource == Resource.CLUSTER]
    assert not [rule for rule in RULES if rule.name == ""]


def test_only_the_log_deletes_and_only_from_the_ledger() -> None:
    assert {(rule.principal, rule.name) for rule in RULES if rule.operation == Operation.DELETE} == {
        ("User:service.audit-log", topics.LEDGER)
    }


def test_every_topic_that_is_named_is_one_of_the_bus() -> None:
    known = {spec.name for spec in topic_specs(1, AGENCIES)}

    for rule in RULES:
        if rule.resource == Resource.TOPIC:
            assert rule.name in known or (rule.pattern == Pattern.PREFIXED and rule.name == "inbox."), rule


def test_every_agency_has_a_quota_and_no_service_has() -> None:
    quotas = read_access().quotas(AGENCIES)

    assert quotas.keys() == set(AGENCIES)
    assert all(
        set(rates) == {"producer_byte_rate", "consumer_byte_rate", "request_percentage"} for rates in quotas.values()
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[agency]", "[agencies]"),
        ("groups", "group"),
        ("producer_byte_rate", "producer_rate"),
        ("= 50 ", "= 0 "),
        ("[agency.quota]", "[agency.quotas]"),
    ],
)
def test_a_file_that_says_something_else_is_refused(tmp_path: Path, old: str, new: str) -> None:
    file = tmp_path / "access.toml"
    file.write_text(ACCESS.read_text("utf-8").replace(old, new), "utf-8")

    with pytest.raises(ValidationError):
        read_access(file)


def test_a_rule_reads_as_a_sentence() -> None:
    assert str(Rule.allow("ward-a", Resource.GROUP, "ward-a.*", Operation.READ)) == "ward-a may read group ward-a.*"
    deny = Rule("User:x", 99, "n", Pattern.LITERAL, Operation.DESCRIBE_CONFIGS, Permission.DENY, "10.0.0.1")
    assert str(deny) == "x may not describe configs (99) n from 10.0.0.1"
