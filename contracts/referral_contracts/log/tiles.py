"""
Tiles (c2sp.org/tlog-tiles): the tree as files of 256 hashes, which never change once they are full.

Level 0 holds leaf hashes; a hash of level L + 1 is the root over a full tile of level L. Beside each tile of level 0
lies a bundle of the entries themselves. `TileReader` takes nothing from a tile before it has checked it, up to the
root that a checkpoint told.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from referral_contracts import merkle
from referral_contracts.codes import Code
from referral_contracts.errors import RemoteError
from referral_contracts.log.proofs import HashReader, Node, fold, subtrees
from referral_contracts.merkle import HASH_SIZE

TILE_HEIGHT: Final = 8
TILE_WIDTH: Final = 1 << TILE_HEIGHT
CHECKPOINT_PATH: Final = "checkpoint"

_KEPT: Final = 256
"""Checked tiles that a reader keeps with all their levels: 9 MB, and the tops of a tree of 16 million leaves."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile: the hashes ``index * 256`` to before ``index * 256 + width`` of its level."""

    level: int
    index: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """Where it is published, as in ``tile/0/x001/234.p/5``."""
        return f"tile/{self.level}/{self._rest}"

    @property
    def entries_path(self) -> str:
        """Where the entries under a tile of level 0 are published, as in ``tile/entries/x001/234.p/5``."""
        return f"tile/entries/{self._rest}"

    @property
    def _rest(self) -> str:
        digits = str(self.index)
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        parts = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return "".join(f"x{part}/" for part in parts[:-1]) + parts[-1] + partial

    @property
    def full(self) -> "Tile":
        """The same tile when it has all its hashes."""
        return Tile(self.level, self.index)


def tiles_for(old_size: int, new_size: int) -> tuple[Tile, ...]:
    """Return the tiles that the growth from *old_size* to *new_size* writes, the lowest level first."""
    return tuple(_tiles_for(old_size, new_size)) if new_size > old_size else ()


def _tiles_for(old_size: int, new_size: int) -> Iterator[Tile]:
    level = 0
    while new_size >> TILE_HEIGHT * level:
        before, after = old_size >> TILE_HEIGHT * level, new_size >> TILE_HEIGHT * level
        if before != after:
            for index in range(before // TILE_WIDTH, after // TILE_WIDTH):
                yield Tile(level, index)
            if after % TILE_WIDTH:
                yield Tile(level, after // TILE_WIDTH, after % TILE_WIDTH)
        level += 1


def tile_of(node: Node, size: int) -> Tile:
    """Return the tile of the tree of *size* that *node* can be computed from."""
    level, height = divmod(node.level, TILE_HEIGHT)
    index = node.index >> TILE_HEIGHT - height
    return Tile(level, index, min(TILE_WIDTH, (size >> TILE_HEIGHT * level) - index * TILE_WIDTH))


def hashes_in(data: bytes) -> list[bytes]:
    """Return the hashes of a tile's bytes."""
    return [data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE)]


def node_in(data: bytes, node: Node) -> bytes:
    """Return the hash of *node* from the bytes of its tile."""
    height = node.level % TILE_HEIGHT
    start = (node.index << height) % TILE_WIDTH * HASH_SIZE
    return merkle.root(hashes_in(data[start : start + (HASH_SIZE << height)]))


def tile_data(tile: Tile, read: HashReader) -> bytes:
    """Return the bytes of *tile*, from the hashes that *read* has."""
    first = tile.index * TILE_WIDTH
    level = tile.level * TILE_HEIGHT
    return b"".join(read([Node(level, first + number) for number in range(tile.width)]))


def bundle(entries: Sequence[bytes]) -> bytes:
    """Return the bundle of *entries*: each behind its length as u16 big-endian."""
    return b"".join([len(entry).to_bytes(2, "big") + entry for entry in entries])


def entries_in(data: bytes) -> list[bytes]:
    """
    Return the entries of a bundle.

    Raises:
        RemoteError: BAD_TILE.
    """
    found, at = [], 0
    while at < len(data):
        start = at + 2
        at = start + int.from_bytes(data[at:start], "big")
        if len(data) < max(start, at):
            raise RemoteError(Code.BAD_TILE, "a bundle that is cut")
        found.append(data[start:at])
    return found


Fetch: TypeAlias = Callable[[Tile], bytes]
"""Returns the bytes at a tile's path."""


class TileReader:
    """
    Reads hashes from tiles that nobody vouches for, against the *root* of the tree of *size*.

    A tile on the right edge is taken when all of the edge together gives the root, any other one when the root over
    it is what its checked parent says. So whatever a reader returns is under the root, or it raises.
    """

    def __init__(self, fetch: Fetch, size: int, root: bytes, *, keep: int = _KEPT) -> None:
        self._fetch = fetch
        self._size = size
        self._root = root
        self._keep = keep
        self._edge: dict[Tile, _Levels] = {}
        self._checked: OrderedDict[Tile, _Levels] = OrderedDict()

    def __call__(self, nodes: Sequence[Node]) -> list[bytes]:
        """
        Return the hashes of *nodes*: a HashReader.

        Raises:
            RemoteError: BAD_TILE: a tile is not one of this tree.
        """
        return [_at(self._levels(tile_of(node, self._size)), node) for node in nodes]

    def tile(self, tile: Tile) -> bytes:
        """
        Return the checked bytes of *tile*, as `__call__`.

        Raises:
            RemoteError: BAD_TILE.
        """
        return b"".join(self._levels(tile)[0])

    def _levels(self, tile: Tile) -> "_Levels":
        if not self._edge and self._size:
            self._edge = self._checked_edge()
        found = self._edge.get(tile) or self._checked.get(tile)
        if found is not None:
            return found
        if tile != tile.full or (tile.index + 1) * TILE_WIDTH > self._size >> TILE_HEIGHT * tile.level:
            raise RemoteError(Code.BAD_TILE, "the tree has no such tile")
        found = self._fetched(tile)
        top = Node(TILE_HEIGHT * (tile.level + 1), tile.index)
        if found[-1][0] != _at(self._levels(tile_of(top, self._size)), top):
            raise RemoteError(Code.BAD_TILE, f"{tile.path} is not under the root")
        self._checked[tile] = found
        if len(self._checked) > self._keep:
            self._checked.popitem(last=False)
        return found

    def _checked_edge(self) -> dict[Tile, "_Levels"]:
        nodes = subtrees(0, self._size)
        # Every hash of these goes into the root: what is left of the edge lies in full tiles below.
        edge = {tile: self._fetched(tile) for tile in dict.fromkeys(tile_of(node, self._size) for node in nodes)}
        if fold([_at(edge[tile_of(node, self._size)], node) for node in nodes]) != self._root:
            raise RemoteError(Code.BAD_TILE, "the tiles of the right edge do not give the root")
        return edge

    def _fetched(self, tile: Tile) -> "_Levels":
        data = self._fetch(tile)
        if len(data) != tile.width * HASH_SIZE:
            raise RemoteError(Code.BAD_TILE, f"{tile.path} has another size")
        return merkle.levels(hashes_in(data))


_Levels: TypeAlias = Sequence[Sequence[bytes]]
"""The hashes of a tile, and those above them: worked out once, to check it and to read it."""


def _at(levels: _Levels, node: Node) -> bytes:
    height = node.level % TILE_HEIGHT
    return levels[height][node.index % (TILE_WIDTH >> height)]
