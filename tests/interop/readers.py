"""The readers in other languages: how each is started, and asked what it makes of vectors."""

import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.house.tree import ROOT
from tools.vectors.kinds import KINDS

CONTRACTS: Final = ROOT / "contracts"
VECTORS: Final[Sequence[Mapping[str, Any]]] = [
    json.loads(path.read_text()) for path in sorted((CONTRACTS / "vectors").glob("*.json"))
]


@dataclass(frozen=True, slots=True)
class Program:
    """A reader, with the command that tries it."""

    name: str
    command: Sequence[str]

    def came(self, vectors: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return for each of *vectors*, by what they give, ``{"came": …}`` or ``{"code": …}``."""
        lines = "".join(json.dumps(vector) + "\n" for vector in vectors)
        run = subprocess.run(
            [*self.command, str(CONTRACTS)], input=lines, capture_output=True, text=True, timeout=300, check=False
        )
        assert run.returncode == 0, f"{self.name}: {run.stderr}"
        return [json.loads(line) for line in run.stdout.splitlines()]


def found(program: str, package: str) -> str:
    """Return where *program* is; a test that needs it says what to install."""
    path = shutil.which(program)
    assert path is not None, f"{program} is missing: install {package}"
    return path


def in_go(folder: Path) -> Program:
    """Return the reader in Go, built in *folder*."""
    go = found("go", "Go 1.26 or later, the first with HPKE in its standard library")
    built = folder / "trial"
    run = subprocess.run(
        [go, "build", "-buildvcs=false", "-o", built, "."],
        cwd=ROOT / "tests/interop/go",
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, f"Go 1.26 or later is needed: {run.stderr}"
    return Program("go", [str(built)])


def in_javascript() -> Program:
    """Return the reader in JavaScript."""
    return Program("javascript", [node(), str(ROOT / "tests/interop/node/trial.js")])


def node() -> str:
    """Return where Node is, with the packages of the locks."""
    path = found("node", "Node.js 20.19 or later, with npm")
    version = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    assert tuple(map(int, version[1:].split("."))) >= (20, 19), f"Node.js 20.19 or later is needed, this is {version}"
    for folder in (CONTRACTS / "readers/js", ROOT / "tests/interop/node"):
        assert (folder / "node_modules/ready").exists(), f"packages are missing in {folder}: call make test-interop"
    return path


def given(vector: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a reader is told of a vector: its kind and what is given, not what has to come of it."""
    kind = KINDS[vector["kind"]]
    # What two kinds of the story and of a signature have to make, they are told: it is compared, not computed.
    told = {name: vector[name] for name in kind.comes if name in {"records", "seed"} and name in vector}
    return {"kind": vector["kind"], **{name: vector[name] for name in kind.given}, **told}
