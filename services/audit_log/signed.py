"""
Who asks over HTTP: signatures on requests (RFC 9421), by the rules of `referral_contracts.asking`.

`http-message-signatures` reads and checks them; keys are the directory's, time is ours, and a question is taken once.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    VerifyResult,
)
from http_message_signatures.algorithms import ED25519

from audit_log.core.granting import Asker
from audit_log.core.nonces import Nonces
from referral_contracts.asking import ALGORITHM, COMPONENTS, MAX_AGE_S, NONCE, PARAMETERS, SKEW_S, tag_of
from referral_contracts.codes import Code
from referral_contracts.directory import Directory, EventKey, Member
from referral_contracts.errors import RemoteError

_NONCE: Final = re.compile(NONCE)
_MAX_AGE: Final = timedelta(seconds=MAX_AGE_S)
_OF_HTTP: Final = b'"use":"http"'


class Headers:
    """Header lines, as the library asks for them: each by itself, in their order."""

    def __init__(self, lines: Sequence[tuple[bytes, bytes]]) -> None:
        self._lines = lines

    def items(self) -> Iterable[tuple[str, str]]:
        """Return name and value of each line."""
        return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self._lines]


@dataclass(frozen=True, slots=True)
class Message:
    """A request as it was received."""

    method: str
    url: str
    """With the authority that was asked for, and path and query as they came."""
    headers: Headers


class Asked(NamedTuple):
    """A question that was signed as it has to be."""

    asker: Asker
    base: bytes
    """What the signature is over."""


class Askers:
    """Tells who asks. For one event loop."""

    def __init__(self, bus: str, nonces: Nonces, clock: Callable[[], int]) -> None:
        """Ask *clock* for the time in milliseconds."""
        self._tag, self._nonces, self._clock = tag_of(bus), nonces, clock
        self._holders = Holders()

    def asked(self, message: Message, body: bytes, directory: Directory) -> Asked:
        """
        Return who signed *message* with *body*, by the keys in *directory*.

        Raises:
            RemoteError: BAD_SIGNATURE, UNKNOWN_KEY, KEY_NOT_VALID, AGENCY_ENDED, OUTSIDE_WINDOW, DUPLICATE.
            LocalError: TOO_MANY.
        """
        now_ms = self._clock()
        holders = self._holders.of(directory)
        result = _verified(message, body, self._tag, holders, now_ms // 1000)
        kid, nonce, created_s = (result.parameters[name] for name in ("keyid", "nonce", "created"))
        if not isinstance(nonce, str) or not _NONCE.fullmatch(nonce):
            raise RemoteError(Code.MALFORMED_SIGNATURE, "not a nonce")
        member, key = holders[str(kid)]
        if not key.valid(now_ms):
            raise RemoteError(Code.KEY_NOT_VALID, "a key that is not valid now")
        if now_ms >= member.ends_ms:
            raise RemoteError(Code.AGENCY_ENDED, "an agency that has ended")
        self._nonces.take(key.key.kid, nonce, int(created_s), now_ms // 1000)
        base = "\n".join(f"{name}: {value}" for name, value in result.covered_components.items())
        return Asked(asker=Asker(agency=member.id, kid=key.key.kid), base=base.encode("ascii"))


class Holders:
    """Whose each key for HTTP is: of one directory at a time, of which only entries with such keys are read."""

    def __init__(self) -> None:
        self._directory: Directory | None = None
        self._found: dict[str, tuple[Member, EventKey]] = {}

    def of(self, directory: Directory) -> dict[str, tuple[Member, EventKey]]:
        """Return agency and key, by the key's id."""
        if directory is not self._directory:
            named = [name for name, value in directory.entries.items() if _OF_HTTP in value]
            members = [member for name in named if (member := directory.member(name)) is not None]
            self._found = {kid: (member, key) for member in members for kid, key in member.http_keys.items()}
            self._directory = directory
        return self._found


def _verified(
    message: Message, body: bytes, tag: str, holders: dict[str, tuple[Member, EventKey]], now_s: int
) -> VerifyResult:
    keys = _Keys(holders)
    try:
        results = _Verifier(keys, now_s).verify(
            message, max_age=_MAX_AGE, expect_tag=tag, require_components=COMPONENTS, body=body
        )
    except HTTPMessageSignaturesException as error:
        if keys.unknown:
            raise RemoteError(Code.UNKNOWN_KEY, "no agency's key for HTTP") from error
        if isinstance(error.__cause__, RemoteError):
            raise error.__cause__ from error
        raise RemoteError(Code.BAD_SIGNATURE, "not signed as it has to be") from error
    if len(results) != 1 or not results[0].parameters.keys() >= PARAMETERS:
        raise RemoteError(Code.MALFORMED_SIGNATURE, "not one signature with all that it has to say")
    return results[0]


class _Keys(HTTPSignatureKeyResolver):
    """The directory's keys, for one request."""

    def __init__(self, holders: dict[str, tuple[Member, EventKey]]) -> None:
        self._holders = holders
        self.unknown = False

    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey | None:
        """Return the key with this id, None where nobody has it."""
        found = self._holders.get(key_id)
        self.unknown = found is None
        return None if found is None else Ed25519PublicKey.from_public_bytes(found[1].key.public)


class _Verifier(HTTPMessageVerifier):
    """The library's, by a clock that it is given."""

    def __init__(self, keys: _Keys, now_s: int) -> None:
        super().__init__(signature_algorithm=ED25519, key_resolver=keys)
        self._now_s = now_s

    def validate_created_and_expires(self, sig_input: Any, max_age: timedelta | None = None) -> None:  # noqa: ANN401
        """See the library, which would ask the system's clock."""
        age_s = MAX_AGE_S if max_age is None else int(max_age.total_seconds())
        created, expires = (sig_input.params.get(name) for name in ("created", "expires"))
        if type(created) is not int or type(expires) not in {int, type(None)}:
            raise _outside()
        until = created + age_s if expires is None else min(expires, created + age_s)
        if not created - SKEW_S <= self._now_s <= until + SKEW_S:
            raise _outside()


def _outside() -> HTTPMessageSignaturesException:
    error = HTTPMessageSignaturesException("created too long ago, or in the future")
    error.__cause__ = RemoteError(Code.OUTSIDE_WINDOW, "signed too long ago, or in the future")
    return error


def accepted() -> str:
    """Return what a signature has to be like, as ``Accept-Signature`` (RFC 9421 section 5.1) tells it."""
    covered = " ".join(f'"{name}"' for name in COMPONENTS)
    return f'asker=({covered});created;keyid;nonce;alg="{ALGORITHM}";tag'
