"""Sealed sections whose secrets are chosen, so that they can be made again, and made wrong."""

from collections.abc import Iterable, Mapping

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from referral_contracts.encoding import b64
from referral_contracts.sealing import SealContext, _aad, _expand, _pad, _reader_info
from referral_contracts.wire import Section, SectionReader
from tools.vectors.cast import Agency, secret
from tools.vectors.frozen import Frozen


def cek_of(context: SealContext) -> bytes:
    """Return the content key of the section at this place."""
    return secret(f"content key of {context.event_id} {context.section}", 32)


def sealed(
    frozen: Frozen,
    context: SealContext,
    agencies: Iterable[Agency],
    plaintext: bytes = b"",
    *,
    padded: bytes | None = None,
    cek: bytes | None = None,
    ceks: Mapping[str, bytes] | None = None,
) -> Section:
    """Return *plaintext* sealed to *agencies*; or *padded* as it is, under a *cek*, with other *ceks* for some."""
    cek = cek_of(context) if cek is None else cek
    ctx = context.info()
    key, nonce, commit = _expand(cek, ctx)
    ordered = sorted(agencies, key=lambda agency: agency.sealing.kid)
    kids = [agency.sealing.kid for agency in ordered]
    content = AESGCM(key).encrypt(nonce, _pad(plaintext) if padded is None else padded, _aad(ctx, kids))
    readers = tuple(
        SectionReader(
            address=agency.id,
            enc=b64(
                frozen.seal(
                    agency.sealing, (ceks or {}).get(agency.id, cek), _reader_info(ctx, agency.id, agency.sealing.kid)
                )
            ),
            kid=agency.sealing.kid,
        )
        for agency in ordered
    )
    return Section(commit=b64(commit), content=b64(content), readers=readers)
