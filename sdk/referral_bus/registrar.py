"""
What a registrar does: describe keys, put entries and policy together, sign the head, make the change.

Pure: keys and `now` are arguments. How a change reaches the bus is the client's and the command line's business.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import ValidationError

from referral_contracts.codes import Code
from referral_contracts.directory import Directory, RootKey, TrustRoot, entries_root, head_hash
from referral_contracts.directory_admission import check_granted, possession
from referral_contracts.directory_model import (
    MAX_GRANTS,
    POLICY_KEY,
    Change,
    ChangeData,
    Entry,
    Grant,
    Head,
    KeyRecord,
    Outage,
    Policy,
    SignedHead,
    Use,
    WireVersion,
)
from referral_contracts.encoding import b64, format_time, parse_time
from referral_contracts.errors import LocalError, RemoteError
from referral_contracts.keys import SealingKey, SigningKey
from referral_contracts.sealing import new_event_id
from referral_contracts.signing import Typ, parse_signature
from referral_contracts.verbs import WIRE_VERSION


def with_outage(policy: Policy, outage: Outage) -> Policy:
    """
    Return *policy* with an outage of the bus told besides.

    Raises:
        LocalError: MALFORMED_VALUE: it ends before it begins, or is told already, in part or as a whole.
    """
    told = sorted((*(policy.outages or ()), outage), key=lambda one: one.since)
    try:
        return Policy.model_validate_json(policy.model_copy(update={"outages": tuple(told)}).encode())
    except ValidationError as error:
        detail = "an outage ends after it begins, and is told once: referral-bus directory show --json tells those told"
        raise LocalError(Code.MALFORMED_VALUE, detail) from error


def with_grant(entry: Entry, grant: Grant, now_ms: int) -> Entry:
    """
    Return an auditor's *entry* with a *grant* more, without those that are over: the log keeps what it said before.

    Raises:
        LocalError: MALFORMED_VALUE: too many. NOT_PERMITTED: it is no auditor's, is there already, or is for too long.
    """
    kept = [one for one in entry.grants or () if parse_time(one.valid_until) > now_ms]
    return _granting(entry, (*kept, grant))


def without_grant(entry: Entry, number: int) -> Entry:
    """
    Return an auditor's *entry* without its grant *number*, counted from 1.

    Raises:
        LocalError: MALFORMED_VALUE: there is none.
    """
    grants = entry.grants or ()
    if not 1 <= number <= len(grants):
        raise LocalError(Code.MALFORMED_VALUE, "no such grant: referral-bus directory show AGENCY numbers them")
    return _granting(entry, (*grants[: number - 1], *grants[number:]))


def _granting(entry: Entry, grants: tuple[Grant, ...]) -> Entry:
    try:
        found = Entry.model_validate_json(entry.model_copy(update={"grants": grants or None}).encode())
        check_granted(found)
    except ValidationError as error:
        raise LocalError(Code.MALFORMED_VALUE, f"an auditor has at most {MAX_GRANTS} grants") from error
    except RemoteError as error:
        raise LocalError(error.code, error.detail) from error
    return found


def trust_root(bus: str, keys: Iterable[SigningKey], threshold: int = 1) -> TrustRoot:
    """Return what agencies pin: the registrars' *keys* and how many of them must sign a head."""
    pinned = tuple(RootKey(kid=key.kid, public=b64(key.public)) for key in keys)
    return TrustRoot(bus=bus, keys=pinned, threshold=threshold)


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """The times between which a key may be used."""

    from_ms: int
    until_ms: int


def event_key_record(bus: str, agency: str, key: SigningKey, term: Term, *, use: Use = Use.EVENT) -> KeyRecord:
    """Return the directory's record of a key that signs events, or of another *use*, with its proof of possession."""
    return _proven(bus, agency, key, _record(use, key.kid, key.public, None, term))


def sealing_key_record(
    bus: str, agency: str, key: SealingKey, term: Term, *, signer: SigningKey, desk: str | None = None
) -> KeyRecord:
    """Return the directory's record of a sealing key; it cannot sign, so an event key of the agency vouches for it."""
    return _proven(bus, agency, signer, _record(Use.SEAL, key.kid, key.public, desk, term))


def _record(use: Use, kid: str, public: bytes, desk: str | None, term: Term) -> KeyRecord:
    return KeyRecord(
        desk=desk,
        kid=kid,
        proof="",
        public=b64(public),
        use=use,
        valid_from=format_time(term.from_ms),
        valid_until=format_time(term.until_ms),
    )


def _proven(bus: str, agency: str, prover: SigningKey, record: KeyRecord) -> KeyRecord:
    return record.model_copy(update={"proof": prover.sign(Typ.ENTRY, possession(bus, agency, record))})


@dataclass(frozen=True, slots=True, kw_only=True)
class Registrar:
    """One who may change the directory."""

    agency: str
    bus: str
    keys: Sequence[SigningKey] = field(repr=False)
    """Root keys that sign the head, as many as are at hand; the first signs the event."""

    def change(
        self,
        previous: Directory | None,
        now_ms: int,
        lifetime_ms: int,
        *,
        agencies: Sequence[Entry] = (),
        policy: Policy | None = None,
    ) -> tuple[bytes, bytes]:
        """Return a change as it is submitted: what `propose` makes, and the event's signature."""
        change = self.propose(previous, now_ms, lifetime_ms, agencies=agencies, policy=policy)
        return submission(change, self.keys[0])

    def propose(
        self,
        previous: Directory | None,
        now_ms: int,
        lifetime_ms: int,
        *,
        agencies: Sequence[Entry] = (),
        policy: Policy | None = None,
    ) -> Change:
        """
        Return a change with a head that these keys signed; where they are too few, others `cosign` it.

        Without *agencies* and *policy* it renews the head and changes nothing else.
        """
        entries = {**({} if previous is None else previous.entries), **_encoded(agencies, policy)}
        head = Head(
            bus=self.bus,
            entries=len(entries),
            expires=format_time(now_ms + lifetime_ms),
            issued=format_time(now_ms),
            previous=None if previous is None else head_hash(previous.head),
            root=b64(entries_root(entries)),
            version=1 if previous is None else previous.version + 1,
            wire=_wire(previous, now_ms),
        )
        change = Change(
            bus=self.bus,
            data=ChangeData(agencies=tuple(agencies), head=SignedHead(head=head, signatures=()), policy=policy),
            id=new_event_id(now_ms),
            source=self.agency,
            time=format_time(now_ms),
        )
        return cosign(change, self.keys)


def cosign(change: Change, keys: Iterable[SigningKey]) -> Change:
    """Return *change* with its head signed by *keys* too, each once; what it says stays as it is."""
    signed = change.data.head
    there = {parse_signature(text.encode("ascii", "replace"), Typ.HEAD).kid for text in signed.signatures}
    more = {key.kid: key.sign(Typ.HEAD, signed.head.encode()) for key in keys if key.kid not in there}
    head = SignedHead(head=signed.head, signatures=(*signed.signatures, *more.values()))
    return change.model_copy(update={"data": change.data.model_copy(update={"head": head})})


def submission(change: Change, key: SigningKey) -> tuple[bytes, bytes]:
    """Return *change* as it is submitted, by who holds the root key *key*: the event's bytes and its signature."""
    value = change.encode()
    return value, key.sign(Typ.EVENT, value).encode("ascii")


def _encoded(agencies: Iterable[Entry], policy: Policy | None) -> Mapping[str, bytes]:
    found = {entry.id: entry.encode() for entry in agencies}
    return found if policy is None else {**found, POLICY_KEY: policy.encode()}


def _wire(previous: Directory | None, now_ms: int) -> tuple[WireVersion, ...]:
    if previous is not None:
        return previous.head.wire
    return (WireVersion(valid_from=format_time(now_ms), version=WIRE_VERSION),)
