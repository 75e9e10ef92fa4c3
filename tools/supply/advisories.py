"""
Known vulnerabilities of what is locked, by records in the OSV format (JSON or YAML) in a folder.

The folder is whatever the caller has: an export of osv.dev, a clone of an advisory database. Without one nothing is
known and nothing is said to be safe. A record counts when it names a locked version, or a range that holds it.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from packaging.version import InvalidVersion, Version

from tools.supply.locks import Locked

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_ECOSYSTEMS: Final = {"PyPI": "pypi", "npm": "npm", "Go": "golang", "Maven": "maven"}


@dataclass(frozen=True, slots=True, order=True)
class Hit:
    """A locked package with a known vulnerability."""

    package: str
    advisory: str
    fixed: str
    """The first version without it, as far as the record says."""


def records(folder: Path) -> Iterator[Mapping[str, Any]]:
    """Give every record under *folder*."""
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".json":
            told = json.loads(path.read_text())
        elif path.suffix in {".yaml", ".yml"}:
            told = yaml.load(path.read_text(), Loader=_LOADER)  # noqa: S506 - both are the safe one
        else:
            continue
        if isinstance(told, dict) and "affected" in told:
            yield told


def hits(locked: Iterable[Locked], told: Iterable[Mapping[str, Any]]) -> list[Hit]:
    """Return which of *locked* a record of *told* names, unless it was withdrawn."""
    by_name: dict[tuple[str, str], set[str]] = {}
    for package in locked:
        by_name.setdefault((package.kind, _canonical(package.kind, package.name)), set()).add(package.version)
    return sorted(
        Hit(f"{name} {version}", record["id"], _fixed(affected))
        for record in told
        if "withdrawn" not in record
        for affected, kind, name in _affected(record)
        for version in by_name.get((kind, name), ())
        if _holds(affected, version)
    )


def _affected(record: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str, str]]:
    for affected in record["affected"]:
        package = affected.get("package", {})
        kind = _ECOSYSTEMS.get(package.get("ecosystem", ""))
        if kind is not None:
            yield affected, kind, _canonical(kind, package["name"])


def _canonical(kind: str, name: str) -> str:
    if kind == "maven":
        return name.rpartition(":")[2]  # the list of jars has no groups
    return re.sub(r"[-_.]+", "-", name).lower() if kind == "pypi" else name


def _holds(affected: Mapping[str, Any], version: str) -> bool:
    plain = version.removeprefix("v")
    if plain in {str(listed) for listed in affected.get("versions", ())}:
        return True
    return any(
        _between(told["events"], _ordered(plain)) for told in affected.get("ranges", ()) if told["type"] != "GIT"
    )


def _between(events: Iterable[Mapping[str, str]], version: tuple[object, ...]) -> bool:
    """OSV's own algorithm: the last event that is not behind *version* decides."""
    vulnerable = False
    for kind, bound in sorted(
        ((kind, _ordered(str(at))) for event in events for kind, at in event.items()), key=_place
    ):
        if kind == "introduced" and version >= bound:
            vulnerable = True
        elif (kind == "fixed" and version >= bound) or (kind == "last_affected" and version > bound):
            vulnerable = False
    return vulnerable


def _place(event: tuple[str, tuple[object, ...]]) -> tuple[object, ...]:
    return event[1]


def _ordered(version: str) -> tuple[object, ...]:
    # A version that Python's rules do not know sorts by its numbers: rather one warning too many.
    try:
        return (Version(version),)
    except InvalidVersion:
        return (Version(".".join(re.findall(r"\d+", version)[:4]) or "0"),)


def _fixed(affected: Mapping[str, Any]) -> str:
    fixes = [
        str(event["fixed"])
        for told in affected.get("ranges", ())
        if told["type"] != "GIT"
        for event in told["events"]
        if "fixed" in event
    ]
    return max(fixes, key=_ordered, default="none")
