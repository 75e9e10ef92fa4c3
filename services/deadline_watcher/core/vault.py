"""
The watcher's state as it lies in Kafka: records that only the watcher can read, each under a key of its own.

What a record holds is what the wire keeps secret: which law's clocks a child's case has. So a record is encrypted with
AES-256-GCM under a key that is made, with HMAC-SHA-256, of the state's key and of the record's place (bus, partition,
record key, format): a record that was moved, or written by anybody else, does not open. Nonces are random. Lengths are
padded to whole steps; that a case has a record, and about how large it is, can be seen.

    format (1 byte) ‖ nonce (12 bytes) ‖ AES-256-GCM(plaintext ‖ spaces)
"""

import hmac
from collections.abc import Callable, Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from referral_contracts.codes import Code
from referral_contracts.encoding import lp
from referral_contracts.errors import Fatal

KEY_SIZE: Final = 32
_LABEL: Final = b"referral-bus/v1/watcher-state"
_FORMAT: Final = 1
_NONCE_SIZE: Final = 12
_PADDED_TO: Final = 256


class Vault:
    """Opens and closes the records of one partition of the watcher's state."""

    def __init__(self, key: bytes, *, bus: str, partition: int, nonces: Callable[[int, int], Sequence[bytes]]) -> None:
        """
        Use the state's *key* on the records of *partition*.

        Args:
            key: 32 random bytes.
            bus: Which bus.
            partition: Of the state topic.
            nonces: ``sealing.random_salts``: how many, how long.
        """
        self._key = key
        self._place = lp(_LABEL, bytes([_FORMAT]), bus.encode("ascii"), str(partition).encode("ascii"))
        self._nonces = nonces

    def close(self, key: bytes, plaintext: bytes) -> bytes:
        """Return the record of *key* that says *plaintext*, which is JSON."""
        (nonce,) = self._nonces(1, _NONCE_SIZE)
        padded = plaintext.ljust(-(-len(plaintext) // _PADDED_TO) * _PADDED_TO)
        return bytes([_FORMAT]) + nonce + self._cipher(key).encrypt(nonce, padded, None)

    def open(self, key: bytes, value: bytes) -> bytes:
        """
        Return what the record of *key* says.

        Raises:
            Fatal: STATE_FORMAT: a record of another format. WRONG_STATE_KEY: not written under this key at this place.
        """
        if value[:1] != bytes([_FORMAT]):
            raise Fatal(Code.STATE_FORMAT, "a state record of another format")
        nonce, sealed = value[1 : 1 + _NONCE_SIZE], value[1 + _NONCE_SIZE :]
        try:
            return self._cipher(key).decrypt(nonce, sealed, None).rstrip(b" ")
        except (InvalidTag, ValueError) as error:
            raise Fatal(Code.WRONG_STATE_KEY, "a state record that this key does not open") from error

    def _cipher(self, key: bytes) -> AESGCM:
        return AESGCM(hmac.digest(self._key, lp(self._place, key), "sha256"))
