"""
Events by id and hash, as the bytes that a state record holds.

What is read from a record is mostly written back unread: only what an event is compared with, or told, is spelled.
"""

from binascii import a2b_base64
from typing import Final, NamedTuple, Self

from referral_contracts.encoding import b64
from referral_contracts.envelope import EventRef

ID: Final = 16
REF: Final = ID + 32

_STANDARD: Final = bytes.maketrans(b"-_", b"+/")


class Ref(NamedTuple):
    """An event by id and hash: its id's 16 bytes, its hash's 32."""

    raw: bytes

    @classmethod
    def of(cls, event_id: str, sha256: str) -> Self:
        """Return the event that the wire names so."""
        return cls(unspelled(event_id) + undigested(sha256))

    @property
    def id(self) -> str:
        """Its id, as the wire spells it."""
        return spelled(self.raw[:ID])

    @property
    def wire(self) -> EventRef:
        """The same, as the wire says it."""
        return EventRef(id=self.id, sha256=b64(self.raw[ID:]))


def spelled(event_id: bytes) -> str:
    """Return an event's id as the wire spells it."""
    digits = event_id.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def unspelled(event_id: str) -> bytes:
    """Return the 16 bytes of an event's id."""
    return bytes.fromhex(event_id.replace("-", ""))


def undigested(sha256: str) -> bytes:
    """Return the 32 bytes of a hash, whose spelling was checked when its event was read: a fifth of `unb64`'s time."""
    return a2b_base64(sha256.encode("ascii").translate(_STANDARD) + b"=")
