"""
A service's keys, from the same kind of file as an agency's: JSON that only its owner can read. And what it trusts.

The key of a state that nobody else may read lies in a file of its own: it is known nowhere else, and shown to nobody.
"""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from referral_contracts.codes import Code
from referral_contracts.encoding import b64, jcs, parse_json, unb64
from referral_contracts.errors import LocalError, RemoteError
from referral_contracts.keys import KEY_FILE_MODE, SealingKey, SigningKey
from referral_contracts.trust import TrustRoot

STATE_KEY_SIZE = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceKeys:
    """What a service signs with, and what opens what is sealed to it."""

    signing: SigningKey
    sealing: tuple[SealingKey, ...] = field(repr=False)
    """The current key first. Old ones stay: they open what was sealed before they were replaced."""


def read_trust(path: Path) -> TrustRoot:
    """
    Return the trust root that the deployment pins.

    Raises:
        LocalError: NO_SUCH_FILE. MALFORMED_VALUE: not a trust root.
    """
    try:
        return TrustRoot.decode(path.read_bytes())
    except OSError as error:
        raise LocalError(Code.NO_SUCH_FILE, "the trust root cannot be read") from error


def read_signing_key(path: Path) -> SigningKey:
    """
    Return the signing key in *path*.

    Raises:
        LocalError: NO_SUCH_FILE. LOOSE_PERMISSIONS: others can read it. MALFORMED_KEY: not a key file.
    """
    told = _told(path)
    try:
        return SigningKey.from_seed(unb64(_text(told.get("signing"))))
    except RemoteError:
        # The cause could quote the file.
        raise LocalError(Code.MALFORMED_KEY, "not a key file") from None


def read_service_keys(path: Path) -> ServiceKeys:
    """
    Return all keys in *path*: those that open belong to the service's own address.

    Raises:
        LocalError: As `read_signing_key`.
    """
    told = _told(path)
    sealing = told.get("sealing")
    secrets = sealing.get(told.get("agency")) if isinstance(sealing, dict) else None
    try:
        keys = tuple(SealingKey.from_bytes(unb64(_text(secret))) for secret in (secrets or ()))
    except (RemoteError, TypeError):
        raise LocalError(Code.MALFORMED_KEY, "not a key file") from None
    if not keys:
        raise LocalError(Code.MALFORMED_KEY, "a key file without a key that opens anything")
    return ServiceKeys(signing=read_signing_key(path), sealing=keys)


def read_state_key(path: Path) -> bytes:
    """
    Return the key of a state in *path*.

    Raises:
        LocalError: As `read_signing_key`.
    """
    told = _told(path)
    try:
        return unb64(_text(told.get("state")), STATE_KEY_SIZE)
    except RemoteError:
        raise LocalError(Code.MALFORMED_KEY, "not the key of a state") from None


def state_key_file(key: bytes) -> bytes:
    """Return what a file says that holds *key*."""
    return jcs({"format": 1, "state": b64(key)}) + b"\n"


def _told(path: Path) -> Mapping[str, object]:
    try:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & ~KEY_FILE_MODE:
                raise LocalError(Code.LOOSE_PERMISSIONS, "others can get at the key file")
            told = parse_json(file.read())
    except OSError as error:
        raise LocalError(Code.NO_SUCH_FILE, "the file cannot be read") from error
    except RemoteError:
        raise LocalError(Code.MALFORMED_KEY, "not a key file") from None
    if not isinstance(told, dict):
        raise LocalError(Code.MALFORMED_KEY, "not a key file")
    return told


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise LocalError(Code.MALFORMED_KEY, "not a key file")
    return value
