"""The directory's topics, for one command: read to their end, changed once, waited for."""

import inspect
from types import TracebackType
from typing import Final, Self

from referral_bus._cli.faults import WrongUsage
from referral_bus._cli.settings import Settings
from referral_bus._cli.world import World
from referral_bus.transport import Submission, Transport
from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.directory import Directory, TrustRoot, apply
from referral_contracts.directory_model import POLICY_KEY, Change, Entry
from referral_contracts.directory_shelf import Shelf
from referral_contracts.errors import LocalError, RemoteError
from referral_contracts.topics import H_SIGNATURE

_READ_S: Final = 0.5
_LOOK_S: Final = 0.1


class DirectoryTopic:
    """A connection for one command; nothing of it outlives that."""

    def __init__(self, world: World, settings: Settings, timeout_s: float) -> None:
        """Prepare to wait no longer than *timeout_s* in all; `async with` connects."""
        self._world = world
        self._connect = world.connect(settings.bootstrap, settings.tls)
        self._trust = settings.trust()
        self._shelf = Shelf(self._trust)
        self._offset: int | None = None
        self._until_ms = world.clock.now_ms() + round(timeout_s * 1000)

    async def __aenter__(self) -> Self:
        made = self._connect()
        self._transport: Transport = await made if inspect.isawaitable(made) else made
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.close()

    async def read(self) -> Directory:
        """
        Return the last good directory.

        Raises:
            LocalError: BROKER_AWAY, DIRECTORY_MISSING, or why none of the heads is good.
        """
        await self._read_on()
        if self._shelf.current is None:
            raise LocalError(self._shelf.fault or Code.DIRECTORY_MISSING, "the topic holds no good directory")
        return self._shelf.current

    def unusable(self, now_ms: int) -> Code | None:
        """Say why nobody can go by what was read, or what is wrong with the newest head; None if all is well."""
        return self._shelf.fault or self._shelf.unusable(now_ms)

    async def put(self, before: Directory, value: bytes, signature: bytes) -> Directory:
        """
        Submit a change of *before* and return the directory once the bus has taken it.

        Raises:
            WrongUsage: The bus would refuse it.
            LocalError: BROKER_AWAY; TIMED_OUT; DIRECTORY_BEHIND: another change came first.
        """
        change = Change.decode(value)
        self.foresee(before, change, self._trust)
        await self._transport.submit(
            topics.DIRECTORY_SUBMISSIONS, [Submission(0, None, value, [(H_SIGNATURE, signature)])]
        )
        while (found := await self.read()).version <= before.version:
            if self._world.clock.now_ms() >= self._until_ms:
                raise LocalError(Code.TIMED_OUT, "the bus has not taken the change; it may still do so")
            await self._world.clock.sleep(_LOOK_S)
        if found.version == change.data.head.head.version and found.head != change.data.head.head:
            raise LocalError(Code.DIRECTORY_BEHIND, "another change came first; nothing of this one took effect")
        return found

    def foresee(self, before: Directory, change: Change, root: TrustRoot) -> None:
        """
        Judge a *change* of *before* by *root*, as the bus will.

        Raises:
            WrongUsage: It would be refused.
        """
        try:
            apply(before, change, root, _kids(before))
        except RemoteError as error:
            raise WrongUsage(error.detail or "the bus would refuse it", code=error.code) from error

    async def has_inbox(self, agency: str) -> bool:
        """Whether there is a topic for what is sent to *agency*."""
        try:
            return await self._transport.partitions(topics.inbox(agency)) > 0
        except LocalError as error:
            if error.code is Code.TOPIC_MISSING:
                return False
            raise

    async def _read_on(self) -> None:
        start, end = await self._transport.bounds(topics.DIRECTORY, 0)
        offset = start if self._offset is None else self._offset
        while offset < end:
            records = await self._transport.read(topics.DIRECTORY, 0, offset, _READ_S)
            for record in records:
                self._shelf.take(record.key, record.value)
            # Behind the last record may lie only a transaction's marker, which no reader is given.
            offset = records[-1].offset + 1 if records else end
        self._offset = offset
        self._shelf.settle()


def _kids(directory: Directory) -> dict[str, str]:
    entries = [Entry.decode(value) for key, value in directory.entries.items() if key != POLICY_KEY]
    return {key.kid: entry.id for entry in entries for key in entry.keys}
