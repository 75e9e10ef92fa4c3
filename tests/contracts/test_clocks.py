from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from referral_contracts.clocks import TELLING_VERBS, TRIGGERS, derive_clock, join_clocks
from referral_contracts.payloads.actor import Channel, Happening, Role
from referral_contracts.payloads.case import CaseClosing, CaseOpening, ClosingReason
from referral_contracts.payloads.clock import AboutClock, ClockSection, Said, Trigger
from referral_contracts.payloads.clock_answer import (
    ClockConfirmation,
    ClockDispute,
    ClockExtension,
    ConfirmationBasis,
    DisputeReason,
)
from referral_contracts.payloads.handoff import Acceptance, Decline, DeclineReason, Outcome, Progress, Receipt, Result
from referral_contracts.payloads.link import Link, LinkedCase, Relation, Unlinking, UnlinkingReason
from referral_contracts.payloads.mau01 import IntakeChannel, Mau01
from referral_contracts.payloads.measure import Measure, MeasureKind
from referral_contracts.payloads.place import Place
from referral_contracts.payloads.request import HandoffRequest, Service
from referral_contracts.payloads.shown import personal_strings
from referral_contracts.sections import encode_section, read_section
from referral_contracts.verbs import Verb
from tests.contracts.payloads.forms import ACTOR, DRAFTS, example

T20 = datetime(2026, 11, 20, 13, 10, tzinfo=UTC)
T21 = datetime(2026, 11, 20, 14, 10, tzinfo=UTC)
PLACE = Place(address="Nhà số 7", province="99", commune="99001")
FORM = Mau01(
    actor=ACTOR,
    happened=Happening(occurred_at=datetime(2026, 11, 19, tzinfo=UTC), recorded_at=T21, channel=Channel.MESSAGE),
    channel=IntakeChannel.PHONE,
    received_at=T20,
    incident_place=PLACE,
)


def request(service: Service) -> HandoffRequest:
    return HandoffRequest(actor=ACTOR, service=service, service_other="khác", place=PLACE)


def names(clock: ClockSection) -> list[str]:
    return [trigger.trigger for trigger in clock.listed]


def test_the_12_hours_start_when_the_information_came_in_and_not_when_the_incident_was() -> None:
    clock = derive_clock(Verb.CASE_OPENED, FORM, sender="hotline-111")

    assert clock.triggers == (
        Trigger(
            trigger="information-received",
            occurred_at=T20,
            recorded_at=T21,
            channel=Channel.PHONE,
            province="99",
            commune="99001",
            whose=None,
        ),
        Trigger(trigger="intake-recorded", occurred_at=T21, province="99", commune="99001", whose="hotline-111"),
    )


def test_a_case_that_is_opened_without_the_form_starts_the_12_hours_too() -> None:
    opening = CaseOpening(actor=ACTOR, happened=Happening(occurred_at=T20, recorded_at=T21), place=PLACE)
    bare = opening.model_copy(update={"happened": None, "place": None})

    told = derive_clock(Verb.CASE_OPENED, opening, sender="bv").listed

    assert told == (Trigger(trigger="information-received", occurred_at=T21, province="99", commune="99001"),)
    assert derive_clock(Verb.CASE_OPENED, bare, sender="bv").listed == (Trigger(trigger="information-received"),)


def test_the_first_receipt_is_told_once_at_its_earliest_and_with_its_place() -> None:
    opening = CaseOpening(actor=ACTOR, happened=Happening(recorded_at=T21), place=PLACE)
    undated = opening.model_copy(update={"happened": None})
    form = FORM.model_copy(update={"incident_place": None, "happened": None})

    for payloads in ((opening, form), (form, opening), (undated, form), (form, undated)):
        clock = join_clocks(derive_clock(Verb.CASE_OPENED, payload, sender="bv") for payload in payloads)
        (first,) = (one for one in clock.listed if one.trigger == "information-received")
        assert (first.occurred_at, first.province, first.commune) == (T20, "99", "99001")


def test_what_one_section_tells_with_its_place_another_does_not_tell_without() -> None:
    order, asked = example("forensic-request"), request(Service.FORENSIC_EXAMINATION)
    answered = [derive_clock(Verb.RECEIVED, Receipt(actor=ACTOR), sender="a", answering=one) for one in (order, asked)]

    assert sorted((one.trigger, one.commune) for one in join_clocks(answered).listed if one.commune) == [
        ("forensic-order-received", "99001")
    ]
    assert names(join_clocks(answered)).count("forensic-order-received") == 1


def test_what_is_forwarded_is_told_as_passed_on_now_and_not_when_it_was_asked() -> None:
    asked_at = Happening(occurred_at=T20)
    for service, trigger in ((Service.COMMUNE_CASE, "information-forwarded"), (Service.CRIME_REPORT, "crime-reported")):
        again = request(service).model_copy(update={"happened": asked_at})
        (told,) = derive_clock(Verb.FORWARDED, again, sender="cong-an-xa").listed
        assert (told.trigger, told.occurred_at, told.whose) == (trigger, None, "cong-an-xa")


@pytest.mark.parametrize(
    ("name", "sent", "received"),
    [
        ("legal-aid-request", "legal-aid-notified", "legal-aid-requested"),
        ("prosecution-request", "crime-reported", "report-received"),
        ("forensic-request", "forensic-order-sent", "forensic-order-received"),
    ],
)
def test_a_paper_that_asks_needs_no_request_beside_it(name: str, sent: str, received: str) -> None:
    paper = example(name)

    assert sent in names(derive_clock(Verb.OFFERED, paper, sender="a"))
    assert received in names(derive_clock(Verb.RECEIVED, Receipt(actor=ACTOR), sender="b", answering=paper))


@pytest.mark.parametrize("kind", MeasureKind)
def test_each_measure_is_told_but_those_without_a_name(kind: MeasureKind) -> None:
    measure = Measure(kind=kind, kind_other="việc khác", done_at=T20)
    clock = derive_clock(Verb.CASE_NOTED, Progress(actor=ACTOR, measures=(measure,)), sender="a")

    unnamed = kind in {MeasureKind.OTHER, MeasureKind.UNKNOWN}
    assert [(one.occurred_at, one.whose) for one in clock.listed] == ([] if unnamed else [(T20, "a")])


@pytest.mark.parametrize("verb", [Verb.OFFERED, Verb.ASSIGNED, Verb.NOTIFIED])
def test_a_forwarded_form_starts_no_clock_anew(verb: Verb) -> None:
    (trigger,) = derive_clock(verb, FORM, sender="hotline-111").listed

    assert (trigger.trigger, trigger.whose, trigger.occurred_at) == ("information-forwarded", "hotline-111", None)


def test_a_commune_that_was_told_by_telephone_first_is_told_as_it_happened() -> None:
    by_phone = request(Service.COMMUNE_CASE).model_copy(
        update={"happened": Happening(occurred_at=T20, recorded_at=T21)}
    )

    (trigger,) = derive_clock(Verb.ASSIGNED, by_phone, sender="hotline-111").listed

    assert (trigger.trigger, trigger.occurred_at, trigger.recorded_at) == ("information-forwarded", T20, T21)


@pytest.mark.parametrize(
    ("service", "trigger"),
    [
        (Service.COMMUNE_CASE, "commune-informed"),
        (Service.CRIME_REPORT, "report-received"),
        (Service.FORENSIC_EXAMINATION, "forensic-order-received"),
        (Service.INFORMATION, "information-requested"),
        (Service.EVIDENCE, "evidence-requested"),
        (Service.CONTACT_BAN, "contact-ban-requested"),
        (Service.LEGAL_AID, "legal-aid-requested"),
    ],
)
def test_a_receipt_starts_the_clock_of_whoever_received(service: Service, trigger: str) -> None:
    clock = derive_clock(Verb.RECEIVED, Receipt(actor=ACTOR), sender="receiver", answering=request(service))

    assert clock.listed == (Trigger(trigger=trigger, province="99", commune="99001", whose="receiver"),)


def test_the_receipt_of_a_form_alone_is_told_with_its_place() -> None:
    clock = derive_clock(Verb.RECEIVED, Receipt(actor=ACTOR), sender="xa-thi-du", answering=FORM)

    assert clock.listed == (Trigger(trigger="form-received", province="99", commune="99001", whose="xa-thi-du"),)


def test_legal_aid_answers_by_yes_and_by_no_and_counts_from_its_register() -> None:
    asked = request(Service.LEGAL_AID)
    yes = Acceptance(actor=ACTOR, registered_at=T20)
    no = Decline(actor=ACTOR, reason=DeclineReason.NO_CAPACITY)

    assert names(derive_clock(Verb.ACCEPTED, yes, sender="a", answering=asked)) == [
        "legal-aid-answered",
        "legal-aid-registered",
    ]
    assert names(derive_clock(Verb.DECLINED, no, sender="a", answering=asked)) == ["legal-aid-answered"]
    assert names(derive_clock(Verb.ACCEPTED, yes, sender="a", answering=request(Service.MEDICAL_CARE))) == []


def test_what_was_done_is_told_with_the_time_of_doing() -> None:
    clock = derive_clock(
        Verb.PROGRESSED, example("commune-progressed"), sender="xa-thi-du", answering=example("commune")
    )

    assert [(trigger.trigger, trigger.commune, trigger.whose) for trigger in clock.listed] == [
        ("initial-risk-assessed", "99001", "xa-thi-du"),
        ("emergency-measures-applied", "99001", "xa-thi-du"),
    ]
    assert clock.listed[0].occurred_at == datetime(2026, 11, 20, 14, 30, tzinfo=UTC)


def test_an_answer_that_the_law_does_not_wait_for_says_none() -> None:
    clock = derive_clock(
        Verb.COMPLETED,
        Outcome(actor=ACTOR, result=Result.ACHIEVED),
        sender="a",
        answering=request(Service.SCHOOL_SUPPORT),
    )

    assert clock.triggers == "none"
    assert b'"triggers":"none"' in encode_section(clock)


def test_an_empty_list_of_triggers_is_not_a_statement() -> None:
    with pytest.raises(ValidationError):
        ClockSection(actor=ACTOR, triggers=())


def test_the_clocks_of_an_events_sections_become_one_and_each_happening_is_told_once() -> None:
    form = derive_clock(Verb.ASSIGNED, FORM.model_copy(update={"happened": None}), sender="hotline-111")
    asked = derive_clock(Verb.ASSIGNED, request(Service.COMMUNE_CASE), sender="hotline-111")
    other = derive_clock(Verb.ASSIGNED, request(Service.MEDICAL_CARE), sender="hotline-111")

    assert join_clocks([form, asked, other]).listed == form.listed
    assert join_clocks([other, other]).triggers == "none"
    assert join_clocks([]).triggers == "none"


@pytest.mark.parametrize("verb", sorted(set(Verb) - TELLING_VERBS))
def test_the_other_verbs_tell_the_watcher_nothing(verb: Verb) -> None:
    closing = CaseClosing(actor=ACTOR, reason=ClosingReason.UNFOUNDED)

    for answering in (None, FORM, request(Service.LEGAL_AID)):
        assert derive_clock(verb, closing, sender="a", answering=answering).triggers == "none"


@pytest.mark.parametrize("path", DRAFTS, ids=lambda path: path.stem)
def test_the_watcher_is_told_nothing_personal(path: Path) -> None:
    payload = example(path.stem)

    for verb in Verb:
        clock = derive_clock(verb, payload, sender="a", answering=example("legal-aid"))

        assert {trigger.trigger for trigger in clock.listed} <= TRIGGERS
        assert clock.actor.role is Role.SYSTEM
        assert personal_strings(clock) == ()
        assert read_section(encode_section(clock)).payload == clock


def test_which_cases_belong_together_is_told_once_each_and_in_no_words() -> None:
    two = ("1" * 32, "2" * 32)
    link = Link(actor=ACTOR, relation=Relation.OTHER, relation_other="anh em họ", others=two, explanation="nghe nói")
    end = Unlinking(actor=ACTOR, reason=UnlinkingReason.WRONG_CASE, others=two[:1])
    clock = join_clocks(derive_clock(Verb.CASE_LINKED, link, sender="a") for _ in range(2))

    assert [(told.other, told.relation) for told in clock.links] == [(one, Relation.OTHER) for one in two]
    assert clock.triggers == "none"
    assert "anh em" not in clock.model_dump_json()
    assert derive_clock(Verb.CASE_UNLINKED, end, sender="a").links == (LinkedCase(other=two[0]),)


def test_what_is_said_of_a_clock_is_told_without_its_words() -> None:
    clock = "1c5f" * 8
    dispute = ClockDispute(actor=ACTOR, clock=clock, reason=DisputeReason.OTHER, reason_other="khác", text="Đã làm")
    extension = ClockExtension(actor=ACTOR, clock=clock, until=T21, authority="UBND tỉnh", document="7/QĐ")
    confirmation = ClockConfirmation(actor=ACTOR, clock=clock, basis=ConfirmationBasis.PAPERS_SEEN)
    told = {
        Verb.CLOCK_DISPUTED: (dispute, AboutClock(clock=clock, said=Said.DISPUTED)),
        Verb.CLOCK_EXTENDED: (
            extension,
            AboutClock(clock=clock, said=Said.EXTENDED, until=T21, authority="UBND tỉnh", document="7/QĐ"),
        ),
        Verb.CLOCK_CONFIRMED: (confirmation, AboutClock(clock=clock, said=Said.CONFIRMED)),
    }
    for verb, (payload, about) in told.items():
        derived = join_clocks([derive_clock(verb, payload, sender="ward-a"), derive_clock(verb, FORM, sender="ward-a")])

        assert derived.about_clock == about
        assert read_section(encode_section(derived)).payload == derived
        assert personal_strings(derived) == ()


def test_what_is_not_about_a_clock_says_nothing_of_one() -> None:
    assert derive_clock(Verb.CASE_OPENED, FORM, sender="hotline-111").about_clock is None
