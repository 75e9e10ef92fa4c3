"""
An agency that uses one id for several events: nothing but its own software keeps it from that. The router tells ids
apart within a case, and for a time; what it delivers counts, and nobody may say that the recipient never looked.
"""

import json
from pathlib import Path

import pytest

from referral_bus import Code, EntryState, ReferralBus
from referral_contracts.sections import encode_section
from referral_contracts.verbs import Verb
from tests.sdk.cli.terminal import AGENCIES, EXAMPLES, KEYS, Terminal
from tests.sdk.forging import Event
from tests.sdk.town import ACCEPTANCE, CRIME, DECLINE, MEDICAL, NOTE, OPENING, WINDOW_S, Town

HOTLINE, POLICE, HOSPITAL = "hotline-111", "police-b", "hospital-c"


@pytest.fixture
def town(tmp_path: Path) -> Town:
    return Town(tmp_path)


async def case_with_police(hotline: ReferralBus) -> str:
    opened = hotline.open_case(OPENING)
    await hotline.send(opened)
    assert (await hotline.send(hotline.offer(opened.subject, {POLICE: [CRIME]}))).accepted
    return opened.subject


def say(town: Town, subject: str, verb: Verb, event_id: str = "") -> str:
    """Let the police say something to the hospital; return the event's id."""
    said = encode_section(NOTE if verb is Verb.CASE_NOTED else MEDICAL)
    event = Event(
        town=town, source=POLICE, verb=verb, subject=subject, recipients=(HOSPITAL,), plaintexts=(said,), id=event_id
    )
    found: str = json.loads(event.submit())["id"]
    return found


@pytest.mark.asyncio
class TestOneIdTwice:
    async def test_in_two_cases_each_arrives_and_each_gets_its_answer(self, town: Town) -> None:
        async with town.bus(HOTLINE) as hotline, town.bus(HOSPITAL) as hospital:
            subjects = [await case_with_police(hotline) for _ in range(2)]
            used = say(town, subjects[0], Verb.ASSIGNED)
            say(town, subjects[1], Verb.OFFERED, used)
            first, second = [await hospital.next(timeout_s=30) for _ in range(2)]
            await hospital.wait(await second.decline(DECLINE))
            await hospital.wait(await first.accept(ACCEPTANCE))
            await town.until(lambda: not hospital.status().waiting)

            assert [delivery.subject for delivery in (first, second)] == subjects
            assert {entry.state for entry in hospital.outbox()} == {EntryState.ACCEPTED}
            assert sorted(event.subject for event in town.routed(Verb.RECEIVED)) == sorted(subjects)
            assert [event.subject for event in town.routed(Verb.DECLINED)] == subjects[1:]

    async def test_nobody_is_said_to_have_withheld_what_came_afterwards(self, town: Town) -> None:
        async with town.bus(HOTLINE) as hotline, town.bus(HOSPITAL) as hospital:
            subjects = [await case_with_police(hotline) for _ in range(2)]
            used = say(town, subjects[0], Verb.CASE_NOTED)
            say(town, subjects[1], Verb.CASE_NOTED, used)
            await hotline.send(hotline.offer(subjects[1], {HOSPITAL: [MEDICAL]}))
            await hospital.caught_up()

            assert [delivery.counter for delivery in hospital.deliveries()] == [1, 1, 2]
            assert [(alarm.code, alarm.subject) for alarm in hospital.alarms()] == [(Code.ID_REUSED, subjects[1])]

    @pytest.mark.parametrize("verb", [Verb.CASE_NOTED, Verb.ASSIGNED])
    async def test_in_one_case_when_the_router_has_forgotten_it(self, town: Town, verb: Verb) -> None:
        async with town.bus(HOTLINE) as hotline, town.bus(HOSPITAL) as hospital:
            subject = await case_with_police(hotline)
            used = say(town, subject, Verb.CASE_NOTED)
            await town.wind(4 * WINDOW_S)
            say(town, subject, verb, used)
            both = [await hospital.next(timeout_s=30) for _ in range(2)]
            if verb is Verb.ASSIGNED:
                await hospital.wait(await both[1].accept(ACCEPTANCE))
            await town.until(lambda: not hospital.status().waiting)

            assert [delivery.verb for delivery in both] == [Verb.CASE_NOTED, verb]
            assert {entry.state for entry in hospital.outbox()} <= {EntryState.ACCEPTED}
            assert len(hospital.outbox()) == (2 if verb is Verb.ASSIGNED else 0)


def test_a_person_can_name_each_of_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    town = Town(tmp_path, agencies=AGENCIES, keys=KEYS)
    terminal = Terminal(folder=tmp_path, capsys=capsys, simulator=town.sim)

    def type_as(agency: str, *arguments: str) -> str:
        terminal.environ["REFERRAL_BUS_HOME"] = str(tmp_path / agency)
        code, out, err = terminal.type(*arguments)
        assert code == 0, err
        return out

    opening = str(EXAMPLES / "case-opening.json")
    subjects = [json.loads(type_as(HOTLINE, "send", "open", opening, "--json"))["subject"] for _ in range(2)]
    used = ""
    for subject in subjects:
        used = json.loads(
            Event(
                town=town,
                source=HOTLINE,
                verb=Verb.OFFERED,
                subject=subject,
                recipients=("benh-vien",),
                plaintexts=(encode_section(MEDICAL),),
                id=used,
            ).submit()
        )["id"]
    type_as("benh-vien", "inbox", "list")
    code, _, err = terminal.type("open", used)
    hints = [word.strip(",") for word in err.split() if word.startswith(f"{used}@")]

    assert code == 2
    assert hints == [f"{used}@{subject}" for subject in subjects]
    for hint, subject in zip(hints, subjects, strict=True):
        assert f"case {subject}" in type_as("benh-vien", "open", hint)
        type_as("benh-vien", "accept", hint, str(EXAMPLES / "hospital-accepted.json"))
    assert sorted(event.subject for event in town.routed(Verb.ACCEPTED)) == sorted(subjects)
