"""The directory as a client has it: whole, signed, kept, never taken back."""

import pytest

from referral_bus import Code, LocalError
from referral_bus.registrar import Registrar
from referral_contracts import topics
from referral_contracts.directory_model import HEAD_KEY, Change
from referral_contracts.keys import SigningKey
from referral_contracts.topics import DIRECTORY, topic_specs
from tests.sdk.town import KEYS, OPENING, Town

pytestmark = pytest.mark.asyncio
HEAD = HEAD_KEY.encode()
DAY_S = 24 * 3600


def lay(town: Town, key: bytes | None, value: bytes | None) -> None:
    """Write into the directory's topic, as whoever can might."""
    town.sim.broker.append(DIRECTORY, 0, key, value)


def head_by(town: Town, key: SigningKey) -> bytes:
    """Return a head over the current entries, one version on, signed by *key*."""
    registrar = Registrar(agency="registrar", bus=town.sim.bus, keys=[key])
    value, _ = registrar.change(town.sim.directory, town.sim.clock.now_ms(), 10**9)
    return Change.decode(value).data.head.encode()


def codes(alarms: tuple[object, ...]) -> list[Code]:
    return [alarm.code for alarm in alarms]  # type: ignore[attr-defined]


async def test_a_client_that_comes_up_has_the_directory_of_the_bus(town: Town) -> None:
    async with town.bus("ward-a") as bus:
        await bus.ready()

        assert bus.directory is not None
        assert bus.directory.head == town.sim.directory.head
        assert bus.status().directory is None


async def test_a_change_is_followed(town: Town) -> None:
    async with town.bus("ward-a") as bus:
        await bus.ready()
        town.sim.change_directory(agencies=[town.sim.entry("hotline-112", ["hotline"])])
        await town.settle()

        assert bus.directory is not None
        assert bus.directory.version == 2
        assert bus.directory.member("hotline-112") is not None


async def test_it_is_there_after_a_restart_without_a_broker(town: Town) -> None:
    async with town.bus("ward-a") as bus:
        await bus.ready()
    town.sim.broker.away = True
    async with town.bus("ward-a") as bus:
        assert bus.directory is not None
        assert bus.directory.version == 1
        assert bus.status().directory is Code.DIRECTORY_BEHIND


async def test_an_empty_topic_is_no_directory(town: Town) -> None:
    town.sim.broker.delete(DIRECTORY)
    town.sim.broker.create(topic_specs(town.sim.partitions))
    async with town.bus("hotline-111") as bus:
        await town.settle()

        assert bus.status().directory is Code.DIRECTORY_MISSING
        with pytest.raises(LocalError) as refusal:
            bus.plan(bus.open_case(OPENING))
        assert refusal.value.code is Code.DIRECTORY_MISSING


async def test_no_topic_is_told(town: Town) -> None:
    town.sim.broker.delete(DIRECTORY)
    async with town.bus("hotline-111") as bus:
        await town.settle()

        assert bus.status().sending is Code.TOPIC_MISSING


async def test_an_expired_directory_seals_nothing_until_it_is_renewed(town: Town) -> None:
    async with town.bus("hotline-111") as bus:
        await bus.ready()
        draft = bus.open_case(OPENING)
        await town.wind(8 * DAY_S)
        assert bus.status().directory is Code.DIRECTORY_EXPIRED
        with pytest.raises(LocalError) as refusal:
            await bus.send(draft, timeout_s=0)
        assert refusal.value.code is Code.DIRECTORY_EXPIRED
        town.sim.change_directory()
        await town.settle()

        assert (await bus.send(draft)).accepted


async def test_without_an_answer_for_a_minute_it_may_be_behind(town: Town) -> None:
    async with town.bus("ward-a") as bus:
        await bus.ready()
        town.sim.broker.away = True
        await town.wind(90)
        assert bus.status().directory is Code.DIRECTORY_BEHIND
        town.sim.broker.away = False
        await town.wind(20)

        assert bus.status().directory is None


class TestNeverBack:
    async def test_an_older_head_changes_nothing_and_is_an_alarm(self, town: Town) -> None:
        old = {record.key: record.value for record in town.sim.broker.records(DIRECTORY)}
        async with town.bus("ward-a") as bus:
            town.sim.change_directory(agencies=[town.sim.entry("hotline-112", ["hotline"])])
            await bus.ready()
            for key, value in old.items():
                lay(town, key, value)
            await town.wind(5)
            assert bus.directory is not None
            assert bus.directory.version == 2
            assert codes(bus.alarms()) == [Code.DIRECTORY_STALE]
        async with town.bus("ward-a") as bus:
            assert bus.directory is not None
            assert bus.directory.version == 2

    async def test_a_head_that_the_pinned_root_did_not_sign_changes_nothing(self, town: Town) -> None:
        async with town.bus("ward-a") as bus:
            await bus.ready()
            lay(town, HEAD, head_by(town, SigningKey.generate()))
            await town.wind(5)

            assert bus.directory is not None
            assert bus.directory.version == 1
            assert codes(bus.alarms()) == [Code.NOT_ENOUGH_SIGNATURES]

    async def test_an_entry_that_the_head_was_not_signed_over_changes_nothing(self, town: Town) -> None:
        async with town.bus("ward-a") as bus:
            await bus.ready()
            before = bus.directory
            lay(town, b"hotline-111", (before.entries["ward-a"] if before is not None else b""))
            await town.wind(5)
            assert bus.directory is before
            town.sim.change_directory()
            await town.wind(5)

            assert bus.directory is before
            assert codes(bus.alarms()) == [Code.DIRECTORY_ROOT]

    @pytest.mark.parametrize(("key", "value"), [(b"ward-a", None), (HEAD, None), (None, b"{}")])
    async def test_no_entry_vanishes_by_a_null_value(self, town: Town, key: bytes | None, value: bytes | None) -> None:
        async with town.bus("ward-a") as bus:
            await bus.ready()
            lay(town, key, value)
            await town.wind(5)

            assert bus.directory is not None
            assert bus.directory.member("ward-a") is not None
            assert codes(bus.alarms()) == [Code.ENTRY_VANISHED]

    @pytest.mark.parametrize("value", [b"", b"\xff", b"{}", b"[" * 1000])
    async def test_garbage_for_a_head_is_an_alarm(self, town: Town, value: bytes) -> None:
        async with town.bus("ward-a") as bus:
            await bus.ready()
            lay(town, HEAD, value)
            await town.wind(5)

            assert len(bus.alarms()) == 1
            assert bus.directory is not None

    async def test_garbage_is_got_over_by_the_next_change(self, town: Town) -> None:
        async with town.bus("ward-a") as bus:
            await bus.ready()
            lay(town, HEAD, b"{}")
            town.sim.change_directory()
            await town.settle()

            assert bus.directory is not None
            assert bus.directory.version == 2

    async def test_a_store_whose_directory_was_changed_is_not_believed(self, town: Town) -> None:
        async with town.bus("ward-a") as bus:
            await bus.ready()
            with bus._engine.home.store.write() as db:
                db.execute("UPDATE directory SET value = ? WHERE key = 'ward-a'", (b"{}",))
        async with town.bus("ward-a") as bus:
            assert bus.status().directory is Code.DIRECTORY_MISSING
            assert codes(bus.alarms()) == [Code.DIRECTORY_ROOT]
            await bus.ready()
            assert bus.directory is not None
            assert bus.directory.member("ward-a") is not None


async def test_a_topic_that_was_made_anew_is_read_from_its_beginning(town: Town) -> None:
    async with town.bus("ward-a") as bus:
        await bus.ready()
    records = town.sim.broker.records(DIRECTORY)
    town.sim.broker.delete(DIRECTORY)
    town.sim.broker.create(topic_specs(town.sim.partitions, agencies=KEYS))
    for record in records[-1:]:
        lay(town, record.key, record.value)
    async with town.bus("ward-a") as bus:
        await bus.ready()

        assert bus.directory is not None
        assert bus.directory.version == 1
        assert topics.DIRECTORY == DIRECTORY
