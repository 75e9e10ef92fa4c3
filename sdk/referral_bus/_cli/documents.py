"""`document`: what goes with a form by reference: its size and hash, its lock, and the way back from both."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import typer
from pydantic import ValidationError

from referral_bus._cli.command import Call, add, new_group
from referral_bus._cli.faults import WrongUsage, advise
from referral_bus._cli.files import SECTION_MAX, read_bytes, read_named, write_private
from referral_bus._cli.screen import plain
from referral_bus._cli.world import Exit
from referral_contracts.codes import Code
from referral_contracts.documents import DOCUMENT_MAX, lock, unlock
from referral_contracts.encoding import b64, jcs, parse_json, sha256
from referral_contracts.errors import LocalError, RemoteError
from referral_contracts.payloads.document import Document, MediaType

_TYPES: Final[Mapping[str, MediaType]] = {
    ".dcm": MediaType.DICOM,
    ".docx": MediaType.DOCX,
    ".jpeg": MediaType.JPEG,
    ".jpg": MediaType.JPEG,
    ".mp3": MediaType.MP3,
    ".mp4": MediaType.MP4,
    ".odt": MediaType.ODT,
    ".pdf": MediaType.PDF,
    ".png": MediaType.PNG,
    ".tif": MediaType.TIFF,
    ".tiff": MediaType.TIFF,
    ".txt": MediaType.TEXT,
}


def add_to(app: typer.Typer) -> None:
    """Add the group to *app*."""
    group = new_group(app, "document", "Refer to a document that goes with a form, and check one that was referred to.")
    add(group, "refer", refer, json="the reference: media_type, size, sha256, key, place", local=True)
    add(group, "open", open_, json="file, size, sha256", local=True)


def refer(
    call: Call,
    *,
    file: Annotated[str, typer.Argument(metavar="FILE", help="The document.")],
    place: Annotated[str | None, typer.Option(metavar="TEXT", help="Where the recipient fetches it.")] = None,
    locked: Annotated[
        str | None, typer.Option(metavar="OUT", help="Lock it under a key of its own into this new file, to be stored.")
    ] = None,
) -> Exit:
    """
    Write the reference to a document, to be put under documents in a form.

    With --locked the file to store is encrypted and the reference holds its key: whoever stores it cannot read it.
    """
    document = read_named(file, DOCUMENT_MAX)
    if not document:
        raise LocalError(Code.OVERSIZE, f"{file}: an empty file is no document")
    key: str | None = None
    if locked is not None:
        made = lock(document)
        _write_new(locked, made.stored)
        key = b64(made.key)
    reference = Document(
        media_type=_TYPES.get(Path(file).suffix.lower(), MediaType.UNKNOWN),
        size=len(document),
        sha256=b64(sha256(document)),
        key=key,
        place=place,
    )
    told = reference.model_dump(mode="json", exclude_none=True)
    call.screen.put(told, plain(json.dumps(told, ensure_ascii=False, indent=2)))
    if place is None:
        advise("add a place: without it the recipient does not know where to fetch the document")
    return Exit.DONE


def open_(
    call: Call,
    *,
    reference: Annotated[str, typer.Argument(metavar="REFERENCE", help="The reference, as JSON; - is standard input.")],
    file: Annotated[str, typer.Argument(metavar="FILE", help="The file that was fetched.")],
    out: Annotated[str, typer.Argument(metavar="OUT", help="Where the document goes: a new file (mode 0600).")],
) -> Exit:
    """Take a fetched document out of its lock, if it has one, and hold it against the reference that came sealed."""
    meant = _reference(reference)
    try:
        document = unlock(read_named(file, DOCUMENT_MAX), meant)
    except (LocalError, RemoteError) as error:
        raise type(error)(error.code, f"{file}: {error.detail}") from error
    _write_new(out, document)
    told = {"file": out, "size": len(document), "sha256": b64(sha256(document))}
    call.screen.put(told, f"{out}: đúng tài liệu được dẫn chiếu / the document that was referred to")
    return Exit.DONE


def _reference(name: str) -> Document:
    try:
        return Document.model_validate_json(jcs(parse_json(read_bytes(name, SECTION_MAX))))
    except (LocalError, RemoteError) as error:
        raise LocalError(error.code, f"{name}: {error.detail}") from error
    except ValidationError as error:
        hint = "it is one of the objects under documents, as referral-bus open --json writes it"
        raise WrongUsage(f"{name}: not a reference to a document", hint, code=Code.MALFORMED_SECTION) from error


def _write_new(name: str, data: bytes) -> None:
    file = Path(name)
    if file.exists() or file.is_symlink():
        raise LocalError(Code.FILE_EXISTS, f"{name}: a file is not written over")
    write_private(file, data)
