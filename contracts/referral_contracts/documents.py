"""
A document that stays outside the bus: locked under a key of its own, and held against its reference when it is back.

    stored = nonce (12 random bytes) ‖ AES-256-GCM(key, nonce, document, AAD = nothing), key = 32 random bytes

A key locks one document. AES-GCM does not commit to its key, so that one stored file could open as two documents under
two keys; the reference names the SHA-256 of the one that was meant, and nothing else is ever returned.
"""

from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from referral_contracts.codes import Code
from referral_contracts.encoding import b64, sha256, unb64
from referral_contracts.errors import LocalError, RemoteError, Tampered
from referral_contracts.payloads.document import Document
from referral_contracts.sealing import random_salts

DOCUMENT_MAX: Final = 512 * 1024 * 1024
"""It is locked in one piece, in memory. A recorded interview of two hours has half of that."""
LOCK_SIZE: Final = 12 + 16
"""What locking adds: the nonce and the tag."""
_NONCE: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """A locked document, and its key, which goes into the reference and nowhere else."""

    stored: bytes = field(repr=False)
    key: bytes = field(repr=False)


def lock(document: bytes) -> Locked:
    """
    Lock *document* under a fresh key.

    Raises:
        LocalError: OVERSIZE, or it is empty.
    """
    if not 0 < len(document) <= DOCUMENT_MAX:
        raise LocalError(Code.OVERSIZE, f"a document has 1 byte to {DOCUMENT_MAX // 1024**2} MiB")
    # A random nonce beside a key of its own: either alone would do, and a key that is used twice by mistake stays safe.
    key, nonce = (drawn[:size] for drawn, size in zip(random_salts(2, 32), (32, _NONCE), strict=True))
    return Locked(stored=nonce + AESGCM(key).encrypt(nonce, document, None), key=key)


def unlock(stored: bytes, reference: Document) -> bytes:
    """
    Return the document that *reference* means, out of the file as it was kept; one without a key was kept as it is.

    Raises:
        LocalError: INCOMPLETE_INPUT: the reference has no SHA-256 to hold the file against.
        Tampered: WRONG_DOCUMENT: the file is another document, or was changed.
    """
    if reference.sha256 is None:
        raise LocalError(Code.INCOMPLETE_INPUT, "a reference without a SHA-256 does not say which document is meant")
    document = stored if reference.key is None else _open(stored, reference.key)
    if b64(sha256(document)) != reference.sha256 or reference.size not in {None, len(document)}:
        raise Tampered(Code.WRONG_DOCUMENT, "not the document that the reference means")
    return document


def _open(stored: bytes, key: str) -> bytes:
    try:
        return AESGCM(unb64(key, 32)).decrypt(stored[:_NONCE], stored[_NONCE:], None)
    except (InvalidTag, RemoteError, ValueError) as error:
        # A file too short for a nonce is a ValueError.
        raise Tampered(Code.WRONG_DOCUMENT, "it does not open with the reference's key") from error
