"""
As much of the directory as one case needs: the signed head, and each entry with the path that puts it under the head.

The whole directory of a country would be tens of megabytes in each bundle, and says who else there is. Line one is the
signed head; every other line is RFC 8785 JSON {entry, index, path}, in the order of the entries' names.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from referral_contracts import merkle
from referral_contracts.codes import Code
from referral_contracts.directory import ROLE_REGISTRAR, ROLE_ROUTER, ROLE_WATCHER, Directory
from referral_contracts.directory_model import POLICY_KEY, ROLE_LOG, Entry, Policy, SignedHead
from referral_contracts.encoding import b64, jcs, parse_json, unb64
from referral_contracts.errors import RemoteError
from referral_contracts.succession import takers
from referral_contracts.trust import TrustRoot

_SERVICES: Final = (ROLE_LOG, ROLE_REGISTRAR, ROLE_ROUTER, ROLE_WATCHER)


def part_of(directory: Directory, agencies: Iterable[str]) -> Directory:
    """Return *directory* with the entries of *agencies*, of all that can have succeeded them, and of the services."""
    wanted = {POLICY_KEY, *(name for role in _SERVICES for name in directory.services[role])}
    for agency in agencies:
        wanted |= {agency, *takers(directory, agency)}
    kept = {key: value for key, value in directory.entries.items() if key in wanted}
    return Directory(head=directory.head, entries=kept)


def extract(directory: Directory, signed: SignedHead, part: Directory) -> bytes:
    """Return the lines that prove *part* of a whole *directory* under its *signed* head."""
    keys = sorted(directory.entries)
    _, paths = merkle.paths([merkle.leaf_hash(directory.entries[key]) for key in keys])
    lines = [signed.encode()]
    for index, (key, path) in enumerate(zip(keys, paths, strict=True)):
        if key in part.entries:
            lines.append(jcs({"entry": parse_json(directory.entries[key]), "index": index, "path": b64(path)}))
    return b"".join(line + b"\n" for line in lines)


def read_extract(data: bytes, root: TrustRoot) -> Directory:
    """
    Return the part of the directory that *data* shows; whether its head has expired is not asked.

    Raises:
        RemoteError: The head is not signed by enough root keys, or an entry is not under it.
    """
    first, *rest = data.split(b"\n")
    signed = SignedHead.decode(first)
    root.check_head(signed)
    if not rest or rest.pop():
        raise RemoteError(Code.BAD_BUNDLE, "the directory's last line has no end")
    entries: dict[str, bytes] = {}
    last = ""
    for line in rest:
        key, value = _entry(line, signed)
        if key <= last:
            raise RemoteError(Code.BAD_BUNDLE, "the directory's entries are twice, or out of order")
        entries[key], last = value, key
    if POLICY_KEY not in entries:
        raise RemoteError(Code.ENTRY_VANISHED, "a directory without a policy")
    return Directory(head=signed.head, entries=entries)


class _Line(BaseModel):
    """A line of an extract."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    entry: dict[str, object]
    index: Annotated[int, Field(ge=0)]
    path: str


def _entry(line: bytes, signed: SignedHead) -> tuple[str, bytes]:
    try:
        told = _Line.model_validate(parse_json(line))
    except ValidationError:
        raise RemoteError(Code.BAD_BUNDLE, "not a line of a directory") from None
    if jcs(told.model_dump()) != line:
        raise RemoteError(Code.NOT_CANONICAL, "a line of the directory is not its own RFC 8785 form")
    value = jcs(told.entry)
    key = _key(value, policy=told.entry.get("kind") == "policy")
    head = signed.head
    try:
        leaf = merkle.leaf_hash(value)
        merkle.verify_path(leaf, told.index, head.entries, unb64(told.path), unb64(head.root))
    except RemoteError as error:
        raise RemoteError(Code.DIRECTORY_ROOT, f"{key}: not the entry that the head was signed over") from error
    return key, value


def _key(value: bytes, *, policy: bool) -> str:
    if policy:
        return Policy.decode(value).id
    return Entry.decode(value).id


def names_in(directory: Directory) -> Mapping[str, tuple[str, str]]:
    """Return what people call each agency that *directory* shows, in Vietnamese and English."""
    found = {}
    for key in directory.entries:
        member = directory.member(key)
        if member is not None:
            found[key] = member.entry.names.vi, member.entry.names.en
    return found
