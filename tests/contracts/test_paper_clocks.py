from datetime import UTC, datetime

import pytest

from referral_contracts.clocks import TELLING_VERBS, derive_clock
from referral_contracts.paper_clocks import TELLING_PAPERS
from referral_contracts.payloads.clock import ClockSection
from referral_contracts.payloads.registry import USES
from referral_contracts.payloads.serious_case import ReportStage
from referral_contracts.payloads.shown import personal_strings
from referral_contracts.sections import encode_section
from referral_contracts.verbs import Verb
from tests.contracts.payloads.forms import example


def told(name: str, verb: Verb = Verb.CASE_NOTED) -> ClockSection:
    return derive_clock(verb, example(name), sender="xa-thi-du")


def names(clock: ClockSection) -> list[str]:
    return [trigger.trigger for trigger in clock.listed]


@pytest.mark.parametrize(
    ("name", "trigger"),
    [
        ("mau02", "initial-risk-assessed"),
        ("mau03", "detailed-risk-assessed"),
        ("mau04", "plan-drafted"),
        ("mau05", "plan-approved"),
        ("mau06", "plan-reviewed"),
        ("mau07", "separation-in-force"),
        ("forensic-request", "forensic-order-issued"),
        ("forensic-conclusion", "forensic-conclusion-given"),
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
    (only,) = told(name).listed

    assert (only.trigger, only.occurred_at, only.commune) == (trigger, None, commune)


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
    late = example("forensic-conclusion").model_copy(update={"conclusion": None, "late_reason": "Chờ kết quả ADN."})
    empty = late.model_copy(update={"late_reason": None})

    assert names(derive_clock(Verb.PROGRESSED, late, sender="a")) == ["forensic-delay-notified"]
    assert derive_clock(Verb.PROGRESSED, empty, sender="a").triggers == "none"


def test_legal_aid_counts_from_its_register_and_an_incomplete_file_is_not_in_it() -> None:
    taken = told("legal-aid-acceptance", Verb.ACCEPTED)
    lacking = example("legal-aid-acceptance").model_copy(update={"registered_at": None})

    assert [(only.trigger, only.occurred_at) for only in taken.listed] == [
        ("legal-aid-registered", datetime(2026, 11, 21, 2, 40, tzinfo=UTC))
    ]
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


def test_whatever_files_a_paper_tells_the_watcher() -> None:
    filing = {verb for verb, models in USES.items() if TELLING_PAPERS & set(models)}

    assert filing - TELLING_VERBS == {Verb.CASE_TRANSFER_OFFERED}
