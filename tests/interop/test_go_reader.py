"""The reader in Go, which was written from SPEC.md alone, against the vectors."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.interop

ROOT = Path(__file__).resolve().parents[2]


def test_the_reader_in_go_agrees_with_every_vector_of_the_kinds_it_reads() -> None:
    go = shutil.which("go")
    assert go is not None, "Go is missing: the reader in contracts/readers/go cannot be tried"

    run = subprocess.run(
        [go, "run", ".", "../../vectors"],
        cwd=ROOT / "contracts/readers/go",
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert run.returncode == 0, run.stdout + run.stderr
    passed, failed = map(int, re.findall(r"(\d+) passed, (\d+) failed", run.stdout)[0])
    assert failed == 0
    assert passed >= 100
