"""An agency with good keys, a party of a case: what it may say it says, as much as it can, to do others harm."""

import json
from pathlib import Path

import pytest

from referral_bus import Code, EntryState, ReferralBus, _open
from referral_bus._kept import KEPT_BYTES
from referral_contracts.encoding import format_time, jcs
from referral_contracts.lifecycle import Receipt, State
from referral_contracts.sections import ReadSection, encode_section, read_section
from referral_contracts.verbs import Verb
from referral_router.core import fold as router
from referral_router.core import room
from tests.sdk.cli import terminal
from tests.sdk.forging import Event, plaintext, submit
from tests.sdk.town import ACCEPTANCE, CASE_CLOSING, CRIME, MEDICAL, NOTE, OPENING, Town

HOTLINE, POLICE, HOSPITAL = "hotline-111", "police-b", "hospital-c"


async def case_with_police(hotline: ReferralBus) -> str:
    opened = hotline.open_case(OPENING)
    await hotline.send(opened)
    assert (await hotline.send(hotline.offer(opened.subject, {POLICE: [CRIME]}))).accepted
    return opened.subject


def revoke_sealing_keys(town: Town, agency: str) -> None:
    member = town.sim.directory.member(agency)
    assert member is not None
    now = format_time(town.sim.clock.now_ms())
    keys = [key.model_copy(update={"revoked_at": now}) if key.use == "seal" else key for key in member.entry.keys]
    town.sim.change_directory(agencies=[member.entry.model_copy(update={"keys": tuple(keys)})])


def from_police(town: Town, subject: str, *plaintexts: bytes, to: str = HOSPITAL, verb: Verb = Verb.OFFERED) -> Event:
    return Event(town=town, source=POLICE, verb=verb, subject=subject, recipients=(to,), plaintexts=plaintexts)


@pytest.mark.asyncio
class TestAtARecipient:
    async def test_a_real_case_does_not_pass_for_an_exercise(self, town: Town) -> None:
        async with town.bus(HOTLINE) as hotline, town.bus(HOSPITAL) as hospital:
            subject = await case_with_police(hotline)
            practised = from_police(town, subject, encode_section(MEDICAL)).envelope()
            submit(town, practised.model_copy(update={"exercise": True}))
            await hotline.send(hotline.offer(subject, {HOSPITAL: [MEDICAL]}))
            real = await hospital.next(timeout_s=30)
            await hospital.wait(await real.accept(ACCEPTANCE))
            case = hospital.case(subject)

            assert town.codes().count(Code.WRONG_EXERCISE) == 1
            assert (real.source, real.exercise) == (HOTLINE, False)
            assert case is not None
            assert not case.exercise
            assert [event.exercise for event in town.routed(Verb.ACCEPTED)] == [False]

    async def test_one_that_cannot_be_answered_holds_up_no_answer_to_another(self, town: Town) -> None:
        async with town.bus(HOTLINE) as hotline, town.bus(HOSPITAL) as hospital:
            subject = await case_with_police(hotline)
            from_police(town, subject, encode_section(MEDICAL)).submit()
            await hotline.send(hotline.offer(subject, {HOSPITAL: [MEDICAL]}))
            both = [await hospital.next(timeout_s=30) for _ in range(2)]
            await town.wind(1)
            await town.until(lambda: not hospital.status().waiting)
            # What was sealed waits for the broker, and meanwhile the key of one reader runs out.
            town.sim.faults[HOSPITAL].away = True
            stuck = await both[0].accept(ACCEPTANCE)
            revoke_sealing_keys(town, POLICE)
            await town.wind(10)
            town.sim.faults[HOSPITAL].away = False
            await town.wind(10)
            sent = await both[1].accept(ACCEPTANCE)
            await town.wind(10)
            entries = [hospital.entry(told.id) for told in (stuck, sent)]

            assert [delivery.source for delivery in both] == [POLICE, HOTLINE]
            assert [entry and entry.state for entry in entries] == [EntryState.SEALED, EntryState.ACCEPTED]

    async def test_one_that_cannot_be_asked_holds_up_no_request_to_another_but_the_closing(self, town: Town) -> None:
        async with town.bus(HOTLINE) as hotline:
            subject = await case_with_police(hotline)
            town.sim.faults[HOTLINE].away = True
            await town.wind(10)
            stuck = await hotline.send(hotline.notify(subject, {POLICE: [NOTE]}), wait=False)
            revoke_sealing_keys(town, POLICE)
            await town.wind(10)
            town.sim.faults[HOTLINE].away = False
            await town.wind(10)
            asked = await hotline.send(hotline.offer(subject, {HOSPITAL: [MEDICAL]}), wait=False)
            closed = await hotline.send(hotline.close_case(subject, CASE_CLOSING), wait=False)
            await town.wind(10)
            entries = [hotline.entry(told.id) for told in (stuck, asked, closed)]

            assert [entry and entry.state for entry in entries] == [
                EntryState.SEALED,
                EntryState.ACCEPTED,
                EntryState.SEALED,
            ]

    async def test_a_section_over_which_the_reader_trips_is_answered_unreadable_and_the_inbox_goes_on(
        self, town: Town, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def trips(data: bytes) -> ReadSection:
            if b"bad" in data:
                raise IndexError
            return read_section(data)

        monkeypatch.setattr(_open, "read_section", trips)
        async with town.bus(HOTLINE) as hotline, town.bus(HOSPITAL) as hospital:
            subject = await case_with_police(hotline)
            from_police(town, subject, plaintext("strange/1.0", {"a": "bad"})).submit()
            bad = await hospital.next(timeout_s=30)
            await hotline.send(hotline.offer(subject, {HOSPITAL: [MEDICAL]}))
            good = await hospital.next(timeout_s=30)
            await town.until(lambda: not hospital.status().waiting)

            assert bad.unreadable is not None
            assert bad.unreadable.code is Code.MALFORMED_SECTION
            assert good.payloads == (MEDICAL,)
            assert [entry.verb for entry in hospital.outbox()] == [Verb.UNREADABLE, Verb.RECEIVED]
            assert {entry.state for entry in hospital.outbox()} == {EntryState.ACCEPTED}

    async def test_large_deliveries_that_nobody_asks_for_are_not_kept_opened(self, town: Town) -> None:
        large = jcs({"body": {"a": [[]] * 40_000}, "schema": "strange/1.0"})
        async with town.bus(HOTLINE) as hotline, town.bus(HOSPITAL) as hospital:
            subject = await case_with_police(hotline)
            for _ in range(40):
                from_police(town, subject, large).submit()
            await hospital.caught_up()
            kept = hospital._engine.home.kept.size

            assert 0 < kept <= KEPT_BYTES
            assert len(list(hospital.deliveries())) == 40
            # What is not kept is opened again.
            assert [delivery.sections[0].code for delivery in hospital.deliveries()] == [Code.UNKNOWN_SCHEMA] * 40

    @pytest.mark.parametrize(
        "said",
        [b"", b"\xff", b"[" * 100_000, plaintext("note/1.0", {}), plaintext("x" * 9999, {})],
        ids=["nothing", "no text", "depth", "no form", "no name"],
    )
    async def test_whatever_a_section_says_the_inbox_goes_on_and_the_sender_is_told(
        self, town: Town, said: bytes
    ) -> None:
        async with town.bus(HOTLINE) as hotline, town.bus(HOSPITAL) as hospital:
            subject = await case_with_police(hotline)
            from_police(town, subject, said).submit()
            await hotline.send(hotline.offer(subject, {HOSPITAL: [MEDICAL]}))
            both = [await hospital.next(timeout_s=30) for _ in range(2)]
            await town.until(lambda: not hospital.status().waiting)

            assert [delivery.source for delivery in both] == [POLICE, HOTLINE]
            assert [entry.verb for entry in hospital.outbox()] == [Verb.UNREADABLE, Verb.RECEIVED]
            assert {entry.state for entry in hospital.outbox()} == {EntryState.ACCEPTED}
            assert hospital.alarms() == ()


@pytest.mark.asyncio
class TestInACase:
    async def test_one_party_does_not_use_up_whom_the_owner_can_still_ask(
        self, town: Town, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(room, "MAX_ADDRESSES", 4)
        async with town.bus(HOTLINE) as hotline:
            subject = await case_with_police(hotline)
            for agency in ("ward-a", "ward-z", "school-d"):
                from_police(town, subject, encode_section(NOTE), to=agency, verb=Verb.CASE_NOTED).submit()
            sent = await hotline.send(hotline.offer(subject, {HOSPITAL: [MEDICAL]}), wait=False)
            await town.settle()
            entry = hotline.entry(sent.id)

            assert Code.TOO_MANY in town.codes()
            assert entry is not None
            assert entry.state is EntryState.ACCEPTED

    async def test_receipts_that_one_party_provokes_leave_room_for_an_answer_to_another(
        self, town: Town, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(router, "MAX_CLAIMS", 8)
        async with town.bus(HOTLINE) as hotline, town.bus(HOSPITAL) as hospital:
            subject = await case_with_police(hotline)
            await hotline.send(hotline.offer(subject, {HOSPITAL: [MEDICAL]}))
            asked = await hospital.next(timeout_s=30)
            for _ in range(8):
                from_police(town, subject, encode_section(MEDICAL)).submit()
            await town.settle()
            sent = await asked.accept(ACCEPTANCE)
            await town.settle()
            entry = hospital.entry(sent.id)

            assert Code.TOO_MANY in {other.code for other in hospital.outbox()}
            assert entry is not None
            assert entry.state is EntryState.ACCEPTED

    async def test_a_receipt_cannot_be_given_for_another(self, town: Town) -> None:
        async with town.bus(HOTLINE) as hotline:
            subject = await case_with_police(hotline)
            sent = await hotline.send(hotline.notify(subject, {HOSPITAL: [NOTE]}))
            receipt = Event(
                town=town,
                source=POLICE,
                verb=Verb.RECEIVED,
                subject=subject,
                recipients=(HOTLINE,),
                handoff=sent.handoffs[0],
            ).envelope()
            view = hotline.handoff(sent.handoffs[0])
            assert view is not None
            submit(town, receipt.model_copy(update={"data": receipt.data.model_copy(update={"answers": view.head})}))
            await hotline.caught_up()

            assert town.codes()[-1] is Code.NOT_FOUND
            assert (view.state, view.receipt) == (State.NOTIFIED, Receipt.NONE)


def test_a_sender_that_cannot_be_told_anything_holds_up_no_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    town = Town(tmp_path, agencies=terminal.AGENCIES, keys=terminal.KEYS)
    typing = terminal.Terminal(folder=tmp_path, capsys=capsys, simulator=town.sim)
    typing.environ["REFERRAL_BUS_HOME"] = str(tmp_path / HOTLINE)
    _, out, _ = typing.type("send", "open", str(terminal.EXAMPLES / "case-opening.json"), "--json")
    # What was sealed to its key is in order; by the time the receipt is sealed the key has run out.
    town.sim.automatic = False
    Event(
        town=town,
        source=HOTLINE,
        verb=Verb.OFFERED,
        subject=json.loads(out)["subject"],
        recipients=("benh-vien",),
        plaintexts=(encode_section(MEDICAL),),
    ).submit()
    town.sim.automatic = True
    revoke_sealing_keys(town, HOTLINE)
    typing.environ["REFERRAL_BUS_HOME"] = str(tmp_path / "benh-vien")
    typing.type("inbox", "list")
    before_ms = town.sim.clock.now_ms()
    code, out, _ = typing.type("outbox", "list")

    assert code == 0
    assert "key-not-valid" in out
    assert town.sim.clock.now_ms() - before_ms < 1000
