"""
The whole log checked: store, published folder, checkpoints and ledger held against each other and against the rules.

The published checkpoint is read first and the store, as it is at one moment, after it: beside a service that runs the
store is then at least as far. Everything is streamed; what is held in memory does not grow with the log, but for the
cases that the router's rules remember.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar

from audit_log.checking.findings import Fault, Finding, OfCell, OfCheckpoint, OfLeaf, OfPartition
from audit_log.checking.leaves import LeafCheck
from audit_log.checking.ledger import LedgerCheck, Spans
from audit_log.checking.tree import PUBLISHED, Fetch, Told, TreeCheck
from audit_log.core.growing import Kind
from audit_log.core.reading import NO_PARTITION
from audit_log.store.schema import FORMAT, UNSCRUBBED
from audit_log.store.snapshot import Snapshot
from audit_log.store.store import Signed
from referral_contracts.directory import Directory
from referral_contracts.errors import RemoteError
from referral_contracts.log.checkpoint import Checkpoint, checkpoint_of
from referral_contracts.log.erasing import lawfully_erased
from referral_contracts.log.leaf import LedgerEntry, Statement
from referral_contracts.log.note import NoteKey, open_note
from referral_contracts.log.tiles import CHECKPOINT_PATH
from referral_contracts.records import Record

STORED: Final = "stored"
Progress = Callable[[str, int, int], None]
"""What is being done, how far it is, and where it ends."""
ItemT = TypeVar("ItemT")
_EACH: Final = 1000
_MOST: Final = 1000
_BEAT_S: Final = 0.1
_BEATS: Final = 50


class Judge(Protocol):
    """The router's rules, over what was logged."""

    def change(self, logged: LedgerEntry) -> bool:
        """Judge a change of the directory again; return whether it comes to the decision that was logged."""

    def event(self, logged: LedgerEntry) -> bool:
        """The same of an event."""

    def lost(self, partition: int) -> None:
        """Take note that a record of *partition* is not what was logged, and cannot be judged."""

    def directory(self) -> Directory | None:
        """Return the newest directory that the changes made."""


class Ledger(Protocol):
    """Kafka's ledger, where it still is."""

    async def spans(self) -> Spans:
        """Return what each partition has now."""

    def records(self, partition: int) -> AsyncIterator[Record]:
        """Go through the committed records of *partition*, over the span that `spans` told."""


@dataclass(slots=True)
class Found:
    """What a check came to."""

    size: int = 0
    checkpoint: Checkpoint | None = None
    """The published one."""
    faults: int = 0
    findings: list[Finding] = field(default_factory=list)
    """The first of them: who changed everything would fill the memory."""

    def report(self, finding: Finding) -> None:
        """Take a finding."""
        self.faults += 1
        if len(self.findings) < _MOST:
            self.findings.append(finding)


class Check:
    """One check of one log."""

    def __init__(
        self,
        snapshot: Callable[[], AbstractContextManager[Snapshot]],
        fetch: Fetch | None,
        keys: Sequence[NoteKey],
        judge: Judge,
        *,
        given: Iterable[tuple[str, bytes]] = (),
        ledger: Ledger | None = None,
        progress: Progress = lambda _what, _done, _all: None,
    ) -> None:
        """
        Check the store that *snapshot* opens and the folder that *fetch* reads; None for a store without a folder.

        Args:
            keys: What the log may have signed its checkpoints with.
            judge: The router's rules.
            given: Other checkpoints that the log once showed, by name.
            ledger: Kafka's, where it is there.
            progress: Is told how far it is.
        """
        self._open, self._keys, self._judge = snapshot, keys, judge
        self._fetch: Fetch = fetch or _nothing
        self._published = fetch is not None
        self._given, self._ledger, self._progress = given, ledger, progress
        self._found = Found()

    async def run(self) -> Found:
        """
        Check everything.

        Raises:
            LocalError: The store or the ledger cannot be read.
        """
        found = self._found
        shown = self._fetch(CHECKPOINT_PATH)
        with self._open() as store:
            self._cells(store)
            size, edge = store.tree()
            found.size = size
            last = store.last_partition()
            self._directory(store, last)
            told = await self._told(store, self._keys, shown)
            tree = TreeCheck(told, store.nodes, self._fetch, found.report)
            for index, entry in self._counted("tiles", size, store.entries()):
                tree.take(index, entry)
            tree.finish(size, edge)
            directory = self._judge.directory()
            if directory is not None:
                erased = _erased(store, directory)
                await self._leaves(
                    store, LeafCheck(directory, store.terms, store.segments(), found.report, erased=erased), last
                )
            elif size:
                found.report(OfPartition(Fault.DIRECTORY_LOST, last))
        return found

    def _cells(self, store: Snapshot) -> None:
        """Report what no column of the store ever holds."""
        for table, row, column in store.broken():
            self._found.report(OfCell(Fault.CELL_BROKEN, table, row, column))
        told = store.meta()
        if told.keys() - {UNSCRUBBED} != {"bus", "format", "origin"} or told["format"] != str(FORMAT):
            self._found.report(OfCell(Fault.CELL_BROKEN, "meta", "format", "value"))

    def _directory(self, store: Snapshot, partition: int) -> None:
        """Judge the changes of the directory, before all that is judged by it."""
        for leaf in store.leaves(partition):
            if leaf.kind == Kind.DECISION and leaf.salt is not None and not self._judge.change(leaf.logged):
                self._found.report(OfLeaf(Fault.JUDGED_OTHERWISE, leaf.number))

    async def _told(self, store: Snapshot, keys: Sequence[NoteKey], shown: bytes | None) -> list[Told]:
        """Return the checkpoints that the log signed; what it did not sign is reported."""
        found = [told for one in store.checkpoints() if (told := self._stored(one, keys)) is not None]
        found += [told for where, note in self._given if (told := self._opened(where, note, keys)) is not None]
        newest = max((told.checkpoint.size for told in found if told.where == STORED), default=None)
        if shown is None:
            if newest is not None and self._published:
                self._found.report(OfCheckpoint(Fault.CHECKPOINT_MISSING, PUBLISHED, None))
            return found
        published = self._opened(PUBLISHED, shown, keys)
        if published is not None:
            self._found.checkpoint = published.checkpoint
            found.append(published)
            if newest is not None and published.checkpoint.size < newest and not await self._follows(keys, newest):
                self._found.report(OfCheckpoint(Fault.CHECKPOINT_OLD, PUBLISHED, published.checkpoint.size))
        return found

    def _stored(self, one: Signed, keys: Sequence[NoteKey]) -> Told | None:
        told = self._opened(STORED, one.note, keys, one.size)
        if told is None:
            return None
        if (told.checkpoint.size, told.checkpoint.root) != (one.size, one.root):
            self._found.report(OfCheckpoint(Fault.CHECKPOINT_CHANGED, STORED, one.size))
        return told

    async def _follows(self, keys: Sequence[NoteKey], size: int) -> bool:
        """Return whether the published checkpoint reaches *size* within some beats: a log that runs is never far."""
        for _ in range(_BEATS):
            note = self._fetch(CHECKPOINT_PATH)
            try:
                if note is not None and _checkpoint(note, keys).size >= size:
                    return True
            except RemoteError:
                return False
            await asyncio.sleep(_BEAT_S)
        return False

    def _opened(self, where: str, note: bytes, keys: Sequence[NoteKey], size: int | None = None) -> Told | None:
        try:
            return Told(where, _checkpoint(note, keys))
        except RemoteError:
            self._found.report(OfCheckpoint(Fault.CHECKPOINT_UNSIGNED, where, size))
            return None

    async def _leaves(self, store: Snapshot, check: LeafCheck, directory: int) -> None:
        found, places = self._found, store.places()
        ledger = None
        if self._ledger is not None:
            # Only now: the store, which stands still, has nothing of what was written after its moment.
            ledger = LedgerCheck(await self._ledger.spans(), self._ledger.records, found.report)
        for leaf in self._counted("leaves", found.size, store.leaves()):
            whole = check.take(leaf)
            if leaf.kind != Kind.DECISION:
                continue
            # A record that is not what was logged is found already; what the rules say of it says nothing more.
            if not whole:
                self._judge.lost(leaf.partition)
            elif leaf.partition != directory and not self._judge.event(leaf.logged):
                found.report(OfLeaf(Fault.JUDGED_OTHERWISE, leaf.number))
            if ledger is not None:
                await ledger.take(leaf)
        check.finish(places)
        for index in store.strays(found.size):
            found.report(OfLeaf(Fault.RECORD_STRAY, index))
        if ledger is not None:
            await ledger.finish(places)

    def _counted(self, what: str, size: int, items: Iterable[ItemT]) -> Iterator[ItemT]:
        for number, item in enumerate(items):
            if not number % _EACH:
                self._progress(what, number, size)
            yield item
        self._progress(what, size, size)


def _nothing(_name: str) -> None:
    """Read of a folder that is not there."""
    return


def _erased(store: Snapshot, directory: Directory) -> Mapping[int, bytes]:
    """Return the leaves that may be without a record, with the entries that the statements of it name."""
    stated = (
        (leaf.number, Statement(signatures=tuple(leaf.logged.signature.split(b"\n")), value=leaf.logged.value))
        for leaf in store.leaves(NO_PARTITION)
        if leaf.salt is not None
    )
    return {leaf: entry for leaf, (_, entry) in lawfully_erased(stated, directory).items()}


def _checkpoint(note: bytes, keys: Sequence[NoteKey]) -> Checkpoint:
    """
    Return the checkpoint in *note*.

    Raises:
        RemoteError: None of the *keys* signed it, or it is none.
    """
    opened = open_note(note, keys)
    return checkpoint_of(opened, next((key for key in keys if opened.is_by(key)), keys[0]))
