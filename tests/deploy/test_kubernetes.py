"""The manifests against Kubernetes' own schemas, the services' settings and the pages that they serve."""

import asyncio
from collections.abc import MutableMapping, Sequence
from typing import Any, Final

import kubernetes_validate
import pytest
import yaml
from prometheus_client import CollectorRegistry

from image.assemble import USER
from kubernetes.kafka_resources import resources
from service_chassis.health import Trouble
from service_chassis.service import pages
from tests.deploy.manifests import KUBERNETES, SETTINGS, documents, faults, of_kind, pod, told

VERSIONS: Final = ("1.35", "1.37")
"""The oldest and the newest that it has to be right for."""
OURS: Final = [found for found in documents() if "strimzi.io" not in found["apiVersion"]]
DEPLOYMENTS: Final = {found["metadata"]["name"]: found for found in of_kind("Deployment")}


def named(found: dict[str, Any]) -> str:
    return f"{found['kind']} {found['metadata']['name']}"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("found", OURS, ids=named)
def test_every_resource_is_what_kubernetes_says_one_is(found: dict[str, Any], version: str) -> None:
    kubernetes_validate.validate(found, version, strict=True)


def test_a_field_that_does_not_exist_would_be_found() -> None:
    wrong = {**DEPLOYMENTS["referral-router"], "spec": {**DEPLOYMENTS["referral-router"]["spec"], "replica": 2}}

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


def test_every_manifest_is_applied() -> None:
    listed = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())["resources"]

    assert {*listed, "kustomization.yaml"} == {path.name for path in KUBERNETES.glob("*.yaml")}
    assert len({named(found) for found in documents()}) == len(list(documents()))


def containers(deployment: str) -> list[dict[str, Any]]:
    found = pod(DEPLOYMENTS[deployment])
    return [*found["initContainers"], *found["containers"]]


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_service_is_told_what_it_needs_and_nothing_that_it_does_not_know(name: str) -> None:
    (container,) = pod(DEPLOYMENTS[name])["containers"]

    assert faults(container["args"][0], told(container)) == {"unknown": set(), "missing": set()}


def test_each_service_is_deployed() -> None:
    assert {pod(found)["containers"][0]["args"][0] for found in DEPLOYMENTS.values()} == set(SETTINGS)


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_nothing_runs_as_root_or_writes_to_its_root(name: str) -> None:
    found = pod(DEPLOYMENTS[name])

    assert found["securityContext"]["runAsNonRoot"] is True
    assert found["securityContext"]["runAsUser"] == found["securityContext"]["fsGroup"] == USER
    assert found["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert found["automountServiceAccountToken"] is False
    for container in containers(name):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert "memory" in container["resources"]["limits"]
        assert "command" not in container  # there is no shell; the image's entry point takes a module


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_every_file_that_a_service_is_told_of_lies_on_a_mount(name: str) -> None:
    (container,) = pod(DEPLOYMENTS[name])["containers"]
    mounts = tuple(mount["mountPath"] + "/" for mount in container["volumeMounts"])
    paths = [part for value in told(container).values() for part in value.split(":") if part.startswith("/")]

    assert paths
    assert [path for path in paths if not path.startswith(mounts)] == []
    volumes = {volume["name"] for volume in pod(DEPLOYMENTS[name])["volumes"]}
    assert {mount["name"] for one in containers(name) for mount in one["volumeMounts"]} == volumes


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_its_certificate_is_that_of_a_user_that_there_is(name: str) -> None:
    (mounted,) = [one["projected"] for one in pod(DEPLOYMENTS[name])["volumes"] if one["name"] == "mounted"]
    sources = {one["secret"]["name"]: one["secret"].get("items", ()) for one in mounted["sources"]}
    users = [one["metadata"]["name"] for one in resources(1, [], []) if one["kind"] == "KafkaUser"]
    (user,) = sources.keys() & set(users)
    (container,) = pod(DEPLOYMENTS[name])["containers"]

    files = {item["path"] for source in (user, "bus-cluster-ca-cert") for item in sources[source]}
    named = [told(container)[f"REFERRAL_BUS_TLS_{what}"] for what in ("CERTIFICATE", "KEY", "CA")]
    assert named == ["/keys/user.crt", "/keys/user.key", "/keys/ca.crt"]
    assert files == {"user.crt", "user.key", "ca.crt"}
    assert user.removeprefix("service-") in container["args"][0].replace("_", "-")


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_secret_is_only_ever_a_file_or_a_reference(name: str) -> None:
    """No value of a variable is a secret; the one that may hold a password comes from a secret."""
    (container,) = pod(DEPLOYMENTS[name])["containers"]
    referred = [variable["name"] for variable in container["env"] if "valueFrom" in variable]

    assert referred == (["REFERRAL_BUS_LOG_STORE"] if name == "audit-log" else [])
    assert of_kind("Secret") == []


class Well:
    """A service that has nothing to complain of."""

    def troubles(self) -> Sequence[Trouble]:
        return ()


async def answered(path: str) -> int:
    came: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        came.append(message)

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {"type": "http", "path": path, "method": "GET", "headers": [], "query_string": b""}
    await pages(Well(), CollectorRegistry())(scope, receive, send)
    return int(came[0]["status"])


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_each_probe_asks_for_a_page_that_is_served_where_it_is_asked(name: str) -> None:
    (container,) = pod(DEPLOYMENTS[name])["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    variables = told(container)
    probes = {kind: container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")}

    assert {kind: probe["path"] for kind, probe in probes.items()} == {
        "startup": "/livez",
        "liveness": "/livez",
        "readiness": "/readyz",
    }
    assert [asyncio.run(answered(probe["path"])) for probe in probes.values()] == [200, 200, 200]
    assert asyncio.run(answered("/elsewhere")) == 404
    assert {probe["port"] for probe in probes.values()} == {"health"}
    assert ports["health"] == int(variables["REFERRAL_BUS_HTTP_PORT"])
    assert variables["REFERRAL_BUS_HTTP_HOST"] == "0.0.0.0"
    assert ports.get("log", 0) == int(variables.get("REFERRAL_BUS_LOG_HTTP_PORT", 0))


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_budget_and_a_policy_are_for_each_service(name: str) -> None:
    labels = DEPLOYMENTS[name]["spec"]["template"]["metadata"]["labels"]

    def chosen(kind: str, selector: str) -> list[dict[str, Any]]:
        return [
            found
            for found in of_kind(kind)
            if (wanted := found["spec"][selector].get("matchLabels")) and wanted.items() <= labels.items()
        ]

    assert len(chosen("PodDisruptionBudget", "selector")) == 1
    assert {found["metadata"]["name"] for found in chosen("NetworkPolicy", "podSelector")} == {name, "names"}
    assert DEPLOYMENTS[name]["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_nothing_may_talk_unless_a_policy_says_so() -> None:
    policies = {found["metadata"]["name"]: found["spec"] for found in of_kind("NetworkPolicy")}

    assert policies["nothing-by-default"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    rules = [rule for spec in policies.values() for way in ("ingress", "egress") for rule in spec.get(way, ())]
    assert all(rule.get("ports") and (rule.get("from") or rule.get("to")) for rule in rules)


def test_one_node_of_kafka_may_be_lost_and_nobody_comes_in_without_a_certificate() -> None:
    (nodes,), (kafka,) = of_kind("KafkaNodePool"), of_kind("Kafka")
    config, listeners = kafka["spec"]["kafka"]["config"], kafka["spec"]["kafka"]["listeners"]

    assert nodes["spec"]["replicas"] == config["default.replication.factor"] == 3
    assert config["min.insync.replicas"] == config["transaction.state.log.min.isr"] == 2
    assert all(listener["tls"] and listener["authentication"] == {"type": "tls"} for listener in listeners)
    assert kafka["spec"]["kafka"]["authorization"] == {"type": "simple"}
    assert config["auto.create.topics.enable"] is False
