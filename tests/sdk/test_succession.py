"""Agencies that merge, split and close, through the SDK: their work goes on, and each reads only what was for it."""

import pytest

from referral_bus import Code, LocalError, ReferralBus
from referral_contracts.directory_model import Delivery as Reach
from referral_contracts.encoding import format_time
from referral_contracts.envelope import HandoffKey
from referral_contracts.lifecycle import State
from referral_contracts.payloads.actor import Actor, Role
from referral_contracts.payloads.link import Relation
from referral_contracts.payloads.moving import Moving, MovingReason, Side
from referral_contracts.verbs import Verb
from tests.sdk.test_links import link, opened, ties
from tests.sdk.test_turns import ENDED, QUESTION
from tests.sdk.town import (
    ACCEPTANCE,
    CASE_CLOSING,
    CLOSING,
    FORWARDING,
    HOUR_S,
    NOTE,
    OUTCOME,
    PROGRESS,
    REQUEST,
    TAKEN,
    TRANSFER,
    Town,
    case_with,
    heard,
)

pytestmark = pytest.mark.asyncio

MERGED = Moving(
    actor=Actor(role=Role.CHILD_PROTECTION_WORKER), reason=MovingReason.MERGED, decision_number="12/NQ-HĐND"
)


def end(town: Town, agency: str, *successors: str, in_s: float = HOUR_S) -> None:
    """Let the registrar write down that *agency* ends then, and who follows."""
    found = town.sim.directory.member(agency)
    assert found is not None
    ends_at = format_time(town.sim.clock.now_ms() + round(in_s * 1000))
    town.sim.change_directory(agencies=[found.entry.model_copy(update={"ends_at": ends_at, "successors": successors})])
    town.sim.step()


async def accepted_work(town: Town, hotline: ReferralBus, ward: ReferralBus) -> tuple[str, HandoffKey]:
    """Return a case, and a duty in it that ward-a has accepted."""
    subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
    assigned = await heard(ward, Verb.ASSIGNED)
    assert assigned.handoff is not None
    assert (await ward.wait(await assigned.accept(ACCEPTANCE))).accepted
    await heard(hotline, Verb.ACCEPTED)
    return subject, assigned.handoff


async def test_an_open_handoff_survives_a_merge_of_its_recipient(town: Town) -> None:
    async with town.bus("hotline-111") as hotline, town.bus("ward-z") as after:
        async with town.bus("ward-a") as ward:
            subject, key = await accepted_work(town, hotline, ward)
            end(town, "ward-a", "ward-z")
            await town.settle()
            assert [view.key for view in ward.open_matters().received] == [key]
            assert (await ward.send(ward.move(key, "ward-z", MERGED))).accepted
            assert not ward.open_matters()
        told = await heard(hotline, Verb.MOVED)
        taken = await heard(after, Verb.MOVED)

        # What was asked is sealed again to the successor alone; the sender reads who goes on, and has the rest itself.
        assert [payload.schema_name for payload in told.payloads] == ["moving"]
        moving, request = taken.payloads
        assert request == REQUEST
        assert isinstance(moving, Moving)
        assert (moving.side, moving.opened_by, moving.reason) == (Side.RECIPIENT, "hotline-111", MovingReason.MERGED)

        await town.wind(HOUR_S + 1)
        assert (await after.send(after.complete(key, OUTCOME))).accepted
        done = await heard(hotline, Verb.COMPLETED)
        assert (done.source, done.payloads) == ("ward-z", (OUTCOME,))
        assert (await hotline.wait(await done.close(CLOSING))).accepted
        await heard(after, Verb.CLOSED)
        assert [bus.handoff(key, subject=subject).state for bus in (hotline, after)] == [State.CLOSED] * 2  # type: ignore[union-attr]
        assert (await hotline.send(hotline.close_case(subject, CASE_CLOSING))).accepted


async def test_an_open_handoff_survives_a_split_of_its_recipient(town: Town) -> None:
    async with town.bus("hotline-111") as hotline, town.bus("ward-z") as first, town.bus("school-d") as second:
        async with town.bus("ward-a") as ward:
            _, moved = await accepted_work(town, hotline, ward)
            left_in, left = await accepted_work(town, hotline, ward)
            end(town, "ward-a", "ward-z", "school-d")
            await town.settle()
            assert (await ward.send(ward.move(moved, "school-d", MERGED))).accepted
            assert ward.open_matters().takers == ("school-d", "ward-z")
        await heard(hotline, Verb.MOVED)
        await heard(second, Verb.MOVED)
        await town.wind(HOUR_S + 1)

        # What was moved is the second's; what nobody moved is the first-named one's, once it has the old store.
        assert (await second.send(second.progress(moved, PROGRESS))).accepted
        assert first.handoff(left) is None
        assert first.adopt("ward-a", town.folder / "ward-a.db") == 1
        assert first.adopt("ward-a", town.folder / "ward-a.db") == 0
        assert (await first.send(first.complete(left, OUTCOME))).accepted
        done = await heard(hotline, Verb.COMPLETED)
        assert (done.source, done.handoff) == ("ward-z", left)

        # And it may still move it, though what was asked lies with the old store.
        assert (await first.send(first.move(left, "school-d", MERGED))).accepted
        await heard(hotline, Verb.MOVED)
        await heard(second, Verb.MOVED)
        assert (await hotline.send(hotline.close(left, CLOSING))).entries[0].recipients == ("school-d",)
        assert second.handoff(left, subject=left_in) is not None


async def test_what_is_said_to_one_that_has_ended_goes_to_its_successor(town: Town) -> None:
    async with town.bus("hotline-111") as hotline, town.bus("ward-z") as after:
        async with town.bus("ward-a") as ward:
            _, key = await accepted_work(town, hotline, ward)
        end(town, "ward-a", "ward-z")
        await town.wind(HOUR_S + 1)
        plan = hotline.plan(hotline.ask(key, QUESTION))
        assert [event.recipients for event in plan.events] == [("ward-z",)]
        assert (await hotline.send(hotline.ask(key, QUESTION))).accepted
        assert (await heard(after, Verb.ASKED)).payloads == (QUESTION,)
        assert (await hotline.send(hotline.cancel(key, ENDED))).accepted
        assert (await heard(after, Verb.CANCELLED)).handoff == key

        with pytest.raises(LocalError, match="who follows it: ward-z") as refused:
            hotline.plan(hotline.assign(plan.subject, {"ward-a": [REQUEST]}))
        assert refused.value.code is Code.UNKNOWN_RECIPIENT


async def test_one_that_has_ended_says_nothing_more(town: Town) -> None:
    async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
        _, key = await accepted_work(town, hotline, ward)
        late = await ward.send(ward.progress(key, PROGRESS), wait=False)
        await ward.wait(late)
        end(town, "ward-a", "ward-z")
        await town.wind(HOUR_S + 1)

        with pytest.raises(LocalError) as refused:
            await ward.send(ward.complete(key, OUTCOME))
        assert refused.value.code is Code.AGENCY_ENDED


async def test_the_sender_is_succeeded_and_its_own_copy_goes_with_it(town: Town) -> None:
    async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward, town.bus("ward-z") as after:
        subject, key = await accepted_work(town, hotline, ward)
        end(town, "hotline-111", "ward-z")
        await town.settle()
        assert [view.key for view in hotline.open_matters().sent] == [key]
        assert [case.subject for case in hotline.open_matters().owned] == [subject]
        assert (await hotline.send(hotline.move(key, "ward-z", MERGED))).accepted
        taken = await heard(after, Verb.MOVED)
        assert taken.payloads[1:] == (REQUEST,)
        await heard(ward, Verb.MOVED)

        assert (await hotline.send(hotline.transfer(subject, "ward-z", TRANSFER))).accepted
        offered = await heard(after, Verb.CASE_TRANSFER_OFFERED)
        assert (await after.wait(await offered.accept_transfer(TAKEN))).accepted
        await heard(hotline, Verb.CASE_TRANSFER_ACCEPTED)
        assert not hotline.open_matters()

        await town.wind(HOUR_S + 1)
        assert (await ward.send(ward.complete(key, OUTCOME))).entries[0].recipients == ("ward-z",)
        done = await heard(after, Verb.COMPLETED)
        assert (await after.wait(await done.close(CLOSING))).accepted
        assert (await after.send(after.close_case(subject, CASE_CLOSING))).accepted


async def test_an_owner_that_was_not_moved_is_adopted(town: Town) -> None:
    async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
        subject, key = await accepted_work(town, hotline, ward)
    end(town, "hotline-111", "ward-z")
    await town.wind(HOUR_S + 1)
    async with town.bus("ward-z") as after:
        await after.ready()
        assert after.adopt("hotline-111", town.folder / "hotline-111.db") == 2
        assert (await after.send(after.cancel(key, ENDED))).accepted
        assert (await after.send(after.close_case(subject, CASE_CLOSING))).accepted


def left(bus: ReferralBus) -> dict[str, int]:
    return {case.subject: case.links_left for case in bus.cases()}


async def test_that_a_case_was_tied_to_others_is_taken_up_and_counted_until_it_is_said_again(town: Town) -> None:
    async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
        subject, _ = await accepted_work(town, hotline, ward)
        other = await opened(hotline)
        closed = await opened(hotline)
        assert (await hotline.send(hotline.link_case(subject, link(other)))).accepted
        assert (await hotline.send(hotline.close_case(closed, CASE_CLOSING))).accepted
        assert (await hotline.send(hotline.link_case(closed, link(other)))).accepted
    end(town, "hotline-111", "ward-z")
    await town.wind(HOUR_S + 1)
    async with town.bus("ward-z") as after:
        await after.ready()
        for _ in range(2):
            after.adopt("hotline-111", town.folder / "hotline-111.db")

            # To which it is tied is sealed to the hotline. What nobody took up is not shown.
            assert left(after) == {subject: 1, other: 0}
            assert ties(after, subject) == []
        assert (await after.send(after.link_case(subject, link(other)))).accepted
        assert ties(after, subject) == ties(after, other) == [(subject, other, Relation.SAME_CHILD, "ward-z")]
        assert left(after) == {subject: 1, other: 0}


async def test_who_follows_the_one_who_assigned_does_not_take_a_forwarding_for_its_own_duty(town: Town) -> None:
    async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
        _, key = await accepted_work(town, hotline, ward)
        subject = await case_with(town, hotline, {"ward-a": [REQUEST]})
        assigned = await heard(ward, Verb.ASSIGNED)
        end(town, "hotline-111", "ward-z")
        await town.wind(HOUR_S + 1)
        # The successor has adopted nothing: it has never heard of that duty.
        async with town.bus("ward-z") as after, town.bus("school-d") as following:
            forwarded = await ward.wait(await assigned.forward("school-d", FORWARDING, REQUEST))
            assert forwarded.entries[0].recipients == ("ward-z", "school-d")
            told, next_ = await heard(after, Verb.FORWARDED), await heard(following, Verb.FORWARDED)
            opened = HandoffKey(opening=next_.id, recipient="school-d")
            await heard(ward, Verb.RECEIVED)

            assert told.id == next_.id
            assert [after.handoff(one, subject=subject) for one in (assigned.handoff, opened)] == [None, None]  # type: ignore[arg-type]
            assert not after.open_matters().received
            assert [view.key for view in following.open_matters().received] == [opened]
            assert key != opened


async def test_nobody_adopts_what_is_not_its_own(town: Town) -> None:
    async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
        await accepted_work(town, hotline, ward)
    async with town.bus("ward-z") as other:
        await other.ready()
        for agency in ("ward-a", "ward-z"):
            with pytest.raises(LocalError) as refused:
                other.adopt(agency, town.folder / "ward-a.db")
            assert refused.value.code is Code.NOT_PERMITTED
        end(town, "ward-a", "ward-z", in_s=0)
        await town.wind(1)
        with pytest.raises(LocalError) as missing:
            other.adopt("ward-a", town.folder / "none.db")
        assert missing.value.code is Code.NO_SUCH_FILE


async def test_a_handoff_whose_recipient_left_the_bus_is_ended_by_its_sender(town: Town) -> None:
    async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
        subject, key = await accepted_work(town, hotline, ward)
        found = town.sim.directory.member("ward-a")
        assert found is not None
        town.sim.change_directory(agencies=[found.entry.model_copy(update={"delivery": Reach(kind="off-bus")})])
        town.sim.step()
        await town.wind(60)
        sent = await hotline.send(hotline.cancel(key, ENDED))

        assert (sent.accepted, sent.entries[0].recipients) == (True, ())
        assert (await hotline.send(hotline.close_case(subject, CASE_CLOSING))).accepted


async def test_a_handoff_whose_sender_left_without_a_successor_goes_on_to_its_end(town: Town) -> None:
    async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
        _, key = await accepted_work(town, hotline, ward)
        end(town, "hotline-111", in_s=0)
        await town.wind(60)
        sent = await ward.send(ward.complete(key, OUTCOME))

        assert (sent.accepted, sent.entries[0].recipients) == (True, ())
        with pytest.raises(LocalError):
            await ward.send(ward.note(sent.entries[0].subject, {"hotline-111": [NOTE]}))
