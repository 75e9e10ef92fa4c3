"""What the running log states of its own: durable when it is said to be, once, and beside what comes from Kafka."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import create_engine, select

from audit_log.core.growing import Kind
from audit_log.core.places import Place
from audit_log.core.reading import NO_PARTITION, About, Taken
from audit_log.folder import Folder
from audit_log.log import Log
from audit_log.statements import MOST, Statements
from audit_log.store import schema
from referral_contracts.codes import Code
from referral_contracts.encoding import sha256
from referral_contracts.errors import Fatal, LocalError
from tests.services.audit_log.faulty import Fault, FaultyStore
from tests.services.audit_log.outside import verify_published
from tests.services.audit_log.world import World

CASE = "7" * 32
FIRST = 1
"""The first append of a session: opening a new log signs that it is empty."""


def said(number: int) -> Taken:
    value = b'{"number":%d}' % number
    return Taken(
        partition=NO_PARTITION,
        offset=0,
        counter=0,
        chain=b"",
        signature=b"as if signed",
        value=value,
        decision=b"",
        path=b"",
        root=b"",
        admitted_ms=number,
        code=Code.ACCEPTED.value,
        event=sha256(value),
        about=About(CASE, None, "audit.accessed", "registrar", ("registrar",)),
    )


@dataclass
class Running:
    """A log as the service runs it: one writer, in a thread."""

    log: Log
    statements: Statements = field(default_factory=Statements)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    sizes: list[int] = field(default_factory=list)

    async def write(self, taken: Sequence[Taken], places: Mapping[int, Place], *, erased: Sequence[int]) -> int:
        self.sizes.append(len(taken))
        return await asyncio.to_thread(lambda: self.log.append(taken, places, erased=erased))

    async def append(self, taken: Sequence[Taken] = (), places: Mapping[int, Place] | None = None) -> int:
        await self.came.wait()
        self.came.clear()
        return await self.statements.append(taken, places or {}, self.write)

    def soon(self, *taken: Taken, erased: Sequence[int] = ()) -> asyncio.Task[list[int]]:
        return asyncio.create_task(self.statements.state(taken, erased=erased))


def run(world: World, story: Callable[[Running], Awaitable[None]], fault: Fault | None = None) -> None:
    """Open the log, and tell *story*; the store fails as *fault* says."""
    store, folder = FaultyStore(world.store(), fault or Fault()), Folder(world.tiles)

    async def told() -> None:
        running = Running(Log(store, folder, world.desk))
        running.statements.open(running.came.set)
        async with asyncio.timeout(30):
            await story(running)
        running.log.publish()

    try:
        asyncio.run(told())
    finally:
        folder.close()
        store.close()


def stored(world: World) -> list[tuple[int, bytes]]:
    """Return the statements that the log has, whose tree verifies from outside."""
    verify_published(world.tiles, world.desk.note_key)
    engine, entries, records = create_engine(world.url), schema.ENTRIES, schema.RECORDS
    wanted = select(records.c.idx, records.c.value).join(entries, entries.c.idx == records.c.idx)
    with engine.connect() as connection:
        rows = connection.execute(wanted.where(entries.c.kind == int(Kind.STATEMENT)).order_by(records.c.idx)).all()
    engine.dispose()
    return [(row.idx, bytes(row.value)) for row in rows]


async def refused(statement: Coroutine[Any, Any, list[int]] | asyncio.Task[list[int]]) -> Code:
    with pytest.raises(LocalError) as stopped:
        await statement
    return stopped.value.code


def test_a_statement_is_durable_when_its_leaf_is_told(world: World) -> None:
    async def story(running: Running) -> None:
        one = running.soon(said(1))
        assert await running.append() == 1

        assert await one == [0]
        assert running.log.size == 1

    run(world, story)

    assert stored(world) == [(0, said(1).value)]


def test_many_that_wait_go_in_one_append_behind_what_came(world: World) -> None:
    world.ledger.write([3, 2])
    taken, places = world.ledger.after({})

    async def story(running: Running) -> None:
        waiting = [running.soon(said(number), said(number + 100)) for number in range(20)]
        await asyncio.sleep(0)
        assert await running.append(taken, places) == 45

        assert await asyncio.gather(*waiting) == [[5 + 2 * number, 6 + 2 * number] for number in range(20)]
        assert running.sizes == [45]
        assert running.log.stands == places

    run(world, story)

    assert [index for index, _ in stored(world)] == [*range(5, 45)]


def test_nothing_to_append_is_not_appended(world: World) -> None:
    async def story(running: Running) -> None:
        running.came.set()
        assert await running.append() == 0

        assert running.sizes == []

    run(world, story)


def test_with_a_statement_goes_what_it_erases(world: World) -> None:
    async def story(running: Running) -> None:
        first = running.soon(said(1))
        await running.append()
        second = running.soon(said(2), erased=await first)
        await running.append()

        assert await second == [1]

    run(world, story)

    assert stored(world) == [(1, said(2).value)]


@pytest.mark.parametrize("after", [False, True], ids=["lost before", "lost after"])
def test_an_append_that_fails_is_told_and_never_tried_again(world: World, after: bool) -> None:
    async def failing(running: Running) -> None:
        one = running.soon(said(1))
        with pytest.raises(LocalError):
            await running.append()
        assert await refused(one) is Code.STORE_AWAY
        running.statements.close()

    run(world, failing, Fault(at=FIRST, after=after))
    was = stored(world)

    async def again(running: Running) -> None:
        running.came.set()
        assert await running.append() == 0
        two = running.soon(said(2))
        await running.append()
        await two

    run(world, again)

    # What took effect is there, once: the failure was only that of its reply. What did not is nowhere.
    assert was == ([(0, said(1).value)] if after else [])
    assert stored(world) == [*was, (len(was), said(2).value)]


def test_a_writer_that_another_has_outrun_tells_who_waits_and_stops(world: World) -> None:
    def busy() -> None:
        raise Fatal(Code.LOG_BUSY, "as the test wants it")

    async def story(running: Running) -> None:
        one = running.soon(said(1))
        with pytest.raises(Fatal) as stopped:
            await running.append()

        assert stopped.value.code is Code.LOG_BUSY
        assert await refused(one) is Code.STORE_AWAY

    run(world, story, Fault(at=FIRST, strike=busy))


def test_an_append_that_is_cancelled_leaves_nobody_waiting(world: World) -> None:
    async def story(running: Running) -> None:
        begun = asyncio.Event()

        async def never(taken: Sequence[Taken], places: Mapping[int, Place], *, erased: Sequence[int]) -> int:
            begun.set()
            await asyncio.get_running_loop().create_future()
            return await running.write(taken, places, erased=erased)

        one = running.soon(said(1))
        await running.came.wait()
        appending = asyncio.create_task(running.statements.append((), {}, never))
        await begun.wait()
        appending.cancel()

        assert await refused(one) is Code.STORE_AWAY

    run(world, story)


def test_who_has_gone_does_not_hold_up_the_others(world: World) -> None:
    async def story(running: Running) -> None:
        gone, stays = running.soon(said(1)), running.soon(said(2))
        await running.came.wait()
        gone.cancel()
        await running.append()

        assert await stays == [1]

    run(world, story)

    assert [index for index, _ in stored(world)] == [0, 1]


def test_without_an_open_log_nothing_is_stated(world: World) -> None:
    async def story(running: Running) -> None:
        waits = running.soon(said(1))
        await running.came.wait()
        running.statements.close()

        assert await refused(waits) is Code.STORE_AWAY
        assert await refused(running.statements.state([said(2)])) is Code.STORE_AWAY
        running.came.clear()
        running.statements.open(running.came.set)
        three = running.soon(said(3))
        await running.append()
        assert await three == [0]

    run(world, story)

    assert stored(world) == [(0, said(3).value)]


def test_too_many_that_wait_are_refused(world: World) -> None:
    async def story(running: Running) -> None:
        waits = running.soon(*[said(number) for number in range(MOST)])
        await running.came.wait()

        assert await refused(running.statements.state([said(0)])) is Code.STORE_BUSY
        running.statements.close()
        assert await refused(waits) is Code.STORE_AWAY

    run(world, story)
