"""Reading the files that a person names: never more of one than it may have, never its content in an error."""

import os
import sys
from codecs import BOM_UTF8
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from referral_bus._cli.faults import Several
from referral_contracts.codes import Code
from referral_contracts.errors import LocalError
from referral_contracts.payloads.payload import Payload
from referral_contracts.sections import read_draft
from referral_contracts.topics import ENVELOPE_MAX

SECTION_MAX: Final = ENVELOPE_MAX
"""A section is part of an envelope: what is larger cannot be sent."""

STDIN: Final = "-"


def read_bytes(name: str, most: int) -> bytes:
    """
    Return what the file *name* holds; ``-`` is standard input.

    Raises:
        LocalError: NO_SUCH_FILE, or OVERSIZE: it holds more than *most*.
    """
    try:
        if name == STDIN:
            data = sys.stdin.buffer.read(most + 1)
        else:
            with open(name, "rb") as file:  # noqa: PTH123 - a name as it was typed, a pipe of the shell's too
                data = file.read(most + 1)
    except (OSError, ValueError) as error:
        raise LocalError(Code.NO_SUCH_FILE, "cannot be read") from error
    if len(data) > most:
        raise LocalError(Code.OVERSIZE, f"more than the {most // 1024} KiB that it may have")
    return data


def read_named(name: str, most: int) -> bytes:
    """Return what `read_bytes` does; what it raises names the file."""
    try:
        return read_bytes(name, most)
    except LocalError as error:
        raise LocalError(error.code, f"{name}: {error.detail}") from error


def write_private(file: Path, data: bytes) -> None:
    """
    Write *data* to *file*, for its owner's eyes only; a crash leaves what was there before, or all of it.

    Raises:
        LocalError: NO_SUCH_FILE, with what keeps it from being written.
    """
    beside = file.with_name(f".{file.name}.new")
    try:
        beside.unlink(missing_ok=True)
        # The name is taken anew, so that nobody's link is written through.
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(data)
        beside.replace(file)
    except (OSError, ValueError) as error:
        raise LocalError(Code.NO_SUCH_FILE, f"{file}: cannot be written; {why_not_opened(file)}") from error


def why_not_opened(file: Path) -> str:
    """Return what keeps *file* from being read and written, or made: the folder or the right that is missing."""
    try:
        return _why_not_opened(file, file.parent)
    except PermissionError:
        return f"no right to enter the folder {file.parent}"


def _why_not_opened(file: Path, folder: Path) -> str:
    if file.is_dir():
        return "it is a folder"
    if not folder.exists():
        return f"there is no folder {folder}"
    if not folder.is_dir():
        return f"{folder} is no folder"
    if file.exists() and not os.access(file, os.R_OK | os.W_OK):
        return "no right to read and write it"
    if not os.access(folder, os.W_OK | os.X_OK):
        return f"no right to make files in the folder {folder}"
    return "the disk does not take it"


def read_section(name: str) -> Payload:
    """Return what the section file *name* says, or raise LocalError, which names fields and quotes nothing."""
    # Some editors begin a file with a mark of its encoding: it is no part of what a person wrote.
    return read_draft(read_bytes(name, SECTION_MAX).removeprefix(BOM_UTF8))


def read_sections(names: Iterable[str]) -> dict[str, Payload]:
    """
    Return what the section files *names* say, by name; each is read once.

    Raises:
        Several: Some cannot be sent as they are.
    """
    found: dict[str, Payload] = {}
    bad = []
    for name in dict.fromkeys(names):
        try:
            found[name] = read_section(name)
        except LocalError as error:
            bad.append(LocalError(error.code, f"{name}: {error.detail}"))
    if bad:
        raise Several(tuple(bad))
    return found
