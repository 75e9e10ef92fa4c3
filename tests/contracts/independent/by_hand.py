"""
HPKE in base mode (RFC 9180 section 5.1) and X-Wing's combiner, from SHA-256, SHA3 and AES-GCM alone.

With it a vector's shared secret becomes bytes that our own functions have to open: they open them only if they came to
the same secret. What is written here is itself held against the vectors, see `test_hpke`.
"""

import hashlib
import hmac
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

X_WING: Final = 0x647A
SHA256: Final = 0x0001
AES_256_GCM: Final = 0x0002


def suite_id(kem: int, kdf: int, aead: int) -> bytes:
    return b"HPKE" + b"".join(part.to_bytes(2, "big") for part in (kem, kdf, aead))


OURS: Final = suite_id(X_WING, SHA256, AES_256_GCM)


def labeled_extract(suite: bytes, label: bytes, ikm: bytes, salt: bytes = b"") -> bytes:
    return hmac.digest(salt, b"HPKE-v1" + suite + label + ikm, "sha256")


def labeled_expand(suite: bytes, prk: bytes, label: bytes, info: bytes, size: int) -> bytes:
    # One block is enough for 32 bytes.
    asked = size.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info + b"\x01"
    return hmac.digest(prk, asked, "sha256")[:size]


def schedule(suite: bytes, shared: bytes, info: bytes, key_size: int) -> tuple[bytes, bytes]:
    """Return key and first nonce of a context in base mode."""
    context = b"\x00" + labeled_extract(suite, b"psk_id_hash", b"") + labeled_extract(suite, b"info_hash", info)
    secret = labeled_extract(suite, b"secret", b"", salt=shared)
    return (
        labeled_expand(suite, secret, b"key", context, key_size),
        labeled_expand(suite, secret, b"base_nonce", context, 12),
    )


def combined(shared_mlkem: bytes, shared_x25519: bytes, sealed_x25519: bytes, x25519: bytes) -> bytes:
    """Return X-Wing's shared secret (draft-connolly-cfrg-xwing-kem)."""
    return hashlib.sha3_256(shared_mlkem + shared_x25519 + sealed_x25519 + x25519 + b"\\.//^\\").digest()


def sealed(encapsulated: bytes, shared: bytes, plaintext: bytes, info: bytes) -> bytes:
    """Return what our suite makes of *plaintext* where the KEM gave *encapsulated* and *shared*."""
    key, nonce = schedule(OURS, shared, info, 32)
    return encapsulated + AESGCM(key).encrypt(nonce, plaintext, b"")
