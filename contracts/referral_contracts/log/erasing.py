"""
What the log states about erasing: asked for by two agencies, held back, carried out.

An erasure is asked for by two agencies, the case's owner and the registrar, and carried out by the log once its time
has come. The statement that it was carried out carries what was asked for, so that whoever has it, and the directory,
can tell whether bytes are gone lawfully. None of these statements says what was in a leaf.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import Field, StringConstraints

from referral_contracts.canonical import Canonical
from referral_contracts.codes import Code
from referral_contracts.directory import ROLE_REGISTRAR, Directory, Member
from referral_contracts.directory_model import ROLE_AUDITOR, Agency, Hash, Time
from referral_contracts.encoding import MAX_INTEGER, SUBJECT, parse_json, parse_time, unb64
from referral_contracts.errors import RemoteError
from referral_contracts.log.leaf import MAX_SIGNERS, Statement
from referral_contracts.log.signers import check_signers, own_keys
from referral_contracts.signing import Typ, parse_signature

ASKED: Final = "erasure-asked"
ERASED: Final = "erased"
HOLD: Final = "hold"
LIFTED: Final = "hold-lifted"
MOST_STATED: Final = 384 * 1024
"""Bytes of a statement on its way or in a file: 4,096 hashes, spelled within a JSON text."""

Index: TypeAlias = Annotated[int, Field(ge=0, le=MAX_INTEGER)]
Subject: TypeAlias = Annotated[str, StringConstraints(pattern=SUBJECT)]
Ground: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=300)]


class _Wire(Canonical):
    spells = "statement of this kind"


class Asked(_Wire):
    """That the leaves of a case are to be erased: of all its events, or of some."""

    at: Time
    bus: Agency
    events: Annotated[tuple[Hash, ...], Field(min_length=1, max_length=4096)] | None = None
    """The hashes of those that are meant; None: all."""
    ground: Ground
    """By which law."""
    kind: Literal["erasure-asked"] = ASKED
    not_before: Time | None = None
    subject: Subject


class Hold(_Wire):
    """That nothing of a case may be erased."""

    at: Time
    bus: Agency
    ground: Ground
    kind: Literal["hold"] = HOLD
    subject: Subject


class Lifted(_Wire):
    """That a hold is over."""

    at: Time
    bus: Agency
    ground: Ground
    hold: Index
    """The leaf of the hold."""
    kind: Literal["hold-lifted"] = LIFTED
    subject: Subject


class Request(_Wire):
    """A statement, within another."""

    signatures: tuple[str, ...]
    value: str

    @classmethod
    def of(cls, statement: Statement) -> Self:
        """Return *statement*, to be carried in another."""
        return cls(signatures=tuple(one.decode() for one in statement.signatures), value=statement.value.decode())

    @property
    def statement(self) -> Statement:
        """What is carried."""
        return Statement(signatures=tuple(one.encode() for one in self.signatures), value=self.value.encode())


class Erased(_Wire):
    """That leaves were erased; they are named, and what was in them is not."""

    asked: Index
    """The leaf of the request."""
    at: Time
    bus: Agency
    entries: tuple[Hash, ...]
    """What the published tree has of each."""
    kind: Literal["erased"] = ERASED
    leaves: tuple[Index, ...]
    request: Request
    subject: Subject


Stated: TypeAlias = Asked | Hold | Lifted | Erased
_KINDS: Final[Mapping[str, type[Stated]]] = {ASKED: Asked, HOLD: Hold, LIFTED: Lifted, ERASED: Erased}


@dataclass(frozen=True, slots=True)
class Requested:
    """A request that two agencies signed."""

    asked: Asked
    registrar: str
    other: str
    """The agency beside the registrar: it has to be the case's owner."""


def read_stated(value: bytes) -> Stated | None:
    """
    Return what a statement says about erasing; None: it is about something else.

    Raises:
        RemoteError: MALFORMED_ENVELOPE, NOT_CANONICAL and what `parse_json` raises.
    """
    told = parse_json(value)
    kind = told.get("kind") if isinstance(told, dict) else None
    model = _KINDS.get(kind) if isinstance(kind, str) else None
    return None if model is None else model.decode(value)


def check_asked(statement: Statement, directory: Directory, now_ms: int | None = None) -> Requested:
    """
    Return the request in *statement*, which two agencies signed, one of them the registrar.

    Their keys were valid when it says that it was made; and are at *now_ms*, where that is told: a key that is no more
    must not sign as of a time when it was.

    Raises:
        RemoteError: NOT_ENOUGH_SIGNATURES, WRONG_PARTY, WRONG_BUS, or as `Statement.signers` and `read_stated`.
    """
    asked = read_stated(statement.value)
    if not isinstance(asked, Asked):
        raise RemoteError(Code.MALFORMED_RECORD, "not a request to erase")
    members = _agencies(statement, directory, asked, now_ms)
    if len(members) < MAX_SIGNERS:
        raise RemoteError(Code.NOT_ENOUGH_SIGNATURES, "an erasure takes the keys of two agencies")
    registrars = [name for name, member in members.items() if ROLE_REGISTRAR in member.roles]
    if len(registrars) != 1:
        raise RemoteError(Code.WRONG_PARTY, "an erasure is asked for by the case's owner and the registrar")
    return Requested(asked, registrars[0], next(name for name in members if name != registrars[0]))


def check_hold(statement: Statement, directory: Directory, now_ms: int | None = None) -> Hold | Lifted:
    """
    Return the hold, or its end, in *statement*, which the registrar or an auditor signed; *now_ms* as in `check_asked`.

    Whose part it is, is asked as it comes, of *now_ms*: later somebody else may be the auditor, and it was good.

    Raises:
        RemoteError: WRONG_PARTY, WRONG_BUS, or as `Statement.signers` and `read_stated`.
    """
    told = read_stated(statement.value)
    if not isinstance(told, Hold | Lifted):
        raise RemoteError(Code.MALFORMED_RECORD, "not a hold")
    members = _agencies(statement, directory, told, now_ms)
    entitled = all(member.roles & {ROLE_REGISTRAR, ROLE_AUDITOR} for member in members.values())
    if now_ms is not None and not entitled:
        raise RemoteError(Code.WRONG_PARTY, "a hold is the registrar's, or an auditor's")
    return told


def check_erased(index: int, statement: Statement, directory: Directory) -> Erased:
    """
    Return the erasure in the leaf *index*, which the log signed and for which there is a request.

    Raises:
        RemoteError: WRONG_PARTY, TOO_EARLY, or as `check_asked`.
    """
    told = read_stated(statement.value)
    if not isinstance(told, Erased) or len(told.leaves) != len(told.entries):
        raise RemoteError(Code.MALFORMED_RECORD, "not an erasure")
    at_ms = parse_time(told.at)
    check_signers(statement, own_keys(directory), at_ms)
    asked = check_asked(told.request.statement, directory).asked
    if (asked.bus, asked.subject) != (told.bus, told.subject) or max(told.asked, *told.leaves, -1) >= index:
        raise RemoteError(Code.MALFORMED_RECORD, "an erasure of something else than was asked for")
    if at_ms < max(parse_time(asked.at), parse_time(asked.not_before or asked.at)):
        raise RemoteError(Code.TOO_EARLY, "an erasure before its time")
    return told


def lawfully_erased(
    statements: Iterable[tuple[int, Statement]], directory: Directory
) -> Mapping[int, tuple[int, bytes]]:
    """Return the leaves that may be without bytes: the statement that names each, and the entry that it names."""
    found: dict[int, tuple[int, bytes]] = {}
    for index, statement in statements:
        try:
            told = check_erased(index, statement, directory)
        except RemoteError:
            # It erases nothing; what is wrong with it is for whoever checks statements to say.
            continue
        found.update((leaf, (index, unb64(one))) for leaf, one in zip(told.leaves, told.entries, strict=True))
    return found


def signing(statement: Statement, directory: Directory) -> frozenset[str]:
    """Return the agencies whose keys the *statement*, and what it carries, were signed with: they prove it."""
    try:
        told = read_stated(statement.value)
        carried = told.request.statement.signatures if isinstance(told, Erased) else ()
        kids = {parse_signature(one, Typ.STATEMENT).kid for one in (*statement.signatures, *carried)}
    except RemoteError:
        return frozenset()
    members = [member for name in directory.entries if (member := directory.member(name)) is not None]
    return frozenset(member.id for member in members if kids & member.event_keys.keys())


def compromised(statement: Statement, directory: Directory) -> bool:
    """Whether one of the keys that signed *statement* has since been called compromised, from before it was made."""
    told = read_stated(statement.value)
    kids = {parse_signature(one, Typ.STATEMENT).kid for one in statement.signatures}
    since = [
        key.compromised_since
        for name in directory.entries
        if (member := directory.member(name)) is not None
        for key in member.entry.keys
        if key.kid in kids and key.compromised_since is not None
    ]
    return told is not None and any(parse_time(one) <= parse_time(told.at) for one in since)


def _agencies(
    statement: Statement, directory: Directory, told: Stated, now_ms: int | None = None
) -> Mapping[str, Member]:
    """Return the agencies that signed *statement*, by keys that were valid when it says that it was made."""
    if told.bus != directory.head.bus:
        raise RemoteError(Code.WRONG_BUS)
    members = [member for name in directory.entries if (member := directory.member(name)) is not None]
    holders = {kid: member for member in members for kid in member.event_keys}
    keys = {kid: key for member in members for kid, key in member.event_keys.items()}
    kids = check_signers(statement, keys, parse_time(told.at), *([] if now_ms is None else [now_ms]))
    return {holders[kid].id: holders[kid] for kid in kids}
