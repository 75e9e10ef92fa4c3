"""The content of a section under a key, nonce and AAD from outside."""

import pytest

from referral_contracts import sealing
from referral_contracts.encoding import b64
from referral_contracts.errors import Tampered
from referral_contracts.sealing import SealContext, open_disclosed
from referral_contracts.wire import Section, SectionReader

_PLACE = SealContext(bus="", event_id="", source="", subject="", section="s0")
_COMMIT = bytes(32)
_READERS = (SectionReader(address="agency", kid="A" * 43, enc=b64(bytes(1168))),)


class Opening:
    """
    Opens contents through `open_disclosed` with its derivations and its padding put aside.

    Both have tests of their own. The check of the tag, and what becomes of one that fails, are left as they are.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._given = (b"", b"", b"")
        monkeypatch.setattr(sealing, "_expand", lambda cek, ctx: (*self._given[:2], _COMMIT))
        monkeypatch.setattr(sealing, "_aad", lambda ctx, kids: self._given[2])
        monkeypatch.setattr(sealing, "_unpad", lambda padded: padded)

    def of(self, key: bytes, nonce: bytes, content: bytes, aad: bytes) -> bytes | None:
        """Return the plaintext, or None where it is refused as tampered with."""
        self._given = (key, nonce, aad)
        section = Section.model_construct(commit=b64(_COMMIT), content=b64(content), readers=_READERS)
        try:
            return open_disclosed(section, _PLACE, bytes(32))
        except Tampered:
            return None
