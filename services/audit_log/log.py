"""
The append path: what is written in which order, and what a crash leaves behind at each step.

    1. the store takes entries, records and positions, in one transaction
    2. the tiles that the tree has grown by are written from what the store has
    3. a checkpoint is signed and becomes the store's newest
    4. it is published

Each step goes on from what the one before made durable, and any of them can be done again: it then writes the same
bytes, or nothing. So a start does what every beat does, and nothing else.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from audit_log.core.growing import Salts, grow
from audit_log.core.places import Place
from audit_log.core.reading import Taken
from audit_log.folder import Folder
from audit_log.store import Signed, Store
from referral_contracts import merkle
from referral_contracts.codes import Code
from referral_contracts.errors import Fatal, RemoteError
from referral_contracts.keys import SigningKey
from referral_contracts.log.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from referral_contracts.log.growth import Frontier
from referral_contracts.log.leaf import leaf
from referral_contracts.log.note import Kind, NoteKey
from referral_contracts.log.proofs import Node, consistency_proof, tree_root
from referral_contracts.log.tiles import TILE_HEIGHT, TILE_WIDTH, Tile, TileReader, bundle, tiles_for

_FILES = 512
"""Files that are written at a time: 4 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the log signs with and draws from."""

    origin: str
    key: SigningKey
    salts: Salts
    clock: Callable[[], int]

    @property
    def note_key(self) -> NoteKey:
        """What its checkpoints are verified with."""
        return NoteKey(self.origin, Kind.ED25519, self.key.verify_key)


class Log:
    """
    The log of one store and one folder.

    `append` and `publish` may run in several threads. What they raise leaves the log as it is on the disk: whoever
    goes on opens it anew.
    """

    def __init__(self, store: Store, folder: Folder, desk: Desk) -> None:
        """
        Open it: check that store and folder tell one story, and bring the folder up to the store.

        Raises:
            Fatal: LOG_ROLLBACK, LOG_FORK, BAD_CHECKPOINT, BAD_TILE, STATE_FORMAT.
            LocalError: As `Store` and `Folder` say.
        """
        self._store, self._folder, self._desk = store, folder, desk
        state = store.state()
        self._frontier = state.frontier
        self.places: Mapping[int, Place] = state.places
        """Where the log stood in each partition when it was opened."""
        self.stands: Mapping[int, Place] = state.places
        """Where it stands now; durable, as all that it has."""
        self._published = self._check(state.checkpoint)
        self.turn = threading.RLock()
        """Held while something is appended: whoever holds it sees a log that does not grow under its hands."""
        self._publishing = threading.Lock()
        # After a crash the statement may be there that bytes were erased, and they still be in the store's files.
        store.scrub()
        self.publish()
        self._check_tiles()

    @property
    def size(self) -> int:
        """How many leaves are durable."""
        return self._frontier.size

    @property
    def published(self) -> int:
        """How many leaves the published checkpoint covers."""
        return 0 if self._published is None else self._published.size

    @property
    def newest(self) -> tuple[Checkpoint, bytes] | None:
        """The published checkpoint and its note."""
        found = self._published
        # A signature of this kind is the same each time: it need not be kept.
        return None if found is None else (found, sign_checkpoint(found, self._desk.key))

    def root(self, size: int) -> bytes:
        """Return the root of the first *size* leaves."""
        return tree_root(size, self._nodes)

    def consistency(self, old: int, new: int) -> list[bytes]:
        """Return what proves that the tree of *new* leaves begins with that of *old*."""
        return consistency_proof(old, new, self._nodes)

    def append(self, taken: Sequence[Taken], places: Mapping[int, Place], *, erased: Sequence[int] = ()) -> int:
        """
        Append *taken*, after which the partitions stand at *places*; return the first one's index.

        What is under the leaves *erased* goes in the same step: among *taken* is the statement that says so.

        Raises:
            Fatal, LocalError: As `Store.append` says.
        """
        with self.turn:
            first = self._frontier.size
            batch = grow(self._frontier, taken, places, self._desk.salts, erased=erased)
            # A crash before this returns leaves all of the batch or nothing of it. Nothing: the positions stand before
            # it, and its records are read again, with other salts, which nobody has seen the old ones of. All: the next
            # start finds it, with positions behind it, and goes on with step 2.
            self._store.append(batch)
            self._frontier = batch.frontier
            self.stands = {**self.stands, **places}
            return first

    def scrub(self) -> None:
        """
        Overwrite what was erased; nothing is appended meanwhile.

        Raises:
            Fatal, LocalError: As `Store.scrub` says.
        """
        with self.turn:
            self._store.scrub()

    def publish(self) -> Checkpoint | None:
        """
        Publish a checkpoint over all that is durable; return it, or None when there is nothing new.

        Raises:
            Fatal, LocalError: As `Store` and `Folder` say.
        """
        with self._publishing:
            frontier, before = self._frontier, self._published
            if before is not None and before.size == frontier.size:
                return None
            grown = tiles_for(self.published, frontier.size)
            # A crash here leaves tiles that no checkpoint tells of. A full one is what it will be for ever; a partial
            # one bears its width in its name. The next publication writes the same bytes over them, or passes them.
            self._write(grown)
            found = Checkpoint(self._desk.origin, frontier.size, frontier.root())
            note = sign_checkpoint(found, self._desk.key)
            # A crash here leaves a checkpoint in the store that nobody has seen. What follows signs the same one
            # again, or one of a tree that has grown on from it: the store takes none that is smaller or another.
            self._store.sign(Signed(found.size, found.root, note), self._desk.clock())
            # A crash here leaves the old checkpoint published, or the new one, never a part of it. Old: the next start
            # publishes anew. From here on the tree can never again be smaller than this.
            self._folder.publish(note)
            self._published = found
            # A crash here leaves partial tiles beside full ones: they take room, and say nothing that is not so.
            self._folder.prune(tile for tile in grown if tile.width == TILE_WIDTH)
            return found

    def _write(self, tiles: Sequence[Tile]) -> None:
        waiting = iter(self._files(tiles))
        while files := list(islice(waiting, _FILES)):
            self._folder.write(files)

    def _files(self, tiles: Sequence[Tile]) -> Iterator[tuple[str, bytes]]:
        for tile in tiles:
            start = tile.index * TILE_WIDTH
            found = self._store.hashes(tile.level, start, start + tile.width)
            if tile.level:
                yield tile.path, b"".join(found)
            else:
                yield tile.path, b"".join(map(leaf, found))
                yield tile.entries_path, bundle(found)

    def _check(self, signed: Signed | None) -> Checkpoint | None:
        """Return the published checkpoint once store, tree and folder are found to be of one log."""
        if tree_root(self.size, self._nodes) != self._frontier.root():
            raise Fatal(Code.LOG_FORK, "the store's tree does not have the edge that it says")
        if signed is not None:
            self._check_one(self._opened(signed.note), self.size)
        note = self._folder.checkpoint()
        if note is None:
            return None
        published = self._opened(note)
        # It was the store's first: a store that knows none as new as this was put back.
        self._check_one(published, 0 if signed is None else signed.size)
        return published

    def _check_one(self, told: Checkpoint, most: int) -> None:
        if told.size > most:
            raise Fatal(Code.LOG_ROLLBACK, "a checkpoint tells of a larger log than there is")
        if tree_root(told.size, self._nodes) != told.root:
            raise Fatal(Code.LOG_FORK, "a checkpoint tells of another log")

    def _opened(self, note: bytes) -> Checkpoint:
        try:
            return open_checkpoint(note, self._desk.note_key)
        except RemoteError as error:
            raise Fatal(Code.BAD_CHECKPOINT, "a checkpoint that this log did not sign") from error

    def _check_tiles(self) -> None:
        frontier: Frontier = self._frontier
        try:
            root = tree_root(frontier.size, TileReader(self._folder.fetch, frontier.size, frontier.root()))
        except RemoteError as error:
            raise Fatal(Code.BAD_TILE, "the published tiles are not the store's") from error
        if root != frontier.root():
            raise Fatal(Code.BAD_TILE, "the published tiles are not the store's")

    def _nodes(self, nodes: Sequence[Node]) -> list[bytes]:
        """Return the hashes of *nodes* from the store."""
        found = []
        for node in nodes:
            level, height = divmod(node.level, TILE_HEIGHT)
            start = node.index << height
            hashes = self._store.hashes(level, start, start + (1 << height))
            found.append(merkle.root(hashes if level else list(map(leaf, hashes))))
        return found
