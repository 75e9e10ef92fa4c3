"""
What an entry has to show before the directory takes it: its keys are its own and proven, nothing of it is lost, and
what it may read is bounded.

A key's history is evidence: what was signed with it must stay checkable.
"""

from collections.abc import Mapping

from referral_contracts.codes import Code
from referral_contracts.directory_model import ROLE_AUDITOR, ROLE_LOG, Entry, KeyRecord, Policy, Use
from referral_contracts.encoding import jcs, unb64
from referral_contracts.errors import RemoteError
from referral_contracts.keys import SealingPublic, VerifyKey
from referral_contracts.signing import Typ, parse_signature, verify


def possession(bus: str, agency: str, key: KeyRecord) -> bytes:
    """Return what a key's ``proof`` signs: that this key is meant for this agency, desk and use."""
    return jcs({"agency": agency, "bus": bus, "desk": key.desk, "kid": key.kid, "use": key.use.value})


def refuse_loss(entry: Entry, old: bytes | None) -> None:
    """
    Check that *entry* keeps the keys of the entry before, and when they were good.

    Raises:
        RemoteError: A key is gone or elsewhere, or is good for another time than what was signed with it relied on.
    """
    kept = {key.kid: key for key in entry.keys}
    for key in () if old is None else Entry.decode(old).keys:
        now = kept.get(key.kid)
        if now is None or now.desk != key.desk or now.use is not key.use:
            raise RemoteError(Code.ENTRY_VANISHED, "a key's history was dropped")
        if key.revoked_at is not None and (now.revoked_at is None or now.revoked_at > key.revoked_at):
            raise RemoteError(Code.ENTRY_VANISHED, "a revocation was taken back")
        # A key that goes out of use early is revoked, which is seen; a shorter term would look as if it always was.
        if now.valid_from != key.valid_from or now.valid_until < key.valid_until:
            raise RemoteError(Code.ENTRY_VANISHED, "a key's term was moved")


def refuse_forgotten(policy: Policy, old: bytes | None) -> None:
    """
    Check that *policy* tells every outage that the one before told: an agency may rely on it.

    Raises:
        RemoteError: One is gone, or is told otherwise.
    """
    told = () if old is None else Policy.decode(old).outages or ()
    if not set(told) <= set(policy.outages or ()):
        raise RemoteError(Code.ENTRY_VANISHED, "an outage that was told was dropped or changed")


def check_named(entry: Entry, entries: Mapping[str, bytes]) -> None:
    """
    Check that the agencies that *entry* names are there.

    Raises:
        RemoteError: A successor, or the agency that it is reached through, is none.
    """
    through = () if entry.delivery.agency is None else (entry.delivery.agency,)
    if not {*entry.successors, *through} <= entries.keys():
        raise RemoteError(Code.UNKNOWN_RECIPIENT, "an entry names an agency that the directory does not have")


def check_granted(entry: Entry) -> None:
    """
    Check that the grants of *entry* are an auditor's, each once, for a case, a province or all, and a year at most.

    Raises:
        RemoteError: NOT_PERMITTED.
    """
    grants = entry.grants or ()
    if grants and ROLE_AUDITOR not in entry.roles:
        raise RemoteError(Code.NOT_PERMITTED, "grants of who is no auditor")
    if len({*grants}) != len(grants):
        raise RemoteError(Code.NOT_PERMITTED, "a grant twice")
    for grant in grants:
        if None not in {grant.case, grant.province}:
            raise RemoteError(Code.NOT_PERMITTED, "a grant for a case and a province")
        # Times have one spelling, in which they sort; after a 29 February, what sorts behind 28 February a year later.
        year_after = f"{int(grant.valid_from[:4]) + 1:04}{grant.valid_from[4:]}"
        if not grant.valid_from < grant.valid_until <= year_after:
            raise RemoteError(Code.NOT_PERMITTED, "a grant that ends before it begins, or is for more than a year")


def admit_keys(bus: str, entry: Entry, kids: Mapping[str, str]) -> None:
    """
    Check that the keys of *entry* are good, its own, and shown to be; *kids* tells whose the others are.

    Raises:
        RemoteError: A weak, repeated or unproven key, or one that signs for the log and is not the log's.
    """
    provers: dict[str, VerifyKey] = {}
    for record in sorted(entry.keys, key=lambda key: key.use is Use.SEAL):
        if kids.get(record.kid, entry.id) != entry.id:
            raise RemoteError(Code.REPEATED_KEY, "the key belongs to another entry")
        if record.use is Use.LOG and ROLE_LOG not in entry.roles:
            raise RemoteError(Code.NOT_PERMITTED, "a key of the log in another entry")
        raw = unb64(record.public)
        own = None if record.use is Use.SEAL else VerifyKey.admit(raw)
        if record.kid != (SealingPublic.admit(raw) if own is None else own).kid:
            raise RemoteError(Code.MALFORMED_KEY, "a key's id is not its thumbprint")
        if own is not None and record.use is Use.EVENT:
            provers[own.kid] = own
        proof = parse_signature(record.proof.encode("ascii", "replace"), Typ.ENTRY)
        prover = provers.get(proof.kid) if own is None else own
        if prover is None or prover.kid != proof.kid:
            raise RemoteError(Code.MISSING_PROOF, "a key without proof of possession")
        verify(prover, proof, possession(bus, entry.id, record))
    if len({record.kid for record in entry.keys}) != len(entry.keys):
        raise RemoteError(Code.REPEATED_KEY, "a key twice in one entry")
