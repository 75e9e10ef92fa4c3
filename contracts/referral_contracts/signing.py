"""
Signatures: detached JWS (RFC 7515 appendix F) over unencoded bytes (RFC 7797) with Ed25519 (RFC 9864).

On the wire: protected header, two dots, signature, both base64url. The header has one spelling, the RFC 8785 form of
{alg, b64: false, crit: ["b64"], kid, typ}, and one typ per kind of signed thing; anything else is refused before
a key is looked up. Whether the key is one of the sender's, and valid, is the caller's question: see `directory`.
"""

import binascii
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final, Protocol

from referral_contracts.codes import Code
from referral_contracts.encoding import HASH, b64, unb64
from referral_contracts.errors import RemoteError


class Typ(StrEnum):
    """What a signature is over: nothing signed as one thing passes as another."""

    EVENT = "referral-bus-event+jws"
    ENTRY = "referral-bus-directory-entry+jws"
    HEAD = "referral-bus-directory-head+jws"
    DECISION = "referral-bus-decision+jws"
    TICK = "referral-bus-tick+jws"
    STATEMENT = "referral-bus-log-statement+jws"


class Signer(Protocol):
    """What `sign` needs of a private key."""

    @property
    def kid(self) -> str: ...

    def sign_raw(self, message: bytes) -> bytes:
        """Return the 64 bytes of an Ed25519 signature over *message*."""


class Verifier(Protocol):
    """What `verify` needs of a public key."""

    @property
    def kid(self) -> str: ...

    def verify_raw(self, raw_signature: bytes, message: bytes) -> bool:
        """Tell whether *raw_signature* is this key's over *message*."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature that is well formed; not yet verified."""

    kid: str
    protected: bytes
    """The protected header as received: base64url text."""
    raw: bytes
    """R and S, 64 bytes."""

    def encode(self) -> bytes:
        """Return the wire form, the very bytes that were parsed."""
        return self.protected + b".." + b64(self.raw).encode("ascii")


# 64 bytes are 86 characters, the last of which has four unused bits. The longest typ makes a header of 202.
_WIRE: Final = re.compile(rb"([A-Za-z0-9_-]{16,256})\.\.([A-Za-z0-9_-]{85}[AQgw])")
_KID: Final = re.compile(HASH.encode("ascii"))
_KID_SIZE: Final = 43
_HEAD: Final = b'{"alg":"Ed25519","b64":false,"crit":["b64"],"kid":"'
_STANDARD: Final = bytes.maketrans(b"-_", b"+/")

_HEADERS_KEPT: Final = 4096
"""Parsed headers kept: one per signing key in use. More keys than that cost a few µs per event, nothing else."""


def sign(key: Signer, typ: Typ, payload: bytes) -> str:
    """Return the detached signature of *key* over *payload*, as a thing of the kind *typ*."""
    protected = _protected(key.kid, typ)
    raw = key.sign_raw(protected + b"." + payload)
    return f"{protected.decode('ascii')}..{b64(raw)}"


def parse_signature(text: bytes, typ: Typ) -> Signature:
    """
    Return the signature that *text* spells, which has to be over a thing of the kind *typ*.

    Raises:
        RemoteError: MALFORMED_SIGNATURE.
    """
    match = _WIRE.fullmatch(text)
    if match is None:
        raise RemoteError(Code.MALFORMED_SIGNATURE, "not a detached signature")
    protected, encoded = match.groups()
    # The pattern has checked alphabet, length and unused bits: this decoding cannot fail.
    return Signature(_kid_of(protected, typ), protected, binascii.a2b_base64(encoded.translate(_STANDARD) + b"=="))


def verify(key: Verifier, signature: Signature, payload: bytes) -> None:
    """
    Return if *signature* is the one of *key* over *payload*; its typ was demanded by `parse_signature`.

    Raises:
        RemoteError: BAD_SIGNATURE.
    """
    if key.kid != signature.kid or not key.verify_raw(signature.raw, signature.protected + b"." + payload):
        raise RemoteError(Code.BAD_SIGNATURE, "the signature is not this key's over these bytes")


@lru_cache(maxsize=64)
def _protected(kid: str, typ: Typ) -> bytes:
    return b64(_HEAD + kid.encode("ascii") + _tail(typ)).encode("ascii")


def _tail(typ: Typ) -> bytes:
    return b'","typ":"%s"}' % typ.value.encode("ascii")


@lru_cache(maxsize=_HEADERS_KEPT)
def _kid_of(protected: bytes, typ: Typ) -> str:
    """
    Return the key id in a protected header, demanding its one spelling.

    There is no JSON parser to disagree with: the header is compared with what `sign` writes around the key id.
    """
    try:
        header = unb64(protected.decode("ascii"))
    except RemoteError as error:
        raise RemoteError(Code.MALFORMED_SIGNATURE, "the protected header is not base64url") from error
    tail = _tail(typ)
    kid = header[len(_HEAD) : len(_HEAD) + _KID_SIZE]
    if header != _HEAD + kid + tail or not _KID.fullmatch(kid):
        raise RemoteError(Code.MALFORMED_SIGNATURE, "the protected header is not the one for this kind of thing")
    return kid.decode("ascii")
