"""
An agency's private keys and the file they lie in; and the file that says what the agency trusts.

The key file is JSON that only its owner may read: one that others can read is refused, not repaired, because nobody
knows who has read it by then. No repr, error or log shows a key.
"""

import os
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from referral_contracts.codes import Code
from referral_contracts.directory import TrustRoot
from referral_contracts.encoding import ADDRESS, AGENCY, b64, jcs, unb64
from referral_contracts.errors import LocalError, RemoteError
from referral_contracts.keys import KEY_FILE_MODE, SealingKey, SigningKey
from referral_contracts.topics import agency_of


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    agency: Annotated[str, StringConstraints(pattern=AGENCY)]
    format: Literal[1]
    http: str | None = None
    sealing: dict[Annotated[str, StringConstraints(pattern=ADDRESS)], Annotated[list[str], Field(min_length=1)]]
    signing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgencyKeys:
    """What an agency signs events and requests with, and what opens the sections sealed to it and to its desks."""

    agency: str
    signing: SigningKey
    http: SigningKey | None = None
    """What it signs requests over HTTP with, and nothing else; None: it asks nothing there."""
    sealing: Mapping[str, tuple[SealingKey, ...]] = field(repr=False)
    """By address, the current key first. Old ones stay: they open what was sealed before they were replaced."""

    @classmethod
    def generate(cls, agency: str, desks: Iterable[str] = (), *, http: bool = False) -> Self:
        """Return new keys for *agency* and its *desks*, and with *http* one for its requests over HTTP."""
        addresses = (agency, *(f"{agency}/{desk}" for desk in desks))
        sealing = {address: (SealingKey.generate(),) for address in addresses}
        own = SigningKey.generate() if http else None
        return cls(agency=agency, signing=SigningKey.generate(), http=own, sealing=sealing)

    @property
    def kids(self) -> frozenset[str]:
        """The ids of all of them, old sealing keys too."""
        signing = {key.kid for key in (self.signing, self.http) if key is not None}
        return frozenset(signing | {key.kid for keys in self.sealing.values() for key in keys})

    def with_http(self) -> Self:
        """Return these keys with a new one for requests over HTTP, in the place of the one there was."""
        return replace(self, http=SigningKey.generate())

    def renewed(self, address: str | None = None) -> Self:
        """Return these keys with a new sealing key for *address*, the agency itself by default."""
        named = address or self.agency
        if agency_of(named) != self.agency:
            raise LocalError(Code.UNKNOWN_RECIPIENT, "an address of another agency")
        return replace(self, sealing={**self.sealing, named: (SealingKey.generate(), *self.sealing.get(named, ()))})

    def opener(self, address: str, kid: str) -> SealingKey | None:
        """Return the key *kid* of *address*, current or old."""
        return next((key for key in self.sealing.get(address, ()) if key.kid == kid), None)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """
        Return the keys in the file *path*.

        Raises:
            LocalError: NO_SUCH_FILE. LOOSE_PERMISSIONS: others can read it. MALFORMED_KEY: not a key file.
        """
        try:
            told = _File.model_validate_json(_read(path, private=True))
            sealing = {
                address: tuple(SealingKey.from_bytes(unb64(secret)) for secret in secrets)
                for address, secrets in told.sealing.items()
            }
            signing = SigningKey.from_seed(unb64(told.signing))
            http = None if told.http is None else SigningKey.from_seed(unb64(told.http))
        except (ValidationError, RemoteError):
            # The cause could quote the file.
            raise LocalError(Code.MALFORMED_KEY, "not a key file") from None
        if told.agency not in sealing or any(agency_of(address) != told.agency for address in sealing):
            raise LocalError(Code.MALFORMED_KEY, "a key file of several agencies, or of none")
        return cls(agency=told.agency, signing=signing, http=http, sealing=sealing)

    def save(self, path: str | Path, *, replace: bool = False) -> None:
        """
        Write the keys to *path*, readable by its owner alone; an existing file is only replaced when told so.

        Raises:
            LocalError: FILE_EXISTS, NO_SUCH_FILE: no such folder, or no right to write there.
        """
        value = jcs(
            {
                "agency": self.agency,
                "format": 1,
                **({} if self.http is None else {"http": b64(self.http.to_seed())}),
                "sealing": {
                    address: [b64(key.to_bytes()) for key in keys] for address, keys in sorted(self.sealing.items())
                },
                "signing": b64(self.signing.to_seed()),
            }
        )
        _write(Path(path), value + b"\n", replace=replace)


def load_trust(path: str | Path) -> TrustRoot:
    """
    Return what the file *path* pins: the bus and the registrars' keys. It is no secret.

    Raises:
        LocalError: NO_SUCH_FILE, or not such a file.
    """
    return TrustRoot.decode(_read(path, private=False))


def read_private(path: str | Path) -> bytes:
    """
    Return what the file *path* holds, which only its owner may read.

    Raises:
        LocalError: NO_SUCH_FILE. LOOSE_PERMISSIONS: others can read it.
    """
    return _read(path, private=True)


def write_private(path: str | Path, value: bytes) -> None:
    """
    Write *value* to the new file *path*, readable by its owner alone.

    Raises:
        LocalError: FILE_EXISTS, NO_SUCH_FILE: no such folder, or no right to write there.
    """
    _write(Path(path), value, replace=False)


def _read(path: str | Path, *, private: bool) -> bytes:
    try:
        with Path(path).open("rb") as file:
            # Of the file that is open, not of the name: nobody can swap it in between.
            mode = os.fstat(file.fileno()).st_mode
            if private and stat.S_IMODE(mode) & ~KEY_FILE_MODE:
                raise LocalError(Code.LOOSE_PERMISSIONS, "others can get at the key file")
            return file.read()
    except OSError as error:
        raise LocalError(Code.NO_SUCH_FILE, "the file cannot be read") from error


def _write(path: Path, value: bytes, *, replace: bool) -> None:
    # Written beside and moved: a crash leaves the old file or the new one. The name is taken with O_EXCL, so that
    # nobody's link or file is written through.
    beside = path.with_name(f".{path.name}.new") if replace else path
    if replace:
        with suppress(FileNotFoundError):
            beside.unlink()
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, KEY_FILE_MODE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(value)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            beside.replace(path)
    except FileExistsError as error:
        raise LocalError(Code.FILE_EXISTS, "a key file is not written over") from error
    except OSError as error:
        raise LocalError(Code.NO_SUCH_FILE, "the file cannot be written") from error
