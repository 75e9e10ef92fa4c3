"""
A trail, worked out from the leaves of a case and checked in steps. What is wrong is told by leaf, not thrown.

(1) Each leaf is in the tree of the checkpoint. (2) The router stated its decision. (3) The decision is on these bytes.
(4) They spell an event of this case and bus. (5) Their sender signed them, by a key that was valid when the bus took
them in. (6) Decisions rise and chain, times do not go back, and the case's events are numbered without a gap. (7) Each
step is one that the tables of the lifecycle have. (8) A section that is disclosed opens under its commitment.

What no trail can prove is that nothing followed its last event: the larger the checkpoint, the less there is to doubt.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from referral_contracts.batch_check import BatchCheck
from referral_contracts.codes import Code
from referral_contracts.decisions import Decision, read_decision
from referral_contracts.directory import Directory
from referral_contracts.encoding import event_hash, parse_time
from referral_contracts.envelope import Envelope
from referral_contracts.errors import LocalError, RemoteError
from referral_contracts.log import leaf as logged
from referral_contracts.log.leaf import LedgerEntry
from referral_contracts.log.policy import Checked
from referral_contracts.log.proofs import verify_inclusion
from referral_contracts.merkle import leaf_hash
from referral_contracts.sealing import open_disclosed
from referral_contracts.sections import read_section
from referral_contracts.signing import Typ, parse_signature, verify
from referral_contracts.trail.extract import names_in
from referral_contracts.trail.leaves import Disclosed, SectionKey, TrailLeaf
from referral_contracts.trail.model import Fault, Kind, Row, SectionSeen, Trail
from referral_contracts.trail.numbering import Numbering
from referral_contracts.trail.standing import Move, Spoken, Standing
from referral_contracts.trail.stating import Statements

NO_DISCLOSURE: Final[Disclosed] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What a trail is checked against; the reader's own, or proven by what is."""

    checked: Checked
    directory: Directory

    @property
    def bus(self) -> str:
        """Which bus."""
        return self.directory.head.bus


def make_trail(
    grounds: Grounds, subject: str, leaves: Sequence[TrailLeaf], disclosed: Disclosed = NO_DISCLOSURE
) -> Trail:
    """Return the trail of the case *subject* that *leaves*, in the order of the log, make."""
    return _Maker(grounds, subject, disclosed, BatchCheck(grounds.bus)).make(leaves)


@dataclass(slots=True)
class _Maker:
    grounds: Grounds
    subject: str
    disclosed: Disclosed
    batches: BatchCheck
    faults: list[Fault] = field(default_factory=list)
    standing: Standing = field(default_factory=Standing)
    numbering: Numbering = field(default_factory=Numbering)
    known: bool = True
    """Whether the case's state can still be said."""
    opened: set[SectionKey] = field(default_factory=set)

    def make(self, leaves: Sequence[TrailLeaf]) -> Trail:
        statements = Statements(self.grounds.directory, leaves)
        rows = []
        before = -1
        for leaf in leaves:
            if leaf.index <= before:
                self._fault(leaf, Code.BAD_TRAIL, "a leaf twice, or out of order")
            before = leaf.index
            self._prove(leaf)
            proven = len(self.faults)
            rows.append(self._row(leaf, statements))
            # What an event did that is not as it was, nobody knows: the steps after it are held against nothing.
            wrong = {fault.code for fault in self.faults[proven:]} - {Code.WRONG_COMMITMENT}
            self.known = self.known and not wrong
        self._whole(rows)
        return self._trail(rows)

    def _trail(self, rows: Iterable[Row]) -> Trail:
        known = self.known and self.standing.state is not None
        return Trail(
            bus=self.grounds.bus,
            subject=self.subject,
            checked=self.grounds.checked,
            head=self.grounds.directory.head,
            names=names_in(self.grounds.directory),
            rows=tuple(rows),
            faults=tuple(self.faults),
            exercise=self.standing.exercise,
            state=self.standing.state if known else None,
            owner=self.standing.owner if known else None,
            handoffs=tuple(self.standing.handoffs.values()),
        )

    def _fault(self, leaf: TrailLeaf | None, code: Code, detail: str) -> None:
        self.faults.append(Fault(code=code, index=None if leaf is None else leaf.index, detail=detail))

    def _whole(self, rows: Sequence[Row]) -> None:
        for key in sorted(self.disclosed.keys() - self.opened, key=lambda key: (key.index, key.section)):
            self.faults.append(
                Fault(code=Code.WRONG_COMMITMENT, index=key.index, detail=f"there is no section s{key.section}")
            )
        if not any(row.accepted or row.erased_by is not None for row in rows):
            self._fault(None, Code.BAD_TRAIL, "no event of the case that stands")

    def _prove(self, leaf: TrailLeaf) -> None:
        # (1) It is in the tree.
        checkpoint = self.grounds.checked.checkpoint
        try:
            verify_inclusion(logged.leaf(leaf.entry), leaf.index, checkpoint.size, checkpoint.root, leaf.proof)
        except RemoteError as error:
            self._fault(leaf, Code.BAD_PROOF, f"not proven to be in the log: {error.detail}")

    def _row(self, leaf: TrailLeaf, statements: Statements) -> Row:
        match leaf.record:
            case None:
                return self._erased(leaf, statements.erasure(leaf.index))
            case LedgerEntry():
                return self._event(leaf, leaf.record)
            case _:
                row, faults = statements.row(leaf.index)
                self.faults += faults
                return row

    def _erased(self, leaf: TrailLeaf, by: int | None) -> Row:
        self.known = False
        self.numbering.erased()
        if by is None:
            self._fault(leaf, Code.MISSING_ERASURE, "its bytes are gone, and no erasure of them is shown")
        return Row(index=leaf.index, kind=Kind.ERASED, erased_by=by)

    def _event(self, leaf: TrailLeaf, record: LedgerEntry) -> Row:
        row = Row(index=leaf.index, kind=Kind.EVENT)
        try:
            decision = read_decision(record.decision)
            self._stated(record, decision)
        except RemoteError as error:
            self._fault(leaf, Code.BAD_DECISION, error.detail or error.code.value)
            return row
        missing = self.numbering.take(leaf.index, decision, leaf_hash(record.decision))
        self.faults += missing
        self.known = self.known and not missing
        row = replace(
            row,
            at=decision.admitted,
            partition=decision.partition,
            counter=decision.counter,
            code=decision.code,
            case=decision.case,
            event=decision.event,
        )
        # (3) It is on these bytes.
        if event_hash(record.value) != decision.event or len(record.value) != decision.size:
            self._fault(leaf, Code.BAD_TRAIL, "not the bytes that the decision is on")
            return row
        try:
            envelope = Envelope.decode(record.value)
        except RemoteError as error:
            if decision.code is Code.ACCEPTED:
                self._fault(leaf, error.code, "accepted, and cannot be read")
            return row
        return self._said(leaf, record, envelope, row)

    def _stated(self, record: LedgerEntry, decision: Decision) -> None:
        # (2) The router stated it.
        directory = self.grounds.directory
        if decision.bus != self.grounds.bus:
            raise RemoteError(Code.WRONG_BUS, "another bus's decision")
        self.batches.check(
            record.decision,
            leaf_hash(record.decision),
            record.path,
            record.root,
            partition=decision.partition,
            directory=directory,
            at_ms=parse_time(decision.admitted),
        )
        if decision.directory > directory.version:
            raise RemoteError(Code.DIRECTORY_STALE, "decided by a newer directory than is shown")

    def _said(self, leaf: TrailLeaf, record: LedgerEntry, envelope: Envelope, row: Row) -> Row:
        data = envelope.data
        row = replace(
            row,
            event_id=envelope.id,
            source=envelope.source,
            verb=envelope.verb,
            recipients=data.recipients,
            handoff=data.handoff,
            answers=data.answers,
            supersedes=data.supersedes,
            follows=data.follows,
            sections=tuple(self._sections(leaf, envelope)),
        )
        # (4) They are of this case and bus.
        if (envelope.subject, envelope.bus) != (self.subject, self.grounds.bus):
            self._fault(leaf, Code.WRONG_SUBJECT, "an event of another case or bus")
            return row
        disputed = self._signed(leaf, record, envelope, parse_time(row.at or ""))
        moves = self._moved(leaf, envelope, row) if row.accepted else ()
        return replace(row, disputed=disputed, moves=moves)

    def _signed(self, leaf: TrailLeaf, record: LedgerEntry, envelope: Envelope, admitted_ms: int) -> bool:
        """Check the sender's signature; return whether the key has since been called compromised."""
        # (5) Their sender signed them.
        directory = self.grounds.directory
        try:
            signature = parse_signature(record.signature, Typ.EVENT)
            key = directory.event_key(envelope.source, signature.kid)
            if key is None:
                raise RemoteError(Code.UNKNOWN_KEY, "not a key of its sender")
            verify(key.key, signature, record.value)
            if not key.valid(admitted_ms):
                raise RemoteError(Code.KEY_NOT_VALID, "by a key that was not valid when the bus took it in")
        except RemoteError as error:
            self._fault(leaf, error.code, error.detail or "not signed by its sender")
            return False
        member = directory.member(envelope.source)
        records = () if member is None else member.entry.keys
        since = next((one.compromised_since for one in records if one.kid == signature.kid), None)
        return since is not None and parse_time(since) <= admitted_ms

    def _moved(self, leaf: TrailLeaf, envelope: Envelope, row: Row) -> tuple[Move, ...]:
        # (7) The tables have this step.
        if not self.known:
            return ()
        spoken = Spoken(
            envelope=envelope,
            event=row.event or "",
            directory=self.grounds.directory,
            admitted_ms=parse_time(row.at or ""),
        )
        try:
            return self.standing.take(spoken)
        except RemoteError as error:
            self._fault(leaf, error.code, "accepted, though the tables of the lifecycle have no such step here")
            return ()

    def _sections(self, leaf: TrailLeaf, envelope: Envelope) -> Iterable[SectionSeen]:
        # (8) What was disclosed opens.
        for number, section in enumerate(envelope.data.sections):
            seen = SectionSeen(number=number, readers=tuple(sorted({one.address for one in section.readers})))
            key = SectionKey(leaf.index, number)
            if key in self.disclosed:
                self.opened.add(key)
                try:
                    told = read_section(open_disclosed(section, envelope.seal_context(number), self.disclosed[key]))
                    seen = replace(seen, schema=told.schema, body=told.body, rows=tuple(told.rows()))
                except (RemoteError, LocalError) as error:
                    self._fault(leaf, error.code, f"s{number}: what was disclosed does not open it")
            yield seen
