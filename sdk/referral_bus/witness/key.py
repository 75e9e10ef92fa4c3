"""A witness' key, and the file that it lies in: one line, as golang.org/x/mod/sumdb/note writes private keys."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self

from referral_bus.keys import read_private, write_private
from referral_contracts.codes import Code
from referral_contracts.errors import LocalError, RemoteError
from referral_contracts.keys import SigningKey
from referral_contracts.log.checkpoint import cosign
from referral_contracts.log.note import Kind, NoteKey, NoteSignature, std64, unstd64

_FILE: Final = re.compile(r"PRIVATE\+KEY\+([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})\n?")
_SEED_SIZE: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessKey:
    """A name, and what signs under it. One key, one witness: the cosignature does not tell the name."""

    name: str
    signing: SigningKey = field(repr=False)

    @classmethod
    def generate(cls, name: str) -> Self:
        """
        Return a new key.

        Raises:
            LocalError: MALFORMED_KEY: no key can have this name.
        """
        found = cls(name=name, signing=SigningKey.generate())
        try:
            found.public  # noqa: B018 - a name that no note can carry is found out now
        except RemoteError as error:
            raise LocalError(error.code, "a name has no white space and no plus") from error
        return found

    @property
    def public(self) -> NoteKey:
        """What others know of it."""
        return NoteKey(self.name, Kind.COSIGNATURE, self.signing.verify_key)

    def cosign(self, text: str, time_s: int) -> NoteSignature:
        """Return the cosignature of the checkpoint with this *text*."""
        return cosign(text, time_s, self.name, self.signing)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """
        Return the key in the file *path*.

        Raises:
            LocalError: NO_SUCH_FILE. LOOSE_PERMISSIONS: others can read it. MALFORMED_KEY: not a witness' key.
        """
        match = _FILE.fullmatch(read_private(path).decode("utf-8", "replace"))
        material = unstd64(match[3]) if match else None
        if match is None or material is None or material[:1] != bytes([Kind.COSIGNATURE]):
            raise LocalError(Code.MALFORMED_KEY, "not a witness' key file")
        if len(material) != 1 + _SEED_SIZE:
            raise LocalError(Code.MALFORMED_KEY, "not a witness' key file")
        found = cls(name=match[1], signing=SigningKey.from_seed(material[1:]))
        try:
            kid = found.public.key_id.hex()
        except RemoteError as error:
            raise LocalError(error.code, "not a witness' key file") from error
        if kid != match[2]:
            raise LocalError(Code.MALFORMED_KEY, "a key under another one's id")
        return found

    def save(self, path: str | Path) -> None:
        """
        Write the key to the new file *path*, for its owner alone.

        Raises:
            LocalError: FILE_EXISTS, NO_SUCH_FILE: it cannot be made.
        """
        material = std64(bytes([Kind.COSIGNATURE]) + self.signing.to_seed())
        text = f"PRIVATE+KEY+{self.name}+{self.public.key_id.hex()}+{material}\n"
        write_private(path, text.encode())
