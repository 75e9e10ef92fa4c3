"""
Ids are told to every recipient, and nothing keeps one of them from using another's id in another case. What was meant
for one agency must not go to another by that, nor one agency's request be answered in place of another's.
"""

import json
from pathlib import Path
from typing import NamedTuple

import pytest

from referral_bus import Code, EntryState, LocalError, ReferralBus
from referral_contracts.encoding import event_hash
from referral_contracts.envelope import EventRef, HandoffKey
from referral_contracts.lifecycle import Receipt, State
from referral_contracts.sections import encode_section
from referral_contracts.verbs import Verb
from tests.sdk.cli.terminal import AGENCIES, EXAMPLES, KEYS, Terminal
from tests.sdk.forging import Event, submit
from tests.sdk.town import ACCEPTANCE, CRIME, DECLINE, MEDICAL, NOTE, OPENING, REQUEST, WITHDRAWAL, Town

HOTLINE, POLICE, HOSPITAL = "hotline-111", "police-b", "hospital-c"


class Cases(NamedTuple):
    """The hotline's case, and another one in which the police is a party as well."""

    real: str
    other: str


async def two_cases(hotline: ReferralBus) -> Cases:
    drafts = [hotline.open_case(OPENING) for _ in range(2)]
    for draft in drafts:
        await hotline.send(draft)
        await hotline.send(hotline.offer(draft.subject, {POLICE: [CRIME]}))
    return Cases(drafts[0].subject, drafts[1].subject)


def borrow(town: Town, subject: str, event_id: str, verb: Verb = Verb.OFFERED) -> None:
    """Let the police say something to the hospital under an id of the hotline's."""
    said = encode_section(NOTE if verb is Verb.CASE_NOTED else MEDICAL)
    Event(
        town=town, source=POLICE, verb=verb, subject=subject, recipients=(HOSPITAL,), plaintexts=(said,), id=event_id
    ).submit()


@pytest.mark.asyncio
class TestBorrowed:
    @pytest.mark.parametrize("borrowed_first", [False, True], ids=["afterwards", "before it arrives"])
    async def test_each_answer_goes_to_who_asked_in_its_own_case(self, town: Town, *, borrowed_first: bool) -> None:
        async with town.bus(HOTLINE) as hotline, town.bus(HOSPITAL) as hospital:
            cases = await two_cases(hotline)
            offer = hotline.offer(cases.real, {HOSPITAL: [MEDICAL]})
            if borrowed_first:
                borrow(town, cases.other, offer.id)
                await hotline.send(offer)
            else:
                await hotline.send(offer)
                borrow(town, cases.other, offer.id)
            both = [await hospital.next(timeout_s=30) for _ in range(2)]
            real, other = sorted(both, key=lambda delivery: delivery.source != HOTLINE)
            await hospital.wait(await other.decline(DECLINE))
            await hospital.wait(await real.accept(ACCEPTANCE))

            answers = [*town.routed(Verb.DECLINED), *town.routed(Verb.ACCEPTED)]
            assert [(answer.subject, answer.data.recipients) for answer in answers] == [
                (cases.other, (POLICE,)),
                (cases.real, (HOTLINE,)),
            ]
            seen = hotline.handoff(HandoffKey(opening=offer.id, recipient=HOSPITAL))
            assert seen is not None
            assert (seen.state, seen.receipt) == (State.ACCEPTED, Receipt.RECEIVED)

    async def test_a_key_alone_means_neither_and_the_hand_off_itself_is_told_apart(self, town: Town) -> None:
        async with town.bus(HOTLINE) as hotline, town.bus(HOSPITAL) as hospital:
            cases = await two_cases(hotline)
            sent = await hotline.send(hotline.offer(cases.real, {HOSPITAL: [MEDICAL]}))
            borrow(town, cases.other, sent.id)
            for _ in range(2):
                await hospital.next(timeout_s=30)
            with pytest.raises(LocalError) as refusal:
                hospital.accept(sent.handoffs[0], ACCEPTANCE)
            with pytest.raises(LocalError):
                hospital.handoff(sent.handoffs[0])
            view = hospital.handoff(sent.handoffs[0], subject=cases.real)
            assert view is not None
            draft = hospital.accept(view, ACCEPTANCE)

            assert refusal.value.code is Code.ID_REUSED
            assert (draft.subject, list(draft.parts)) == (cases.real, [HOTLINE])

    async def test_each_gets_a_receipt_for_its_own(self, town: Town) -> None:
        async with town.bus(HOTLINE) as hotline, town.bus(HOSPITAL) as hospital:
            cases = await two_cases(hotline)
            offer = hotline.offer(cases.real, {HOSPITAL: [REQUEST]})
            borrow(town, cases.other, offer.id)
            await hotline.send(offer)
            await town.until(lambda: len(town.routed(Verb.RECEIVED)) == 2)

            assert {(receipt.subject, receipt.data.recipients) for receipt in town.routed(Verb.RECEIVED)} == {
                (cases.other, (POLICE,)),
                (cases.real, (HOTLINE,)),
            }
            await town.until(lambda: not hospital.status().waiting)
            assert all(entry.state is EntryState.ACCEPTED for entry in hospital.outbox())

    async def test_nobody_gets_a_receipt_for_what_opens_nothing(self, town: Town) -> None:
        async with town.bus(HOTLINE) as hotline, town.bus(HOSPITAL) as hospital:
            cases = await two_cases(hotline)
            sent = await hotline.send(hotline.offer(cases.real, {HOSPITAL: [MEDICAL]}))
            await hospital.next(timeout_s=30)
            borrow(town, cases.real, sent.id, Verb.CASE_NOTED)
            await hospital.next(timeout_s=30)
            await town.settle()

            assert [entry.recipients for entry in hospital.outbox()] == [(HOTLINE,)]

    async def test_what_is_said_in_one_case_moves_nothing_in_another(self, town: Town) -> None:
        async with town.bus(HOTLINE) as hotline, town.bus(HOSPITAL) as hospital:
            cases = await two_cases(hotline)
            sent = await hotline.send(hotline.offer(cases.real, {HOSPITAL: [MEDICAL]}))
            real = await hospital.next(timeout_s=30)
            borrow(town, cases.other, sent.id)
            other = await hospital.next(timeout_s=30)
            asked = EventRef(id=other.id, sha256=event_hash(other.value))
            withdrawn = Event(
                town=town,
                source=POLICE,
                verb=Verb.WITHDRAWN,
                subject=cases.other,
                recipients=(HOSPITAL,),
                handoff=sent.handoffs[0],
                plaintexts=(encode_section(WITHDRAWAL),),
            ).envelope()
            submit(town, withdrawn.model_copy(update={"data": withdrawn.data.model_copy(update={"answers": asked})}))
            await hospital.caught_up()
            states = {
                handoff.subject: handoff.state
                for subject in cases
                if (case := hospital.case(subject)) is not None
                for handoff in case.handoffs
            }

            assert (real.id, real.subject) == (other.id, cases.real)
            assert states == {cases.real: State.OFFERED, cases.other: State.WITHDRAWN}


def test_a_person_tells_them_apart_by_their_senders(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    town = Town(tmp_path, agencies=AGENCIES, keys=KEYS)
    terminal = Terminal(folder=tmp_path, capsys=capsys, simulator=town.sim)

    def type_as(agency: str, *arguments: str) -> str:
        terminal.environ["REFERRAL_BUS_HOME"] = str(tmp_path / agency)
        code, out, err = terminal.type(*arguments)
        assert code == 0, err
        return out

    def of_example(name: str) -> str:
        return str(EXAMPLES / f"{name}.json")

    real, other = (
        json.loads(type_as(HOTLINE, "send", "open", of_example("case-opening"), "--json"))["subject"] for _ in range(2)
    )
    to_hospital = ("--to", f"benh-vien={of_example('hospital')}")
    sent = json.loads(type_as(HOTLINE, "send", "offer", "--case", real, *to_hospital, "--json"))["events"][0]["id"]
    type_as(HOTLINE, "send", "offer", "--case", other, "--to", f"cong-an={of_example('police')}")
    Event(
        town=town,
        source="cong-an",
        verb=Verb.OFFERED,
        subject=other,
        recipients=("benh-vien",),
        plaintexts=(encode_section(MEDICAL),),
        id=sent,
    ).submit()
    type_as("benh-vien", "inbox", "list")
    code, _, err = terminal.type("open", sent)

    assert code == 2
    assert f"{sent}@{HOTLINE}" in err
    assert f"{HOTLINE} → benh-vien" in type_as("benh-vien", "open", f"{sent}@{HOTLINE}")
    type_as("benh-vien", "accept", f"{sent}@{HOTLINE}", of_example("hospital-accepted"))
    assert [(event.subject, event.data.recipients) for event in town.routed(Verb.ACCEPTED)] == [(real, (HOTLINE,))]
