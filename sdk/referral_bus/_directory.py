"""
The directory as this agency has it: read from its topic, judged whole, kept in the store, never taken back.

Only a set of entries that hashes to a head signed by the pinned root is ever used; until the next such set is there,
the last good one stays. That the topic has been read to its end is known by an empty answer, never by an offset: the
last offsets may be no records but the marks of a transaction's end.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from referral_bus._home import Home
from referral_bus._link import Link
from referral_bus._store import alarms, notes
from referral_bus.transport import Transport
from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.directory import Directory, assemble
from referral_contracts.directory_model import HEAD_KEY, SignedHead
from referral_contracts.encoding import parse_time
from referral_contracts.errors import LocalError, ReferralBusError, RemoteError
from referral_contracts.records import Record

POLL_S: Final = 2.0
"""How long one question to the broker may wait for news."""
NO_WAIT_S: Final = 0.0
"""The same, until it once had none: then the end of the topic is reached."""
BEHIND_MS: Final = 60_000
"""Without an answer for so long, the directory may be older than the router's."""


class DirectoryFollower:
    """The last good directory, and what is wrong with it."""

    def __init__(self, home: Home, link: Link) -> None:
        self._home = home
        self._link = link
        self._head: bytes | None = None
        self._entries: dict[str, bytes] = {}
        self._offset: int | None = None
        self._answered_ms: int | None = None
        self._unfit: Code | None = None
        self._at_end = False
        self.directory: Directory | None = None

    def restore(self) -> None:
        """Take up the directory that the store kept. It is judged again: the file could be from elsewhere."""
        db = self._home.store.db
        entries = notes.directory(db)
        head = entries.pop(HEAD_KEY, None)
        if head is None:
            return
        try:
            self.directory = assemble(entries, SignedHead.decode(head), self._home.trust, None)
        except RemoteError as error:
            self._home.alarm(error.code, detail="the directory in the store does not hold; it is read anew")
            return
        self._entries, self._head = entries, head
        self._offset = notes.position(db, topics.DIRECTORY)

    def trouble(self) -> Code | None:
        """Return what is wrong, or None."""
        now_ms = self._home.clock.now_ms()
        if self.directory is None:
            return Code.DIRECTORY_MISSING
        if self._home.now_ms() >= self.directory.expires_ms:
            return Code.DIRECTORY_EXPIRED
        if not self._at_end or self._answered_ms is None or now_ms - self._answered_ms > BEHIND_MS:
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
                self._at_end = False
                await self._link.broke(error)
                continue
            self._link.worked()
            self._answered_ms = self._home.clock.now_ms()
            if records:
                self._take(records)
            else:
                self._judge_unfit()
                self._reach_end()
            self._home.changed.ring()

    def _reach_end(self) -> None:
        if not self._at_end:
            self._at_end = True
            self._home.outbox.ring()

    async def _read(self) -> list[Record]:
        transport = await self._link.transport()
        poll_s = POLL_S if self._at_end else NO_WAIT_S
        try:
            if self._offset is None:
                self._offset = (await transport.bounds(topics.DIRECTORY, 0))[0]
            return list(await transport.read(topics.DIRECTORY, 0, self._offset, poll_s))
        except LocalError as error:
            if error.code is not Code.POSITION_LOST:
                raise
        # The topic was cut off or made anew. What we have stays good; older heads are refused by their version.
        self._offset = (await transport.bounds(topics.DIRECTORY, 0))[0]
        return list(await transport.read(topics.DIRECTORY, 0, self._offset, poll_s))

    async def confirm(self, transport: Transport) -> None:
        """Return when everything that the topic holds now has been taken, asking over *transport*."""
        while self._offset is None or await transport.read(topics.DIRECTORY, 0, self._offset, NO_WAIT_S):
            await self._home.changed.wait()

    def _take(self, records: Iterable[Record]) -> None:
        for record in records:
            self._offset = record.offset + 1
            if record.key is None or record.value is None or record.fault is not None:
                # No entry vanishes by a null value.
                self._home.alarm(record.fault or Code.ENTRY_VANISHED, detail="in the directory's topic")
            elif record.key == HEAD_KEY.encode("ascii"):
                self._head = record.value
            else:
                self._entries[record.key.decode("ascii", "replace")] = record.value
        try:
            self._assemble()
            self._unfit = None
        except RemoteError as error:
            # Perhaps the rest of a change is still to come; at the end of the topic it is an alarm.
            self._unfit = error.code

    def _assemble(self) -> None:
        if self._head is None:
            return
        before = self.directory
        found = assemble(self._entries, SignedHead.decode(self._head), self._home.trust, before)
        if before is None or found.head != before.head:
            self._keep(found, {} if before is None else before.entries)
            self._home.outbox.ring()
            self._home.not_before(parse_time(found.head.issued))
        self.directory = found

    def _keep(self, found: Directory, old: Mapping[str, bytes]) -> None:
        changed = {key: value for key, value in found.entries.items() if old.get(key) != value}
        with self._home.store.write() as db:
            notes.put_directory(db, {**changed, HEAD_KEY: self._head or b""})
            notes.move(db, topics.DIRECTORY, self._offset or 0)

    def _judge_unfit(self) -> None:
        if self._unfit is not None:
            with self._home.store.write() as db:
                alarms.raise_alarm(db, self._unfit, self._home.now_ms(), detail="the directory's topic")
            self._unfit = None
