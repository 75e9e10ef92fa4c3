"""
A log in memory: the ledger of a bus in memory as a tree, its receipts, and what may be wrong with them.

It answers as the real one does over HTTP. The salts are no secret here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from referral_bus.keys import AgencyKeys
from referral_bus.log import LogTransport
from referral_bus.testing.memory import MemoryBroker
from referral_contracts import merkle, topics
from referral_contracts.codes import Code
from referral_contracts.decisions import Decision, read_decision
from referral_contracts.encoding import sha256
from referral_contracts.errors import LocalError
from referral_contracts.log.checkpoint import Checkpoint, sign_checkpoint
from referral_contracts.log.leaf import LedgerEntry, entry, leaf
from referral_contracts.log.note import Kind, NoteKey
from referral_contracts.log.policy import Log, Policy
from referral_contracts.log.proof import Opening, Receipt
from referral_contracts.log.proofs import Node, inclusion_proof, tree_root
from referral_contracts.records import Record


@dataclass(slots=True)
class MemoryLog:
    """The log of the bus on *broker*, which signs with *keys*."""

    broker: MemoryBroker
    keys: AgencyKeys
    bus: str
    partitions: int
    """Of the ledger."""
    away: bool = False
    """It does not answer."""
    withheld: set[str] = field(default_factory=set)
    """Hashes of events that it says it does not have."""
    covered: int | None = None
    """How many leaves its checkpoint covers; None for all."""
    forged: bool = False
    """It signs with a key of its own making."""
    asked: list[str] = field(default_factory=list)
    """The events whose receipts it was asked for, in order."""

    @property
    def policy(self) -> Policy:
        """What a receipt of this log is checked by; it asks for no witness."""
        return Policy(logs=(Log(NoteKey(self._origin, Kind.ED25519, self.keys.signing.verify_key)),))

    def open(self) -> LogTransport:
        """Return a way to it: an `OpenLog`."""
        return self

    async def receipt(self, event: str, place: tuple[int, int] | None) -> bytes | None:
        """See `LogTransport`."""
        self.asked.append(event)
        if self.away:
            raise LocalError(Code.LOG_AWAY, "the log is away")
        logged = self._logged()[: self.covered]
        found = [number for number, (_, told) in enumerate(logged) if told.event == event]
        if place is not None:
            found = [one for one in found if (logged[one][1].partition, logged[one][1].counter) == place]
        if event in self.withheld or not found:
            return None
        # An acceptance before whatever else was decided of the same bytes.
        index = min(found, key=lambda one: (logged[one][1].code is not Code.ACCEPTED, one))
        return self._receipt([one for one, _ in logged], index)

    async def close(self) -> None:
        """See `LogTransport`."""

    @property
    def _origin(self) -> str:
        return f"{self.bus}.log"

    def _logged(self) -> list[tuple[LedgerEntry, Decision]]:
        records = [one for number in range(self.partitions) for one in self.broker.records(topics.LEDGER, number)]
        found = [_entry(one) for one in records if topics.H_DECISION in dict(one.headers)]
        return [(one, read_decision(one.decision)) for one in found]

    def _receipt(self, logged: Sequence[LedgerEntry], index: int) -> bytes:
        salts = [sha256(one.decision) for one in logged]
        leaves = [leaf(entry(salt, one.record())) for salt, one in zip(salts, logged, strict=True)]

        def read(nodes: Sequence[Node]) -> list[bytes]:
            return [merkle.root(leaves[node.index << node.level : (node.index + 1) << node.level]) for node in nodes]

        path = inclusion_proof(index, len(leaves), read)
        key = AgencyKeys.generate("forger") if self.forged else self.keys
        checkpoint = Checkpoint(self._origin, len(leaves), tree_root(len(leaves), read))
        told = logged[index]
        opening = Opening(salt=salts[index], decision=told.decision, path=told.path, root=told.root)
        note = sign_checkpoint(checkpoint, key.signing)
        return Receipt(index=index, path=tuple(path), checkpoint=note, extra=opening.encode()).encode()


def _entry(record: Record) -> LedgerEntry:
    headers = dict(record.headers)
    return LedgerEntry(
        signature=headers.get(topics.H_SIGNATURE) or b"",
        value=record.value or b"",
        decision=headers[topics.H_DECISION] or b"",
        path=headers[topics.H_PATH] or b"",
        root=headers[topics.H_ROOT] or b"",
    )
