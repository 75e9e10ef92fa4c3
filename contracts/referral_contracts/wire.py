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


def _content_size(content: str) -> str:
    if len(content) not in _CONTENT_SIZES:
        msg = "no padded size"
        raise ValueError(msg)
    return content


_WIRE: Final = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class SectionReader(BaseModel):
    """One who can open a section, with the content key sealed to one of its keys."""

    model_config = _WIRE

    address: Annotated[str, StringConstraints(pattern=ADDRESS)]
    # The last of 1558 characters has four unused bits.
    enc: Annotated[
        str, StringConstraints(pattern=r"^[A-Za-z0-9_-]*[AQgw]$", min_length=_ENC_SIZE, max_length=_ENC_SIZE)
    ] = Field(repr=False)
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
    content: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]*$"), AfterValidator(_content_size)] = Field(
        repr=False
    )
    readers: Annotated[
        tuple[SectionReader, ...], Field(min_length=1, max_length=MAX_READERS), AfterValidator(_ascending)
    ]
