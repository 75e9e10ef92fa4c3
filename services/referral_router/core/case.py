"""
A case as the router remembers it, and its record in the state topic.

The record's first byte says what it is and the next eight when it was last touched (u64 milliseconds), so that a
restart can queue what is to be evicted without reading a million records. The rest is JSON, but for the stub of an
archived case, which is packed to stay within 128 bytes.
"""

import struct
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Self

from pydantic_core import from_json, to_json

from referral_contracts.codes import Code
from referral_contracts.encoding import b64, unb64
from referral_contracts.envelope import EventRef
from referral_contracts.errors import Fatal
from referral_contracts.lifecycle import OPEN_STATES, CaseState, Receipt, State

OPEN: Final = b"o"
"""A case that is open, or was closed so lately that it is kept whole."""
CLOSED: Final = b"c"
GHOST: Final = b"g"
"""No case: ids that a verified sender has used up on a subject where it is no party, whether there is a case or not."""
STUB: Final = b"s"
"""What stays of an archived case."""

_PREFIX: Final = struct.Struct(">cQ")
_STUB: Final = struct.Struct(">I16s32s")

# Ten times as fast as calling the enum, for each hand-off of each case that an event names.
_STATES: Final = {state.value: state for state in State}
_RECEIPTS: Final = {receipt.value: receipt for receipt in Receipt}


class Claim(NamedTuple):
    """An id that was used, and what was decided of it."""

    event: str
    code: str
    counter: int
    decision: str
    last_ms: int
    """The later of the event's own time and its admission: it is remembered until that lies below the floor."""


class Ref(NamedTuple):
    """An event by id and hash."""

    id: str
    sha256: str

    @property
    def wire(self) -> EventRef:
        """The same, as the wire says it."""
        return EventRef(id=self.id, sha256=self.sha256)


NO_EVENT: Final = Ref("", "")


@dataclass(slots=True)
class Handoff:
    """One hand-off, as far as the rules need it."""

    state: State
    sender: str
    head: Ref
    opening_hash: str
    receipt: Receipt = Receipt.NONE
    forwarded_from: str | None = None
    """The key of the hand-off that this one relieves once it is received."""
    team: bool = False
    """Whether policy lets answers go to all recipients of the opening event."""

    def dump(self) -> list[object]:
        """Return what the state record holds."""
        kept = [self.state.value, self.sender, *self.head, self.opening_hash, self.receipt.value]
        return [*kept, self.forwarded_from, self.team]

    @classmethod
    def load(cls, kept: list[Any]) -> Self:
        """Return the hand-off that a state record holds."""
        state, sender, head_id, head_hash, opening_hash, receipt, forwarded_from, team = kept
        head = Ref(head_id, head_hash)
        return cls(_STATES[state], sender, head, opening_hash, _RECEIPTS[receipt], forwarded_from, bool(team))


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
    claims: dict[str, dict[str, Claim]] = field(default_factory=dict)
    """By source, by id. A party's own ids: those of others lie in their ghosts."""
    archived: bool = False

    def open_handoffs(self) -> list[str]:
        """Return the keys of the hand-offs that keep the case from being closed."""
        return sorted(key for key, handoff in self.handoffs.items() if handoff.state in OPEN_STATES)

    def opened_by(self, event_id: str) -> list[str]:
        """Return the recipients for whom the event *event_id* opened a hand-off."""
        opening = f"{event_id} "
        return [key.removeprefix(opening) for key in self.handoffs if key.startswith(opening)]

    def claim(self, source: str, event_id: str, floor_ms: int) -> Claim | None:
        """Return what was decided of an id, unless it lies below the floor: then it is as if pruned."""
        found = self.claims.get(source, {}).get(event_id)
        return found if found is not None and found.last_ms >= floor_ms else None

    def claimed(self, floor_ms: int, source: str | None = None) -> int:
        """Return how many ids of *source*, or of everybody together, are remembered."""
        held = self.claims.values() if source is None else [self.claims.get(source, {})]
        return sum(claim.last_ms >= floor_ms for claims in held for claim in claims.values())

    def archive(self) -> "Case":
        """Return what stays of a closed case: its owner, its sequence and its head."""
        return Case(state=self.state, owner=self.owner, head=self.head, sequence=self.sequence, archived=True)

    def prune(self, floor_ms: int) -> None:
        """Forget the claims below the floor: their events are refused as too old."""
        for source in list(self.claims):
            kept = {key: claim for key, claim in self.claims[source].items() if claim.last_ms >= floor_ms}
            if kept:
                self.claims[source] = kept
            else:
                del self.claims[source]

    def encode(self, touched_ms: int) -> bytes:
        """Return the state record."""
        if self.archived:
            return stub(self, touched_ms)
        kind = GHOST if self.state is None else CLOSED if self.state is CaseState.CLOSED else OPEN
        body = {
            "c": None
            if self.state is None
            else [self.state.value, self.owner, self.pending, *self.head, self.sequence],
            "d": self.deliveries,
            "h": {key: handoff.dump() for key, handoff in self.handoffs.items()},
            # As lists: a named tuple takes the serializer three times as long, and a long case has many.
            "i": {source: {key: [*claim] for key, claim in held.items()} for source, held in self.claims.items()},
            "p": sorted(self.parties),
        }
        return _PREFIX.pack(kind, touched_ms) + to_json(body)

    @classmethod
    def decode(cls, value: bytes) -> Self:
        """
        Return the case of a state record.

        Raises:
            Fatal: Not a record of this format; going on would forget what was decided.
        """
        try:
            kind, _ = _PREFIX.unpack_from(value)
            if kind == STUB:
                return cls._from_stub(value)
            body = from_json(value[_PREFIX.size :])
            case = cls()
            if body["c"] is not None:
                state, case.owner, case.pending, head_id, head_hash, case.sequence = body["c"]
                case.state, case.head = CaseState(state), Ref(head_id, head_hash)
            case.handoffs = {key: Handoff.load(kept) for key, kept in body["h"].items()}
            case.parties = set(body["p"])
            case.deliveries = body["d"]
            case.claims = {
                source: {key: Claim(*claim) for key, claim in claims.items()} for source, claims in body["i"].items()
            }
            if not all(isinstance(count, int) for count in case.deliveries.values()):
                raise Fatal(Code.STATE_FORMAT, "a state record of another format")
        except (ValueError, LookupError, TypeError, AttributeError, struct.error) as error:
            raise Fatal(Code.STATE_FORMAT, "a state record of another format") from error
        return case

    @classmethod
    def _from_stub(cls, value: bytes) -> Self:
        sequence, event_id, digest = _STUB.unpack_from(value, _PREFIX.size)
        digits = event_id.hex()
        spelled = f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
        owner = value[_PREFIX.size + _STUB.size :].decode("ascii")
        return cls(
            state=CaseState.CLOSED, owner=owner, head=Ref(spelled, b64(digest)), sequence=sequence, archived=True
        )


def ghost_key(subject: str, source: str) -> bytes:
    """Return the key of what *source* used up on *subject*; a case's own key is its subject alone."""
    return f"{subject} {source}".encode("ascii")


def ghost_of(key: bytes) -> str | None:
    """Return whose ghost a state record's *key* names, or None for a case's."""
    _, space, source = key.partition(b" ")
    return source.decode("ascii") if space else None


def stub(case: Case, touched_ms: int) -> bytes:
    """Return what stays of an archived case: owner, sequence, head; at most 124 bytes."""
    packed = _STUB.pack(case.sequence, bytes.fromhex(case.head.id.replace("-", "")), unb64(case.head.sha256, 32))
    return _PREFIX.pack(STUB, touched_ms) + packed + case.owner.encode("ascii")


def kind_and_touched(value: bytes) -> tuple[bytes, int]:
    """Return what a state record is and when it was last touched, without reading the rest."""
    try:
        kind, touched_ms = _PREFIX.unpack_from(value)
    except struct.error as error:
        raise Fatal(Code.STATE_FORMAT, "a state record of another format") from error
    return kind, touched_ms
