"""A directory of four agencies, and changes to it."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from referral_bus.registrar import Registrar, Term, event_key_record, sealing_key_record, trust_root
from referral_contracts.codes import Code
from referral_contracts.directory import (
    POLICY_KEY,
    Directory,
    TrustRoot,
    apply,
)
from referral_contracts.directory_model import (
    Change,
    Delivery,
    Entry,
    Head,
    KeyRecord,
    MayKnow,
    MaySend,
    Names,
    Policy,
    SignedHead,
)
from referral_contracts.keys import SealingKey, SigningKey
from referral_contracts.signing import Typ
from tests.contracts.refusals import code_of

BUS: Final = "training"
NOW: Final = 1_790_000_000_000
HOUR: Final = 3_600_000
YEAR: Final = 365 * 24 * HOUR
TERM: Final = Term(from_ms=NOW, until_ms=NOW + YEAR)
# The point of order 1, for which one constant signature verifies everything.
IDENTITY: Final = b"\x01" + bytes(31)

ROOTS: Final = [SigningKey.from_seed(bytes([number]) * 32) for number in (1, 2, 3)]
SIGNING: Final = {name: SigningKey.from_seed(bytes([10 + number]) * 32) for number, name in enumerate("abcdef")}
SEALING: Final = {name: SealingKey.from_bytes(bytes([10 + number]) * 96) for number, name in enumerate("abcdef")}
POLICY: Final = Policy(
    may_know=(MayKnow(answers="team", roles=("police", "hospital")), MayKnow(roles=("police", "school"))),
    may_open=("hotline",),
    may_send=(
        MaySend(recipients=("*",), senders=("hotline",), verbs=("handoff.*", "case.noted")),
        MaySend(recipients=("hotline",), senders=("*",), verbs=("handoff.notified",)),
    ),
)


def signing_record(agency: str, name: str = "", **over: Any) -> KeyRecord:
    record = event_key_record(BUS, agency, SIGNING[name or agency], TERM)
    return record.model_copy(update=over)


def sealing_record(agency: str, name: str = "", *, desk: str | None = None, term: Term = TERM) -> KeyRecord:
    return sealing_key_record(BUS, agency, SEALING[name or agency], term, signer=SIGNING[agency], desk=desk)


def entry(agency: str, *keys: KeyRecord, roles: Sequence[str] = ("police",), **over: Any) -> Entry:
    return Entry(
        id=agency,
        keys=keys or (signing_record(agency), sealing_record(agency)),
        names=Names(en=agency, vi=agency),
        roles=tuple(roles),
        **{"delivery": Delivery(kind="bus"), **over},
    )


def registrar(*keys: SigningKey) -> Registrar:
    return Registrar(agency="registrar", bus=BUS, keys=keys or ROOTS[:1])


def root(threshold: int = 1, *keys: SigningKey) -> TrustRoot:
    return trust_root(BUS, keys or ROOTS[:1], threshold)


def change(
    before: Directory | None, *entries: Entry, policy: Policy | None = None, by: Registrar | None = None
) -> Change:
    value, _ = (by or registrar()).change(before, NOW, YEAR, agencies=entries, policy=policy)
    return Change.decode(value)


def owners(directory: Directory) -> Mapping[str, str]:
    found = [Entry.decode(value) for key, value in directory.entries.items() if key != POLICY_KEY]
    return {key.kid: agency.id for agency in found for key in agency.keys}


def after(before: Directory, *entries: Entry, policy: Policy | None = None) -> Directory:
    return apply(before, change(before, *entries, policy=policy), root(), owners(before))


@cache
def first() -> Directory:
    members = entry("a", roles=["hotline"]), entry("b"), entry("c", roles=["hospital"]), entry("d", roles=["school"])
    return apply(None, change(None, *members, policy=POLICY), root(), {})


def code_after(*entries: Entry) -> Code | None:
    return code_of(lambda: after(first(), *entries))


def signed(head: Head, *keys: SigningKey) -> SignedHead:
    return SignedHead(head=head, signatures=tuple(key.sign(Typ.HEAD, head.encode()) for key in keys))
