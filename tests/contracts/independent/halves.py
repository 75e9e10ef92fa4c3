"""An X-Wing of which one half comes from a vector: does our key come to the vector's secret?"""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from referral_contracts.keys import SealingKey
from tests.contracts.independent import by_hand

CEK = bytes(range(32))
INFO = b"where it stands"
_X25519 = bytes(range(32))
_EPHEMERAL = X25519PrivateKey.from_private_bytes(bytes(range(32, 64)))


def opens(key: SealingKey, sealed: bytes, mlkem: bytes, x25519: bytes) -> bool:
    """Tell whether *key* finds the shared secrets *mlkem* and *x25519* in *sealed*: it opens what they seal."""
    secret = by_hand.combined(mlkem, x25519, sealed[-32:], key.public[-32:])
    return key.decapsulate(by_hand.sealed(sealed, secret, CEK, INFO), INFO) == CEK


def with_mlkem(seed: bytes) -> SealingKey:
    """Return the key whose ML-KEM half is of *seed* (d then z); its X25519 half is the tests' own."""
    return SealingKey.from_bytes(seed + _X25519)


def opens_mlkem(key: SealingKey, sealed: bytes, shared: bytes) -> bool:
    """Tell whether *key*, of `with_mlkem`, finds *shared* in *sealed*."""
    x25519 = _EPHEMERAL.exchange(X25519PublicKey.from_public_bytes(key.public[-32:]))
    return opens(key, sealed + _EPHEMERAL.public_key().public_bytes_raw(), shared, x25519)


@dataclass(frozen=True, slots=True)
class Known:
    """A known ML-KEM-768 ciphertext, to try X25519 beside."""

    seed: bytes
    sealed: bytes
    shared: bytes

    def opens_x25519(self, scalar: bytes, sealed: bytes, shared: bytes) -> bool:
        """Tell whether the key of *scalar* finds *shared* in *sealed*, somebody's X25519 public key."""
        return opens(SealingKey.from_bytes(self.seed + scalar), self.sealed + sealed, self.shared, shared)
