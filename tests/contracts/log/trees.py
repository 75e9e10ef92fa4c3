"""Whole trees in memory: what proofs and tiles are held against."""

from collections.abc import Sequence

from referral_contracts import merkle
from referral_contracts.log.growth import Frontier
from referral_contracts.log.proofs import HashReader, Node
from referral_contracts.log.tiles import TILE_WIDTH, Tile, tiles_for
from referral_contracts.merkle import HASH_SIZE


def leaves(size: int) -> list[bytes]:
    return [merkle.leaf_hash(b"%d" % number) for number in range(size)]


def reader(hashes: Sequence[bytes]) -> HashReader:
    """Return what reads the tree over *hashes*, computed whole each time."""

    def read(nodes: Sequence[Node]) -> list[bytes]:
        found = []
        for node in nodes:
            under = hashes[node.index << node.level : (node.index + 1) << node.level]
            assert len(under) == 1 << node.level
            found.append(merkle.root(under))
        return found

    return read


class Published:
    """The tiles of a log that grows, written as a log writes them: from what the growth tells, and nothing else."""

    def __init__(self) -> None:
        self.frontier = Frontier.empty()
        self.files: dict[str, bytes] = {}

    def grow(self, hashes: Sequence[bytes]) -> None:
        old = self.frontier.size
        self.frontier, gained = self.frontier.grow(hashes)
        for tile in tiles_for(old, self.frontier.size):
            before = old >> 8 * tile.level
            first = tile.index * TILE_WIDTH
            kept = b""
            if before > first:
                kept = self.files[Tile(tile.level, tile.index, before - first).path]
            start, stop = max(before, first) - before, first + tile.width - before
            assert self.files.setdefault(tile.path, data := kept + gained[tile.level][32 * start : 32 * stop]) == data
            assert len(data) == tile.width * HASH_SIZE

    def fetch(self, tile: Tile) -> bytes:
        return self.files[tile.path]
