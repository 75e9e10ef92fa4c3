"""
Signed notes (c2sp.org/signed-note): a text, an empty line, and lines of signatures by named keys.

Two types of signatures are known: Ed25519 over the text, by which a log signs, and the timestamped Ed25519
cosignature of a checkpoint (c2sp.org/tlog-cosignature), by which a witness does. Signatures of unknown keys stay
where they are and count for nothing. Base64 has one spelling here, with its padding and without stray bits.
"""

import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Self

from referral_contracts.codes import Code
from referral_contracts.encoding import sha256
from referral_contracts.errors import LocalError, RemoteError, Tampered
from referral_contracts.keys import SigningKey, VerifyKey

MAX_NOTE: Final = 262_144
"""Bytes of a note: thirty signatures of the largest kind that others use, and room for a text."""
MAX_SIGNATURES: Final = 100
"""As x/mod/sumdb/note has it; the specification demands 16."""
MAX_TIME_S: Final = 2**63 - 1

_DASH: Final = "\u2014 "
_VKEY: Final = re.compile(r"([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})")
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")
_SIGNATURE_SIZE: Final = 64
_TIME_SIZE: Final = 8


class Kind(IntEnum):
    """The type of a key's signatures, as its vkey tells it."""

    ED25519 = 1
    COSIGNATURE = 4


def std64(data: bytes) -> str:
    """Return *data* in the base64 of RFC 4648 section 4."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def unstd64(text: str) -> bytes | None:
    """Return what *text* spells in padded base64, or None: there is one spelling."""
    try:
        data = binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
    return data if std64(data) == text else None


def cosigned_message(text: str, time_s: int) -> bytes:
    """Return what a witness signs of a checkpoint's *text*."""
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A named public key."""

    name: str
    kind: Kind
    public: VerifyKey

    def __post_init__(self) -> None:
        """Refuse a name that no note can carry."""
        if not is_name(self.name):
            raise RemoteError(Code.MALFORMED_KEY, "no name for a key")

    @property
    def key_id(self) -> bytes:
        """Four bytes that tell this key from others of its name."""
        return sha256(self.name.encode() + b"\n" + self._material)[:4]

    @property
    def vkey(self) -> str:
        """The key's public form, as trust files carry it."""
        return f"{self.name}+{self.key_id.hex()}+{std64(self._material)}"

    @property
    def _material(self) -> bytes:
        return bytes([self.kind]) + self.public.public

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """
        Return the key that *vkey* spells.

        Raises:
            RemoteError: MALFORMED_KEY, WEAK_KEY.
        """
        match = _VKEY.fullmatch(vkey)
        material = unstd64(match[3]) if match else None
        if match is None or not material or material[0] not in {*Kind}:
            raise RemoteError(Code.MALFORMED_KEY, "not a vkey of a type that is known here")
        key = cls(match[1], Kind(material[0]), VerifyKey.admit(material[1:]))
        if key.key_id.hex() != match[2]:
            raise RemoteError(Code.MALFORMED_KEY, "a vkey under another key's id")
        return key

    def verify(self, text: str, raw: bytes) -> bool:
        """Tell whether *raw* is this key's signature of the note *text*."""
        if self.kind is Kind.ED25519:
            return len(raw) == _SIGNATURE_SIZE and self.public.verify_raw(raw, text.encode())
        if len(raw) != _TIME_SIZE + _SIGNATURE_SIZE:
            return False
        time_s = int.from_bytes(raw[:_TIME_SIZE], "big")
        message = cosigned_message(text, time_s)
        return 0 < time_s <= MAX_TIME_S and self.public.verify_raw(raw[_TIME_SIZE:], message)


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line, parsed; not yet verified."""

    name: str
    key_id: bytes
    raw: bytes

    @property
    def line(self) -> str:
        """The line, without its end."""
        return f"{_DASH}{self.name} {std64(self.key_id + self.raw)}"

    @property
    def time_s(self) -> int:
        """When a cosignature says that it was made."""
        return int.from_bytes(self.raw[:_TIME_SIZE], "big")

    def is_by(self, key: NoteKey) -> bool:
        """Tell whether it names *key*."""
        return (self.name, self.key_id) == (key.name, key.key_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A note that at least one known key signed."""

    text: str
    signatures: tuple[NoteSignature, ...]
    """Those of known keys, verified, each key once."""
    others: tuple[NoteSignature, ...]
    """Those of unknown keys, which say nothing."""

    def is_by(self, key: NoteKey) -> bool:
        """Tell whether *key* signed it."""
        return any(signature.is_by(key) for signature in self.signatures)


def is_name(name: str) -> bool:
    """Tell whether a key can be called *name*."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return bool(name) and not any(letter.isspace() or letter == "+" for letter in name) and not _CONTROL.search(name)


def sign(text: str, name: str, key: SigningKey) -> NoteSignature:
    """Return the Ed25519 signature of *key*, under *name*, over the note *text*."""
    note_key = NoteKey(name, Kind.ED25519, key.verify_key)
    return NoteSignature(name, note_key.key_id, key.sign_raw(text.encode()))


def write_note(text: str, signatures: Iterable[NoteSignature]) -> bytes:
    """
    Return the note of *text* with these signatures.

    Raises:
        LocalError: BAD_NOTE: no text for a note.
    """
    if not text.endswith("\n") or _CONTROL.search(text):
        raise LocalError(Code.BAD_NOTE, "a note's text is lines without control characters")
    return (text + "\n" + "".join(signature.line + "\n" for signature in signatures)).encode()


def parse_note(note: bytes) -> tuple[str, tuple[NoteSignature, ...]]:
    """
    Return the text of *note* and its signatures, none of them verified.

    Raises:
        RemoteError: BAD_NOTE.
    """
    if len(note) > MAX_NOTE:
        raise RemoteError(Code.BAD_NOTE, "over its limit")
    try:
        whole = note.decode()
    except UnicodeDecodeError as error:
        raise RemoteError(Code.BAD_NOTE, "not UTF-8") from error
    text, empty, lines = whole.rpartition("\n\n")
    if not empty or _CONTROL.search(whole):
        raise RemoteError(Code.BAD_NOTE, "not a text, an empty line and signatures")
    return text + "\n", parse_signatures(lines)


def parse_signatures(lines: str) -> tuple[NoteSignature, ...]:
    """
    Return the signatures in *lines*, at least one, each with its end.

    Raises:
        RemoteError: BAD_NOTE.
    """
    *found, end = lines.split("\n")
    if end or not 0 < len(found) <= MAX_SIGNATURES:
        raise RemoteError(Code.BAD_NOTE, "signature lines are one to a hundred, each with its end")
    return tuple(map(_parse_line, found))


def _parse_line(line: str) -> NoteSignature:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    data = unstd64(encoded)
    if not line.startswith(_DASH) or not space or not is_name(name) or data is None or len(data) < 5:
        raise RemoteError(Code.BAD_NOTE, "not a signature line")
    return NoteSignature(name, data[:4], data[4:])


def open_note(note: bytes, known: Sequence[NoteKey]) -> Opened:
    """
    Return *note* as one that a key of *known* signed; all of its signatures by known keys hold.

    Raises:
        RemoteError: BAD_NOTE: it is none. BAD_SIGNATURE: nobody known signed it.
        Tampered: BAD_SIGNATURE: a known key's signature is not over this text.
    """
    text, signatures = parse_note(note)
    keys = {(key.name, key.key_id): key for key in known}
    verified: dict[NoteKey, NoteSignature] = {}
    others: dict[NoteSignature, None] = {}
    for signature in signatures:
        key = keys.get((signature.name, signature.key_id))
        if key is None:
            others[signature] = None
        elif key not in verified:
            # A second signature under one key says nothing more, and is not looked at: as in x/mod.
            if not key.verify(text, signature.raw):
                raise Tampered(Code.BAD_SIGNATURE, "a known key's signature is not over this note")
            verified[key] = signature
    if not verified:
        raise RemoteError(Code.BAD_SIGNATURE, "no known key signed the note")
    return Opened(text=text, signatures=tuple(verified.values()), others=tuple(others))
