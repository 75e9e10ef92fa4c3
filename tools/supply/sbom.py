"""
What the product is made of, as CycloneDX 1.6: each locked package with version, hashes and licence.

The same locks give the same bytes: there is no time in it, and its serial number is a hash of its components.
What an agency or a service installs is `required`; what only builds and tests is `excluded`.
"""

import base64
import hashlib
import json
import tomllib
import uuid
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, Final

from tools.supply.locks import ROOT, Locked, Unlocked, of_repository

_RUN: Final = frozenset({"requirements/run.txt", "deploy/kafka/jars.sha256"})
_TABLE: Final = Path(__file__).with_name("licences.toml")
_ALGORITHMS: Final = {"sha256": "SHA-256", "sha512": "SHA-512"}


def bill(root: Path = ROOT) -> dict[str, Any]:
    """Return the bill of materials of the locks under *root*."""
    table = tomllib.loads(_TABLE.read_text())
    required: dict[Locked, bool] = {}
    for lock, packages in of_repository(root).items():
        for package in packages:
            required[package] = required.get(package, False) or lock in _RUN
    components = sorted(
        (_component(package, table, needed=needed) for package, needed in required.items()),
        key=lambda component: str(component["bom-ref"]),
    )
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    product = f"pkg:pypi/{project['name']}@{project['version']}"
    needed = [component["bom-ref"] for component in components if component["scope"] == "required"]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": _serial(components),
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": product,
                "name": project["name"],
                "version": project["version"],
                "licenses": [{"expression": project["license"]}],
                "purl": product,
            }
        },
        "components": components,
        "dependencies": [{"ref": product, "dependsOn": needed}],
    }


def written(told: Mapping[str, Any]) -> str:
    """Return a bill as it is kept in a file."""
    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


def _component(package: Locked, table: Mapping[str, Any], *, needed: bool) -> dict[str, Any]:
    group, licence = _said_of(package, table)
    named = f"{group}/{package.name}" if group else package.name.replace("@", "%40")
    component: dict[str, Any] = {
        "type": "library",
        "bom-ref": f"pkg:{package.kind}/{named}@{package.version}",
        "name": package.name,
        "version": package.version,
        "scope": "required" if needed else "excluded",
        "licenses": [{"expression": licence}],
        "purl": f"pkg:{package.kind}/{named}@{package.version}",
    }
    if group:
        component["group"] = group
    hashes = [hash_.partition(":")[::2] for hash_ in package.hashes]
    # A wheel and an archive of each system: CycloneDX says of several hashes of one kind that any may be met.
    if plain := [{"alg": _ALGORITHMS[name], "content": _hex(name, value)} for name, value in hashes if name != "h1"]:
        component["hashes"] = plain
    else:
        component["properties"] = [{"name": "golang:h1", "value": package.hashes[0]}]
    return component


def _said_of(package: Locked, table: Mapping[str, Any]) -> tuple[str, str]:
    """Return the group, of a jar, and the licence of *package*."""
    if package.kind == "maven":
        for group, told in table["maven"].items():
            if package.name in told["artifacts"]:
                return group, told["licence"]
    licence = package.licence
    if package.kind == "golang":
        licence = table["go"].get(package.name, "")
    elif package.kind == "pypi":
        licence = table["pypi"].get(package.name) or _installed(package.name)
    if not licence:
        raise Unlocked(f"tools/supply/licences.toml: the licence of {package.name} is not said")
    return "", licence


def _installed(name: str) -> str:
    try:
        said = metadata.metadata(name).json.get("license_expression", "")
    except metadata.PackageNotFoundError:
        return ""
    return str(said)


def _hex(algorithm: str, value: str) -> str:
    return value if algorithm == "sha256" else base64.b64decode(value).hex()


def _serial(components: Iterable[Mapping[str, Any]]) -> str:
    digest = hashlib.sha256(json.dumps(list(components), sort_keys=True).encode()).digest()
    return uuid.UUID(bytes=digest[:16], version=4).urn
