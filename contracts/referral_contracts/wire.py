"""
A sealed section as it lies in the envelope, and its limits.

Shapes only: whether it opens, for whom and what is in it is said in `sealing`. Fields stand in alphabetical order,
because the envelope is written in RFC 8785 form by serialising them as they stand.
"""

from itertools import pairwise
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from referral_contracts.encoding import ADDRESS, HASH

MAX_SECTIONS: Final = 16
"""Most sections in one event. A referral to four agencies, each with its own part and a clock, needs six."""
MAX_READERS: Final = 32
"""Most readers of one section: what a directory's team and some desks come to; each costs 1.6 KB."""
PADDED_SIZES: Final = tuple(1024 << step for step in range(8))
"""What a plaintext is padded to: 1 KiB to 128 KiB. The next, 256 KiB, would not fit into an envelope as base64url."""
TAG_SIZE: Final = 16
ENC_SIZE: Final = 1088 + 32 + 32 + 16
"""HPKE of a content key: ML-KEM-768 ciphertext, X25519 ephemeral key, the key sealed, tag."""


def _b64_size(size: int) -> int:
    return -(-size * 4 // 3)


_CONTENT_SIZES: Final = frozenset(_b64_size(size + TAG_SIZE) for size in PADDED_SIZES)
_ENC_SIZE: Final = _b64_size(ENC_SIZE)
_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def _base64url(text: str) -> str:
    # Deleting the alphabet leaves nothing: 0.8 µs for a key entry where its pattern takes 3 µs, and an event to three
    # agencies has six of them. The pattern stands in the schema.
    if not text.isascii() or text.encode("ascii").translate(None, _ALPHABET):
        msg = "not base64url"
        raise ValueError(msg)
    return text


def _content(content: str) -> str:
    if len(content) not in _CONTENT_SIZES:
        msg = "no padded size"
        raise ValueError(msg)
    return _base64url(content)


def _enc(enc: str) -> str:
    # The last of 1558 characters has four unused bits.
    if enc[-1] not in "AQgw":
        msg = "stray bits"
        raise ValueError(msg)
    return _base64url(enc)


_WIRE: Final = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class SectionReader(BaseModel):
    """One who can open a section, with the content key sealed to one of its keys."""

    model_config = _WIRE

    address: Annotated[str, StringConstraints(pattern=ADDRESS)]
    enc: Annotated[str, StringConstraints(min_length=_ENC_SIZE, max_length=_ENC_SIZE), AfterValidator(_enc)] = Field(
        repr=False, json_schema_extra={"pattern": "^[A-Za-z0-9_-]*[AQgw]$"}
    )
    kid: Annotated[str, StringConstraints(pattern=HASH)]


def _ascending(readers: tuple[SectionReader, ...]) -> tuple[SectionReader, ...]:
    # One spelling of a set of readers, and no key twice.
    for one, next_one in pairwise(readers):
        if one.kid >= next_one.kid:
            msg = "readers are listed by ascending key id, each once"
            raise ValueError(msg)
    return readers


class Section(BaseModel):
    """A sealed section. Its name, ``s0``, ``s1`` and so on, is its place in the envelope's list."""

    model_config = _WIRE

    commit: Annotated[str, StringConstraints(pattern=HASH)]
    content: Annotated[str, AfterValidator(_content)] = Field(
        repr=False, json_schema_extra={"pattern": "^[A-Za-z0-9_-]*$"}
    )
    readers: Annotated[
        tuple[SectionReader, ...], Field(min_length=1, max_length=MAX_READERS), AfterValidator(_ascending)
    ]
