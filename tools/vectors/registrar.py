"""What a registrar and an agency write into a directory entry: keys with their proofs, and what is pinned."""

from collections.abc import Iterable
from dataclasses import dataclass

from referral_contracts.directory import RootKey, TrustRoot
from referral_contracts.directory_admission import possession
from referral_contracts.directory_model import KeyRecord, Use
from referral_contracts.encoding import b64, format_time
from referral_contracts.keys import SealingKey, SigningKey
from referral_contracts.signing import Typ


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """The times between which a key may be used."""

    from_ms: int
    until_ms: int


def trust_root(bus: str, keys: Iterable[SigningKey], threshold: int = 1) -> TrustRoot:
    pinned = tuple(RootKey(kid=key.kid, public=b64(key.public)) for key in keys)
    return TrustRoot(bus=bus, keys=pinned, threshold=threshold)


def key_record(
    bus: str,
    agency: str,
    key: SigningKey | SealingKey,
    term: Term,
    prover: SigningKey,
    *,
    signs: Use = Use.EVENT,
) -> KeyRecord:
    """Return the record of *key*, with the proof of possession that *prover* signs; *signs* tells what a key is for."""
    record = KeyRecord(
        kid=key.kid,
        proof="",
        public=b64(key.public),
        use=signs if isinstance(key, SigningKey) else Use.SEAL,
        valid_from=format_time(term.from_ms),
        valid_until=format_time(term.until_ms),
    )
    return record.model_copy(update={"proof": prover.sign(Typ.ENTRY, possession(bus, agency, record))})
