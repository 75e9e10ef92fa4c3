"""
Receipts (c2sp.org/tlog-proof): made of what is published and of what the store has beside it, for whoever asks.

A receipt is under the newest checkpoint that enough witnesses have cosigned and that covers the decision; where none
does, under the newest of all, and provisional. The tiles are the proof's source, as they would be for anybody: what
is given out was checked against the checkpoint first.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

from audit_log.folder import Folder
from audit_log.store.reading import DecisionNumber, StoreReader
from audit_log.witnesses import WITNESSED_PATH
from referral_contracts.codes import Code
from referral_contracts.errors import LocalError, RemoteError
from referral_contracts.log.checkpoint import Checkpoint, open_checkpoint
from referral_contracts.log.leaf import leaf
from referral_contracts.log.note import NoteKey
from referral_contracts.log.proof import Opening, Receipt
from referral_contracts.log.proofs import Node, inclusion_proof, verify_inclusion
from referral_contracts.log.tiles import CHECKPOINT_PATH, Tile, node_in, tile_of
from referral_contracts.merkle import HASH_SIZE


class NotYet(Exception):
    """It is in the log, and no published checkpoint covers it yet: a beat later one does."""


class Receipts:
    """Makes receipts. Its method may be called from any thread."""

    def __init__(self, folder: Folder, reader: Callable[[], StoreReader | None], key: NoteKey) -> None:
        """Make them of *folder* and of what *reader* returns, None while the store is not open."""
        self._folder, self._store = folder, reader
        # Checked once each: a checkpoint is asked for more often than it changes.
        self._open = lru_cache(maxsize=4)(lambda note: open_checkpoint(note, key))

    def receipt(self, event: bytes, number: DecisionNumber | None) -> bytes | None:
        """
        Return the receipt of the event with the hash *event*, or None where the log has no such event.

        Raises:
            NotYet: No checkpoint covers it yet.
            LocalError: STORE_AWAY, or what the folder raises: it cannot be made now.
            RemoteError: BAD_TILE, BAD_PROOF, BAD_CHECKPOINT: what is published is not of one log.
        """
        reader, newest = self._store(), self._checkpoint(CHECKPOINT_PATH)
        if reader is None or newest is None:
            raise LocalError(Code.STORE_AWAY, "the log is not open")
        found = reader.logged(event, newest[0].size, number)
        if found is None:
            return None
        witnessed = self._checkpoint(WITNESSED_PATH)
        told, note = witnessed if witnessed is not None and witnessed[0].size > found.index else newest
        if told.size <= found.index:
            raise NotYet
        path = inclusion_proof(found.index, told.size, self._reader(told.size))
        verify_inclusion(leaf(found.entry), found.index, told.size, told.root, path)
        opening = Opening(salt=found.salt, decision=found.decision, path=found.path, root=found.root)
        return Receipt(index=found.index, path=tuple(path), checkpoint=note, extra=opening.encode()).encode()

    def _checkpoint(self, name: str) -> tuple[Checkpoint, bytes] | None:
        note = self._folder.read(name)
        return None if note is None else (self._open(note), note)

    def _reader(self, size: int) -> Callable[[Sequence[Node]], Sequence[bytes]]:
        def read(nodes: Sequence[Node]) -> Sequence[bytes]:
            tiles = {tile: self._tile(tile) for tile in {tile_of(node, size) for node in nodes}}
            return [node_in(tiles[tile_of(node, size)], node) for node in nodes]

        return read

    def _tile(self, tile: Tile) -> bytes:
        # One that has become full since has lost its narrower ones, and begins as they did.
        data = self._folder.read(tile.path) or self._folder.read(tile.full.path)
        if data is None or len(data) < tile.width * HASH_SIZE:
            raise RemoteError(Code.BAD_TILE, "a published tile is gone")
        return data[: tile.width * HASH_SIZE]
