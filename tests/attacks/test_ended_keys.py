"""
A key can be revoked for a time that has passed. What was said with it since was taken by the router, and is not taken
by a recipient who reads it later. It is kept, and its absence is nobody's doing.
"""

from pathlib import Path

import pytest

from referral_bus import Code
from referral_contracts.encoding import format_time
from referral_contracts.topics import inbox
from tests.sdk.forging import changed, with_headers
from tests.sdk.town import CRIME, HOUR_S, MEDICAL, OPENING, Town

pytestmark = pytest.mark.asyncio
HOTLINE, POLICE, HOSPITAL = "hotline-111", "police-b", "hospital-c"


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path)


async def asked_by_both(town: Town) -> str:
    """Let the police, and then the hotline, ask the hospital for help in one case."""
    async with town.bus(HOTLINE) as hotline, town.bus(POLICE) as police:
        opened = hotline.open_case(OPENING)
        await hotline.send(opened)
        await hotline.send(hotline.offer(opened.subject, {POLICE: [CRIME]}))
        await police.caught_up()
        assert (await police.send(police.offer(opened.subject, {HOSPITAL: [MEDICAL]}))).accepted
        assert (await hotline.send(hotline.offer(opened.subject, {HOSPITAL: [MEDICAL]}))).accepted
    return opened.subject


def end_keys_an_hour_ago(town: Town, agency: str) -> None:
    member = town.sim.directory.member(agency)
    assert member is not None
    ended = {"revoked_at": format_time(town.sim.clock.now_ms() - HOUR_S * 1000)}
    keys = tuple(key.model_copy(update=ended) if key.use == "event" else key for key in member.entry.keys)
    town.sim.change_directory(agencies=[member.entry.model_copy(update={"keys": keys})])


async def test_what_was_delivered_under_a_key_that_was_ended_is_kept_and_leaves_no_gap(town: Town) -> None:
    subject = await asked_by_both(town)
    end_keys_an_hour_ago(town, POLICE)
    record = town.sim.broker.records(inbox(HOSPITAL))[0]
    town.sim.broker.append(inbox(HOSPITAL), 0, record.key, record.value, record.headers)
    async with town.bus(HOSPITAL) as hospital:
        await hospital.caught_up()
        kept = hospital._engine.home.store.db.execute("SELECT delivered, value FROM garbage").fetchall()

        assert [(delivery.source, delivery.counter) for delivery in hospital.deliveries()] == [(HOTLINE, 2)]
        assert [(alarm.code, alarm.subject) for alarm in hospital.alarms()] == [(Code.KEY_NOT_VALID, subject)]
        assert [tuple(row) for row in kept] == [(1, record.value)]


async def test_a_copy_of_what_was_read_before_is_nothing_new(town: Town) -> None:
    await asked_by_both(town)
    async with town.bus(HOSPITAL) as hospital:
        await hospital.caught_up()
        end_keys_an_hour_ago(town, POLICE)
        record = town.sim.broker.records(inbox(HOSPITAL))[0]
        town.sim.broker.append(inbox(HOSPITAL), 0, record.key, record.value, record.headers)
        await hospital.caught_up()

        assert len(list(hospital.deliveries())) == 2
        assert hospital.alarms() == ()


async def test_nobody_but_its_signer_makes_a_copy_count(town: Town) -> None:
    subject = await asked_by_both(town)
    end_keys_an_hour_ago(town, POLICE)
    log = town.sim.broker._partition(inbox(HOSPITAL), 0).records
    signature = dict(log[0].headers)["signature"] or b""
    log[0] = with_headers(log[0], signature=changed(signature, -5))
    async with town.bus(HOSPITAL) as hospital:
        await hospital.caught_up()

        assert {(alarm.code, alarm.subject) for alarm in hospital.alarms()} == {
            (Code.BAD_SIGNATURE, None),
            (Code.COUNTER_GAP, subject),
        }
