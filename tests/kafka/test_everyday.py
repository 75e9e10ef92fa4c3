"""What happens to agencies every day, over a real broker: late paper, slips, many children, exercises, who is where."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kafka_node import KafkaNode, NotInstalled
from reaching import transport_of
from referral_bus import Corrects, Delivery, ReferralBus
from referral_contracts.codes import Code
from referral_contracts.payloads.actor import Actor, Channel, Happening, Role
from referral_contracts.payloads.handoff import Acceptance, Progress
from referral_contracts.payloads.link import Link, Relation
from referral_contracts.payloads.mau01 import Mau01
from referral_contracts.payloads.mistake import Corrected, Correction
from referral_contracts.verbs import Verb
from running import AGENCIES, RunningBus
from tests.contracts.payloads.forms import example
from tests.kafka import town as talk
from tests.kafka.ledger_check import ledger_holds, settled
from tests.kafka.town import COMMUNE, HOTLINE, OTHER_COMMUNE, OTHER_POLICE, TWO_MORE, now_ms
from tests.kafka.typed import Town, said
from tests.kafka.voices import Voices
from tests.sdk.test_links import ties, watched_with
from tests.sdk.town import heard

pytestmark = [pytest.mark.kafka, pytest.mark.asyncio]

LEGAL_AID = "tgpl-minh-hoa"
SCHOOL = "th-thi-du"
DESK = f"{OTHER_POLICE}/truc-ban"
WHO = Actor(role=Role.DUTY_OFFICER)
TWO = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
BY_PHONE = Happening(
    occurred_at=TWO, recorded_at=TWO + timedelta(hours=18), channel=Channel.PHONE, person="Chị Hoa, trực ban"
)


@pytest.fixture(scope="module")
def everyday(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningBus]:
    home = tmp_path_factory.mktemp("everyday")
    agencies = home / "agencies.toml"
    desk = TWO_MORE.replace('roles = ["police"]', 'roles = ["police"]\ndesks = ["truc-ban"]')
    agencies.write_text(AGENCIES.read_text("utf-8") + desk, "utf-8")
    try:
        with (
            KafkaNode.start() as node,
            RunningBus(home / "bus", say=lambda _text: None, bootstrap=node.bootstrap, agencies=agencies) as running,
        ):
            yield running
    except NotInstalled as error:
        pytest.exit(f"kafka: {error}", returncode=2)


@asynccontextmanager
async def system(bus: RunningBus, name: str) -> AsyncIterator[ReferralBus]:
    """Run an agency's own system."""
    folder = bus.founding.folder(name)
    store, trust = folder / "store.db", bus.founding.trust
    keys = bus.founding.keys(name)
    async with ReferralBus(
        name, keys, trust, store=store, transport=lambda: bus.founding.transport(bus.bootstrap, name)
    ) as agency:
        await agency.ready()
        yield agency


async def opened(bus: ReferralBus, *, exercise: bool = False) -> str:
    sent = await bus.send(bus.open_case(example("case-opening"), exercise=exercise))
    assert sent.accepted
    return sent.subject


async def heard_of(bus: ReferralBus, verb: Verb, case: str) -> Delivery:
    """Return the next delivery of *verb* in *case*: what was left lying in others comes again."""
    while True:
        delivery = await heard(bus, verb)
        if delivery.subject == case:
            return delivery


async def test_what_was_answered_by_telephone_at_two_is_on_the_bus_the_next_morning(everyday: RunningBus) -> None:
    answer = Acceptance(actor=WHO, contact="Chị Hoa", happened=BY_PHONE)
    async with system(everyday, COMMUNE) as commune, system(everyday, LEGAL_AID) as legal_aid:
        case = await opened(commune)
        assert (await commune.send(commune.offer(case, {LEGAL_AID: [example("legal-aid")]}))).accepted
        offer = await heard(legal_aid, Verb.OFFERED)
        assert (await legal_aid.wait(await offer.accept(answer))).accepted
        told = await heard(commune, Verb.ACCEPTED)
    (trigger,) = watched_with(everyday.founding.keys("deadline-watcher"), told.envelope).listed
    shown = said(Town(everyday.founding.home), COMMUNE, "open", told.id, "--json")
    (section,) = json.loads(shown)["sections"]

    assert told.payloads == (answer,)
    assert (trigger.trigger, trigger.whose) == ("legal-aid-answered", LEGAL_AID)
    assert (trigger.occurred_at, trigger.recorded_at, trigger.channel) == (TWO, BY_PHONE.recorded_at, Channel.PHONE)
    assert section["body"]["happened"]["occurred_at"] == "2026-11-21T07:00:00.000Z"
    assert section["body"]["happened"]["recorded_at"] == "2026-11-22T01:00:00.000Z"
    values = {field["path"]: field["value"] for field in section["fields"]}
    assert values["happened.channel"] == "Điện thoại / phone"


async def test_a_wrong_commune_a_wrong_name_and_a_wrong_receipt_time(everyday: RunningBus) -> None:
    wrong = example("mau01")
    changes: dict[Corrected, dict[str, object]] = {
        Corrected.COMMUNE: {"incident_place": {"province": "99", "commune": "99002"}},
        Corrected.NAME: {"child_name": "Trần Thị Ví Dự"},
        Corrected.RECEIPT_TIME: {"received_at": "2026-03-14T09:05:00+07:00"},
    }
    async with system(everyday, HOTLINE) as hotline, system(everyday, COMMUNE) as commune:
        case = await opened(hotline)
        sent = await hotline.send(hotline.assign(case, {COMMUNE: [wrong, example("commune")]}))
        (key,) = sent.handoffs
        await heard(commune, Verb.ASSIGNED)
        told = []
        for what, change in changes.items():
            right = Mau01.model_validate_json(json.dumps({**wrong.model_dump(mode="json"), **change}))
            why = Correction(actor=WHO, what=what, reason="Người báo tin gọi lại")
            assert (await hotline.send(hotline.correct(key, sent.id, why, right))).accepted
            told.append(await heard(commune, Verb.CORRECTED))

            assert told[-1].payloads[:2] == (why, right)
            assert told[-1].corrects is Corrects.HELD
        original = told[-1].original
        assert isinstance(original, Delivery)
        assert original.payload(Mau01) == wrong
        assert [one.id for one in original.corrections] == [one.id for one in told]


async def test_ten_children_of_one_incident_are_tied_by_one_event(everyday: RunningBus) -> None:
    async with system(everyday, HOTLINE) as hotline, system(everyday, COMMUNE) as commune:
        first, *others = [await opened(hotline) for _ in range(10)]
        link = Link(actor=WHO, relation=Relation.SAME_INCIDENT, others=tuple(others))
        assert (await hotline.send(hotline.link_case(first, link, to=[COMMUNE]))).accepted
        told = await heard(commune, Verb.CASE_LINKED)
        watched = watched_with(everyday.founding.keys("deadline-watcher"), told.envelope)

        assert [one.other for one in watched.links] == others
        assert [other for _, other, _, _ in ties(commune, first)] == others
        for other in others:
            assert ties(hotline, other) == [(first, other, Relation.SAME_INCIDENT, HOTLINE)]
            assert commune.case(other) is None


async def test_an_exercise_is_shown_refused_in_earnest_and_not_counted(everyday: RunningBus) -> None:
    trust, home = everyday.founding.trust, everyday.founding.home
    async with system(everyday, HOTLINE) as hotline, system(everyday, COMMUNE) as commune:
        case = await opened(hotline, exercise=True)
        assert (await hotline.send(hotline.assign(case, {COMMUNE: [example("commune")]}))).accepted
        duty = await heard(commune, Verb.ASSIGNED)
        assert duty.exercise
        assert (await commune.wait(await duty.accept(example("commune-accepted")))).accepted
        assert (await heard(hotline, Verb.ACCEPTED)).exercise
    voices = Voices(directory=(await settled(everyday.bootstrap)).directory(trust), founding=everyday.founding)
    earnest = voices.write(HOTLINE, Verb.CASE_NOTED, now_ms=now_ms(), case=case, to=[COMMUNE])
    transport = transport_of(everyday.bootstrap)
    try:
        await talk.Town(everyday, voices).submit(transport, earnest)
    finally:
        await transport.close()
    found = await ledger_holds(everyday.bootstrap, trust)
    _, page = everyday.routers[0].get("/metrics")

    assert [one.code for one in found.decisions if one.event == earnest.ref.sha256] == [Code.WRONG_EXERCISE]
    # Opened, assigned, received, accepted.
    assert 'referral_bus_exercises_total{outcome="accepted"} 4.0' in page.decode()
    assert 'referral_bus_records_total{outcome="wrong-exercise"} 1.0' in page.decode()
    for arguments in (("inbox", "list", "--all"), ("case", "show", case), ("handoff", "show", duty.id)):
        told = said(Town(home), COMMUNE, *arguments)
        lines = [line for line in told.splitlines() if case in line]
        assert lines
        assert all("DIỄN TẬP / EXERCISE" in line for line in lines)


async def test_a_desk_an_agency_through_another_its_duty_phone_and_what_is_open_before_it_closes(
    everyday: RunningBus, tmp_path: Path
) -> None:
    town = Town(everyday.founding.home)
    reach = {OTHER_COMMUNE: {"kind": "via", "agency": COMMUNE}, SCHOOL: {"kind": "off-bus"}, COMMUNE: {"kind": "bus"}}
    for name, delivery in reach.items():
        entry = json.loads(said(town, HOTLINE, "directory", "show", name, "--json"))
        duty = {"hours": "24/7", "phone": "0900 000 011"}
        (tmp_path / name).write_text(json.dumps({**entry, "delivery": delivery, "duty": duty}), "utf-8")
    said(town, "registrar", "directory", "publish", *(str(tmp_path / name) for name in reach))
    before = json.loads(said(town, COMMUNE, "agency", "open", "--json"))
    async with (
        system(everyday, HOTLINE) as hotline,
        system(everyday, COMMUNE) as commune,
        system(everyday, OTHER_POLICE) as police,
    ):
        case = await opened(hotline)
        sent = await hotline.send(hotline.assign(case, {OTHER_COMMUNE: [example("commune")]}))
        relayed = await heard_of(commune, Verb.ASSIGNED, case)
        assert (sent.entries[0].recipients, relayed.for_agency) == ((COMMUNE,), OTHER_COMMUNE)
        assert (await commune.wait(await relayed.accept(Acceptance(actor=WHO, happened=BY_PHONE)))).accepted
        (claim,) = (await heard_of(hotline, Verb.ACCEPTED, case)).claims
        assert (claim.agency, claim.by, claim.channel, claim.person) == (
            OTHER_COMMUNE,
            COMMUNE,
            Channel.PHONE,
            BY_PHONE.person,
        )
        assert (await commune.send(commune.offer(case, {DESK: [example("police")]}))).accepted
        by_the_school = Progress(actor=Actor(role=Role.DUTY_OFFICER, acting_for=SCHOOL), happened=BY_PHONE)
        assert (await commune.wait(await relayed.progress(by_the_school))).accepted
        told = await heard_of(hotline, Verb.PROGRESSED, case)
        assert SCHOOL in {one.agency for one in told.claims}
        asked = await heard_of(police, Verb.OFFERED, case)
        assert (asked.recipient, asked.payloads) == (DESK, (example("police"),))
        assert (await police.wait(await asked.accept(example("police-accepted")))).accepted
        await heard_of(commune, Verb.ACCEPTED, case)
        mine = await opened(commune)
    after = json.loads(said(town, COMMUNE, "agency", "open", "--json"))

    assert re.search(rf"on duty: {COMMUNE} +0900 000 011  24/7", said(town, HOTLINE, "handoff", "show", sent.id))

    def new(side: str, name: str) -> list[str]:
        return [one[name] for one in after[side] if one not in before[side]]

    assert new("owned", "subject") == [mine]
    assert new("received", "opening") == [sent.id]
    assert new("sent", "recipient") == [DESK]
