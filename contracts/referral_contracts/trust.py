"""
What is pinned before anything is trusted: the bus's name, the registrars' keys, and how many of them must sign.

Everything else in the directory follows from heads that these keys signed; nothing in it can change them.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from referral_contracts.codes import Code
from referral_contracts.directory_model import Agency, SignedHead
from referral_contracts.encoding import jcs, unb64
from referral_contracts.errors import LocalError, RemoteError
from referral_contracts.keys import VerifyKey
from referral_contracts.signing import Typ, parse_signature, verify


class RootKey(BaseModel):
    """A registrar's key that the pinned root names."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    kid: str
    public: str


class TrustRoot(BaseModel):
    """What an agency pins before it trusts anything: the bus, the registrars' keys, how many must sign."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    bus: Agency
    keys: tuple[RootKey, ...]
    threshold: int

    @classmethod
    def decode(cls, value: bytes) -> Self:
        """Return the root that *value* spells, or raise LocalError: it is our own file."""
        try:
            root = cls.model_validate_json(value)
        except ValidationError:
            raise LocalError(Code.MALFORMED_VALUE, "not a trust root") from None
        try:
            kids = {key.kid for key in root.keys if root.by_kid[key.kid].kid == key.kid}
        except RemoteError as error:
            raise LocalError(error.code, "a trust root with a bad key") from error
        if len(kids) != len(root.keys):
            raise LocalError(Code.MALFORMED_KEY, "a trust root names each key once, by its thumbprint")
        if not 1 <= root.threshold <= len(kids):
            raise LocalError(Code.MALFORMED_VALUE, "a trust root's threshold is between 1 and its number of keys")
        return root

    def encode(self) -> bytes:
        """Return the root's bytes, for a file."""
        return jcs(self.model_dump(mode="json")) + b"\n"

    @cached_property
    def by_kid(self) -> Mapping[str, VerifyKey]:
        """The keys, admitted."""
        return {key.kid: VerifyKey.admit(unb64(key.public, 32)) for key in self.keys}

    def check_head(self, signed: SignedHead) -> None:
        """
        Check that enough root keys signed this head, each counted once.

        Raises:
            RemoteError: Too few, or another bus.
        """
        if len(self.signers(signed)) < self.threshold:
            raise RemoteError(Code.NOT_ENOUGH_SIGNATURES)

    def signers(self, signed: SignedHead) -> frozenset[str]:
        """
        Return the key ids of the root keys that signed this head.

        Raises:
            RemoteError: A signature by a root key that is none, or another bus.
        """
        if signed.head.bus != self.bus:
            raise RemoteError(Code.WRONG_BUS)
        payload = signed.head.encode()
        good: set[str] = set()
        for text in signed.signatures:
            signature = parse_signature(text.encode("ascii", "replace"), Typ.HEAD)
            key = self.by_kid.get(signature.kid)
            if key is not None:
                verify(key, signature, payload)
                good.add(signature.kid)
        return frozenset(good)

    def by_one_hand(self) -> Self:
        """Return this root with any one of its keys as enough: to judge what others have yet to sign."""
        return self.model_copy(update={"threshold": 1})
