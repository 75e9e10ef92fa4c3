"""A log of what a simulated bus decided: leaves, tree, checkpoint and witness, and the bundle of a case from it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from referral_bus.registrar import Term, event_key_record
from referral_contracts import merkle
from referral_contracts.decisions import read_decision
from referral_contracts.directory_model import HEAD_KEY, SignedHead, Use
from referral_contracts.encoding import b64, format_time, jcs
from referral_contracts.envelope import Envelope
from referral_contracts.errors import RemoteError
from referral_contracts.keys import SigningKey
from referral_contracts.log.checkpoint import Checkpoint, cosign, sign_checkpoint
from referral_contracts.log.erasing import signing
from referral_contracts.log.leaf import LedgerEntry, Statement, entry, leaf
from referral_contracts.log.note import Kind, NoteKey
from referral_contracts.log.policy import Group, Log, Policy, Witness
from referral_contracts.log.proofs import Node, inclusion_proof
from referral_contracts.topics import DIRECTORY, H_DECISION, H_KIND, H_PATH, H_ROOT, H_SIGNATURE, KIND_EVENT, LEDGER
from referral_contracts.trail.bundle import Sealed, write_bundle
from referral_contracts.trail.checking import NO_DISCLOSURE, Grounds
from referral_contracts.trail.extract import extract, part_of, read_extract
from referral_contracts.trail.leaves import Disclosed, TrailLeaf
from tests.stories.world import HOTLINE, World, keys

ORIGIN: Final = "training.log"
LOG_KEY: Final = SigningKey.generate()
WITNESS_KEY: Final = SigningKey.generate()
_TERM_MS: Final = 10 * 365 * 24 * 3_600_000
LOG: Final = NoteKey(ORIGIN, Kind.ED25519, LOG_KEY.verify_key)
WITNESS: Final = NoteKey("witness.ward-a", Kind.COSIGNATURE, WITNESS_KEY.verify_key)
POLICY: Final = Policy(
    logs=(Log(LOG),), witnesses=(Witness("ward-a", WITNESS),), groups=(Group("both", 1, ("ward-a",)),), quorum="both"
)


@dataclass
class LoggedBus:
    """The log beside a bus in memory; `take` lets it read on."""

    world: World
    entries: list[bytes] = field(default_factory=list)
    records: list[tuple[bytes, LedgerEntry | Statement | None]] = field(default_factory=list)
    """Salt and record of each leaf; None: it was erased."""
    salts: int = 0
    _taken: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Let the directory name the log's own key."""
        simulator = self.world.simulator
        member = simulator.directory.member("audit-log")
        assert member is not None
        term = Term(from_ms=self.world.clock.now_ms(), until_ms=self.world.clock.now_ms() + _TERM_MS)
        own = event_key_record(simulator.bus, member.id, LOG_KEY, term, use=Use.LOG)
        simulator.change_directory(agencies=[member.entry.model_copy(update={"keys": (*member.entry.keys, own)})])
        simulator.run()

    def take(self) -> None:
        """Read the ledger to its end: in each partition in its order, between them by time."""
        found = []
        for partition in range(self.world.simulator.partitions + 1):
            records = self.world.broker.records(LEDGER, partition, self._taken.get(partition, 0))
            self._taken[partition] = self._taken.get(partition, 0) + len(records)
            for record in records:
                headers = {name: value or b"" for name, value in record.headers}
                if headers[H_KIND] == KIND_EVENT:
                    parts = (headers.get(H_SIGNATURE, b""), record.value or b"", headers[H_DECISION], headers[H_PATH])
                    decision = read_decision(headers[H_DECISION])
                    logged = LedgerEntry(
                        signature=parts[0], value=parts[1], decision=parts[2], path=parts[3], root=headers[H_ROOT]
                    )
                    found.append(((decision.admitted, partition, decision.counter), logged))
        for _, logged in sorted(found, key=lambda one: one[0]):
            self.append(logged)

    def append(self, record: LedgerEntry | Statement) -> int:
        """Log *record*; return its number."""
        self.salts += 1
        salt = self.salts.to_bytes(32, "big")
        self.records.append((salt, record))
        self.entries.append(entry(salt, record.record()))
        return len(self.entries) - 1

    def state(self, told: dict[str, object], *signers: str) -> int:
        """Let *signers*, by default the log, state something."""
        held = {name: own.signing for name, own in keys().items()} | {"audit-log": LOG_KEY}
        return self.append(Statement.signed(jcs(told), *(held[name] for name in signers or ("audit-log",))))

    def erasure(self, subject: str, leaves: Sequence[int], *signers: str, by: str = "audit-log") -> int:
        """Let *signers*, by default those who may, ask to erase the case's *leaves*, and *by* say that it was done."""
        at, bus = format_time(self.world.clock.now_ms()), self.world.simulator.bus
        told = {"at": at, "bus": bus, "ground": "…", "kind": "erasure-asked", "subject": subject}
        asked = self.state({**told}, *(signers or (HOTLINE, "registrar")))
        request = self.records[asked][1]
        assert isinstance(request, Statement)
        erased = {
            "asked": asked,
            "at": at,
            "bus": bus,
            "entries": [b64(self.entries[leaf]) for leaf in leaves],
            "kind": "erased",
            "leaves": list(leaves),
            "request": {"signatures": [one.decode() for one in request.signatures], "value": request.value.decode()},
            "subject": subject,
        }
        return self.state(erased, by)

    def erase(self, index: int) -> None:
        """Forget what is under a leaf."""
        self.records[index] = b"", None

    def read(self, nodes: Sequence[Node]) -> list[bytes]:
        hashes = [leaf(one) for one in self.entries]
        return [merkle.root(hashes[node.index << node.level : (node.index + 1) << node.level]) for node in nodes]

    def checkpoint(self, *, witnessed: bool = True, size: int | None = None, key: SigningKey = LOG_KEY) -> bytes:
        """Return the note of the tree of *size*, by default all of it."""
        size = len(self.entries) if size is None else size
        told = Checkpoint(ORIGIN, size, merkle.root([leaf(one) for one in self.entries[:size]]))
        note = sign_checkpoint(told, key)
        if not witnessed:
            return note
        now_s = self.world.clock.now_ms() // 1000
        return note + cosign(told.text(), now_s, WITNESS.name, WITNESS_KEY).line.encode() + b"\n"

    def indexes(self, subject: str) -> list[int]:
        """Return the leaves of a case: its events, and what is stated of it."""
        return [number for number, (_, record) in enumerate(self.records) if _about(record, subject)]

    def sealed(self, indexes: Sequence[int], size: int | None = None) -> list[Sealed]:
        size = len(self.entries) if size is None else size
        return [
            Sealed(
                leaf=TrailLeaf(
                    index=index,
                    proof=tuple(inclusion_proof(index, size, self.read)),
                    entry=self.entries[index],
                    record=self.records[index][1],
                ),
                salt=self.records[index][0],
            )
            for index in indexes
        ]

    def extract(self, indexes: Sequence[int]) -> bytes:
        """Return the part of the directory that the leaves *indexes* need."""
        agencies = set[str]()
        directory = self.world.simulator.directory
        for index in indexes:
            record = self.records[index][1]
            if isinstance(record, Statement):
                agencies |= signing(record, directory)
            envelope = _envelope(self.records[index][1])
            if envelope is not None:
                agencies |= {envelope.source, *(one.partition("/")[0] for one in envelope.data.recipients)}
        heads = [record for record in self.world.broker.records(DIRECTORY) if record.key == HEAD_KEY.encode()]
        return extract(directory, SignedHead.decode(heads[-1].value or b""), part_of(directory, agencies))

    def grounds(self, checkpoint: bytes, directory: bytes) -> Grounds:
        root = self.world.simulator.root
        return Grounds(checked=POLICY.check(checkpoint), directory=read_extract(directory, root))

    def bundle(
        self, subject: str, *, indexes: Sequence[int] | None = None, disclosed: Disclosed = NO_DISCLOSURE
    ) -> bytes:
        """Return the evidence bundle of a case."""
        indexes = self.indexes(subject) if indexes is None else indexes
        checkpoint, directory = self.checkpoint(), self.extract(indexes)
        return write_bundle(
            self.grounds(checkpoint, directory),
            subject,
            self.sealed(indexes),
            checkpoint=checkpoint,
            directory=directory,
            disclosed=disclosed,
        )


def _about(record: LedgerEntry | Statement | None, subject: str) -> bool:
    if isinstance(record, Statement):
        return subject.encode() in record.value
    envelope = _envelope(record)
    return envelope is not None and envelope.subject == subject


def _envelope(record: LedgerEntry | Statement | None) -> Envelope | None:
    if not isinstance(record, LedgerEntry) or not record.value:
        return None
    try:
        return Envelope.decode(record.value)
    except RemoteError:
        return None


def spoiled(one: Sealed, **changes: object) -> Sealed:
    """Return a leaf with other parts, and its entry as it was: the tree cannot be changed."""
    record = one.leaf.record
    assert isinstance(record, LedgerEntry)
    return replace(one, leaf=replace(one.leaf, record=replace(record, **changes)))  # type: ignore[arg-type]
