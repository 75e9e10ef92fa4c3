"""
Keys: Ed25519 to sign, X-Wing (ML-KEM-768 with X25519) to seal. One use per key.

`admit` is for keys that somebody presents: thorough, a millisecond. `load` is for keys out of a signed directory.
No repr, error or comparison shows a private key. What is signed or sealed, and how, is said in `signing` and `sealing`.
"""

from dataclasses import dataclass, field
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, MLKEM768X25519PrivateKey, MLKEM768X25519PublicKey, Suite

from referral_contracts import edwards, signing
from referral_contracts.codes import Code
from referral_contracts.encoding import b64, jcs, sha256
from referral_contracts.errors import LocalError, RemoteError

HPKE: Final = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
"""The one suite (RFC 9180 base mode). Nothing on the wire chooses another."""

KEY_FILE_MODE: Final = 0o600
"""All that a file with a private key may allow, to its owner alone. One that allows more is refused."""

VERIFY_KEY_SIZE: Final = 32
SEALING_PUBLIC_SIZE: Final = 1216
"""ML-KEM-768 encapsulation key (1184) then X25519 (32): the order of the X-Wing draft."""
SEALING_KEY_SIZE: Final = 96
"""ML-KEM-768 seed (64) then X25519 (32)."""
_MLKEM_PUBLIC: Final = 1184
_MLKEM_SEED: Final = 64
_X25519_P: Final = 2**255 - 19


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyKey:
    """An Ed25519 public key that is worth verifying with."""

    kid: str
    """RFC 7638 thumbprint of its JWK (RFC 8037)."""
    public: bytes = field(repr=False)
    _key: Ed25519PublicKey = field(repr=False, compare=False)

    @classmethod
    def admit(cls, raw: bytes) -> Self:
        """
        Return the key of *raw*, which somebody presents as theirs.

        Raises:
            RemoteError: MALFORMED_KEY: not the one encoding of a point. WEAK_KEY: a point outside the subgroup of
                prime order, where every honestly made key lies.
        """
        key = cls.load(raw)
        point = edwards.decompress(raw)
        if point is None:
            raise RemoteError(Code.MALFORMED_KEY, "not a point of the curve")
        if not edwards.has_prime_order(*point):
            raise RemoteError(Code.WEAK_KEY, "not a point of prime order")
        return key

    @classmethod
    def load(cls, raw: bytes) -> Self:
        """
        Return the key of *raw*, which a signed directory lists.

        Raises:
            RemoteError: MALFORMED_KEY: wrong size or not canonical. WEAK_KEY: a point of small order.
        """
        if len(raw) != VERIFY_KEY_SIZE:
            raise RemoteError(Code.MALFORMED_KEY, "a signing key has 32 bytes")
        y = edwards.y_of(raw)
        if y >= edwards.P:
            raise RemoteError(Code.MALFORMED_KEY, "not a canonical encoding")
        if y in edwards.SMALL_ORDER_Y:
            raise RemoteError(Code.WEAK_KEY, "a point of small order")
        return cls(kid=_ed25519_kid(raw), public=bytes(raw), _key=Ed25519PublicKey.from_public_bytes(raw))

    def verify(self, signature: signing.Signature, payload: bytes) -> None:
        """As `signing.verify`."""
        signing.verify(self, signature, payload)

    def verify_raw(self, raw_signature: bytes, message: bytes) -> bool:
        """Tell whether the 64 bytes are this key's signature over exactly *message*."""
        try:
            self._key.verify(raw_signature, message)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """An Ed25519 private key."""

    kid: str
    public: bytes = field(repr=False)
    _key: Ed25519PrivateKey = field(repr=False, compare=False)

    @classmethod
    def generate(cls) -> Self:
        return cls._of(Ed25519PrivateKey.generate())

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        """
        Return the key of the 32 bytes *seed* (RFC 8032 section 5.1.5).

        Raises:
            LocalError: MALFORMED_KEY.
        """
        if len(seed) != VERIFY_KEY_SIZE:
            raise LocalError(Code.MALFORMED_KEY, "a signing seed has 32 bytes")
        return cls._of(Ed25519PrivateKey.from_private_bytes(seed))

    @classmethod
    def _of(cls, key: Ed25519PrivateKey) -> Self:
        public = key.public_key().public_bytes_raw()
        return cls(kid=_ed25519_kid(public), public=public, _key=key)

    @property
    def verify_key(self) -> VerifyKey:
        return VerifyKey(kid=self.kid, public=self.public, _key=self._key.public_key())

    def to_seed(self) -> bytes:
        """Return the secret itself, to be stored."""
        return self._key.private_bytes_raw()

    def sign(self, typ: signing.Typ, payload: bytes) -> str:
        """As `signing.sign`."""
        return signing.sign(self, typ, payload)

    def sign_raw(self, message: bytes) -> bytes:
        """Return the 64 bytes over exactly *message*: for formats that tell their purpose in the message."""
        return self._key.sign(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class SealingPublic:
    """An X-Wing public key that something can be sealed to."""

    kid: str
    """SHA-256 of the JCS form of its AKP JWK, in the manner of RFC 7638."""
    public: bytes = field(repr=False)
    _key: MLKEM768X25519PublicKey = field(repr=False, compare=False)

    @classmethod
    def admit(cls, raw: bytes) -> Self:
        """
        Return the key of *raw*, which somebody presents as theirs, after a trial seal.

        Raises:
            RemoteError: MALFORMED_KEY: wrong size or not canonical. WEAK_KEY: the trial seal failed.
        """
        key = cls.load(raw)
        try:
            key.encapsulate(b"", b"")
        except LocalError as error:
            # A low-order X25519 half: every sealing would fail, and only at the sender, when it matters.
            raise RemoteError(Code.WEAK_KEY, "a trial seal failed") from error
        return key

    @classmethod
    def load(cls, raw: bytes) -> Self:
        """
        Return the key of *raw*, which a signed directory lists.

        Raises:
            RemoteError: MALFORMED_KEY.
        """
        if len(raw) != SEALING_PUBLIC_SIZE:
            raise RemoteError(Code.MALFORMED_KEY, "a sealing key has 1216 bytes")
        # X25519 ignores the top bit and reduces: without this rule one key had several ids.
        if int.from_bytes(raw[_MLKEM_PUBLIC:], "little") >= _X25519_P:
            raise RemoteError(Code.MALFORMED_KEY, "not a canonical encoding")
        try:
            key = MLKEM768X25519PublicKey(
                MLKEM768PublicKey.from_public_bytes(raw[:_MLKEM_PUBLIC]),
                X25519PublicKey.from_public_bytes(raw[_MLKEM_PUBLIC:]),
            )
        except ValueError as error:
            raise RemoteError(Code.MALFORMED_KEY, "not an ML-KEM-768 encapsulation key") from error
        return cls(kid=_sealing_kid(raw), public=bytes(raw), _key=key)

    def encapsulate(self, secret: bytes, info: bytes) -> bytes:
        """
        Return the HPKE sealing of *secret*, bound to *info*: encapsulated key then ciphertext.

        Raises:
            LocalError: UNSEALABLE: the key is bad.
        """
        try:
            return HPKE.encrypt(secret, self._key, info=info)
        except Exception as error:
            # The library documents none and raises a bare ValueError; whatever it is, the caller needs our code.
            raise LocalError(Code.UNSEALABLE, "the sealing key takes no seal") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class SealingKey:
    """An X-Wing private key."""

    kid: str
    public: bytes = field(repr=False)
    _mlkem: MLKEM768PrivateKey = field(repr=False, compare=False)
    _x25519: X25519PrivateKey = field(repr=False, compare=False)
    _key: MLKEM768X25519PrivateKey = field(repr=False, compare=False)

    @classmethod
    def generate(cls) -> Self:
        return cls._of(MLKEM768PrivateKey.generate(), X25519PrivateKey.generate())

    @classmethod
    def from_bytes(cls, secret: bytes) -> Self:
        """
        Return the key of 96 bytes that `to_bytes` gave.

        Raises:
            LocalError: MALFORMED_KEY.
        """
        if len(secret) != SEALING_KEY_SIZE:
            raise LocalError(Code.MALFORMED_KEY, "a sealing secret has 96 bytes")
        return cls._of(
            MLKEM768PrivateKey.from_seed_bytes(secret[:_MLKEM_SEED]),
            X25519PrivateKey.from_private_bytes(secret[_MLKEM_SEED:]),
        )

    @classmethod
    def _of(cls, mlkem: MLKEM768PrivateKey, x25519: X25519PrivateKey) -> Self:
        public = mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()
        key = MLKEM768X25519PrivateKey(mlkem, x25519)
        return cls(kid=_sealing_kid(public), public=public, _mlkem=mlkem, _x25519=x25519, _key=key)

    def to_bytes(self) -> bytes:
        """Return the secret itself, to be stored."""
        return self._mlkem.private_bytes_raw() + self._x25519.private_bytes_raw()

    def decapsulate(self, enc: bytes, info: bytes) -> bytes | None:
        """Return what `encapsulate` sealed to this key under the same *info*, or None."""
        try:
            return HPKE.decrypt(enc, self._key, info=info)
        except Exception:  # noqa: BLE001  # InvalidTag as far as tried, undocumented; *enc* comes from strangers
            return None


def _ed25519_kid(raw: bytes) -> str:
    return b64(sha256(b'{"crv":"Ed25519","kty":"OKP","x":"%s"}' % b64(raw).encode("ascii")))


def _sealing_kid(raw: bytes) -> str:
    return b64(sha256(jcs({"alg": "X-Wing", "kty": "AKP", "pub": b64(raw)})))
