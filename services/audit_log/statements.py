"""
What the running log says of its own, or is sent to say: appended by the one writer, beside what comes from Kafka.

Whoever has something to state waits until it is durable. All that waits when an append begins goes into it, so that
many statements cost as many flushes of the disk as one.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from audit_log.core.places import Place
from audit_log.core.reading import Taken
from referral_contracts.codes import Code
from referral_contracts.errors import LocalError

MOST: Final = 4_096
"""Leaves that may wait here: about one append. So many wait only when the store takes nothing."""


class Append(Protocol):
    """`Log.append`, in a thread."""

    def __call__(
        self, taken: Sequence[Taken], places: Mapping[int, Place], *, erased: Sequence[int]
    ) -> Awaitable[int]: ...


@dataclass(frozen=True, slots=True)
class _Waiting:
    taken: Sequence[Taken]
    erased: Sequence[int]
    leaves: asyncio.Future[list[int]]

    def settle(self, first: int) -> None:
        # Who has gone meanwhile is not told; what was stated stays.
        if not self.leaves.done():
            self.leaves.set_result([*range(first, first + len(self.taken))])

    def fail(self, code: Code) -> None:
        if not self.leaves.done():
            self.leaves.set_exception(LocalError(code, "it is not known whether it was logged"))


class Statements:
    """What waits to be stated. For one event loop; there is a log to state it to between `open` and `close`."""

    def __init__(self) -> None:
        """Begin without a log."""
        self._came: Callable[[], None] | None = None
        self._waiting: list[_Waiting] = []

    async def state(self, taken: Sequence[Taken], *, erased: Sequence[int] = ()) -> list[int]:
        """
        Log *taken*, and with it remove what is under the leaves *erased*; return its leaves, durable, in one append.

        After a failure nobody here tries again: what was to be stated is in the log once, as after a lost reply, or
        not at all, and the log as it is opened next tells which. So a caller must not do what depends on it (answer a
        read, call bytes erased), and need not fear that it comes in later. Who states the same once more looks for it
        in the log first. A caller that is cancelled knows as little.

        Raises:
            LocalError: STORE_AWAY: there is no open log, or it was closed meanwhile. STORE_BUSY: too much waits
                already. For these two nothing was logged when they are raised at once. Else as `Store.append` says.
        """
        if self._came is None:
            raise LocalError(Code.STORE_AWAY, "the log is not open")
        if sum(len(one.taken) for one in self._waiting) + len(taken) > MOST:
            raise LocalError(Code.STORE_BUSY, "too much waits to be logged")
        one = _Waiting(taken, erased, asyncio.get_running_loop().create_future())
        self._waiting.append(one)
        self._came()
        return await one.leaves

    def open(self, came: Callable[[], None]) -> None:
        """Take statements from now on; *came* is called for each, and leads to an `append`."""
        self._came = came

    def close(self) -> None:
        """Take no more, and tell who waits."""
        self._came = None
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.fail(Code.STORE_AWAY)

    async def append(self, taken: Sequence[Taken], places: Mapping[int, Place], append: Append) -> int:
        """
        Append *taken*, and behind it all that waits here, in one step; tell who waits, and return how many leaves.

        Raises:
            Fatal, LocalError: As *append* does; who waited is told of it too, of what is fatal as STORE_AWAY.
        """
        waiting, self._waiting = self._waiting, []
        stated = [one for each in waiting for one in each.taken]
        code = Code.STORE_AWAY
        try:
            if not (taken or stated or places):
                return 0
            first = await append([*taken, *stated], places, erased=[leaf for one in waiting for leaf in one.erased])
            at = first + len(taken)
            for one in waiting:
                one.settle(at)
                at += len(one.taken)
            return len(taken) + len(stated)
        except LocalError as error:
            code = error.code
            raise
        finally:
            # Whatever ended it, a cancellation too: nobody waits for ever.
            for one in waiting:
                one.fail(code)
