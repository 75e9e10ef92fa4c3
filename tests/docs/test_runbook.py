"""What the runbook names is there: files, settings, alerts, and the things that the manifests ask an operator for."""

import re
from typing import Any, Final

from tests.deploy.manifests import of_kind, pod
from tests.house.tree import ROOT

PAGE: Final = (ROOT / "docs/runbook.md").read_text("utf-8")


def asked(what: Any) -> set[str]:
    """Return the names of secrets and maps that a part of a manifest asks for."""
    if isinstance(what, list):
        return {name for one in what for name in asked(one)}
    if not isinstance(what, dict):
        return set()
    own = {what[kind]["name"] for kind in ("secret", "configMap", "secretKeyRef") if kind in what}
    return own | {name for one in what.values() for name in asked(one)}


def test_what_an_operator_has_to_make_is_what_the_manifests_ask_for() -> None:
    table = PAGE.split("| name | kind |")[1].split("\n\n")[0]
    named = {name for line in table.splitlines()[2:] for name in re.findall(r"`([^`]+)`", line.split("|")[1])}
    needed = {name for found in of_kind("Deployment") for name in asked(pod(found))}
    # Strimzi makes these: a user's certificate, and that of the cluster's authority.
    made = {name for name in needed if name.startswith("service-") or name == "bus-cluster-ca-cert"}

    assert named == needed - made
    assert len(made) == 4


def test_the_files_that_it_names_are_there() -> None:
    paths = {path.rstrip(":,.") for path in re.findall(r"\b(?:deploy|contracts)/[\w./-]+", PAGE)}

    assert paths >= {"deploy/image/Dockerfile", "deploy/compose/compose.yaml", "deploy/kubernetes/kafka_resources.py"}
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_alerts_that_it_names_are_there() -> None:
    alerts = set(re.findall(r"- alert: (\w+)", (ROOT / "deploy/prometheus/alerts.yaml").read_text()))

    assert set(re.findall(r"`([A-Z][a-z]+[A-Z]\w+)`", PAGE)) & alerts == {"BusLate"}
