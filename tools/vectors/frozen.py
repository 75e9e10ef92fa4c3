"""
Content keys sealed to readers, once and for all.

HPKE draws randomness, so what it gave is kept in a file, under the hash of what it was asked for. A seal that is
missing is made anew, one that nobody asks for any more is dropped; either changes the file, which the check reports.
To make all of them anew, delete the file.
"""

import json
from pathlib import Path
from typing import Final

from referral_contracts.encoding import b64, lp, sha256, unb64
from referral_contracts.keys import SealingKey, SealingPublic

KEPT: Final = Path(__file__).with_name("frozen.json")


class Frozen:
    """The seals of one run."""

    def __init__(self) -> None:
        self._kept: dict[str, str] = json.loads(KEPT.read_text()) if KEPT.is_file() else {}
        self._used: dict[str, str] = {}

    def seal(self, key: SealingKey, cek: bytes, info: bytes) -> bytes:
        """Return *cek* sealed to *key*, bound to *info*; a seal that does not open is made anew."""
        name = b64(sha256(lp(key.public, cek, info)))
        sealed = unb64(self._kept[name]) if name in self._kept else b""
        if key.decapsulate(sealed, info) != cek:
            sealed = SealingPublic.load(key.public).encapsulate(cek, info)
        self._kept[name] = self._used[name] = b64(sealed)
        return sealed

    def text(self) -> str:
        """Return what the file has to hold after this run."""
        return json.dumps(self._used, indent=0, sort_keys=True) + "\n"
