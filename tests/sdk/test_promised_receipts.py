"""What a verdict promises is looked for in the log: kept when it comes, an alarm when it does not."""

import asyncio

import pytest

from referral_bus import Code, EntryState, LocalError, LogAccess, ReferralBus, Sent
from referral_bus._store.receipts import LAST_TRY
from referral_bus.testing import MemoryLog
from referral_contracts.decisions import Verdict
from referral_contracts.encoding import b64, event_hash
from referral_contracts.log.note import Kind, NoteKey
from referral_contracts.log.policy import Policy, Witness
from referral_contracts.log.proof import Receipt, verify_receipt
from referral_contracts.merkle import leaf_hash
from referral_contracts.verbs import Verb
from tests.sdk.town import HOUR_S, NOTE, OPENING, REQUEST, Town, case_with, heard

pytestmark = pytest.mark.asyncio

PATIENCE_S = 600.0
DAY_S = 24 * HOUR_S


def access(log: MemoryLog) -> LogAccess:
    return LogAccess(open=log.open, policy=log.policy, patience_s=PATIENCE_S)


def hotline(town: Town, log: MemoryLog | None = None) -> ReferralBus:
    return town.bus("hotline-111", log=access(log or town.sim.log))


async def opened(bus: ReferralBus) -> tuple[Sent, Verdict]:
    sent = await bus.send(bus.open_case(OPENING))
    assert sent.verdict is not None
    return sent, sent.verdict


def kept(bus: ReferralBus) -> dict[str, tuple[bytes | None, bytes | None]]:
    """Return the receipt in the store, and the wrong one, by event id."""
    rows = bus._engine.home.store.db.execute("SELECT id, receipt, wrong FROM receipts")
    return {row["id"]: (row["receipt"], row["wrong"]) for row in rows}


async def test_it_comes_by_itself_and_is_kept(town: Town) -> None:
    async with hotline(town) as bus:
        sent, verdict = await opened(bus)
        assert town.sim.log.asked == []
        await town.wind(5)

        data, wrong = kept(bus)[sent.id]
        assert data is not None
        assert wrong is None
        found = await bus.receipt(sent.id)
        assert found.receipt == data
        assert b64(leaf_hash(found.proven.entry.decision)) == verdict.decision
        again = verify_receipt(Receipt.decode(data), found.signature, found.value, town.sim.log.policy)
        assert (again.decision.code, again.witnessed) == (Code.ACCEPTED, True)
        # What is there is not asked for again.
        await town.wind(HOUR_S)
        assert town.sim.log.asked == [verdict.event]
        assert bus.alarms() == ()


async def test_a_refusal_is_in_the_log_too(town: Town) -> None:
    async with hotline(town) as bus:
        draft = bus.open_case(OPENING)
        assert (await bus.send(draft)).accepted
        town.sim.change_directory(policy=town.sim.directory.policy.model_copy(update={"may_send": ()}))
        sent = await bus.send(bus.assign(draft.subject, {"ward-a": [REQUEST]}))
        assert sent.entries[0].state is EntryState.REFUSED
        await town.wind(5)

        found = await bus.receipt(sent.id)
        assert (found.proven.decision.code, found.proven.decision.event) == (sent.code, event_hash(found.value))


async def test_what_was_delivered_has_one_as_well(town: Town) -> None:
    async with hotline(town) as bus, town.bus("ward-a", log=access(town.sim.log)) as ward:
        await case_with(town, bus, {"ward-a": [REQUEST]})
        delivery = await heard(ward, Verb.ASSIGNED)

        found = await ward.receipt(delivery.id)
        assert found.proven.decision.event == event_hash(found.value)
        with pytest.raises(LocalError) as unknown:
            await ward.receipt("01890000-0000-7000-8000-000000000000")
        assert unknown.value.code is Code.NOT_FOUND


async def test_a_log_that_keeps_silent_is_told_of_once_with_the_verdict_as_evidence(town: Town) -> None:
    async with hotline(town) as bus:
        _, verdict = await opened(bus)
        town.sim.log.withheld.add(verdict.event)
        await town.wind(PATIENCE_S - 10, steps=60)
        assert bus.alarms() == ()
        await town.wind(20)
        (alarm,) = bus.alarms()
        await town.wind(2 * HOUR_S, steps=60)

        assert (alarm.code, alarm.subject, alarm.count) == (Code.RECEIPT_MISSING, verdict.subject, 1)
        assert bus.alarms() == (alarm,)
        row = bus._engine.home.store.db.execute("SELECT event FROM verdicts WHERE position = ?", (alarm.offset,))
        assert row.fetchone()["event"] == verdict.event


async def test_what_comes_after_the_alarm_is_kept_and_ends_it(town: Town) -> None:
    async with hotline(town) as bus:
        sent, verdict = await opened(bus)
        noted = await bus.send(bus.note(sent.subject, {}, own=[NOTE]))
        assert noted.verdict is not None
        town.sim.log.withheld |= {verdict.event, noted.verdict.event}
        await town.wind(2 * PATIENCE_S, steps=60)
        town.sim.log.withheld.remove(noted.verdict.event)
        await town.wind(2 * HOUR_S, steps=60)
        assert kept(bus)[noted.id][0] is not None
        # One of the case is missing still.
        assert [(alarm.code, alarm.count) for alarm in bus.alarms()] == [(Code.RECEIPT_MISSING, 2)]
    # Also if that comes while another program asks.
    town.sim.log.withheld.clear()
    async with hotline(town) as bus:
        await town.wind(2 * DAY_S, steps=60)

        assert kept(bus)[sent.id][0] is not None
        assert bus.alarms() == ()


async def test_what_is_missing_is_asked_for_once_a_day_at_last_and_for_ever(town: Town) -> None:
    async with hotline(town) as bus:
        _, verdict = await opened(bus)
        town.sim.log.withheld.add(verdict.event)
        await town.wind(7 * DAY_S, steps=7 * 24 * 4)
    town.sim.clock.wind(60 * DAY_S)
    async with hotline(town) as bus:
        town.sim.log.asked.clear()
        await town.wind(30 * DAY_S, steps=30 * 24)

        assert 29 <= town.sim.log.asked.count(verdict.event) <= 31
        assert [alarm.count for alarm in bus.alarms()] == [1]


async def test_a_log_that_was_away_for_a_week_is_asked_within_the_hour(town: Town) -> None:
    town.sim.log.away = True
    async with hotline(town) as bus:
        sent, _ = await opened(bus)
        await town.wind(7 * DAY_S, steps=7 * 24 * 4)
        assert [alarm.code for alarm in bus.alarms()] == [Code.RECEIPT_MISSING]
        town.sim.log.away = False
        await town.wind(HOUR_S + 60, steps=60)

        assert kept(bus)[sent.id][0] is not None
        assert bus.alarms() == ()


async def test_what_comes_wrong_after_it_was_missing_is_told_as_well_and_stays(town: Town) -> None:
    log = town.sim.log
    async with hotline(town) as bus:
        sent, verdict = await opened(bus)
        log.withheld.add(verdict.event)
        await town.wind(2 * PATIENCE_S, steps=60)
        log.withheld.clear()
        log.forged = True
        await town.wind(2 * HOUR_S, steps=60)
        assert [alarm.code for alarm in bus.alarms()] == [Code.RECEIPT_MISSING, Code.BAD_SIGNATURE]
        log.forged = False
        await town.wind(2 * DAY_S, steps=60)

        receipt, wrong = kept(bus)[sent.id]
        assert (receipt is None, wrong is None) == (False, False)
        assert [alarm.code for alarm in bus.alarms()] == [Code.BAD_SIGNATURE]


async def test_a_log_that_is_down_for_less_than_the_time_is_no_news(town: Town) -> None:
    town.sim.log.away = True
    async with hotline(town) as bus:
        subject = (await opened(bus))[0].subject
        for _ in range(40):
            assert (await bus.send(bus.note(subject, {}, own=[NOTE]))).accepted
        await town.wind(PATIENCE_S / 2, steps=60)
        # It is not stormed either: one question a pause, however much is owed.
        assert len(town.sim.log.asked) < 30
        town.sim.log.away = False
        await town.wind(PATIENCE_S, steps=60)

        assert all(receipt is not None for receipt, _ in kept(bus).values())
        assert len(kept(bus)) == 41
        assert bus.alarms() == ()


async def test_a_log_that_is_down_for_longer_is(town: Town) -> None:
    town.sim.log.away = True
    async with hotline(town) as bus:
        await opened(bus)
        await town.wind(2 * PATIENCE_S, steps=60)

        assert [alarm.code for alarm in bus.alarms()] == [Code.RECEIPT_MISSING]


async def test_time_in_which_nobody_asked_does_not_count(town: Town) -> None:
    town.sim.log.away = True
    async with hotline(town) as bus:
        await opened(bus)
    town.sim.clock.wind(10 * PATIENCE_S)
    async with hotline(town) as bus:
        await town.wind(5)
        assert bus.alarms() == ()
        town.sim.log.away = False
        await town.wind(PATIENCE_S, steps=60)

        assert all(receipt is not None for receipt, _ in kept(bus).values())
        assert bus.alarms() == ()


async def test_sending_does_not_wait_for_a_log_that_hangs(town: Town) -> None:
    class Hanging(MemoryLog):
        async def receipt(self, event: str, place: tuple[int, int] | None) -> bytes | None:
            await asyncio.get_running_loop().create_future()
            return None

    log = town.sim.log
    hanging = Hanging(log.broker, log.keys, log.bus, log.partitions)
    async with hotline(town, hanging) as bus:
        subject = (await opened(bus))[0].subject
        await town.wind(5)

        assert (await bus.send(bus.note(subject, {}, own=[NOTE]))).accepted


async def test_a_forged_receipt_is_told_of_at_once_and_kept_as_evidence(town: Town) -> None:
    town.sim.log.forged = True
    async with hotline(town) as bus:
        sent, _ = await opened(bus)
        await town.wind(5)

        (alarm,) = bus.alarms()
        assert (alarm.code, alarm.subject) == (Code.BAD_SIGNATURE, sent.subject)
        receipt, wrong = kept(bus)[sent.id]
        assert (receipt, wrong is None) == (None, False)


async def test_the_receipt_of_another_decision_proves_nothing(town: Town) -> None:
    class Elsewhere(MemoryLog):
        async def receipt(self, event: str, place: tuple[int, int] | None) -> bytes | None:
            return await super().receipt(first.event, None)

    log = town.sim.log
    async with hotline(town, Elsewhere(log.broker, log.keys, log.bus, log.partitions)) as bus:
        _, first = await opened(bus)
        await opened(bus)
        await town.wind(5)

        assert [alarm.code for alarm in bus.alarms()] == [Code.BAD_PROOF]


def unwitnessed(town: Town) -> LogAccess:
    """Return the log to whoever wants a witness that never cosigns."""
    known = town.sim.log.policy
    key = town.sim.keys["ward-a"].signing.verify_key
    witness = Witness("ward", NoteKey("ward.example", Kind.COSIGNATURE, key))
    policy = Policy(logs=known.logs, witnesses=(witness,), quorum="ward")
    return LogAccess(open=town.sim.log.open, policy=policy, patience_s=PATIENCE_S)


async def test_one_without_its_witnesses_is_kept_and_asked_for_again(town: Town) -> None:
    async with town.bus("hotline-111", log=unwitnessed(town)) as bus:
        sent, verdict = await opened(bus)
        await town.wind(2 * PATIENCE_S, steps=60)

        assert town.sim.log.asked.count(verdict.event) > 3
        assert not (await bus.receipt(sent.id)).proven.witnessed
        assert bus.alarms() == ()


async def test_one_whose_witnesses_never_come_is_asked_for_a_month_and_then_when_somebody_wants_it(town: Town) -> None:
    async with town.bus("hotline-111", log=unwitnessed(town)) as bus:
        sent, verdict = await opened(bus)
        await town.wind(7 * DAY_S, steps=7 * 24 * 4)
        await bus.receipt(sent.id)
    # A restart neither begins anew nor forgets.
    async with town.bus("hotline-111", log=unwitnessed(town)) as bus:
        await town.wind(40 * DAY_S, steps=40 * 24)
        assert town.sim.log.asked.count(verdict.event) == LAST_TRY + 1
        await town.wind(40 * DAY_S, steps=40 * 24)
        assert town.sim.log.asked.count(verdict.event) == LAST_TRY + 1

        assert not (await bus.receipt(sent.id)).proven.witnessed
        assert town.sim.log.asked.count(verdict.event) == LAST_TRY + 2
        assert bus.alarms() == ()
    async with hotline(town) as bus:
        assert (await bus.receipt(sent.id)).proven.witnessed


async def test_without_a_log_nothing_is_asked_and_what_is_owed_stays_noted(town: Town) -> None:
    async with town.bus("hotline-111") as bus:
        sent, _ = await opened(bus)
        await town.wind(HOUR_S)
        with pytest.raises(LocalError) as away:
            await bus.receipt(sent.id)
        assert (away.value.code, bus.alarms()) == (Code.LOG_AWAY, ())
    async with hotline(town) as bus:
        await town.settle()

        assert (await bus.receipt(sent.id)).proven.decision.code is Code.ACCEPTED


async def test_a_wait_ends_when_the_log_has_not_got_it(town: Town) -> None:
    town.sim.log.covered = 0
    async with hotline(town) as bus:
        sent, _ = await opened(bus)
        waiting = asyncio.ensure_future(bus.receipt(sent.id, timeout_s=20))
        await town.wind(30)
        with pytest.raises(LocalError) as missing:
            await waiting
        assert missing.value.code is Code.LOG_AWAY
        waiting = asyncio.ensure_future(bus.receipt(sent.id, timeout_s=20))
        await town.wind(5)
        town.sim.log.covered = None
        await town.wind(5)

        assert (await waiting).proven.decision.code is Code.ACCEPTED


async def test_a_clock_that_is_set_back_does_not_stop_it(town: Town) -> None:
    async with hotline(town) as bus:
        sent, _ = await opened(bus)
    town.sim.clock.wind(-3 * HOUR_S)
    async with hotline(town) as bus:
        await town.settle()

        assert kept(bus)[sent.id][0] is not None
