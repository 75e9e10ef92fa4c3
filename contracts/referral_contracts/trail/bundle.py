"""
The evidence bundle: one file that proves the trail of one case to whoever has the bus's keys, without asking the bus.

``manifest.json`` says what the file is and the hash of each part; ``events.jsonl`` holds the events, ``proofs/`` a
receipt for each (c2sp.org/tlog-proof), ``checkpoint`` what all of them lead to, ``directory.jsonl`` the keys they are
signed with, ``disclosed.jsonl`` keys of sections that somebody showed. ``trail.json`` and ``page.html`` say for
programs and for people what follows: they are made again and compared. No key in a bundle is trusted: log, witnesses
and registrars are the reader's own to name.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from referral_contracts.codes import Code
from referral_contracts.encoding import HASH, MAX_INTEGER, SUBJECT, b64, jcs, lp, parse_json, sha256, unb64
from referral_contracts.envelope import AgencyId
from referral_contracts.errors import RemoteError
from referral_contracts.log.leaf import LedgerEntry, entry, read_record
from referral_contracts.log.policy import Policy
from referral_contracts.log.proof import Opening, Receipt
from referral_contracts.trail import archive, page, telling
from referral_contracts.trail.checking import NO_DISCLOSURE, Grounds, make_trail
from referral_contracts.trail.extract import read_extract
from referral_contracts.trail.leaves import Disclosed, SectionKey, TrailLeaf
from referral_contracts.trail.model import Trail
from referral_contracts.trust import TrustRoot

_PROOF: Final = "proofs/{}.tlog-proof"
_FIXED: Final = ("checkpoint", "directory.jsonl", "events.jsonl", "page.html", "trail.json")
_NAMES: Final = re.compile(
    r"manifest\.json|checkpoint|directory\.jsonl|disclosed\.jsonl|events\.jsonl|page\.html|trail\.json"
    r"|proofs/(0|[1-9][0-9]{0,15})\.tlog-proof"
)
_M = TypeVar("_M", bound="_Line")


class _Line(BaseModel):
    """A line of JSON, in its one spelling."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


_Hash: TypeAlias = Annotated[str, StringConstraints(pattern=HASH)]
_Index: TypeAlias = Annotated[int, Field(ge=0, le=MAX_INTEGER)]


class _Manifest(_Line):
    """What the file is, and the hash of each part."""

    bus: AgencyId
    files: dict[str, _Hash]
    format: Literal["referral-bus-bundle/v1"]
    page: _Index
    subject: Annotated[str, StringConstraints(pattern=SUBJECT)]


class Event(_Line):
    """A leaf's own bytes, or where they were erased its hash alone."""

    entry: _Hash | None = None
    index: _Index
    signature: str | None = None
    value: str | None = None


class _Disclosure(_Line):
    """The content key of one section of the event in a leaf."""

    index: _Index
    key: _Hash
    section: _Index


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A leaf on its way into a bundle: with the salt, as whoever keeps the log has it."""

    leaf: TrailLeaf
    salt: bytes = field(repr=False)
    """Empty where it was erased."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A bundle that was read: its trail says whether it is sound."""

    trail: Trail
    page_compared: bool
    """False: its page was made by another version, and may say anything."""


def write_bundle(
    grounds: Grounds,
    subject: str,
    leaves: Sequence[Sealed],
    *,
    checkpoint: bytes,
    directory: bytes,
    disclosed: Disclosed = NO_DISCLOSURE,
) -> bytes:
    """
    Return the bundle of the case *subject*.

    Args:
        grounds: What *checkpoint* and *directory* were found to be.
        subject: Which case.
        leaves: Its leaves in the order of the log, proven under *checkpoint*.
        checkpoint: The signed note.
        directory: What `extract` made.
        disclosed: The keys of sections that their holders have shown.

    Raises:
        LocalError: OVERSIZE.
    """
    trail = make_trail(grounds, subject, [one.leaf for one in leaves], disclosed)
    files = {
        "checkpoint": checkpoint,
        "directory.jsonl": directory,
        "events.jsonl": _lines(event_of(one) for one in leaves),
        "page.html": page.page(trail),
        "trail.json": telling.as_json(trail),
        **{_PROOF.format(one.leaf.index): receipt_of(one, checkpoint).encode() for one in leaves},
    }
    if disclosed:
        ordered = sorted(disclosed.items(), key=lambda item: (item[0].index, item[0].section))
        files["disclosed.jsonl"] = _lines(
            _Disclosure(index=key.index, key=b64(cek), section=key.section) for key, cek in ordered
        )
    manifest = _Manifest(
        bus=trail.bus,
        files={name: b64(sha256(data)) for name, data in files.items()},
        format="referral-bus-bundle/v1",
        page=page.VERSION,
        subject=subject,
    )
    return archive.pack({**files, "manifest.json": _spelled(manifest)})


def event_of(one: Sealed) -> Event:
    """Return the line that carries a leaf's own bytes."""
    record = one.leaf.record
    if record is None:
        return Event(entry=b64(one.leaf.entry), index=one.leaf.index)
    signature = record.signature if isinstance(record, LedgerEntry) else b"\n".join(record.signatures)
    return Event(index=one.leaf.index, signature=b64(signature), value=b64(record.value))


def receipt_of(one: Sealed, checkpoint: bytes) -> Receipt:
    """Return the receipt that proves a leaf under *checkpoint*; of a statement it carries the salt alone."""
    record, extra = one.leaf.record, b""
    if isinstance(record, LedgerEntry):
        extra = Opening(salt=one.salt, decision=record.decision, path=record.path, root=record.root).encode()
    elif record is not None:
        extra = Opening(salt=one.salt, decision=b"", path=b"", root=b"").encode()
    return Receipt(index=one.leaf.index, path=one.leaf.proof, checkpoint=checkpoint, extra=extra)


def _lines(found: Iterable[_Line]) -> bytes:
    return b"".join(_spelled(one) + b"\n" for one in found)


def _spelled(one: _Line) -> bytes:
    return jcs(one.model_dump(exclude_none=True))


def read_bundle(data: bytes, policy: Policy, root: TrustRoot, disclosed: Disclosed = NO_DISCLOSURE) -> Bundle:
    """
    Return what a bundle proves, by the reader's own *policy* and *root*.

    What is wrong with single leaves is told by the trail. Sections *disclosed* besides are opened in it, once all that
    the bundle itself says was compared.

    Raises:
        RemoteError: It is no bundle, was changed, or its checkpoint or directory are not by the keys that are trusted.
    """
    # (1) The file has its one form, and every part is the one that the manifest names.
    files = archive.unpack(data, _NAMES)
    manifest = _manifest(files)
    # (2) Checkpoint and directory are by keys that the reader trusts, and of the bus that the reader means.
    if manifest.bus != root.bus:
        raise RemoteError(Code.WRONG_BUS, "a bundle of another bus")
    checked = policy.check(files["checkpoint"])
    directory = read_extract(files["directory.jsonl"], root)
    # (3) Every event has its receipt, under that checkpoint, and there is no other.
    leaves = _leaves(files)
    # (4) The trail follows from them; so do the JSON and the page.
    grounds, carried = Grounds(checked=checked, directory=directory), _disclosed(files)
    trail = make_trail(grounds, manifest.subject, leaves, carried)
    if telling.as_json(trail) != files["trail.json"]:
        raise _differs("trail.json", trail)
    compared = manifest.page == page.VERSION
    if compared and page.page(trail) != files["page.html"]:
        raise _differs("page.html", trail)
    if disclosed:
        trail = make_trail(grounds, manifest.subject, leaves, {**carried, **disclosed})
    return Bundle(trail=trail, page_compared=compared)


def _differs(name: str, trail: Trail) -> RemoteError:
    # What is wrong below it says more than that somebody's account of it is another one.
    wrong = "".join(f"; {fault}" for fault in trail.faults[:1])
    return RemoteError(Code.BAD_BUNDLE, f"{name}: says something else than the events and proofs beside it{wrong}")


def _manifest(files: Mapping[str, bytes]) -> _Manifest:
    missing = [name for name in ("manifest.json", *_FIXED) if name not in files]
    if missing:
        raise RemoteError(Code.BAD_BUNDLE, f"{missing[0]}: missing")
    manifest = _read(_Manifest, "manifest.json", files["manifest.json"])
    if manifest.files.keys() | {"manifest.json"} != files.keys():
        raise RemoteError(Code.BAD_BUNDLE, "manifest.json: names other files than there are")
    for name, told in manifest.files.items():
        if b64(sha256(files[name])) != told:
            raise RemoteError(Code.BAD_BUNDLE, f"{name}: not the bytes that the manifest names")
    return manifest


def _read(model: type[_M], name: str, line: bytes) -> _M:
    try:
        found = model.model_validate(parse_json(line))
    except ValidationError:
        raise RemoteError(Code.BAD_BUNDLE, f"{name}: malformed") from None
    except RemoteError as error:
        raise RemoteError(Code.BAD_BUNDLE, f"{name}: {error.detail}") from error
    if _spelled(found) != line:
        raise RemoteError(Code.BAD_BUNDLE, f"{name}: not in its one spelling")
    return found


def _read_lines(model: type[_M], name: str, data: bytes) -> list[_M]:
    *lines, rest = data.split(b"\n")
    if rest or not lines:
        raise RemoteError(Code.BAD_BUNDLE, f"{name}: the last line has no end")
    return [_read(model, name, line) for line in lines]


def _leaves(files: Mapping[str, bytes]) -> list[TrailLeaf]:
    events = _read_lines(Event, "events.jsonl", files["events.jsonl"])
    named = {_PROOF.format(event.index) for event in events}
    if named != {name for name in files if name.startswith("proofs/")} or len(named) != len(events):
        raise RemoteError(Code.BAD_BUNDLE, "events.jsonl: not each event has its receipt, or one has two")
    return [leaf_of(event, files[_PROOF.format(event.index)], files["checkpoint"]) for event in events]


def leaf_of(event: Event, proof: bytes, checkpoint: bytes) -> TrailLeaf:
    """
    Return the leaf that *event* and its *proof* carry; whether it is in the tree is not asked.

    Raises:
        RemoteError: BAD_BUNDLE: one is not of the other, or not under *checkpoint*.
    """
    name = _PROOF.format(event.index)
    receipt = Receipt.decode(proof)
    if (receipt.index, receipt.checkpoint, receipt.encode()) != (event.index, checkpoint, proof):
        raise RemoteError(Code.BAD_BUNDLE, f"{name}: a receipt of another leaf, or under another checkpoint")
    if event.entry is not None:
        if event.signature is not None or event.value is not None or receipt.extra:
            raise RemoteError(Code.BAD_BUNDLE, f"{name}: erased, and there all the same")
        return TrailLeaf(index=event.index, proof=receipt.path, entry=unb64(event.entry, 32), record=None)
    opening = Opening.decode(receipt.extra)
    signature, value = unb64(event.signature or ""), unb64(event.value or "")
    record = lp(signature, value, opening.decision, opening.path, opening.root)
    return TrailLeaf(
        index=event.index, proof=receipt.path, entry=entry(opening.salt, record), record=read_record(record)
    )


def _disclosed(files: Mapping[str, bytes]) -> Disclosed:
    name = "disclosed.jsonl"
    return read_disclosed(files[name], name) if name in files else NO_DISCLOSURE


def read_disclosed(data: bytes, name: str) -> Disclosed:
    """
    Return the keys of sections in a file as a bundle's ``disclosed.jsonl``; errors say *name*.

    Raises:
        RemoteError: BAD_BUNDLE.
    """
    told = _read_lines(_Disclosure, name, data)
    found = {SectionKey(one.index, one.section): unb64(one.key, 32) for one in told}
    places = [(key.index, key.section) for key in found]
    if len(found) != len(told) or places != sorted(places):
        raise RemoteError(Code.BAD_BUNDLE, f"{name}: a section twice, or out of order")
    return found
