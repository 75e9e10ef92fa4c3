"""The directory: entries, the policy, heads and who signed them, changes, the trust root."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from referral_contracts.codes import Code
from referral_contracts.directory import TrustRoot, entries_root, head_hash
from referral_contracts.directory_model import POLICY_KEY, Entry, Head, Outage, Policy, SignedHead, WireVersion
from referral_contracts.encoding import MAX_INTEGER, b64, format_time, jcs
from referral_contracts.keys import SigningKey
from referral_contracts.signing import Typ
from tools.vectors.cast import BUS, HOSPITAL, HOTLINE, POLICY, ROOT_KEYS, START, TERM, TRUST_ROOT
from tools.vectors.registrar import trust_root
from tools.vectors.vector import Vector, fault, octets, valid

ENTRIES: Final = (HOTLINE.small_entry, HOSPITAL.small_entry)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A version of the directory: what its head is over."""

    entries: Mapping[str, bytes]
    head: Head

    @property
    def signed(self) -> SignedHead:
        return signed(self.head)


def signed(head: Head, *keys: SigningKey) -> SignedHead:
    return SignedHead(head=head, signatures=tuple(key.sign(Typ.HEAD, head.encode()) for key in keys or ROOT_KEYS[:1]))


OUTAGES: Final = (
    Outage(reason="mất điện", since="2026-02-01T01:00:00.000Z", until="2026-02-01T05:30:00.000Z"),
    Outage(reason="bảo trì", since="2026-03-01T17:00:00.000Z", until="2026-03-01T18:00:00.000Z"),
)


def by_key(entries: Sequence[Entry], policy: Policy | None) -> dict[str, bytes]:
    found = {entry.id: entry.encode() for entry in entries}
    return found if policy is None else {**found, POLICY_KEY: policy.encode()}


def version(
    before: Version | None, entries: Sequence[Entry] = (), policy: Policy | None = None, *, later_ms: int = 0
) -> Version:
    """Return the version after *before* with *entries* and *policy* put in."""
    held = {**(before.entries if before else {}), **by_key(entries, policy)}
    head = Head(
        bus=BUS,
        entries=len(held),
        expires=format_time(TERM.until_ms),
        issued=format_time(START + later_ms),
        previous=None if before is None else head_hash(before.head),
        root=b64(entries_root(held)),
        version=1 if before is None else before.head.version + 1,
        wire=(WireVersion(valid_from=format_time(TERM.from_ms), version="v1"),),
    )
    return Version(entries=held, head=head)


FIRST: Final = version(None, ENTRIES, POLICY)


def root_member(root: TrustRoot = TRUST_ROOT) -> dict[str, object]:
    return {"trust_root": root.model_dump(mode="json")}


def cases() -> Iterator[Vector]:
    yield from _records()
    yield from _signatures()
    yield from _assembled()
    yield from _trust_roots()


def _records() -> Iterator[Vector]:
    entry, policy, head = HOSPITAL.entry.encode(), POLICY.encode(), FIRST.signed.encode()
    for kind, value in (("entry", entry), ("policy", policy), ("signed-head", head)):
        yield valid(kind, kind.replace("-", "_"), "as it lies in the directory topic", value=octets(value))
    small = HOSPITAL.small_entry.encode()
    told: Any = HOSPITAL.small_entry.model_dump(mode="json", exclude_none=True)
    yield fault(
        Code.NOT_CANONICAL, "entry", "entry_white_space", "a space", value=octets(small.replace(b":", b": ", 1))
    )
    yield fault(
        Code.MALFORMED_ENVELOPE, "entry", "entry_strange_member", "a member more", value=octets(jcs({**told, "x": 1}))
    )
    use = {**told, "keys": [{**told["keys"][0], "use": "both"}]}
    yield fault(Code.MALFORMED_ENVELOPE, "entry", "entry_key_with_two_uses", "no such use", value=octets(jcs(use)))
    never = {**told, "keys": [{**told["keys"][0], "valid_until": "2026-02-30T00:00:00.000Z"}]}
    yield fault(
        Code.MALFORMED_ENVELOPE, "entry", "entry_key_until_30_february", "no such time", value=octets(jcs(never))
    )
    yield fault(Code.MALFORMED_JSON, "entry", "entry_cut", "the end is missing", value=octets(small[:-1]))
    rules: dict[str, Any] = POLICY.model_dump(mode="json", exclude_none=True)
    forgetful = {**rules, "keep_closed_ms": 2 * POLICY.window_ms}
    yield fault(
        Code.MALFORMED_ENVELOPE,
        "policy",
        "policy_that_forgets",
        "a closed case kept for less than 3 W: its ids could come back",
        value=octets(jcs(forgetful)),
    )
    yield valid(
        "policy", "policy_with_outages", "the bus was away twice", value=octets(with_outages(*OUTAGES).encode())
    )
    swapped = jcs({**rules, "outages": [one.model_dump() for one in reversed(OUTAGES)]})
    yield fault(
        Code.MALFORMED_ENVELOPE, "policy", "policy_with_outages_in_disorder", "the later first", value=octets(swapped)
    )
    yield from _entries()
    yield from _heads()


def with_outages(*outages: Outage) -> Policy:
    """Return the policy, which tells of these *outages*."""
    return POLICY.model_copy(update={"outages": outages})


def _entries() -> Iterator[Vector]:
    told: Any = HOTLINE.with_keys().model_dump(mode="json", exclude_none=True)
    many = [f"ward-{number}" for number in range(33)]
    wrong: dict[str, tuple[dict[str, object], str]] = {
        "via_nobody": ({"delivery": {"kind": "via"}}, "reached through another that is not named"),
        "via_another": ({"delivery": {"agency": "x", "kind": "bus"}}, "on the bus itself, and through another"),
        "followed_by_itself": ({"ends_at": format_time(START), "successors": [HOTLINE.id]}, "its own successor"),
        "followed_twice": ({"ends_at": format_time(START), "successors": ["x", "x"]}, "one successor twice"),
        "followed_without_an_end": ({"successors": ["x"]}, "a successor of what does not end"),
        "followed_by_many": ({"ends_at": format_time(START), "successors": many}, "33 successors"),
    }
    grant = {"purpose": "review", "valid_from": format_time(TERM.from_ms), "valid_until": format_time(TERM.until_ms)}
    granted = {**told, "roles": ["auditor"]}
    yield valid("entry", "entry_of_an_auditor", "a grant for all", value=octets(jcs({**granted, "grants": [grant]})))
    many_grants = [{**grant, "valid_until": f"2026-06-01T00:00:00.{number:03}Z"} for number in range(65)]
    wrong |= {
        "granted_nothing": ({"grants": [], "roles": ["auditor"]}, "an empty list, which has to be left out"),
        "granted_too_much": ({"grants": many_grants, "roles": ["auditor"]}, "65 grants"),
        "granted_for_no_purpose": ({"grants": [{**grant, "purpose": "interest"}], "roles": ["auditor"]}, "no purpose"),
        "granted_a_commune": ({"grants": [{**grant, "province": "00001"}], "roles": ["auditor"]}, "no province"),
    }
    for name, (members, comment) in wrong.items():
        value = octets(jcs({**told, **members}))
        yield fault(Code.MALFORMED_ENVELOPE, "entry", f"entry_{name}", comment, value=value)


def _heads() -> Iterator[Vector]:
    kind, told = "signed-head", FIRST.signed.model_dump(mode="json", exclude_none=True)

    def with_(**members: object) -> dict[str, object]:
        return octets(jcs({**told, "head": {**told["head"], **members}}))

    last = with_(version=MAX_INTEGER)
    yield valid(kind, "signed_head_last_version", "2^53 - 1, the largest integer there is", value=last)
    yield fault(
        Code.MALFORMED_ENVELOPE, kind, "signed_head_version_0", "the first version is 1", value=with_(version=0)
    )
    for name, member in (("signed_head_version_too_large", "version"), ("signed_head_entries_too_many", "entries")):
        value = with_(**{member: MAX_INTEGER + 1})
        yield fault(Code.MALFORMED_JSON, kind, name, "2^53, which some readers round", value=value)


def _signatures() -> Iterator[Vector]:
    kind, head, (one, two) = "head-signatures", FIRST.head, ROOT_KEYS
    both = root_member(trust_root(BUS, ROOT_KEYS, threshold=2))
    stranger = HOTLINE.signing

    def given(members: Mapping[str, object], found: SignedHead) -> dict[str, object]:
        return {**members, "head": octets(found.encode())}

    yield valid(kind, "head_signed_by_two", "two of two", **given(both, signed(head, one, two)))
    yield valid(
        kind, "head_signed_by_a_stranger_too", "counts for nothing", **given(root_member(), signed(head, stranger, one))
    )
    few = Code.NOT_ENOUGH_SIGNATURES
    yield fault(few, kind, "head_signed_by_one_of_two", "one signature too few", **given(both, signed(head, one)))
    yield fault(few, kind, "head_signed_twice_by_one", "one key counts once", **given(both, signed(head, one, one)))
    yield fault(few, kind, "head_signed_by_a_stranger", "no root key", **given(root_member(), signed(head, stranger)))
    other = signed(head.model_copy(update={"version": 2}))
    forged = SignedHead(head=head, signatures=other.signatures)
    yield fault(
        Code.BAD_SIGNATURE, kind, "head_with_the_signature_of_another", "not over it", **given(root_member(), forged)
    )
    as_event = SignedHead(head=head, signatures=(one.sign(Typ.EVENT, head.encode()),))
    yield fault(
        Code.MALFORMED_SIGNATURE, kind, "head_signed_as_an_event", "another typ", **given(root_member(), as_event)
    )
    elsewhere = signed(head.model_copy(update={"bus": "production"}))
    yield fault(Code.WRONG_BUS, kind, "head_of_another_bus", "another bus", **given(root_member(), elsewhere))


def _assembled() -> Iterator[Vector]:
    kind, second = "directory", version(FIRST, later_ms=1000)
    third = version(second, later_ms=2000)

    def given(
        found: Version, in_use: Version | None, entries: Mapping[str, bytes | None] | None = None, *, at_ms: int = START
    ) -> dict[str, object]:
        told = entries or found.entries
        return {
            **root_member(),
            "entries": {key: None if value is None else octets(value) for key, value in told.items()},
            "head": octets(found.signed.encode()),
            "in_use": None if in_use is None else octets(in_use.signed.encode()),
            "at": format_time(at_ms),
        }

    yield valid(kind, "directory", "the first that a reader sees", **given(second, None), version=2)
    yield valid(kind, "directory_renewed", "the next version", **given(second, FIRST), version=2)
    yield valid(
        kind, "directory_later", "versions were missed: the root keys vouch for it", **given(third, FIRST), version=3
    )
    missing = {key: value for key, value in FIRST.entries.items() if key != HOSPITAL.id}
    yield fault(Code.DIRECTORY_ROOT, kind, "directory_entry_missing", "an entry too few", **given(FIRST, None, missing))
    changed = {**FIRST.entries, HOSPITAL.id: HOSPITAL.with_keys().encode()}
    yield fault(Code.DIRECTORY_ROOT, kind, "directory_entry_changed", "another entry", **given(FIRST, None, changed))
    null = {**FIRST.entries, HOSPITAL.id: None}
    yield fault(
        Code.ENTRY_VANISHED, kind, "directory_entry_null", "a null value removes nobody", **given(FIRST, None, null)
    )
    last = TERM.until_ms
    yield valid(kind, "directory_to_the_end", "its last millisecond", **given(FIRST, None, at_ms=last - 1), version=1)
    late = given(FIRST, None, at_ms=last)
    yield fault(Code.DIRECTORY_EXPIRED, kind, "directory_expired", "nothing may be sealed by it any more", **late)
    lawless = version(None, ENTRIES)
    yield fault(Code.ENTRY_VANISHED, kind, "directory_without_policy", "no policy", **given(lawless, None))
    yield fault(Code.DIRECTORY_STALE, kind, "directory_older", "a step back", **given(FIRST, second))
    twin = version(FIRST, later_ms=1500)
    yield fault(Code.DIRECTORY_FORKED, kind, "directory_forked", "two heads of one version", **given(twin, second))
    yield fault(
        Code.DIRECTORY_FORKED, kind, "directory_of_another_line", "the head before is another one", **given(third, twin)
    )


def _trust_roots() -> Iterator[Vector]:
    kind, root = "trust-root", TRUST_ROOT.encode()
    yield valid(kind, "trust_root", "one key of one", value={"base64url": b64(root)})
    wrong = jcs({**TRUST_ROOT.model_dump(mode="json"), "threshold": 2})
    yield fault(Code.MALFORMED_VALUE, kind, "trust_root_out_of_reach", "two of one key", value=octets(wrong))
    none = jcs({**TRUST_ROOT.model_dump(mode="json"), "threshold": 0})
    yield fault(Code.MALFORMED_VALUE, kind, "trust_root_without_signatures", "no signature needed", value=octets(none))
    less = jcs({"bus": BUS, "threshold": 1})
    yield fault(Code.MALFORMED_VALUE, kind, "trust_root_without_keys", "nothing pinned", value=octets(less))
    pinned = TRUST_ROOT.model_dump(mode="json")["keys"]
    twice = jcs({"bus": BUS, "keys": pinned * 2, "threshold": 1})
    yield fault(Code.MALFORMED_KEY, kind, "trust_root_key_twice", "one key twice", value=octets(twice))
    misnamed = jcs({"bus": BUS, "keys": [{**pinned[0], "kid": b64(bytes(32))}], "threshold": 1})
    yield fault(Code.MALFORMED_KEY, kind, "trust_root_key_misnamed", "under another id", value=octets(misnamed))
    more = jcs({**TRUST_ROOT.model_dump(mode="json"), "more": 1})
    yield fault(Code.MALFORMED_VALUE, kind, "trust_root_strange_member", "a member more", value=octets(more))
