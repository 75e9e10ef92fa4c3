"""The files of the repository, as git sees them: what is ignored is not ours to judge."""

import subprocess
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
SHELVES: Final = ("contracts", "sdk", "services")


def files(*patterns: str) -> list[Path]:
    """Return the files of the working tree that match *patterns*, relative to its root; new ones are among them."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate", "--", *patterns]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    return sorted(Path(name) for name in listed if name and (ROOT / name).is_file())


def shelved_modules() -> list[Path]:
    """Return the modules that agencies install and that we run."""
    return [path for path in files("*.py") if path.parts[0] in SHELVES]
