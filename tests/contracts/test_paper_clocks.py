from datetime import UTC, date, datetime
from operator import attrgetter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from referral_contracts.clocks import TELLING_VERBS, derive_clock
from referral_contracts.encoding import jcs
from referral_contracts.paper_clocks import EXAMINATIONS, PAPER_TRIGGERS, TELLING_PAPERS, happenings, order_received
from referral_contracts.payloads.base import Answer
from referral_contracts.payloads.clock import ClockSection
from referral_contracts.payloads.forensic import ExaminationKind
from referral_contracts.payloads.handoff import Receipt
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.registry import USES
from referral_contracts.payloads.school import SchoolReport
from referral_contracts.payloads.serious_case import ReportStage
from referral_contracts.payloads.shown import personal_strings
from referral_contracts.sections import encode_section, read_draft
from referral_contracts.verbs import Verb
from tests.contracts.payloads.forms import ACTOR, example
from tests.contracts.payloads.strategies import bodies

T23 = datetime(2026, 11, 20, 16, 10, tzinfo=UTC)


def told(name: str, verb: Verb = Verb.CASE_NOTED) -> ClockSection:
    return derive_clock(verb, example(name), sender="xa-thi-du")


def names(clock: ClockSection) -> list[str]:
    return [trigger.trigger for trigger in clock.listed]


@pytest.mark.parametrize(
    ("name", "trigger"),
    [
        ("mau03", "detailed-risk-assessed"),
        ("mau04", "plan-drafted"),
        ("mau05", "plan-approved"),
        ("mau06", "plan-reviewed"),
    ],
)
def test_a_paper_that_is_filed_tells_what_was_done_and_when(name: str, trigger: str) -> None:
    happened = example(name).happened
    assert happened is not None

    for verb in (Verb.CASE_NOTED, Verb.NOTIFIED, Verb.PROGRESSED):
        (only,) = told(name, verb).listed
        assert (only.trigger, only.occurred_at, only.whose) == (trigger, happened.occurred_at, "xa-thi-du")
        assert verb in TELLING_VERBS


@pytest.mark.parametrize(
    ("name", "trigger", "commune"),
    [("school-report", "school-reported", None), ("prosecution-request", "prosecution-requested", "99001")],
)
def test_a_report_is_made_by_the_event_that_brings_it(name: str, trigger: str, commune: str | None) -> None:
    (only,) = (one for one in told(name).listed if one.trigger == trigger)

    assert (only.occurred_at, only.commune, only.whose) == (None, commune, "xa-thi-du")


def test_a_school_report_tells_when_the_school_learned_of_it() -> None:
    report = example("school-report")
    assert isinstance(report, SchoolReport)

    assert [(one.trigger, one.occurred_at, one.whose) for one in told("school-report").listed] == [
        ("information-received", report.noticed_at, None),
        ("school-reported", None, "xa-thi-du"),
        ("abuse-noticed", report.noticed_at, "xa-thi-du"),
    ]
    undated = report.model_copy(update={"noticed_at": None, "happened": None})
    assert names(derive_clock(Verb.CASE_OPENED, undated, sender="a"))[0] == "information-received"
    assert "information-received" not in names(derive_clock(Verb.PROGRESSED, report, sender="a"))
    assert names(derive_clock(Verb.NOTIFIED, undated, sender="a")) == ["school-reported"]


@pytest.mark.parametrize(
    ("emergency", "also"),
    [
        (Answer.YES, ["emergency-found"]),
        (Answer.NO, ["emergency-ruled-out"]),
        (Answer.UNKNOWN, []),
        (None, []),
    ],
)
def test_an_initial_assessment_says_whether_the_12_hours_matter(emergency: Answer | None, also: list[str]) -> None:
    form = example("mau02").model_copy(update={"emergency": emergency})

    assert names(derive_clock(Verb.CASE_NOTED, form, sender="a")) == ["initial-risk-assessed", *also]


def test_a_separation_is_decided_at_one_time_and_in_force_from_another() -> None:
    form = example("mau07").model_copy(update={"starts_at": T23})
    assert form.happened is not None
    decided_at = form.happened.occurred_at

    clock = derive_clock(Verb.CASE_NOTED, form, sender="a")
    at_once = derive_clock(Verb.CASE_NOTED, form.model_copy(update={"starts_at": None}), sender="a")

    assert [(one.trigger, one.occurred_at) for one in clock.listed] == [
        ("separation-decided", decided_at),
        ("separation-in-force", T23),
    ]
    assert [one.occurred_at for one in at_once.listed] == [decided_at, decided_at]


def test_that_the_procuracy_was_told_is_told_by_the_request_to_prosecute() -> None:
    request = example("prosecution-request").model_copy(
        update={"procuracy_told": Answer.YES, "procuracy_told_at": None}
    )
    untold = request.model_copy(update={"procuracy_told": Answer.NO})

    assert names(derive_clock(Verb.CASE_NOTED, request, sender="a")) == ["prosecution-requested", "procuracy-notified"]
    assert names(derive_clock(Verb.CASE_NOTED, untold, sender="a")) == ["prosecution-requested"]


@pytest.mark.parametrize("kind", ExaminationKind)
def test_the_kind_of_an_examination_is_told_as_far_as_its_limit_needs_it(kind: ExaminationKind) -> None:
    order = example("forensic-request").model_copy(update={"kind": kind})
    conclusion = example("forensic-conclusion").model_copy(update={"kind": kind, "consultation": None})
    group = EXAMINATIONS.get(kind)

    received = names(derive_clock(Verb.RECEIVED, Receipt(actor=ACTOR), sender="a", answering=order))
    concluded = names(derive_clock(Verb.COMPLETED, conclusion, sender="a"))

    if group is None:
        assert kind in {ExaminationKind.OTHER, ExaminationKind.UNKNOWN}
    assert received == ["forensic-order-received", *([f"{group}-order-received"] if group else [])]
    assert concluded == ["forensic-conclusion-given", *([f"{group}-examination-concluded"] if group else [])]


def test_a_consultation_is_told_for_it_gives_more_time() -> None:
    late = example("forensic-conclusion").model_copy(
        update={"conclusion": None, "late_reason": "Chờ hội chẩn.", "consultation": Answer.YES}
    )

    assert names(derive_clock(Verb.PROGRESSED, late, sender="a")) == ["forensic-delay-notified", "consultation-held"]


@pytest.mark.parametrize(
    ("name", "detected", "reported"),
    [
        ("serious-case-report", "serious-case-detected", "serious-case-reported"),
        ("breach-notice", "breach-detected", "breach-notified"),
    ],
)
def test_a_notice_tells_from_when_its_own_time_runs(name: str, detected: str, reported: str) -> None:
    first, second = told(name).listed

    assert (first.trigger, second.trigger) == (detected, reported)
    assert first.occurred_at is not None
    assert second.occurred_at is None
    undated = example(name).model_copy(update={"detected_at": None})
    assert names(derive_clock(Verb.CASE_NOTED, undated, sender="a")) == [reported]


def test_the_written_result_is_another_report_than_the_first_word() -> None:
    result = example("serious-case-report").model_copy(update={"stage": ReportStage.RESULT})

    assert names(derive_clock(Verb.CASE_NOTED, result, sender="a"))[-1] == "serious-case-result-reported"


def test_a_delay_that_is_notified_is_no_conclusion() -> None:
    late = example("forensic-conclusion").model_copy(
        update={"conclusion": None, "late_reason": "Chờ kết quả ADN.", "consultation": None}
    )
    empty = late.model_copy(update={"late_reason": None})

    assert names(derive_clock(Verb.PROGRESSED, late, sender="a")) == ["forensic-delay-notified"]
    assert derive_clock(Verb.PROGRESSED, empty, sender="a").triggers == "none"


def test_legal_aid_counts_from_its_register_and_an_incomplete_file_is_not_in_it() -> None:
    taken = told("legal-aid-acceptance", Verb.ACCEPTED)
    lacking = example("legal-aid-acceptance").model_copy(update={"registered_at": None})

    assert [(only.trigger, only.occurred_at) for only in taken.listed] == [
        ("legal-aid-registered", datetime(2026, 11, 21, 2, 40, tzinfo=UTC)),
        ("provider-appointed", datetime(2026, 11, 22, 17, 0, tzinfo=UTC)),
    ]
    same_day = example("legal-aid-acceptance").model_copy(update={"appointed_on": date(2026, 11, 21)})
    registered, appointed = derive_clock(Verb.ACCEPTED, same_day, sender="a").listed
    assert registered.occurred_at == appointed.occurred_at
    assert derive_clock(Verb.ACCEPTED, lacking, sender="a").triggers == "none"


@pytest.mark.parametrize("name", sorted(paper.schema_name for paper in TELLING_PAPERS))
def test_a_paper_passed_on_with_the_case_says_nothing_new(name: str) -> None:
    clock = derive_clock(Verb.CASE_TRANSFER_OFFERED, example(name), sender="a")

    assert clock.triggers == "none"


def test_the_watcher_is_told_nothing_of_the_child() -> None:
    for name in (paper.schema_name for paper in TELLING_PAPERS):
        payload = example(name)
        wire = encode_section(derive_clock(Verb.NOTIFIED, payload, sender="a")).decode()
        assert [text for text in personal_strings(payload) if text in wire] == []


@pytest.mark.parametrize("model", sorted(TELLING_PAPERS, key=attrgetter("schema_name")), ids=attrgetter("schema_name"))
@given(data=st.data())
@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
def test_a_paper_tells_known_triggers_and_nothing_else(model: type[Payload], data: st.DataObject) -> None:
    paper = read_draft(jcs({"schema": model.schema_id(), "body": data.draw(bodies(model))}))

    told_by = {name for name, _ in happenings(paper)} | set(order_received(paper))

    assert told_by <= PAPER_TRIGGERS


def test_whatever_files_a_paper_tells_the_watcher() -> None:
    filing = {verb for verb, models in USES.items() if TELLING_PAPERS & set(models)}

    assert filing - TELLING_VERBS == {Verb.CASE_TRANSFER_OFFERED}
