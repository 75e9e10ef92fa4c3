"""
The directory as its readers use it: entries that hash to a signed, unexpired head; and no way back.

A snapshot never changes; `apply` gives a new one. Entries are kept as bytes and parsed when first asked for: twelve
thousand agencies are mostly not on the line. Judged by the pinned root keys and the previous head only.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from math import inf
from typing import Final

from referral_contracts import merkle
from referral_contracts.codes import Code
from referral_contracts.directory_admission import admit_keys, check_granted, check_named, refuse_forgotten, refuse_loss
from referral_contracts.directory_model import (
    HEAD_KEY,
    POLICY_KEY,
    ROLE_LOG,
    Change,
    Entry,
    Head,
    MayKnow,
    Policy,
    SignedHead,
    Use,
)
from referral_contracts.encoding import b64, parse_time, sha256, unb64
from referral_contracts.errors import LocalError, RemoteError
from referral_contracts.keys import VerifyKey
from referral_contracts.sealing import Reader
from referral_contracts.topics import agency_of
from referral_contracts.trust import RootKey, TrustRoot
from referral_contracts.verbs import Verb

ROLE_REGISTRAR: Final = "registrar"
ROLE_ROUTER: Final = "router"
ROLE_WATCHER: Final = "deadline-watcher"


@dataclass(frozen=True, slots=True)
class EventKey:
    """A key that signs events, or what else it is for, with the times between which it may."""

    key: VerifyKey
    valid_from_ms: int
    valid_until_ms: int

    def valid(self, at_ms: int) -> bool:
        """Whether what was admitted *at_ms* may bear this key's signature."""
        return self.valid_from_ms <= at_ms < self.valid_until_ms


@dataclass(frozen=True, slots=True)
class SealKey:
    """A key that opens sections for an address."""

    kid: str
    public: bytes
    valid_from_ms: int
    valid_until_ms: int

    def valid(self, at_ms: int) -> bool:
        """Whether a section may be sealed to this key *at_ms*."""
        return self.valid_from_ms <= at_ms < self.valid_until_ms


@dataclass(frozen=True, slots=True)
class Member:
    """An entry, ready for use. What an event asks of it several times does not lead through the entry's models."""

    id: str
    entry: Entry
    on_bus: bool
    """Whether the bus has an inbox for it."""
    roles: frozenset[str]
    addresses: frozenset[str]
    ends_ms: float
    """From when on it speaks no more; infinity while nobody said so."""
    event_keys: Mapping[str, EventKey]
    log_keys: Mapping[str, EventKey]
    http_keys: Mapping[str, EventKey]
    seal_keys: Mapping[str, tuple[SealKey, ...]]
    """By address."""


def _member(value: bytes) -> Member:
    entry = Entry.decode(value)
    signing: dict[Use, dict[str, EventKey]] = {use: {} for use in Use if use is not Use.SEAL}
    seal_keys: dict[str, list[SealKey]] = {}
    for record in entry.keys:
        start, end = parse_time(record.valid_from), parse_time(record.valid_until)
        if record.revoked_at is not None:
            end = min(end, parse_time(record.revoked_at))
        raw = unb64(record.public)
        if record.use is not Use.SEAL:
            signing[record.use][record.kid] = EventKey(VerifyKey.load(raw), start, end)
        else:
            address = entry.id if record.desk is None else f"{entry.id}/{record.desk}"
            seal_keys.setdefault(address, []).append(SealKey(record.kid, raw, start, end))
    return Member(
        id=entry.id,
        entry=entry,
        on_bus=entry.delivery.kind == "bus",
        roles=frozenset(entry.roles),
        addresses=frozenset({entry.id, *(f"{entry.id}/{desk}" for desk in entry.desks)}),
        ends_ms=inf if entry.ends_at is None else parse_time(entry.ends_at),
        event_keys=signing[Use.EVENT],
        log_keys=signing[Use.LOG],
        http_keys=signing[Use.HTTP],
        seal_keys={address: tuple(keys) for address, keys in seal_keys.items()},
    )


_members = lru_cache(maxsize=4096)(_member)


def entries_root(entries: Mapping[str, bytes]) -> bytes:
    """Return the RFC 6962 root over *entries*, sorted by key."""
    return merkle.root([merkle.leaf_hash(entries[key]) for key in sorted(entries)])


@dataclass(frozen=True)
class Directory:
    """One version of the directory, whole."""

    head: Head
    entries: Mapping[str, bytes] = field(repr=False)
    """The bytes of every agency's entry and of the policy, by key."""

    @property
    def version(self) -> int:
        """Which version; decisions name it."""
        return self.head.version

    @cached_property
    def expires_ms(self) -> int:
        """When the head stops being usable."""
        return parse_time(self.head.expires)

    @cached_property
    def policy(self) -> Policy:
        """Who may send what to whom."""
        return Policy.decode(self.entries[POLICY_KEY])

    def member(self, agency: str) -> Member | None:
        """Return the *agency*, or None where the directory has none of that name."""
        value = self.entries.get(agency)
        return None if value is None or agency == POLICY_KEY else _members(value)

    def event_key(self, agency: str, kid: str) -> EventKey | None:
        """Return the event-signing key *kid* of *agency*, valid or not."""
        member = self.member(agency)
        return None if member is None else member.event_keys.get(kid)

    def reader(self, address: str, at_ms: int) -> Reader:
        """
        Return the address with the newest sealing key that is valid *at_ms*.

        Raises:
            LocalError: No such address, or none of its keys is valid.
        """
        member = self.member(agency_of(address))
        if member is None or address not in member.addresses:
            raise LocalError(Code.UNKNOWN_RECIPIENT, "no such address in the directory")
        valid = [key for key in member.seal_keys.get(address, ()) if key.valid(at_ms)]
        if not valid:
            raise LocalError(Code.KEY_NOT_VALID, "the address has no valid sealing key")
        newest = max(valid, key=lambda key: key.valid_from_ms)
        return Reader(address=address, kid=newest.kid, public=newest.public)

    def may_seal_to(self, address: str, kid: str, at_ms: int) -> bool:
        """Whether *kid* is a sealing key of *address*, valid *at_ms*."""
        key = self._sealing.get((address, kid)) or self._sealing_key(address, kid)
        return key is not None and key.valid(at_ms)

    def _sealing_key(self, address: str, kid: str) -> SealKey | None:
        member = self.member(agency_of(address))
        keys = () if member is None else member.seal_keys.get(address, ())
        found = next((key for key in keys if key.kid == kid), None)
        if found is not None:
            self._sealing[address, kid] = found
        return found

    @cached_property
    def _sealing(self) -> dict[tuple[str, str], SealKey]:
        # Keys that were asked for: an event to three agencies asks for six, at 0.2 µs instead of 1. Only what there
        # is is kept, so that nobody fills it by asking.
        return {}

    @cached_property
    def ending(self) -> frozenset[str]:
        """The agencies whose end is known, past or to come: few, and asked for with each event."""
        return frozenset(key for key, value in self.entries.items() if key != POLICY_KEY and b'"ends_at":' in value)

    @cached_property
    def services(self) -> Mapping[str, tuple[str, ...]]:
        """The bus's own services by role. There is one of each: `apply` sees to it."""
        found: dict[str, tuple[str, ...]] = {}
        for role in (ROLE_REGISTRAR, ROLE_ROUTER, ROLE_WATCHER, ROLE_LOG):
            needle = f'"{role}"'.encode("ascii")
            having = [key for key, value in self.entries.items() if key != POLICY_KEY and needle in value]
            found[role] = tuple(sorted(key for key in having if role in _members(self.entries[key]).roles))
        return found

    def service(self, role: str) -> str | None:
        """Return the address of one of the bus's own services."""
        return next(iter(self.services.get(role, ())), None)

    @cached_property
    def _rules(self) -> dict[tuple[frozenset[str], frozenset[str], str], bool]:
        return {}

    def may_send(self, sender: Member, verb: Verb, recipient: Member) -> bool:
        """Whether policy lets *sender* say *verb* to *recipient*."""
        question = (sender.roles, recipient.roles, verb.value)
        known = self._rules.get(question)
        if known is None:
            known = any(
                _holds(rule.verbs, {verb.value})
                and _holds(rule.senders, sender.roles)
                and _holds(rule.recipients, recipient.roles)
                for rule in self.policy.may_send
            )
            self._rules[question] = known
        return known

    def may_open(self, sender: Member) -> bool:
        """Whether policy lets *sender* open a case."""
        return _holds(self.policy.may_open, sender.roles)

    def team_rule(self, members: Iterable[Member]) -> MayKnow | None:
        """Return the rule by which all *members* may know of each other, or None."""
        roles = [member.roles for member in members]
        for rule, allowed in self._teams:
            if not any(allowed.isdisjoint(found) for found in roles):
                return rule
        return None

    @cached_property
    def _teams(self) -> tuple[tuple[MayKnow, frozenset[str]], ...]:
        return tuple((rule, frozenset(rule.roles)) for rule in self.policy.may_know)

    def wire_accepted(self, version: str, at_ms: int) -> bool:
        """Whether *version* of the wire is accepted *at_ms*."""
        return any(start <= at_ms < end for name, start, end in self._wires if name == version)

    @cached_property
    def _wires(self) -> tuple[tuple[str, int, float], ...]:
        # Asked for each event: two times to parse are 4 µs.
        return tuple(
            (
                wire.version,
                parse_time(wire.valid_from),
                inf if wire.valid_until is None else parse_time(wire.valid_until),
            )
            for wire in self.head.wire
        )


def _holds(patterns: Iterable[str], names: Iterable[str]) -> bool:
    found = set(names)
    for pattern in patterns:
        if pattern == "*" or pattern in found:
            return True
        if pattern.endswith(".*") and any(name.startswith(pattern[:-1]) for name in found):
            return True
    return False


def head_hash(head: Head) -> str:
    """Return what the next head names as its previous."""
    return b64(sha256(head.encode()))


def assemble(
    entries: Mapping[str, bytes], signed: SignedHead, root: TrustRoot, previous: Directory | None
) -> Directory:
    """
    Return the directory that *entries* and a *signed* head make.

    Raises:
        RemoteError: Not signed by enough root keys, not what the head's root says, or a step back.
    """
    root.check_head(signed)
    head = signed.head
    if previous is not None:
        if head.version < previous.version:
            raise RemoteError(Code.DIRECTORY_STALE, "an older directory than the one in use")
        if head.version == previous.version and head != previous.head:
            raise RemoteError(Code.DIRECTORY_FORKED, "two directories of one version")
        if head.version == previous.version + 1 and head.previous != head_hash(previous.head):
            raise RemoteError(Code.DIRECTORY_FORKED, "the head does not follow the one in use")
    if len(entries) != head.entries or b64(entries_root(entries)) != head.root:
        raise RemoteError(Code.DIRECTORY_ROOT, "the entries are not those the head was signed over")
    if POLICY_KEY not in entries:
        raise RemoteError(Code.ENTRY_VANISHED, "a directory without a policy")
    return Directory(head=head, entries=dict(entries))


def apply(directory: Directory | None, change: Change, root: TrustRoot, kids: Mapping[str, str]) -> Directory:
    """
    Return the directory after *change*; *kids* tells for every key ever seen whose it is.

    Raises:
        RemoteError: Not the next version, an entry lost, a weak, repeated or unproven key, an unbounded grant, too
                few signatures.
    """
    head = change.data.head.head
    if directory is not None and head == directory.head:
        # Who did not hear that it was taken submits it again.
        raise RemoteError(Code.DUPLICATE, "this is the directory already")
    version, last = (0, None) if directory is None else (directory.version, head_hash(directory.head))
    if head.version <= version:
        raise RemoteError(Code.DIRECTORY_STALE, "not a newer version")
    if head.version != version + 1 or head.previous != last:
        raise RemoteError(Code.DIRECTORY_FORKED, "the head does not follow the last one")
    if change.bus != root.bus:
        raise RemoteError(Code.WRONG_BUS)
    entries = {} if directory is None else dict(directory.entries)
    owners = dict(kids)
    for entry in change.data.agencies:
        admit_keys(change.bus, entry, owners)
        check_granted(entry)
        owners.update((key.kid, entry.id) for key in entry.keys)
        # The one before may have come in this very change: then it is a loss all the same.
        refuse_loss(entry, entries.get(entry.id))
        entries[entry.id] = entry.encode()
    if change.data.policy is not None:
        refuse_forgotten(change.data.policy, entries.get(POLICY_KEY))
        entries[POLICY_KEY] = change.data.policy.encode()
    for entry in change.data.agencies:
        check_named(entry, entries)
    after = assemble(entries, change.data.head, root, directory)
    if any(len(agencies) > 1 for agencies in after.services.values()):
        raise RemoteError(Code.NOT_PERMITTED, "two entries with the role of one service")
    return after


__all__ = [
    "HEAD_KEY",
    "POLICY_KEY",
    "Directory",
    "EventKey",
    "Member",
    "RootKey",
    "SealKey",
    "TrustRoot",
    "apply",
    "assemble",
]
