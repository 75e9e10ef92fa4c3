"""
Questions over HTTP, signed by the asking agency (RFC 9421) with its key for that and nothing else.

`http-message-signatures` makes the signature, by the rules of `referral_contracts.asking`.
"""

from collections.abc import Callable, Generator
from datetime import UTC, datetime

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from http_message_signatures import HTTPMessageSigner, HTTPSignatureKeyResolver
from http_message_signatures.algorithms import ED25519

from referral_contracts.asking import COMPONENTS, LABEL, NONCE_SIZE, tag_of
from referral_contracts.encoding import b64
from referral_contracts.keys import SigningKey

Draw = Callable[[int], bytes]


class Signed(httpx.Auth):
    """Signs each request of an `httpx` client. A retry is a new question with a nonce of its own."""

    requires_request_body = True

    def __init__(self, bus: str, key: SigningKey, *, clock: Callable[[], int], draw: Draw) -> None:
        """Sign for the log of *bus*; *clock* tells milliseconds, *draw* random bytes."""
        self._tag, self._key, self._clock, self._draw = tag_of(bus), key, clock, draw
        self._signer = HTTPMessageSigner(signature_algorithm=ED25519, key_resolver=_Own(key))

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """See `httpx.Auth`."""
        self.sign(request)
        yield request

    def sign(self, request: httpx.Request, *, expires_s: int | None = None) -> None:
        """Put the signature, and with a body its digest, into the headers; with *expires_s* it says until when."""
        now_s = self._clock() // 1000
        self._signer.sign(
            request,
            key_id=self._key.kid,
            created=_moment(now_s),
            expires=None if expires_s is None else _moment(now_s + expires_s),
            nonce=b64(self._draw(NONCE_SIZE)),
            label=LABEL,
            tag=self._tag,
            covered_component_ids=COMPONENTS,
            body=request.content or None,
        )


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


class _Own(HTTPSignatureKeyResolver):
    def __init__(self, key: SigningKey) -> None:
        self._key = key

    def resolve_private_key(self, key_id: str) -> Ed25519PrivateKey:
        """Return the one key that signs."""
        if key_id != self._key.kid:
            raise KeyError(key_id)
        return Ed25519PrivateKey.from_private_bytes(self._key.to_seed())
