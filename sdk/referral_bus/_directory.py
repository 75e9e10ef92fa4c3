"""
The directory as this agency has it: read from its topic, judged whole, kept in the store, never taken back.

That the topic has been read to its end is known by an empty answer, never by an offset: the last offsets may be no
records but the marks of a transaction's end.
"""

from collections.abc import Sequence
from typing import Final

from referral_bus import _own_keys as own_keys
from referral_bus._home import Home
from referral_bus._link import Link
from referral_bus._store import alarms, notes
from referral_bus.transport import Transport
from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.directory import Directory, assemble
from referral_contracts.directory_model import HEAD_KEY, SignedHead
from referral_contracts.directory_shelf import Shelf
from referral_contracts.encoding import parse_time
from referral_contracts.errors import LocalError, ReferralBusError, RemoteError
from referral_contracts.records import Record

POLL_S: Final = 2.0
"""How long one question to the broker may wait for news."""
NO_WAIT_S: Final = 0.0
"""The same, while there may be more."""
BEHIND_MS: Final = 60_000
"""Without an answer for so long, the directory may be older than the router's."""


class DirectoryFollower:
    """The last good directory, and what is wrong with it."""

    def __init__(self, home: Home, link: Link) -> None:
        self._home = home
        self._link = link
        self._shelf = Shelf(home.trust)
        self._head: bytes | None = None
        self._offset: int | None = None
        self._answered_ms: int | None = None
        self._more = True
        self._fresh = False

    @property
    def directory(self) -> Directory | None:
        """The last good directory."""
        return self._shelf.current

    def restore(self) -> None:
        """Take up the directory that the store kept. It is judged again: the file could be from elsewhere."""
        db = self._home.store.db
        entries = notes.directory(db)
        head = entries.pop(HEAD_KEY, None)
        if head is None:
            return
        try:
            found = assemble(entries, SignedHead.decode(head), self._home.trust, None)
        except RemoteError as error:
            self._home.alarm(error.code, detail="the directory in the store does not hold; it is read anew")
            return
        with self._home.store.write() as changed:
            # The key file may be another than when this was read.
            own_keys.look(changed, found, self._home.keys, self._home.now_ms())
        self._shelf = Shelf(self._home.trust, found)
        self._offset = notes.position(db, topics.DIRECTORY)

    def trouble(self) -> Code | None:
        """Return what is wrong, or None."""
        if self.directory is None:
            return Code.DIRECTORY_MISSING
        if self._home.now_ms() >= self.directory.expires_ms:
            return Code.DIRECTORY_EXPIRED
        silent_ms = None if self._answered_ms is None else self._home.clock.now_ms() - self._answered_ms
        if not self._fresh or silent_ms is None or silent_ms > BEHIND_MS:
            return Code.DIRECTORY_BEHIND
        return None

    def cause(self) -> Code | None:
        """Return what is wrong, or what is behind it: a broker that is away."""
        trouble = self.trouble()
        return trouble and (self._link.trouble or trouble)

    def usable(self) -> Directory:
        """
        Return the directory for sealing something now. One that is merely behind will do: the router judges anyway.

        Raises:
            LocalError: DIRECTORY_MISSING, DIRECTORY_EXPIRED.
        """
        trouble = self.trouble()
        if self.directory is None or trouble is Code.DIRECTORY_EXPIRED:
            raise LocalError(trouble or Code.DIRECTORY_MISSING, "nothing can be sealed without a directory in force")
        return self.directory

    async def run(self) -> None:
        """Follow the topic until cancelled."""
        while True:
            try:
                records = await self._read()
            except ReferralBusError as error:
                # Before anything more is sent, the topic has to be read to its end again.
                self._fresh, self._more = False, True
                await self._link.broke(error)
                continue
            self._link.worked()
            troubled = self.trouble() is not None
            self._answered_ms = self._home.clock.now_ms()
            self._more = bool(records)
            if records:
                self._take(records)
            else:
                self._settle()
            self._home.changed.ring()
            if troubled:
                # What could not go out by it perhaps can now.
                self._home.outbox.ring()

    async def _read(self) -> Sequence[Record]:
        transport = await self._link.transport()
        poll_s = NO_WAIT_S if self._more else POLL_S
        if self._offset is not None:
            try:
                return await transport.read(topics.DIRECTORY, 0, self._offset, poll_s)
            except LocalError as error:
                if error.code is not Code.POSITION_LOST:
                    raise
        # Never read, or the topic was cut off or made anew. What we have stays good; older heads are refused.
        self._offset, _ = await transport.bounds(topics.DIRECTORY, 0)
        return await transport.read(topics.DIRECTORY, 0, self._offset, poll_s)

    async def confirm(self, transport: Transport) -> None:
        """Return when everything that the topic holds now has been taken, asking over *transport*."""
        while self._offset is None or self._more or await transport.read(topics.DIRECTORY, 0, self._offset, NO_WAIT_S):
            await self._home.changed.wait()

    def _take(self, records: Sequence[Record]) -> None:
        for record in records:
            if record.fault is not None:
                self._home.alarm(record.fault, detail="in the directory's topic")
                continue
            self._shelf.take(record.key, record.value)
            if record.key == HEAD_KEY.encode("ascii"):
                self._head = record.value
            self._tell_fault()
        self._offset = records[-1].offset + 1

    def _settle(self) -> None:
        """Having read to the end, judge what was read."""
        old = self.directory
        if self._shelf.settle():
            self._keep(old)
        self._tell_fault()
        self._fresh = True

    def _keep(self, old: Directory | None) -> None:
        found = self.directory
        if found is None:
            return
        before = {} if old is None else old.entries
        changed = {key: value for key, value in found.entries.items() if before.get(key) != value}
        with self._home.store.write() as db:
            notes.put_directory(db, {**changed, HEAD_KEY: self._head or b""})
            notes.move(db, topics.DIRECTORY, self._offset or 0)
            own_keys.look(db, found, self._home.keys, self._home.now_ms())
        self._home.not_before(parse_time(found.head.issued))
        self._home.outbox.ring()

    def _tell_fault(self) -> None:
        fault, self._shelf.fault = self._shelf.fault, None
        if fault is not None:
            with self._home.store.write() as db:
                alarms.raise_alarm(db, fault, self._home.now_ms(), detail="in the directory's topic")
