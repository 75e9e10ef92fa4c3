"""The bus of these tests: who is on it, with which keys, under which policy. Made once; nothing in it changes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from referral_bus.registrar import Registrar, Term, event_key_record, sealing_key_record, trust_root
from referral_contracts.directory import Directory, TrustRoot, apply
from referral_contracts.directory_model import (
    Change,
    Delivery,
    Entry,
    KeyRecord,
    MayKnow,
    MaySend,
    Names,
    Policy,
)
from referral_contracts.encoding import format_time
from referral_contracts.keys import SealingKey, SigningKey

BUS: Final = "training"
NOW: Final = 1_790_000_000_000
HOUR: Final = 3_600_000
DAY: Final = 24 * HOUR
YEAR: Final = 365 * DAY

WATCHER: Final = "watcher"
HOTLINE: Final = "hotline-111"
WARD: Final = "ward-a"
NEXT_WARD: Final = "ward-b"
POLICE: Final = "police-b"
YOUTH_POLICE: Final = "police-b/youth"
HOSPITAL: Final = "hospital-c"
LEGAL_AID: Final = "legal-d"
SCHOOL: Final = "school-e"
CLINIC: Final = "clinic-f"
"""On the bus, and never in a case of these tests."""
OFF_BUS: Final = "temple-g"
NO_INBOX: Final = "late-h"

ROLES: Final[Mapping[str, str]] = {
    "registrar": "registrar",
    "router": "router",
    WATCHER: "deadline-watcher",
    HOTLINE: "hotline",
    WARD: "commune",
    NEXT_WARD: "commune",
    POLICE: "police",
    HOSPITAL: "hospital",
    LEGAL_AID: "legal-aid",
    SCHOOL: "school",
    CLINIC: "hospital",
    OFF_BUS: "school",
    NO_INBOX: "school",
}
INBOXES: Final = frozenset(ROLES) - {OFF_BUS, NO_INBOX}
TERM: Final = Term(from_ms=NOW - DAY, until_ms=NOW + YEAR)

POLICY: Final = Policy(
    keep_closed_ms=DAY,
    may_know=(
        MayKnow(answers="team", roles=("police", "hospital")),
        MayKnow(roles=("police", "hospital", "legal-aid", "commune")),
    ),
    may_open=("hotline", "commune"),
    may_send=(
        MaySend(recipients=("*",), senders=("hotline", "commune", "police"), verbs=("*",)),
        MaySend(recipients=("*",), senders=("*",), verbs=("case.noted", "handoff.notified")),
    ),
    window_ms=2 * HOUR,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """One agency's private keys."""

    signing: SigningKey
    sealing: SealingKey
    desk: SealingKey
    spare: Mapping[str, SigningKey] = field(default_factory=dict)
    """Signing keys that are not valid now, by what is the matter with them."""


def _keys(number: int) -> Keys:
    return Keys(
        signing=SigningKey.from_seed(bytes([number]) * 32),
        sealing=SealingKey.from_bytes(bytes([number]) * 96),
        desk=SealingKey.from_bytes(bytes([100 + number]) * 96),
        spare={
            name: SigningKey.from_seed(bytes([number, extra]) * 16)
            for extra, name in enumerate(("expired", "early", "revoked"))
        },
    )


KEYS: Final = {agency: _keys(number) for number, agency in enumerate(ROLES, 1)}
ROOT_KEYS: Final = tuple(SigningKey.from_seed(bytes([number]) * 32) for number in (201, 202, 203))
ROOT: Final[TrustRoot] = trust_root(BUS, ROOT_KEYS[:1])

_SPARE_TERMS: Final = {
    "expired": Term(from_ms=NOW - YEAR, until_ms=NOW - DAY),
    "early": Term(from_ms=NOW + DAY, until_ms=NOW + YEAR),
    "revoked": TERM,
}


def event_record(agency: str, key: SigningKey, term: Term = TERM, *, revoked_ms: int | None = None) -> KeyRecord:
    record = event_key_record(BUS, agency, key, term)
    return record if revoked_ms is None else record.model_copy(update={"revoked_at": format_time(revoked_ms)})


def entry(agency: str, *, keys: Keys | None = None, roles: Sequence[str] | None = None) -> Entry:
    """Return the directory's entry of *agency*, as these tests found it."""
    own = keys or KEYS[agency]
    spare = [
        event_record(agency, key, _SPARE_TERMS[name], revoked_ms=NOW - HOUR if name == "revoked" else None)
        for name, key in own.spare.items()
    ]
    youth = [sealing_key_record(BUS, agency, own.desk, TERM, signer=own.signing, desk="youth")]
    return Entry(
        delivery=Delivery(kind="off-bus" if agency == OFF_BUS else "bus"),
        desks=("youth",) if agency == POLICE else (),
        id=agency,
        keys=(
            event_record(agency, own.signing),
            sealing_key_record(BUS, agency, own.sealing, TERM, signer=own.signing),
            *(spare if agency == HOTLINE else ()),
            *(youth if agency == POLICE else ()),
        ),
        names=Names(en=agency, vi=agency),
        roles=tuple(roles) if roles is not None else (ROLES[agency],),
    )


REGISTRAR: Final = Registrar(agency="registrar", bus=BUS, keys=ROOT_KEYS[:1])


@cache
def founded() -> tuple[bytes, bytes]:
    """Return the first change of the directory, as it is submitted: value and signature."""
    return REGISTRAR.change(None, NOW, YEAR, agencies=[entry(agency) for agency in ROLES], policy=POLICY)


@cache
def directory() -> Directory:
    """Return version 1."""
    return apply(None, Change.decode(founded()[0]), ROOT, {})


@cache
def under(policy: Policy) -> Directory:
    """Return version 2, which is version 1 under another policy."""
    value, _ = REGISTRAR.change(directory(), NOW, YEAR, policy=policy)
    return apply(directory(), Change.decode(value), ROOT, {})


def with_entry(changed: Entry) -> Directory:
    """Return version 2, which is version 1 with this entry."""
    value, _ = REGISTRAR.change(directory(), NOW, YEAR, agencies=[changed])
    return apply(directory(), Change.decode(value), ROOT, {})


def ending(before: Directory, now_ms: int, agency: str, ends_ms: int, successors: Sequence[str]) -> Directory:
    """Return the version after *before*, in which *agency* ends and these go on for it."""
    changed = entry(agency).model_copy(update={"ends_at": format_time(ends_ms), "successors": tuple(successors)})
    value, _ = REGISTRAR.change(before, now_ms, YEAR, agencies=[changed])
    return apply(before, Change.decode(value), ROOT, {})
