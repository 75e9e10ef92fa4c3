"""
The locks, read: of Python, npm, Go and Maven. What is in one has an exact version and a hash, and names no host.

Each reader gives the packages of a lock, or raises `Unlocked` with the first line that is not as it has to be.
"""

import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]

_PYTHON: Final = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[A-Za-z0-9.!+]+)(?: ; [^:@]+?)?"
    r"(?P<hashes>(?: --hash=sha256:[0-9a-f]{64})+)"
)
_VERSION: Final = re.compile(r"\d+(?:\.[0-9A-Za-z.+-]+)?")
_SHA512: Final = re.compile(r"sha512-[A-Za-z0-9+/]{86}==")
_REQUIRED: Final = re.compile(r"^(?:require |\t)(?P<name>[^\s(]+) (?P<version>v\S+)(?: // indirect)?$", re.MULTILINE)
_REPLACED: Final = re.compile(r"^(?:replace |\t)(?P<name>\S+)(?: v\S+)? => (?P<by>\S+)", re.MULTILINE)
"""Alone in a line, or in a block of several."""
_JAR: Final = re.compile(r"(?P<hash>[0-9a-f]{64})  (?P<name>[A-Za-z0-9._-]+?)-(?P<version>\d[A-Za-z0-9.-]*)\.jar")


class Unlocked(Exception):
    """A lock that leaves something open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """A package of a lock."""

    kind: str
    """``pypi``, ``npm``, ``golang`` or ``maven``: the words of a package URL."""
    name: str
    version: str
    hashes: tuple[str, ...]
    """``sha256:…`` or ``sha512:…`` of its files, or Go's ``h1:…`` of its tree."""
    licence: str = ""
    """As the lock says; only npm's do."""


def python(text: str) -> Iterator[Locked]:
    """Read what `make lock` writes."""
    for line in text.replace("\\\n", " ").splitlines():
        entry = " ".join(line.split())
        if not entry or entry.startswith("#"):
            continue
        match = _PYTHON.fullmatch(entry)
        if match is None:
            raise Unlocked(f"not one version with its hashes: {entry[:60]}")
        hashes = tuple(part.removeprefix("--hash=") for part in match["hashes"].split())
        yield Locked(kind="pypi", name=match["name"], version=match["version"], hashes=hashes)


def npm(text: str) -> Iterator[Locked]:
    """Read a package-lock.json."""
    for path, package in json.loads(text)["packages"].items():
        if not path:
            continue
        if "resolved" in package or package.get("link"):
            raise Unlocked(f"names a place to fetch from: {path}")
        integrity = package.get("integrity", "")
        if not (_SHA512.fullmatch(integrity) and _VERSION.fullmatch(package.get("version", ""))):
            raise Unlocked(f"not one version with its SHA-512: {path}")
        yield Locked(
            kind="npm",
            name=path.rpartition("node_modules/")[2],
            version=package["version"],
            hashes=(integrity.replace("-", ":", 1),),
            licence=package.get("license", ""),
        )


def go(modules: str, sums: str) -> Iterator[Locked]:
    """Read a go.mod by its go.sum: the sums of each module that it requires, and no module from elsewhere."""
    local = set()
    for replaced in _REPLACED.finditer(modules):
        if not replaced["by"].startswith("."):
            raise Unlocked(f"a module from elsewhere: {replaced['by']}")
        local.add(replaced["name"])
    known = dict(line.rsplit(" ", 1) for line in sums.splitlines())
    for required in _REQUIRED.finditer(modules):
        name, version = required["name"], required["version"]
        if name in local:
            continue
        tree = known.get(f"{name} {version}", "")
        if not tree.startswith("h1:") or not known.get(f"{name} {version}/go.mod", "").startswith("h1:"):
            raise Unlocked(f"no sum of {name} {version}")
        yield Locked(kind="golang", name=name, version=version, hashes=(tree,))


def jars(text: str) -> Iterator[Locked]:
    """Read the list of a broker's jars, as sha256sum writes one."""
    for line in text.splitlines():
        match = _JAR.fullmatch(line)
        if match is None:
            raise Unlocked(f"not a jar with its SHA-256: {line[:60]}")
        yield Locked(kind="maven", name=match["name"], version=match["version"], hashes=(f"sha256:{match['hash']}",))


def of_repository(root: Path = ROOT) -> Mapping[str, list[Locked]]:
    """
    Return the packages of every lock that git sees under *root*, by its path.

    Raises:
        Unlocked: With the path of the lock before what is open in it.
    """
    readers: Mapping[str, Callable[[Path], Iterator[Locked]]] = {
        "requirements/*.txt": lambda path: python(path.read_text()),
        "*package-lock.json": lambda path: npm(path.read_text()),
        "*go.mod": lambda path: go(path.read_text(), _sums(path)),
        "*jars.sha256": lambda path: jars(path.read_text()),
    }
    found = {}
    for pattern, read in readers.items():
        for name in tracked(root, pattern):
            try:
                found[name] = list(read(root / name))
            except Unlocked as error:
                raise Unlocked(f"{name}: {error}") from error
    return found


def tracked(root: Path, *patterns: str) -> list[str]:
    """Return the files under *root* that git keeps or would keep, and that match *patterns*."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate", "--", *patterns]
    listed = subprocess.run(command, cwd=root, capture_output=True, check=True).stdout.decode().split("\0")
    return sorted(name for name in listed if name and (root / name).is_file())


def _sums(modules: Path) -> str:
    path = modules.with_name("go.sum")
    return path.read_text() if path.exists() else ""
