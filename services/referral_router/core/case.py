"""
A case as the router remembers it, and its record in the state topic.

The record's first byte says what it is and the next eight when it was last touched (u64 milliseconds), so that a
restart can queue what is to be evicted without reading a million records. The rest is the length of a JSON (u32), the
JSON, the events of the case and its hand-offs, packed, and its claims, packed. In the JSON each name stands once; it is
referred to by number. A million records are held in memory, and all in JSON they were 1.6 times as large.
The stub of an archived case is packed altogether, to stay within 128 bytes.
"""

import struct
from dataclasses import dataclass, field
from typing import Final, Self

from pydantic_core import from_json, to_json

from referral_contracts.codes import Code
from referral_contracts.errors import Fatal
from referral_contracts.lifecycle import ENDED_CASES, OPEN_STATES, CaseState, Receipt, State
from referral_contracts.topics import agency_of
from referral_router.core.claims import SIZE, Claim, Claims
from referral_router.core.refs import REF, Ref

OPEN: Final = b"o"
"""A case that is open, or was closed so lately that it is kept whole."""
CLOSED: Final = b"c"
GHOST: Final = b"g"
"""No case: ids that a verified sender has used up on a subject where it is no party, whether there is a case or not."""
STUB: Final = b"s"
"""What stays of an archived case."""
VOIDED_STUB: Final = b"v"
"""The same, of a case that was entered in error: it is never opened again."""
EXERCISE_STUB: Final = b"S"
VOIDED_EXERCISE_STUB: Final = b"V"

_PREFIX: Final = struct.Struct(">cQ")
_HEAD: Final = struct.Struct(">cQI")
"""The same with the length of the JSON."""
_HANDOFF: Final = REF + 32
"""Its head, and the hash of the event that opened it."""
_STUB: Final = struct.Struct(f">II{REF}s")
_STUBS: Final = {
    STUB: (CaseState.CLOSED, False),
    VOIDED_STUB: (CaseState.VOIDED, False),
    EXERCISE_STUB: (CaseState.CLOSED, True),
    VOIDED_EXERCISE_STUB: (CaseState.VOIDED, True),
}
"""In what state each was left, and whether it was an exercise: a stub has no other room for it."""
_STUB_KINDS: Final = {told: kind for kind, told in _STUBS.items()}

# Ten times as fast as calling the enum, for each hand-off of each case that an event names.
_STATES: Final = {state.value: state for state in State}
_RECEIPTS: Final = {receipt.value: receipt for receipt in Receipt}

NO_EVENT: Final = Ref(b"")


class _Names(dict[str, int]):
    """A number for each name that is asked for."""

    def __missing__(self, name: str) -> int:
        self[name] = number = len(self)
        return number


@dataclass(slots=True)
class Handoff:
    """One hand-off, as far as the rules need it."""

    state: State
    sender: str
    head: Ref
    opening_hash: bytes
    receipt: Receipt = Receipt.NONE
    forwarded_from: str | None = None
    """The key of the hand-off that this one relieves once it is received."""
    holder: str = ""
    """Who stands on the recipient's side, where that was moved to a successor."""
    opener: str = ""
    """Who opened it, where the sender's side was moved to a successor: it is of that one's share."""
    team: bool = False
    """Whether policy lets answers go to all recipients of the opening event."""
    recalled: bool = False
    """Whether it was asked back before."""
    duty: bool = False
    """Whether it is a statutory duty: assigned, or passed on by a forwarding."""

    @property
    def flags(self) -> int:
        """What is or is not so of it, as the bits of a number."""
        return self.team + 2 * self.recalled + 4 * self.duty


@dataclass(slots=True)
class Case:
    """One case, open for change while a batch is judged."""

    state: CaseState | None = None
    """None: no case, only claims."""
    owner: str = ""
    pending: str = ""
    head: Ref = NO_EVENT
    sequence: int = 0
    handoffs: dict[str, Handoff] = field(default_factory=dict)
    """By ``opening recipient``."""
    parties: set[str] = field(default_factory=set)
    deliveries: dict[str, int] = field(default_factory=dict)
    """How many copies each address has been given."""
    claims: dict[str, Claims] = field(default_factory=dict)
    """By source. A party's own ids: those of others lie in their ghosts."""
    chosen: dict[str, set[str]] = field(default_factory=dict)
    """To which addresses each agency that did not own the case wrote of its own choice."""
    archived: bool = False
    restored: int = 0
    """How often it came back from the archive. The counts of its copies begin anew each time."""
    exercise: bool = False
    """Whether all that is said in it is only practised."""

    def open_handoffs(self) -> list[str]:
        """Return the keys of the hand-offs that keep the case from being closed."""
        return sorted(key for key, handoff in self.handoffs.items() if handoff.state in OPEN_STATES)

    def opened_by(self, event_id: str) -> list[str]:
        """Return the recipients for whom the event *event_id* opened a hand-off."""
        opening = f"{event_id} "
        return [key.removeprefix(opening) for key in self.handoffs if key.startswith(opening)]

    def has_left(self, agency: str) -> bool:
        """Whether *agency*, which stood on a side of something here, stands on none any more."""
        standing = {self.owner, self.pending, *(one.sender for one in self.handoffs.values())}
        held = {agency_of(one.holder or key.split(" ")[1]) for key, one in self.handoffs.items()}
        return agency not in standing | held

    def claim(self, source: str, event_id: str, floor_ms: int) -> Claim | None:
        """Return what was decided of an id, unless it lies below the floor: then it is as if pruned."""
        held = self.claims.get(source)
        found = None if held is None else held.find(event_id)
        return found if found is not None and found.last_ms >= floor_ms else None

    def claimed(self, floor_ms: int, source: str | None = None) -> int:
        """Return how many ids of *source*, or of everybody together, are remembered."""
        if source is None:
            return sum(held.count(floor_ms) for held in self.claims.values())
        return self.claims[source].count(floor_ms) if source in self.claims else 0

    def use_up(self, source: str, event_id: str, claim: Claim) -> None:
        """Remember an id of *source*, which is not remembered."""
        self.claims.setdefault(source, Claims()).add(event_id, claim)

    def archive(self) -> "Case":
        """Return what stays of a closed case: its owner, its sequence, its head, and how often it was restored."""
        kept = Case(state=self.state, owner=self.owner, head=self.head, sequence=self.sequence, archived=True)
        kept.restored, kept.exercise = self.restored, self.exercise
        return kept

    def restore(self) -> None:
        """Bring it back from the archive: it has its owner and no other party."""
        self.archived, self.restored = False, self.restored + 1

    def prune(self, floor_ms: int) -> None:
        """Forget the claims below the floor: their events are refused as too old."""
        for source, held in list(self.claims.items()):
            held.prune(floor_ms)
            if not held:
                del self.claims[source]

    def encode(self, touched_ms: int) -> bytes:
        """Return the state record."""
        if self.archived:
            return stub(self, touched_ms)
        kind = GHOST if self.state is None else CLOSED if self.state in ENDED_CASES else OPEN
        names = _Names()
        state = "" if self.state is None else self.state.value
        told = [names[state], names[self.owner], names[self.pending], self.sequence, self.restored]
        told += [int(self.exercise)] if self.exercise else []
        packed = [self.head.raw]
        handoffs = []
        for key, one in self.handoffs.items():
            opening, recipient = key.split(" ")
            said = names[recipient], names[one.sender], names[one.state.value], names[one.receipt.value]
            moved = (names[one.holder], names[one.opener]) if one.holder or one.opener else ()
            handoffs.append((opening, *said, one.forwarded_from or "", one.flags, *moved))
            packed += one.head.raw, one.opening_hash
        deliveries = [(names[address], count) for address, count in self.deliveries.items()]
        parties = [names[party] for party in sorted(self.parties)]
        claims = []
        for source, held in self.claims.items():
            claims.append((names[source], len(held), *[names[code] for code in held.codes]))
            packed.append(held.packed)
        chosen = [
            (names[agency], *map(names.__getitem__, sorted(addresses))) for agency, addresses in self.chosen.items()
        ]
        body = to_json((list(names), told, handoffs, deliveries, parties, claims, chosen))
        return b"".join((_HEAD.pack(kind, touched_ms, len(body)), body, *packed))

    @classmethod
    def decode(cls, value: bytes) -> Self:
        """
        Return the case of a state record.

        Raises:
            Fatal: Not a record of this format; going on would forget what was decided.
        """
        try:
            kind, _ = _PREFIX.unpack_from(value)
            if kind in _STUBS:
                return cls._from_stub(value, kind)
            return cls._from_whole(value)
        except (ValueError, LookupError, TypeError, AttributeError, struct.error) as error:
            raise Fatal(Code.STATE_FORMAT, "a state record of another format") from error

    @classmethod
    def _from_whole(cls, value: bytes) -> Self:
        _, _, size = _HEAD.unpack_from(value)
        at = _HEAD.size + size
        names, told, handoffs, deliveries, parties, claims, chosen = from_json(value[_HEAD.size : at])
        state, owner, pending, sequence, restored, *exercise = told
        case = cls(owner=names[owner], pending=names[pending], sequence=sequence, restored=restored)
        case.exercise = any(exercise)
        if names[state]:
            case.state, case.head = CaseState(names[state]), Ref(value[at : at + REF])
            at += REF
        for opening, recipient, sender, stands, receipt, forwarded_from, flags, *moved in handoffs:
            holder, opener = [names[agency] for agency in moved] if moved else ("", "")
            case.handoffs[f"{opening} {names[recipient]}"] = Handoff(
                _STATES[names[stands]],
                names[sender],
                Ref(value[at : at + REF]),
                value[at + REF : at + _HANDOFF],
                _RECEIPTS[names[receipt]],
                forwarded_from or None,
                holder,
                opener,
                bool(flags & 1),
                bool(flags & 2),
                bool(flags & 4),
            )
            at += _HANDOFF
        case.deliveries = {names[address]: count for address, count in deliveries}
        case.parties = {names[party] for party in parties}
        case.chosen = {names[agency]: {names[one] for one in addresses} for agency, *addresses in chosen}
        for source, count, *codes in claims:
            held = Claims(value[at : at + count * SIZE], map(names.__getitem__, codes))
            case.claims[names[source]] = held
            # By what it says, not by what is left: a record that ends between two claims is cut off as well.
            at += count * SIZE
        if at != len(value) or not {int}.issuperset(map(type, case.deliveries.values())):
            raise ValueError("not as long as it says")
        return case

    @classmethod
    def _from_stub(cls, value: bytes, kind: bytes) -> Self:
        sequence, restored, head = _STUB.unpack_from(value, _PREFIX.size)
        owner = value[_PREFIX.size + _STUB.size :].decode("ascii")
        state, exercise = _STUBS[kind]
        case = cls(state=state, owner=owner, head=Ref(head), sequence=sequence, archived=True)
        case.restored, case.exercise = restored, exercise
        return case


def ghost_key(subject: str, source: str) -> bytes:
    """Return the key of what *source* used up on *subject*; a case's own key is its subject alone."""
    return f"{subject} {source}".encode("ascii")


def ghost_of(key: bytes) -> str | None:
    """Return whose ghost a state record's *key* names, or None for a case's."""
    _, space, source = key.partition(b" ")
    return source.decode("ascii") if space else None


def stub(case: Case, touched_ms: int) -> bytes:
    """Return what stays of an archived case: owner, sequence, restorations, head; at most 128 bytes."""
    packed = _STUB.pack(case.sequence, case.restored, case.head.raw)
    state = CaseState.VOIDED if case.state is CaseState.VOIDED else CaseState.CLOSED
    kind = _STUB_KINDS[state, case.exercise]
    return _PREFIX.pack(kind, touched_ms) + packed + case.owner.encode("ascii")


def kind_and_touched(value: bytes) -> tuple[bytes, int]:
    """Return what a state record is and when it was last touched, without reading the rest."""
    try:
        kind, touched_ms = _PREFIX.unpack_from(value)
    except struct.error as error:
        raise Fatal(Code.STATE_FORMAT, "a state record of another format") from error
    return kind, touched_ms
