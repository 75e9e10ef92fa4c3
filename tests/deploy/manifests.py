"""The manifests, read."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import yaml
from pydantic_settings import BaseSettings

import audit_log.settings
import deadline_watcher.settings
import referral_router.settings
from tests.house.tree import ROOT

KUBERNETES: Final = ROOT / "deploy/kubernetes"
SETTINGS: Final[Mapping[str, type[BaseSettings]]] = {
    "referral_router": referral_router.settings.Settings,
    "deadline_watcher": deadline_watcher.settings.Settings,
    "audit_log": audit_log.settings.Settings,
}
PREFIX: Final = "REFERRAL_BUS_"
CLOSED: Final = {f"{PREFIX}TLS_{name}" for name in ("CERTIFICATE", "CA")}


def documents() -> Iterator[dict[str, Any]]:
    """Give every resource of the manifests but the list of them."""
    for path in sorted(KUBERNETES.glob("*.yaml")):
        if path.name != "kustomization.yaml":
            yield from yaml.safe_load_all(path.read_text())


def of_kind(kind: str) -> list[dict[str, Any]]:
    """Return the resources of a kind."""
    return [found for found in documents() if found["kind"] == kind]


def pod(deployment: Mapping[str, Any]) -> dict[str, Any]:
    """Return what its pods are."""
    found: dict[str, Any] = deployment["spec"]["template"]["spec"]
    return found


def told(container: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables of a container; a secret one has no value here."""
    return {variable["name"]: variable.get("value", "") for variable in container.get("env", ())}


def faults(module: str, variables: Mapping[str, str]) -> dict[str, set[str]]:
    """
    Return what *variables* name that the service does not know, and what it must be told and is not.

    A closed broker lets nobody in without a certificate: to be told it is a must here, which the settings leave open.
    """
    fields = SETTINGS[module].model_fields
    known = {PREFIX + name.upper() for name in fields} - {f"{PREFIX}UNSAFE_PLAINTEXT"}
    needed = {PREFIX + name.upper() for name, field in fields.items() if field.is_required()}
    return {"unknown": set(variables) - known, "missing": (needed | CLOSED) - set(variables)}
