"""
What a leaf of the log stands for, and how the leaf hides it.

A *record* is everything the log keeps of one thing: of a ledger record that is an event its signature, bytes and
decision with the router's proof; of a statement of the log itself its signatures and bytes. The *entry* in the
published tree is 32 bytes, the hash of the record under a random salt: it can be shown to the whole world, and says
nothing to who has not both. Salt and record are erased together, and the leaf stays.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

from referral_contracts.codes import Code
from referral_contracts.encoding import lp, sha256
from referral_contracts.errors import RemoteError
from referral_contracts.keys import VerifyKey
from referral_contracts.merkle import leaf_hash
from referral_contracts.signing import Signer, Typ, parse_signature, sign, verify

LEAF_LABEL: Final = b"referral-bus-leaf/v1\n"
SALT_SIZE: Final = 32
ENTRY_SIZE: Final = 32
MAX_SIGNERS: Final = 2
"""An erasure takes two; everything else one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """A ledger record that is an event, accepted or refused."""

    signature: bytes
    """The header as submitted, or empty where there was none."""
    value: bytes
    """The bytes as the ledger has them: none of what nobody is known to have said."""
    decision: bytes
    path: bytes
    root: bytes

    def record(self) -> bytes:
        """Return what is hashed."""
        return lp(self.signature, self.value, self.decision, self.path, self.root)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """Something that the log itself says: who read what, what was erased, what is held."""

    signatures: tuple[bytes, ...]
    """Detached JWS over the value, one for each who has to say it."""
    value: bytes
    """In RFC 8785 form."""

    @classmethod
    def signed(cls, value: bytes, *keys: Signer) -> Self:
        """Return *value* as stated by the holders of *keys*."""
        return cls(signatures=tuple(sign(key, Typ.STATEMENT, value).encode("ascii") for key in keys), value=value)

    def record(self) -> bytes:
        """Return what is hashed: as of an event that nobody decided on."""
        return lp(b"\n".join(self.signatures), self.value, b"", b"", b"")

    def signers(self, find: Callable[[str], VerifyKey | None]) -> tuple[str, ...]:
        """
        Return the ids of the keys that signed it, looked up by *find*.

        Raises:
            RemoteError: MALFORMED_SIGNATURE, UNKNOWN_KEY, REPEATED_KEY, BAD_SIGNATURE.
        """
        kids: list[str] = []
        for text in self.signatures:
            signature = parse_signature(text, Typ.STATEMENT)
            key = find(signature.kid)
            if key is None:
                raise RemoteError(Code.UNKNOWN_KEY, "a statement by an unknown key")
            if signature.kid in kids:
                raise RemoteError(Code.REPEATED_KEY, "a statement twice by one key")
            verify(key, signature, self.value)
            kids.append(signature.kid)
        return tuple(kids)


def read_record(record: bytes) -> LedgerEntry | Statement:
    """
    Return what *record* spells.

    Raises:
        RemoteError: MALFORMED_RECORD.
    """
    signature, value, *decided = unlp(record, 5)
    if all(decided):
        decision, path, root = decided
        return LedgerEntry(signature=signature, value=value, decision=decision, path=path, root=root)
    signatures = tuple(signature.split(b"\n"))
    if any(decided) or not value or not all(signatures) or len(signatures) > MAX_SIGNERS:
        raise RemoteError(Code.MALFORMED_RECORD, "neither an event with its decision nor a statement")
    return Statement(signatures=signatures, value=value)


def unlp(data: bytes, count: int) -> list[bytes]:
    """
    Return the *count* parts of which *data* is the ``lp``.

    Raises:
        RemoteError: MALFORMED_RECORD.
    """
    found, at = [], 0
    for _ in range(count):
        start = at + 4
        at = start + int.from_bytes(data[at:start], "big")
        found.append(data[start:at])
    # Past the end every slice is empty: what was cut ends somewhere else than its lengths say.
    if at != len(data):
        raise RemoteError(Code.MALFORMED_RECORD, "not so many parts behind their lengths")
    return found


def entry(salt: bytes, record: bytes) -> bytes:
    """Return what the published tree has of *record*."""
    return sha256(LEAF_LABEL + salt + record)


def leaf(entry: bytes) -> bytes:
    """Return the hash of an *entry*'s leaf."""
    return leaf_hash(entry)
