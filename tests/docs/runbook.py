"""`docs/audit-log.md`, section by section: each command of it is typed in a shell, with folders of the test's own."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.docs.page import Reader, Step, parts
from tests.house.tree import ROOT

PAGE = ROOT / "docs" / "audit-log.md"
_TOO_LONG_S = 120


def section(title: str) -> str:
    """Return what stands under the heading *title*, up to the next one."""
    found = re.search(rf"^#+ {re.escape(title)}$(.*?)(?=^#|\Z)", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert found is not None, title
    return found[1]


def commands(title: str) -> list[str]:
    """Return what the section *title* tells to type."""
    return [part.command for part in parts(section(title)) if isinstance(part, Step)]


@dataclass(frozen=True)
class Shell:
    """A shell on the log's machine, in which what the page exports is set already."""

    folder: Path
    named: Mapping[str, str]

    def type(self, command: str) -> tuple[int, str]:
        """Carry out one command line; return what it ends with and what it writes."""
        if command.startswith("export "):
            assert {name.partition("=")[0] for name in command.split()[1:]} <= self.named.keys()
            return 0, ""
        path = f"{Path(sys.executable).parent}:{self.named.get('PATH', '')}:{os.environ['PATH']}"
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self.folder,
            env={**os.environ, **self.named, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
            timeout=_TOO_LONG_S,
        )
        return done.returncode, done.stdout

    def follow(self, *titles: str) -> None:
        """Do what the sections say."""
        for title in titles:
            assert Reader(self.folder, self.type).follow(section(title)) > 0
