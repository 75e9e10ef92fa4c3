"""The composition against what the manifests are held against: settings, ports, files; nothing is public or root's."""

import re
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from image.assemble import USER
from tests.deploy.manifests import SETTINGS, faults
from tests.house.tree import ROOT

FOLDER: Final = ROOT / "deploy/compose"
COMPOSED: Final[dict[str, Any]] = yaml.safe_load((FOLDER / "compose.yaml").read_text())
SERVICES: Final[dict[str, dict[str, Any]]] = COMPOSED["services"]
OURS: Final = {name: found for name, found in SERVICES.items() if found["image"] == "referral-bus"}
NODES: Final = [name for name in SERVICES if name.startswith("kafka-")]
ADVERTISED: Final = "KAFKA_ADVERTISED_LISTENERS"
BROKER: Final = dict(
    line.split("=", 1) for line in (FOLDER / "broker.properties").read_text().splitlines() if re.match(r"\w", line)
)


@pytest.mark.parametrize("name", OURS)
def test_a_service_is_told_what_it_needs_and_nothing_that_it_does_not_know(name: str) -> None:
    (module,) = OURS[name]["command"]

    assert faults(module, OURS[name]["environment"]) == {"unknown": set(), "missing": set()}


def test_each_service_is_there() -> None:
    assert {found["command"][0] for found in OURS.values()} == set(SETTINGS)


@pytest.mark.parametrize("name", OURS)
def test_ours_run_as_nobody_in_a_root_that_cannot_be_written_to(name: str) -> None:
    found = OURS[name]

    assert (found["user"], found["read_only"], found["cap_drop"]) == (f"{USER}:{USER}", True, ["ALL"])
    assert "no-new-privileges" in found["security_opt"]
    (port,) = re.findall(r"127\.0\.0\.1:(\d+)/readyz", found["healthcheck"]["test"][-1])
    assert port == found["environment"]["REFERRAL_BUS_HTTP_PORT"]
    assert found["healthcheck"]["test"][:2] == ["CMD", "/python"]


@pytest.mark.parametrize("name", OURS)
def test_every_file_that_a_service_is_told_of_is_a_secret_or_on_a_mount(name: str) -> None:
    found = OURS[name]
    secrets = {one if isinstance(one, str) else one["target"] for one in found["secrets"]}
    mounts = tuple(volume.split(":")[1] + "/" for volume in found.get("volumes", ()))
    values = [value for value in found["environment"].values() if "://" not in value]
    paths = [part for value in values for part in value.split(":") if part.startswith("/")]

    kept = {path.removeprefix("/run/secrets/") for path in paths if path.startswith("/run/secrets/")}
    assert kept <= secrets
    assert [path for path in paths if not path.startswith(("/run/secrets/", *mounts))] == []


def test_every_secret_network_and_volume_that_is_used_is_there_and_the_other_way_round() -> None:
    def used(what: str) -> set[str]:
        listed = [one for found in SERVICES.values() for one in found.get(what, ())]
        return {one if isinstance(one, str) else one["source"] for one in listed}

    assert used("secrets") == set(COMPOSED["secrets"])
    assert used("networks") == set(COMPOSED["networks"])
    volumes = {volume.split(":")[0] for volume in used("volumes")}
    assert {volume for volume in volumes if not volume.startswith(".")} == set(COMPOSED["volumes"])
    assert [volume for volume in volumes if volume.startswith(".") and not (FOLDER / volume).exists()] == []


def test_nothing_is_reached_from_outside_this_machine() -> None:
    ports = [port for found in SERVICES.values() for port in found.get("ports", ())]

    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []
    assert {found["image"].partition(":")[2] for name, found in SERVICES.items() if name not in OURS} & {
        "",
        "latest",
    } == set()


def test_kafka_is_of_the_release_that_we_test_with() -> None:
    (version,) = re.findall(r"kafka_2\.13</artifactId>\s*<version>([^<]+)", (ROOT / "deploy/kafka/pom.xml").read_text())

    assert {SERVICES[name]["image"] for name in NODES} == {f"apache/kafka:{version}"}
    voters = [f"{SERVICES[name]['environment']['KAFKA_NODE_ID']}@{name}:9093" for name in NODES]
    assert BROKER["controller.quorum.voters"] == ",".join(voters)


def test_a_node_says_to_each_listener_where_it_is_reached_there() -> None:
    for number, name in enumerate(NODES, 1):
        told = SERVICES[name]["environment"]
        listening = dict(re.findall(r"(\w+)://:(\d+)", told["KAFKA_LISTENERS"]))
        advertised = {way: (host, port) for way, host, port in re.findall(r"(\w+)://(.+?):(\d+)", told[ADVERTISED])}

        # The image makes up listeners of its own for what is advertised, unless it is told them.
        assert advertised == {
            "CLIENTS": (name, listening["CLIENTS"]),
            "INTERNAL": (name, listening["INTERNAL"]),
            "OUTSIDE": ("localhost", f"1909{number}"),
        }
        assert SERVICES[name]["ports"] == [f"127.0.0.1:1909{number}:{listening['OUTSIDE']}"]
        assert listening.keys() - advertised.keys() == {BROKER["controller.listener.names"]}


def test_no_setting_of_a_node_is_said_twice() -> None:
    """What a variable says comes after what the file says, and is in force."""
    told = {key.removeprefix("KAFKA_").lower().replace("_", ".") for key in SERVICES["kafka-1"]["environment"]}

    assert told & BROKER.keys() == set()


def test_every_listener_asks_for_a_certificate_and_nothing_is_allowed_by_default() -> None:
    (listeners,) = {SERVICES[name]["environment"]["KAFKA_LISTENERS"] for name in NODES}
    names = [listener.partition(":")[0] for listener in listeners.split(",")]

    assert {BROKER[f"listener.name.{name.lower()}.ssl.principal.mapping.rules"][:7] for name in names} == {"RULE:^O"}
    assert BROKER["listener.security.protocol.map"] == ",".join(f"{name}:SSL" for name in names)
    assert (BROKER["ssl.client.auth"], BROKER["allow.everyone.if.no.acl.found"]) == ("required", "false")
    assert (BROKER["default.replication.factor"], BROKER["min.insync.replicas"]) == ("3", "2")
    assert all(
        BROKER[f"{topic}.replication.factor"] == "3"
        for topic in ("offsets.topic", "transaction.state.log", "share.coordinator.state.topic")
    )


def test_prometheus_asks_each_service_where_it_answers() -> None:
    told = yaml.safe_load((FOLDER / "prometheus.yaml").read_text())
    asked = {job["static_configs"][0]["targets"][0] for job in told["scrape_configs"]}

    assert asked == {f"{name}:{found['environment']['REFERRAL_BUS_HTTP_PORT']}" for name, found in OURS.items()}
    alone = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yaml").read_text())
    assert [job["job_name"] for job in told["scrape_configs"]] == [job["job_name"] for job in alone["scrape_configs"]]
    assert Path(ROOT / "deploy/prometheus" / told["rule_files"][0]).exists()
