"""Vectors that come as Go modules: fetched through the module proxy, by the sums of go.sum, and only read."""

import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from tests.house.tree import ROOT
from tests.interop.readers import found

_FOLDER: Final = ROOT / "tests/interop/go-vectors"


def folder_of(module: str) -> Path:
    """Return where the files of *module* are, after Go has compared them with the sums that we keep."""
    kept = (_FOLDER / "go.sum").read_text().splitlines()
    command = [found("go", "Go 1.26 or later"), "mod", "download", "-json", module]
    run = subprocess.run(command, cwd=_FOLDER, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    told = json.loads(run.stdout)
    assert f"{module} {told['Version']} {told['Sum']}" in kept
    return Path(told["Dir"])


def wycheproof(folder: Path, name: str) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Give every test of a file of Wycheproof, behind its group; there are as many as the file says."""
    told = json.loads((folder / "testvectors_v1" / f"{name}_test.json").read_text())
    assert told["numberOfTests"] == sum(len(group["tests"]) for group in told["testGroups"])
    for group in told["testGroups"]:
        for test in group["tests"]:
            yield group, test
