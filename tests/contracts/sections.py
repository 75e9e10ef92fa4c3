"""What the tests of sealed sections share: three readers, a place, and a section made with chosen secrets."""

from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from referral_contracts.encoding import b64
from referral_contracts.keys import SealingKey
from referral_contracts.sealing import Reader, SealContext, _aad, _expand, _pad, _seal_key
from referral_contracts.wire import Section

KEYS: Final = {address: SealingKey.from_bytes(bytes([number]) * 96) for number, address in enumerate("abc", 1)}
READERS: Final = [Reader(address=address, kid=key.kid, public=key.public) for address, key in KEYS.items()]
KIDS: Final = sorted(reader.kid for reader in READERS)

CONTEXT: Final = SealContext(
    bus="training",
    event_id="01930b5e-8f00-7000-8000-000000000001",
    source="hotline-111",
    subject="0123456789abcdef0123456789abcdef",
    handoff="01930b5e-8f00-7000-8000-000000000000 a",
    section="s0",
)
TEXT: Final = '{"body":{"note":"phòng khám"},"schema":"note/1.0"}'.encode()


def reader_of(key: SealingKey, address: str) -> Reader:
    return Reader(address=address, kid=key.kid, public=key.public)


def sealed_with(cek: bytes, padded: bytes = _pad(TEXT), context: SealContext = CONTEXT) -> Section:
    """A section to the three readers, from a content key and a padded plaintext that a dishonest sender chose."""
    key, nonce, commit = _expand(cek, context.info())
    content = AESGCM(key).encrypt(nonce, padded, _aad(context.info(), KIDS))
    return written(content, commit, dict.fromkeys(KEYS, cek), context)


def written(content: bytes, commit: bytes, ceks: dict[str, bytes], context: SealContext = CONTEXT) -> Section:
    """A section of these bytes, each reader given the content key that a dishonest sender chose for it."""
    ordered = sorted(READERS, key=lambda reader: reader.kid)
    readers = tuple(_seal_key(ceks[reader.address], context.info(), reader) for reader in ordered)
    return Section(commit=b64(commit), content=b64(content), readers=readers)
