"""The tree built anew from its entries, and held against all that was ever said of it: hashes, tiles, checkpoints."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from audit_log.checking.findings import Fault, OfCheckpoint, OfLeaf, OfNode, OfTile, Report
from referral_contracts.errors import RemoteError
from referral_contracts.log.checkpoint import Checkpoint
from referral_contracts.log.growth import Frontier
from referral_contracts.log.leaf import ENTRY_SIZE, leaf
from referral_contracts.log.tiles import TILE_HEIGHT, TILE_WIDTH, Tile, bundle, entries_in
from referral_contracts.merkle import HASH_SIZE

Nodes: TypeAlias = Callable[[int, int, int], Sequence[tuple[int, bytes]]]
"""Number and hash of what the store has of a level, from a number to before another."""
Fetch: TypeAlias = Callable[[str], bytes | None]
"""The bytes of a published file, or None."""
PUBLISHED: Final = "published"
_TILE_SIZE: Final = TILE_WIDTH * HASH_SIZE
_CHUNK: Final = 8192
_MOST_MISSING: Final = 65_536
"""Leaves in a row that are looked for one by one: a number that somebody put there may be any."""


@dataclass(frozen=True, slots=True)
class Told:
    """A checkpoint, and where it was found."""

    where: str
    checkpoint: Checkpoint


class TreeCheck:
    """Takes the entries in their order; `finish` holds the end against what the store says of it."""

    def __init__(self, told: Iterable[Told], nodes: Nodes, fetch: Fetch, report: Report) -> None:
        """Check against the checkpoints *told*; the tiles are those of the published one."""
        self._told = sorted(told, key=lambda one: one.checkpoint.size)
        self._covered = max((one.checkpoint.size for one in self._told if one.where == PUBLISHED), default=0)
        self._nodes, self._fetch, self._report = nodes, fetch, report
        self._frontier = Frontier.empty()
        self._tiles: dict[int, bytearray] = {}
        self._bundle: list[bytes] = []
        self._waiting: list[bytes] = []
        self._meet()

    @property
    def size(self) -> int:
        """How many entries were taken."""
        return self._frontier.size + len(self._waiting)

    def take(self, index: int, entry: bytes | None) -> None:
        """Take the entry at *index*, None where it cannot be one; each between the last one and this is missing."""
        if index < self.size:
            self._report(OfLeaf(Fault.RECORD_STRAY, index))
            return
        if self._reaches(index):
            self._add(self._stand_in(index) if entry is None else entry)

    def finish(self, size: int, edge: Frontier | None) -> None:
        """Say what the store says of the whole: its *size*, and its *edge* unless nobody can read it."""
        self._reaches(size)
        self._flush()
        if edge != self._frontier or size != self._frontier.size:
            self._report(OfNode(Fault.EDGE_CHANGED, 0, size))
        for one in self._told:
            self._report(OfCheckpoint(Fault.CHECKPOINT_AHEAD, one.where, one.checkpoint.size))
        self._told = []

    def _reaches(self, index: int) -> bool:
        """Fill up to *index* what is missing; return False when that is more than was ever lost, and a lie."""
        if index - self.size > _MOST_MISSING:
            self._report(OfLeaf(Fault.LEAF_MISSING, self.size))
            return False
        while self.size < index:
            self._report(OfLeaf(Fault.LEAF_MISSING, self.size))
            self._add(self._stand_in(self.size))
        return True

    def _stand_in(self, index: int) -> bytes:
        """Return what was published of an entry that is missing, so that only what is wrong is told."""
        number = index // TILE_WIDTH
        left = min(TILE_WIDTH, self._covered - number * TILE_WIDTH)
        data = self._published(Tile(0, number, left).entries_path) if left > 0 else None
        try:
            found = [] if data is None else entries_in(data)
        except RemoteError:
            found = []
        at = index % TILE_WIDTH
        return found[at] if at < len(found) else bytes(ENTRY_SIZE)

    def _add(self, entry: bytes) -> None:
        self._waiting.append(entry)
        wanted = self._told[0].checkpoint.size if self._told else None
        if len(self._waiting) == _CHUNK or self.size == wanted:
            self._flush()

    def _flush(self) -> None:
        entries, self._waiting = self._waiting, []
        before = self._frontier.size
        self._frontier, gained = self._frontier.grow([leaf(entry) for entry in entries])
        for level, hashes in enumerate(gained):
            if level:
                self._hold_nodes(level, before >> TILE_HEIGHT * level, hashes)
            if before < self._covered:
                self._fill(level, before >> TILE_HEIGHT * level, hashes, entries)
        self._meet()

    def _hold_nodes(self, level: int, start: int, hashes: bytes) -> None:
        count = len(hashes) // HASH_SIZE
        stored = dict(self._nodes(level, start, start + count))
        for number in range(count):
            if stored.get(start + number) != hashes[number * HASH_SIZE : (number + 1) * HASH_SIZE]:
                self._report(OfNode(Fault.NODE_CHANGED, level, start + number))

    def _fill(self, level: int, start: int, hashes: bytes, entries: Sequence[bytes]) -> None:
        tile = self._tiles.setdefault(level, bytearray())
        number = start // TILE_WIDTH
        tile += hashes
        if not level:
            self._bundle += entries
        while len(tile) >= _TILE_SIZE:
            self._hold(Tile(level, number), bytes(tile[:_TILE_SIZE]), self._bundle[:TILE_WIDTH])
            del tile[:_TILE_SIZE]
            if not level:
                del self._bundle[:TILE_WIDTH]
            number += 1

    def _meet(self) -> None:
        """Hold the tree of this size against each checkpoint that tells of it."""
        while self._told and self._told[0].checkpoint.size == self._frontier.size:
            one = self._told.pop(0)
            if one.checkpoint.root != self._frontier.root():
                self._report(OfCheckpoint(Fault.CHECKPOINT_FORK, one.where, one.checkpoint.size))
        if self._frontier.size == self._covered:
            for level, data in self._tiles.items():
                if data:
                    number = (self._covered >> TILE_HEIGHT * level) // TILE_WIDTH
                    self._hold(Tile(level, number, len(data) // HASH_SIZE), bytes(data), self._bundle)
            self._tiles.clear()
            self._bundle = []

    def _hold(self, tile: Tile, data: bytes, entries: Sequence[bytes]) -> None:
        self._hold_file(tile.path, data)
        if not tile.level:
            self._hold_file(tile.entries_path, bundle(entries))

    def _hold_file(self, path: str, wanted: bytes) -> None:
        found = self._published(path)
        if found is None:
            self._report(OfTile(Fault.TILE_MISSING, path))
        elif found[: len(wanted)] != wanted or (len(found) != len(wanted) and ".p/" not in path):
            self._report(OfTile(Fault.TILE_CHANGED, path))

    def _published(self, path: str) -> bytes | None:
        found = self._fetch(path)
        if found is None and ".p/" in path:
            # A log that runs removes what is partial once the tile is full; the full one begins with it.
            found = self._fetch(path.partition(".p/")[0])
        return found
