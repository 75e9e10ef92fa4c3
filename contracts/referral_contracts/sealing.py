"""
Sealed sections: content that only the readers named in the envelope can open, each with its own key.

Not a JWE. Per section and per seal, with CEK = 32 fresh random bytes:

    ctx                  = lp(label, wire version, bus, event id, source, subject, hand-off or event id, section)
    key ‖ nonce ‖ commit = HKDF-Expand-SHA256(CEK, info = ctx, 32 + 12 + 32)
    padded               = u32 length ‖ plaintext ‖ zeros, 1, 2, 4 … 128 KiB in all
    content              = AES-256-GCM(key, nonce, padded, AAD = ctx ‖ SHA-256(lp(key ids, ascending)))
    enc, per reader      = HPKE(CEK, info = ctx ‖ lp(address, key id)), the suite of `keys`

Every text goes in as UTF-8. The caller has verified the event's signature before it opens anything: a co-reader knows
the CEK and could write other content. Except for key generation, all randomness of this package is drawn here.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from hmac import compare_digest
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from referral_contracts.codes import Code
from referral_contracts.encoding import b64, lp, sha256, unb64, uuid7
from referral_contracts.errors import LocalError, NotForUs, RemoteError, Tampered
from referral_contracts.keys import SealingKey, SealingPublic
from referral_contracts.wire import MAX_READERS, PADDED_SIZES, Section, SectionReader

_LABEL: Final = "referral-bus/section"
_WIRE_VERSION: Final = "1"
_CEK_SIZE: Final = 32
_KEY_SIZE: Final = 32
_NONCE_SIZE: Final = 12
_COMMIT_SIZE: Final = 32
_LENGTH_SIZE: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class SealContext:
    """Where a section belongs. Every part comes from the envelope whose signature was verified."""

    bus: str
    event_id: str
    source: str
    subject: str
    section: str
    """``s0``, ``s1``: the place in the envelope's list."""
    handoff: str = ""
    """``<id of the opening event> <recipient>``; empty on opening events and case verbs: then the event's own id."""

    def info(self) -> bytes:
        """Return ctx: everything that binds a section to its place."""
        parts = (
            _LABEL,
            _WIRE_VERSION,
            self.bus,
            self.event_id,
            self.source,
            self.subject,
            self.handoff or self.event_id,
            self.section,
        )
        try:
            return lp(*(part.encode("utf-8") for part in parts))
        except UnicodeEncodeError as error:
            raise LocalError(Code.MALFORMED_VALUE, "a lone surrogate in a context") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """One to seal to."""

    address: str
    kid: str
    public: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """What sealing gives: the section for the envelope, and its content key for the sender's own record."""

    section: Section
    cek: bytes = field(repr=False)


def seal(plaintext: bytes, context: SealContext, readers: Iterable[Reader]) -> Sealed:
    """
    Seal *plaintext* to *readers*, at its place in an event.

    Raises:
        LocalError: UNSEALABLE: no readers, too many, one key twice, or a key that takes no seal. OVERSIZE.
    """
    padded = _pad(plaintext)
    ordered = sorted(readers, key=lambda reader: reader.kid)
    kids = [reader.kid for reader in ordered]
    if not 0 < len(kids) <= MAX_READERS or len(set(kids)) != len(kids):
        raise LocalError(Code.UNSEALABLE, "a section has 1 to 32 readers, each key once")
    ctx = context.info()
    cek = secrets.token_bytes(_CEK_SIZE)
    entries = tuple(_seal_key(cek, ctx, reader) for reader in ordered)
    key, nonce, commit = _expand(cek, ctx)
    # The nonce is derived: safe because this key, with it, comes from a CEK that seals this one content.
    content = AESGCM(key).encrypt(nonce, padded, _aad(ctx, kids))
    return Sealed(section=Section(commit=b64(commit), content=b64(content), readers=entries), cek=cek)


def unseal(section: Section, context: SealContext, address: str, key: SealingKey) -> bytes:
    """
    Return the plaintext of *section* as the reader *address* with *key*.

    Raises:
        NotForUs: NOT_A_READER: this key at this address is not among the readers; another one may be.
        Tampered: WRONG_COMMITMENT: it does not open at this place, or was changed. MALFORMED_SECTION: it opens, and
            is not in the form of a section.
    """
    ctx = context.info()
    return _open(section, ctx, _open_key(section, ctx, address, key))


def disclose(section: Section, context: SealContext, address: str, key: SealingKey) -> bytes:
    """
    Return the content key of *section*: with `open_disclosed` it proves to anyone what the section said.

    Raises:
        NotForUs, Tampered: As `unseal`; nothing is disclosed that would not open.
    """
    ctx = context.info()
    cek = _open_key(section, ctx, address, key)
    _open(section, ctx, cek)
    return cek


def open_disclosed(section: Section, context: SealContext, cek: bytes) -> bytes:
    """
    Return the plaintext of *section* under a disclosed content key.

    Raises:
        Tampered: As `unseal`.
    """
    return _open(section, context.info(), cek)


def random_salts(count: int, size: int = 16) -> list[bytes]:
    """Return *count* random salts of *size* bytes, from one draw."""
    pool = secrets.token_bytes(count * size)
    return [pool[start : start + size] for start in range(0, count * size, size)]


def new_event_id(now_ms: int) -> str:
    """Return a fresh id for an event that is made at *now_ms*."""
    return uuid7(now_ms, secrets.token_bytes(10))


def _seal_key(cek: bytes, ctx: bytes, reader: Reader) -> SectionReader:
    try:
        public = _public(bytes(reader.public))
    except RemoteError as error:
        raise LocalError(Code.UNSEALABLE, "the sealing key of a reader is malformed") from error
    if public.kid != reader.kid:
        raise LocalError(Code.UNSEALABLE, "the sealing key of a reader is not the one of its key id")
    try:
        enc = public.encapsulate(cek, _reader_info(ctx, reader.address, reader.kid))
        return SectionReader(address=reader.address, enc=b64(enc), kid=reader.kid)
    except ValueError as error:
        # Pydantic's, or one from an address that is no UTF-8; `encapsulate` raises its own.
        raise LocalError(Code.UNSEALABLE, "a reader's address is malformed") from error


@lru_cache(maxsize=1024)
def _public(raw: bytes) -> SealingPublic:
    # Parsing expands a matrix, about as costly as sealing; a sender has the same few hundred readers all day.
    return SealingPublic.load(raw)


def _open_key(section: Section, ctx: bytes, address: str, key: SealingKey) -> bytes:
    for reader in section.readers:
        if reader.kid == key.kid and reader.address == address:
            cek = key.decapsulate(_decoded(reader.enc), _reader_info(ctx, address, key.kid))
            if cek is None:
                raise Tampered(Code.WRONG_COMMITMENT, "the content key was not sealed to this reader at this place")
            return cek
    raise NotForUs(Code.NOT_A_READER, "this key is not among the readers")


def _open(section: Section, ctx: bytes, cek: bytes) -> bytes:
    # (1) The key is the one the section commits to. AES-GCM alone does not say so: one ciphertext can be made that
    #     two keys open to two documents, and each reader would swear to its own.
    if len(cek) != _CEK_SIZE:
        raise Tampered(Code.WRONG_COMMITMENT, "a content key has 32 bytes")
    key, nonce, commit = _expand(cek, ctx)
    if not compare_digest(commit, _decoded(section.commit)):
        raise Tampered(Code.WRONG_COMMITMENT, "not the content key that the section commits to")
    # (2) The content is what was sealed, at this place, to exactly these readers.
    aad = _aad(ctx, sorted(reader.kid for reader in section.readers))
    try:
        padded = AESGCM(key).decrypt(nonce, _decoded(section.content), aad)
    except InvalidTag as error:
        raise Tampered(Code.WRONG_COMMITMENT, "content, readers or place were changed") from error
    # (3) The padding has its one form.
    return _unpad(padded)


def _expand(cek: bytes, ctx: bytes) -> tuple[bytes, bytes, bytes]:
    # Expand without Extract: the CEK is uniformly random already (RFC 5869 section 3.3).
    okm = HKDFExpand(algorithm=SHA256(), length=_KEY_SIZE + _NONCE_SIZE + _COMMIT_SIZE, info=ctx).derive(cek)
    return okm[:_KEY_SIZE], okm[_KEY_SIZE : _KEY_SIZE + _NONCE_SIZE], okm[_KEY_SIZE + _NONCE_SIZE :]


def _aad(ctx: bytes, ascending_kids: Sequence[str]) -> bytes:
    return ctx + sha256(lp(*(kid.encode("ascii") for kid in ascending_kids)))


def _reader_info(ctx: bytes, address: str, kid: str) -> bytes:
    return ctx + lp(address.encode("utf-8"), kid.encode("ascii"))


def _pad(plaintext: bytes) -> bytes:
    framed = len(plaintext).to_bytes(_LENGTH_SIZE, "big") + plaintext
    for size in PADDED_SIZES:
        if len(framed) <= size:
            return framed.ljust(size, b"\0")
    raise LocalError(Code.OVERSIZE, "a section holds at most 128 KiB")


def _unpad(padded: bytes) -> bytes:
    end = _LENGTH_SIZE + int.from_bytes(padded[:_LENGTH_SIZE], "big")
    plaintext = padded[_LENGTH_SIZE:end]
    # Padding again is the whole check: right size, length within it, zeros to the end.
    if end > PADDED_SIZES[-1] or _pad(plaintext) != padded:
        raise Tampered(Code.MALFORMED_SECTION, "the padding has another form")
    return plaintext


def _decoded(text: str) -> bytes:
    try:
        return unb64(text)
    except RemoteError as error:
        raise Tampered(Code.MALFORMED_SECTION, "not base64url") from error
