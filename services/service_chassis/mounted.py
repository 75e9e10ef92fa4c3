"""
Mounted secrets, taken into a folder of one's own: ``python -m service_chassis.mounted FROM TO``.

Kubernetes mounts a secret's files as root's, for a group to read; a key file has to be its owner's alone. A container
that runs before the service copies them to a folder in memory that both share. Nothing of it reaches a disk.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from referral_contracts.keys import KEY_FILE_MODE


def take(mounted: Path, own: Path) -> list[str]:
    """Copy every file of *mounted* to *own*, for its owner alone, and return their names."""
    names = []
    for path in sorted(mounted.iterdir()):
        # The names that begin with dots are how Kubernetes changes all files at once.
        if path.name.startswith(".") or not path.is_file():
            continue
        copy = own / path.name
        copy.unlink(missing_ok=True)
        copy.touch(mode=KEY_FILE_MODE)
        copy.write_bytes(path.read_bytes())
        names.append(path.name)
    return names


def main(arguments: Sequence[str]) -> int:
    """Return 0, or 2 when there was nothing to take."""
    if len(arguments) != 2:
        sys.stderr.write("mounted: error: usage: python -m service_chassis.mounted FROM TO\n")
        return 2
    try:
        names = take(Path(arguments[0]), Path(arguments[1]))
    except OSError as error:
        sys.stderr.write(f"mounted: error: {type(error).__name__}: {error.filename}\n")
        return 2
    if not names:
        sys.stderr.write(f"mounted: error: no files in {arguments[0]}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
