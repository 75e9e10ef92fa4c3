"""What a check of the log can find, and where: closed, so that whoever shows it shows all of it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias


class Fault(StrEnum):
    """What is wrong; stable, as `Code` is."""

    CELL_BROKEN = "cell-broken"
    LEAF_MISSING = "leaf-missing"
    LEAF_CHANGED = "leaf-changed"
    RECORD_MISSING = "record-missing"
    RECORD_STRAY = "record-stray"
    DECISION_BAD = "decision-bad"
    DECISION_GAP = "decision-gap"
    DECISION_CHAIN = "decision-chain"
    PLACE_CHANGED = "place-changed"
    INDEX_CHANGED = "index-changed"
    JUDGED_OTHERWISE = "judged-otherwise"
    TILE_MISSING = "tile-missing"
    TILE_CHANGED = "tile-changed"
    NODE_CHANGED = "node-changed"
    EDGE_CHANGED = "edge-changed"
    CHECKPOINT_MISSING = "checkpoint-missing"
    CHECKPOINT_UNSIGNED = "checkpoint-unsigned"
    CHECKPOINT_CHANGED = "checkpoint-changed"
    CHECKPOINT_FORK = "checkpoint-fork"
    CHECKPOINT_AHEAD = "checkpoint-ahead"
    CHECKPOINT_OLD = "checkpoint-old"
    POSITION_CHANGED = "position-changed"
    LEDGER_MISSING = "ledger-missing"
    LEDGER_CHANGED = "ledger-changed"
    LEDGER_ENDS = "ledger-ends"
    NOT_LOGGED = "not-logged"
    STATEMENT_BAD = "statement-bad"
    DIRECTORY_LOST = "directory-lost"


SAYS: Final = {
    Fault.CELL_BROKEN: "the store holds there what the log never writes",
    Fault.LEAF_MISSING: "the store has no such leaf",
    Fault.LEAF_CHANGED: "the leaf is not the hash of its record",
    Fault.RECORD_MISSING: "the record is gone, and no erasure says why",
    Fault.RECORD_STRAY: "a record of no leaf",
    Fault.DECISION_BAD: "the router did not decide this",
    Fault.DECISION_GAP: "a decision before it is missing",
    Fault.DECISION_CHAIN: "the decision does not follow the one before",
    Fault.PLACE_CHANGED: "the leaf stands at another place of the ledger than its decision says",
    Fault.INDEX_CHANGED: "the index says something else than the record",
    Fault.JUDGED_OTHERWISE: "judged again, the router's rules come to another decision",
    Fault.TILE_MISSING: "the tile is not published",
    Fault.TILE_CHANGED: "the published tile is not the store's",
    Fault.NODE_CHANGED: "a stored hash is not that of the leaves under it",
    Fault.EDGE_CHANGED: "the stored edge of the tree is not that of its leaves",
    Fault.CHECKPOINT_MISSING: "there is no published checkpoint, though one was signed",
    Fault.CHECKPOINT_UNSIGNED: "the log did not sign this checkpoint",
    Fault.CHECKPOINT_CHANGED: "the store says something else of the checkpoint than it says itself",
    Fault.CHECKPOINT_FORK: "the checkpoint tells of another tree: the log was forked, or rewritten",
    Fault.CHECKPOINT_AHEAD: "the checkpoint tells of a larger tree than there is: the log was rolled back",
    Fault.CHECKPOINT_OLD: "an older checkpoint is published than was signed: put back, or the log ended before it did",
    Fault.POSITION_CHANGED: "the stored position is not where the leaves of the partition end",
    Fault.LEDGER_MISSING: "the ledger has lost a record that was logged",
    Fault.LEDGER_CHANGED: "the ledger has other bytes than were logged",
    Fault.LEDGER_ENDS: "the ledger does not reach to where it was read",
    Fault.NOT_LOGGED: "a decision of the ledger that was read is in no leaf",
    Fault.STATEMENT_BAD: "a statement of the log that nobody entitled to it signed, or that says what nobody may",
    Fault.DIRECTORY_LOST: "the log holds no change of the directory that the pinned root signed: nothing is judged",
}


@dataclass(frozen=True, slots=True)
class OfCell:
    """Something about one cell of the store."""

    fault: Fault
    table: str
    row: str
    """Its key."""
    column: str

    @property
    def place(self) -> str:
        return f"{self.table} {self.row} {self.column}"


@dataclass(frozen=True, slots=True)
class OfLeaf:
    """Something about one leaf, its record or its index."""

    fault: Fault
    leaf: int

    @property
    def place(self) -> str:
        return f"leaf {self.leaf}"


@dataclass(frozen=True, slots=True)
class OfTile:
    """Something about a published file."""

    fault: Fault
    tile: str

    @property
    def place(self) -> str:
        return self.tile


@dataclass(frozen=True, slots=True)
class OfNode:
    """Something about the stored hashes of the tree."""

    fault: Fault
    level: int
    """Of the tile that the hash belongs to."""
    index: int

    @property
    def place(self) -> str:
        return f"hash {self.index} of level {self.level}"


@dataclass(frozen=True, slots=True)
class OfCheckpoint:
    """Something about a checkpoint."""

    fault: Fault
    checkpoint: str
    """Which: ``published``, ``stored``, or the file that it was given in."""
    size: int | None

    @property
    def place(self) -> str:
        return f"{self.checkpoint} checkpoint" + ("" if self.size is None else f" of size {self.size}")


@dataclass(frozen=True, slots=True)
class OfPartition:
    """Something about a partition as a whole."""

    fault: Fault
    partition: int

    @property
    def place(self) -> str:
        return f"partition {self.partition}"


@dataclass(frozen=True, slots=True)
class OfLedger:
    """Something about one record of the ledger."""

    fault: Fault
    partition: int
    offset: int

    @property
    def place(self) -> str:
        return f"partition {self.partition} offset {self.offset}"


Finding: TypeAlias = OfCell | OfLeaf | OfTile | OfNode | OfCheckpoint | OfPartition | OfLedger
Report: TypeAlias = Callable[[Finding], None]
