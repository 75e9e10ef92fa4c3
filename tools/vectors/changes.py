"""Directory changes: founded, renewed, and refused."""

from collections.abc import Iterator, Sequence
from typing import Final

from referral_contracts.codes import Code
from referral_contracts.directory_model import (
    Change,
    ChangeData,
    Entry,
    Grant,
    KeyRecord,
    Policy,
    Use,
    grant_case,
)
from referral_contracts.encoding import b64, format_time, jcs
from referral_contracts.keys import SigningKey
from referral_contracts.topics import CHANGE_MAX
from tools.vectors.cast import (
    AUDITOR,
    BUS,
    HOSPITAL,
    HOTLINE,
    LOG,
    POLICY,
    REGISTRAR,
    ROUTER,
    START,
    TERM,
    Agency,
    event_id,
)
from tools.vectors.directories import ENTRIES, FIRST, OUTAGES, Version, root_member, signed, version, with_outages
from tools.vectors.registrar import key_record
from tools.vectors.vector import Vector, fault, octets, repeated, valid

_YEAR_AFTER: Final = "2029-02-28T23:59:59.999Z"
_IDENTITY: Final = b64((1).to_bytes(32, "little"))


def change(after: Version, agencies: Sequence[Entry] = (), policy: Policy | None = None) -> Change:
    """Return the change that makes *after*."""
    return Change(
        bus=BUS,
        data=ChangeData(agencies=tuple(agencies), head=after.signed, policy=policy),
        id=event_id(100 + after.head.version),
        source=REGISTRAR.id,
        time=format_time(START),
    )


_FOUNDING: Final = change(FIRST, ENTRIES, POLICY).encode()


def _given(value: bytes, *before: bytes) -> dict[str, object]:
    return {**root_member(), "before": [octets(earlier) for earlier in before], "value": octets(value)}


def cases() -> Iterator[Vector]:
    yield from _taken()
    yield from _versions()
    yield from _keys()
    yield from _uses()
    yield from _outages()
    yield from _grants()
    yield from _contents()


def _taken() -> Iterator[Vector]:
    kind = "change"
    yield valid(kind, "change_founding", "the first", **_given(_FOUNDING), version=1, root=FIRST.head.root)
    renewed = version(FIRST, later_ms=1000)
    yield valid(
        kind,
        "change_renewing",
        "a head anew over the same entries",
        **_given(change(renewed).encode(), _FOUNDING),
        version=2,
        root=renewed.head.root,
    )
    sealing = HOTLINE.with_keys(HOTLINE.event_key, HOTLINE.sealing_key)
    added = version(FIRST, [sealing])
    yield valid(
        kind,
        "change_with_a_sealing_key",
        "a sealing key, vouched for by an event key",
        **_given(change(added, [sealing]).encode(), _FOUNDING),
        version=2,
        root=added.head.root,
    )


def _versions() -> Iterator[Vector]:
    kind, second = "change", version(FIRST, later_ms=1000)
    yield fault(Code.DUPLICATE, kind, "change_again", "the first once more", **_given(_FOUNDING, _FOUNDING))
    yield fault(
        Code.DIRECTORY_STALE,
        kind,
        "change_too_late",
        "the first once more, after the second",
        **_given(_FOUNDING, _FOUNDING, change(second).encode()),
    )
    yield fault(
        Code.DIRECTORY_FORKED, kind, "change_that_skips", "version 2 before 1", **_given(change(second).encode())
    )
    other = version(version(None, ENTRIES, POLICY, later_ms=5))
    yield fault(
        Code.DIRECTORY_FORKED,
        kind,
        "change_of_another_line",
        "version 2 of another version 1",
        **_given(change(other).encode(), _FOUNDING),
    )
    elsewhere = change(FIRST, ENTRIES, POLICY).model_copy(update={"bus": "production"})
    yield fault(Code.WRONG_BUS, kind, "change_of_another_bus", "another bus", **_given(elsewhere.encode()))


def _with(entry: Entry) -> dict[str, object]:
    """Return what a change after the first is given that puts *entry* in."""
    return _given(change(version(FIRST, [entry]), [entry]).encode(), _FOUNDING)


def _altered(record: KeyRecord, **members: object) -> KeyRecord:
    return record.model_copy(update=members)


def _outages() -> Iterator[Vector]:
    kind = "change"
    told, forgetful = with_outages(*OUTAGES), with_outages(*OUTAGES[1:])
    first = version(FIRST, policy=told)
    yield valid(
        kind,
        "change_tells_outages",
        "the bus was away",
        **_given(change(first, policy=told).encode(), _FOUNDING),
        version=2,
        root=first.head.root,
    )
    dropped = change(version(first, policy=forgetful), policy=forgetful).encode()
    yield fault(
        Code.ENTRY_VANISHED,
        kind,
        "change_drops_an_outage",
        "an outage that was told",
        **_given(dropped, _FOUNDING, change(first, policy=told).encode()),
    )


def _keys() -> Iterator[Vector]:
    kind, good = "change", HOTLINE.event_key
    theirs = key_record(BUS, HOTLINE.id, HOSPITAL.signing, TERM, HOSPITAL.signing)
    yield fault(
        Code.REPEATED_KEY,
        kind,
        "change_key_of_another",
        "the hospital's key too",
        **_with(HOTLINE.with_keys(good, theirs)),
    )
    yield fault(Code.REPEATED_KEY, kind, "change_key_twice", "one key twice", **_with(HOTLINE.with_keys(good, good)))
    weak = HOTLINE.with_keys(good, _altered(good, public=_IDENTITY))
    yield fault(Code.WEAK_KEY, kind, "change_weak_key", "the identity point", **_with(weak))
    misnamed = HOTLINE.with_keys(good, _altered(good, kid=b64(bytes(32))))
    yield fault(Code.MALFORMED_KEY, kind, "change_key_misnamed", "a kid that is not the thumbprint", **_with(misnamed))
    unproven = HOTLINE.with_keys(good, key_record(BUS, HOTLINE.id, HOTLINE.sealing, TERM, HOSPITAL.signing))
    yield fault(
        Code.MISSING_PROOF,
        kind,
        "change_key_unproven",
        "a sealing key that another agency vouches for",
        **_with(unproven),
    )
    elsewhere = key_record("production", HOTLINE.id, REGISTRAR.signing, TERM, REGISTRAR.signing)
    yield fault(
        Code.BAD_SIGNATURE,
        kind,
        "change_proof_for_another_bus",
        "possession shown to another bus",
        **_with(HOTLINE.with_keys(good, elsewhere)),
    )
    garbled = HOTLINE.with_keys(_altered(good, proof="none"))
    yield fault(Code.MALFORMED_SIGNATURE, kind, "change_proof_garbled", "no signature", **_with(garbled))


def _uses() -> Iterator[Vector]:
    kind, good = "change", HOTLINE.event_key

    def asking(prover: SigningKey = HOTLINE.http, use: Use = Use.HTTP) -> Entry:
        return HOTLINE.with_keys(good, key_record(BUS, HOTLINE.id, HOTLINE.http, TERM, prover, signs=use))

    checkpoints = key_record(BUS, LOG.id, LOG.signing, TERM, LOG.signing, signs=Use.LOG)
    for name, comment, entry in (
        ("change_with_a_key_for_http", "a key that signs requests, and shows itself", asking()),
        ("change_with_a_log", "the log, with a key that signs checkpoints", LOG.with_keys(checkpoints)),
    ):
        added = version(FIRST, [entry])
        yield valid(kind, name, comment, **_with(entry), version=2, root=added.head.root)
    missing = Code.MISSING_PROOF
    vouched = asking(HOTLINE.signing)
    yield fault(missing, kind, "change_key_for_http_unproven", "an event key vouches for it", **_with(vouched))
    sealing = key_record(BUS, HOTLINE.id, HOTLINE.sealing, TERM, HOTLINE.http)
    vouching = HOTLINE.with_keys(*asking().keys, sealing)
    yield fault(missing, kind, "change_key_for_http_vouching", "a sealing key by a key for HTTP", **_with(vouching))
    elsewhere = asking(use=Use.LOG)
    yield fault(Code.NOT_PERMITTED, kind, "change_key_of_the_log", "a log key in another entry", **_with(elsewhere))
    used = change(version(FIRST, [asking()]), [asking()]).encode()
    turned = HOTLINE.with_keys(good, key_record(BUS, HOTLINE.id, HOTLINE.http, TERM, HOTLINE.http))
    after = change(version(version(FIRST, [asking()]), [turned]), [turned]).encode()
    yield fault(
        Code.ENTRY_VANISHED,
        kind,
        "change_takes_a_key_for_events",
        "a key has one use",
        **_given(after, _FOUNDING, used),
    )


def _grants() -> Iterator[Vector]:
    kind = "change"

    def grant(**members: str) -> Grant:
        told = {"purpose": "inspection", "valid_from": "2028-02-29T00:00:00.000Z", "valid_until": _YEAR_AFTER}
        return Grant.model_validate_json(jcs({**told, **members}))

    def granting(*grants: Grant, to: Agency = AUDITOR) -> Entry:
        return to.small_entry.model_copy(update={"grants": grants})

    case = grant_case("5b1e3c1d9a7f4e02b6d8c7a4f0e9d213")
    granted = granting(grant(), grant(province="01"), grant(case=case, purpose="complaint"))
    after = version(FIRST, [granted])
    yield valid(
        kind,
        "change_grants",
        "an auditor may read all, the cases of a province, one case; for a year, from a 29 February on",
        **_given(change(after, [granted]).encode(), _FOUNDING),
        version=2,
        root=after.head.root,
    )
    ended = version(after, [AUDITOR.small_entry])
    yield valid(
        kind,
        "change_ends_grants",
        "they are taken back",
        **_given(change(ended, [AUDITOR.small_entry]).encode(), _FOUNDING, change(after, [granted]).encode()),
        version=3,
        root=ended.head.root,
    )
    wrong = {
        "to_no_auditor": (granting(grant(), to=HOTLINE), "the hotline is no auditor"),
        "twice": (granting(grant(), grant()), "the same twice"),
        "case_and_province": (granting(grant(case=case, province="01")), "for a case and a province"),
        "backwards": (granting(grant(valid_until="2028-02-28T23:59:59.999Z")), "it ends before it begins"),
        "for_no_time": (granting(grant(valid_until="2028-02-29T00:00:00.000Z")), "it ends when it begins"),
        "too_long": (granting(grant(valid_until="2029-03-01T00:00:00.000Z")), "longer than a year"),
    }
    for name, (entry, comment) in wrong.items():
        yield fault(Code.NOT_PERMITTED, kind, f"change_grants_{name}", comment, **_with(entry))


def _contents() -> Iterator[Vector]:
    kind = "change"
    yield fault(
        Code.ENTRY_VANISHED, kind, "change_drops_a_key", "a key's history is gone", **_with(HOTLINE.with_keys())
    )
    revoked = HOTLINE.with_keys(_altered(HOTLINE.event_key, revoked_at=format_time(START)))
    revoking = change(version(FIRST, [revoked]), [revoked]).encode()
    back = version(version(FIRST, [revoked]), [HOTLINE.small_entry])
    yield fault(
        Code.ENTRY_VANISHED,
        kind,
        "change_takes_a_revocation_back",
        "what was revoked stays revoked",
        **_given(change(back, [HOTLINE.small_entry]).encode(), _FOUNDING, revoking),
    )
    shorter = HOTLINE.with_keys(_altered(HOTLINE.event_key, valid_until=HOTLINE.event_key.valid_from))
    yield fault(Code.ENTRY_VANISHED, kind, "change_shortens_a_term", "a key was good for longer", **_with(shorter))
    followed = HOTLINE.small_entry.model_copy(update={"ends_at": format_time(START), "successors": ("nobody",)})
    yield fault(
        Code.UNKNOWN_RECIPIENT,
        kind,
        "change_with_an_unknown_successor",
        "a successor that has no entry",
        **_with(followed),
    )
    usurper = HOSPITAL.small_entry.model_copy(update={"roles": ("hospital", ROUTER.role)})
    both = (ROUTER.small_entry, usurper)
    yield fault(
        Code.NOT_PERMITTED,
        kind,
        "change_with_two_routers",
        "two entries with the role of one service",
        **_given(change(version(FIRST, both), both).encode(), _FOUNDING),
    )
    lawless = version(None, ENTRIES)
    yield fault(
        Code.ENTRY_VANISHED, kind, "change_without_policy", "no policy", **_given(change(lawless, ENTRIES).encode())
    )
    less = change(FIRST, ENTRIES[:1], POLICY).encode()
    yield fault(
        Code.DIRECTORY_ROOT, kind, "change_incomplete", "an entry that the head counts is missing", **_given(less)
    )
    unsigned = signed(FIRST.head, HOTLINE.signing)
    data = ChangeData(agencies=ENTRIES, head=unsigned, policy=POLICY)
    stranger = change(FIRST, ENTRIES, POLICY).model_copy(update={"data": data}).encode()
    yield fault(Code.NOT_ENOUGH_SIGNATURES, kind, "change_unsigned", "a head signed by a stranger", **_given(stranger))
    spaced = _FOUNDING.replace(b":", b": ", 1)
    yield fault(Code.NOT_CANONICAL, kind, "change_white_space", "a space", **_given(spaced))
    large = {**root_member(), "before": [], "value": repeated(" ", CHANGE_MAX + 1)}
    yield fault(Code.OVERSIZE, kind, "change_oversize", "one byte too many", **large)
