import unicodedata
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from referral_contracts.payloads.actor import Actor, Channel, Happening, Role
from referral_contracts.payloads.base import OTHER, Answer, Choice, FieldGroup, label_of
from referral_contracts.payloads.basis import Confidence
from referral_contracts.payloads.clock import Said, Trigger
from referral_contracts.payloads.deadline import Delivered, Found, Ground, Standing
from referral_contracts.payloads.link import LinkedCase
from referral_contracts.payloads.mau01 import Mau01
from referral_contracts.payloads.moving import Side
from referral_contracts.payloads.paper import Level
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.place import Child, Place, Sex
from referral_contracts.payloads.registry import MODELS
from referral_contracts.payloads.request import Safety
from referral_contracts.payloads.shown import describe
from referral_contracts.payloads.stats import AgeBand, Form, Timeliness
from tests.contracts.payloads.forms import ACTOR

VN = timezone(timedelta(hours=7))
CERTAIN = {Side, Said, Standing, Delivered, Found, Ground, Confidence}
"""Choices that a program makes, which knows: the sides of a hand-off, what is said of a clock, how it stands."""
CLOSED = {Sex, Answer, Level, Form, AgeBand, Timeliness, *CERTAIN}
"""Choices that are complete: the forms' three answers, yes or no, what is counted by, what a program knows."""
IMPERSONAL_TEXT = {
    "AboutClock.authority",
    "AboutClock.document",
    "ClockExtension.authority",
    "ClockExtension.document",
    "DeadlineNotice.calendar",
    "RuleNamed.en",
    "RuleNamed.pack",
    "RuleNamed.quote",
    "RuleNamed.source",
    "RuleNamed.version",
    "RuleNamed.vi",
    "BreachNotice.controller",
    "ForensicConclusion.conclusion_number",
    "ForensicConclusion.order_number",
    "ForensicConclusion.organisation",
    "ForensicRequest.legal_basis",
    "ForensicRequest.order_number",
    "ForensicRequest.ordering_body",
    "LegalAidAcceptance.register_number",
    "LegalAidRequest.legal_basis",
    "ProsecutionRequest.legal_basis",
    "ProsecutionRequest.request_number",
    "ProsecutionRequest.requesting_body",
    "SchoolReport.school",
    "SeriousCaseReport.report_number",
    "SeriousCaseReport.reporting_body",
    "Acceptance.register_number",
    "Decline.suggested",
    "Forwarding.legal_basis",
    "CaseOpening.legal_basis",
    "Document.number",
    "Enclosure.number",
    "Mau05.legal_bases",
    "Mau05.plan",
    "Mau07.legal_bases",
    "TransferOffer.legal_basis",
    "HandoffRequest.legal_basis",
    "Happening.paper_number",
    "Mau01.place",
    "Mau01.receiving_agency",
    "Mau01.report_number",
}
"""What may hold free text and is about an office, a paper or a law, not about a person."""


def types_in(annotation: object) -> Iterator[object]:
    yield annotation
    for part in get_args(annotation):
        yield from types_in(part)


def groups(model: type[FieldGroup]) -> Iterator[type[FieldGroup]]:
    yield model
    for field in model.model_fields.values():
        for part in types_in(field.annotation):
            if isinstance(part, type) and issubclass(part, FieldGroup):
                yield from groups(part)


GROUPS = sorted({group for model in MODELS.values() for group in groups(model)}, key=lambda group: group.__name__)
FIELDS = [
    pytest.param(group, name, field, id=f"{group.__name__}.{name}")
    for group in GROUPS
    for name, field in group.model_fields.items()
]
CHOICES = sorted(
    {
        part
        for group in GROUPS
        for field in group.model_fields.values()
        for part in types_in(field.annotation)
        if isinstance(part, type) and issubclass(part, Choice)
    },
    key=lambda choice: choice.__name__,
)


@pytest.mark.parametrize(("group", "name", "field"), FIELDS)
def test_a_field_tells_a_person_in_two_languages_what_it_is(
    group: type[FieldGroup], name: str, field: FieldInfo
) -> None:
    mark = label_of(field)

    for text in (mark.vi, mark.en, mark.help_vi, mark.help_en):
        assert text.strip() == text != ""
        # One spelling of each Vietnamese letter, or a search for a label would miss it.
        assert unicodedata.is_normalized("NFC", text)
    assert mark.en.isascii()
    assert not (mark.vi + mark.help_vi).isascii()


@pytest.mark.parametrize("choice", CHOICES)
def test_a_choice_names_its_answers_in_two_languages(choice: type[Choice]) -> None:
    assert choice in CERTAIN or "unknown" in set(choice)
    assert all(member.vi and member.en for member in choice)
    assert len({member.vi for member in choice}) == len({member.en for member in choice}) == len(choice)


@pytest.mark.parametrize(("group", "name", "field"), FIELDS)
def test_a_choice_has_an_other_with_words_beside_it(group: type[FieldGroup], name: str, field: FieldInfo) -> None:
    for choice in types_in(field.annotation):
        if isinstance(choice, type) and issubclass(choice, Choice) and choice not in CLOSED:
            assert OTHER in set(choice)
            # The watcher is told no free text: what the other channel was stays in the form.
            assert f"{name}_other" in group.model_fields or group in {Trigger, LinkedCase}


@pytest.mark.parametrize(("group", "name", "field"), FIELDS)
def test_free_text_counts_as_personal_unless_it_is_about_an_office(
    group: type[FieldGroup], name: str, field: FieldInfo
) -> None:
    constrained = any(getattr(mark, "pattern", None) for mark in field.metadata) or "pattern" in repr(field.annotation)
    is_text = str in set(types_in(field.annotation)) and not constrained

    assert label_of(field).personal == (f"{group.__name__}.{name}" not in IMPERSONAL_TEXT) or not is_text


def test_an_other_without_words_is_refused() -> None:
    with pytest.raises(ValidationError, match="role_other"):
        Actor(role=Role.OTHER)
    with pytest.raises(ValidationError, match="channel_other"):
        Happening(channel=Channel.OTHER, channel_other="  ")

    assert Actor(role=Role.OTHER, role_other="Trưởng thôn").role is Role.OTHER


def test_a_form_with_nothing_but_its_actor_is_a_form() -> None:
    assert Mau01(actor=ACTOR).child_name is None


@pytest.mark.parametrize(
    "strange",
    [
        {"father_age": "34"},
        {"father_age": 34.0},
        {"father_age": -1},
        {"sex": "girl?"},
        {"child_nmae": "Ví Dụ"},
        {"received_at": "2026-11-20T20:10:00"},
        {"received_at": 1763644200},
        {"received_at": "1763644200"},
        {"received_at": "2026-11-31T20:10:00Z"},
        {"received_at": "0001-01-01T00:00:00+14:00"},
        {"birth_date": "20160314"},
        {"birth_date": "2016-02-30"},
        {"birth_date": "1816-03-14"},
        {"incident_place": {"commune": "1"}},
        {"child_name": "Ví Dụ" * 100},
    ],
)
def test_a_form_is_strict_and_never_repeats_what_was_typed_in(strange: dict[str, object]) -> None:
    with pytest.raises(ValidationError) as refused:
        Mau01.model_validate({"actor": ACTOR, **strange})

    typed_in = [str(value) for value in strange.values() if not isinstance(value, int | float)]
    assert [text for text in typed_in if text in str(refused.value)] == []


def test_a_birth_date_and_another_age_are_both_shown_and_hold_nothing_up() -> None:
    form = Mau01(actor=ACTOR, birth_date=date(2016, 3, 14), estimated_age=9)

    assert {"birth_date", "estimated_age"} <= {row.path for row in describe(form)}
    assert Child(birth_date=date(2016, 3, 14), estimated_age=9).estimated_age == 9


def test_a_repr_holds_nothing_of_the_form() -> None:
    form = Mau01(actor=ACTOR, child_name="Trần Thị Ví Dụ", incident_place=Place(address="Thí Dụ"))

    assert repr(form) == str(form) == f"{form}" == "Mau01(…)"


def test_a_form_does_not_change() -> None:
    form = Mau01(actor=ACTOR)

    with pytest.raises(ValidationError):
        form.child_name = "Ví Dụ"  # type: ignore[misc]  # what this test is about


@given(st.datetimes(datetime(1900, 1, 2), datetime(9999, 12, 30), timezones=st.sampled_from([UTC, VN])))  # noqa: DTZ001 (hypothesis adds the zone)
def test_a_moment_has_one_spelling_and_keeps_its_milliseconds(moment: datetime) -> None:
    happened = Happening(occurred_at=moment)

    wire = happened.model_dump_json(exclude_none=True)

    assert Happening.model_validate_json(wire) == happened
    assert Happening.model_validate_json(wire).model_dump_json(exclude_none=True) == wire
    assert happened.occurred_at is not None
    assert timedelta(0) <= moment - happened.occurred_at < timedelta(milliseconds=1)
    assert wire.endswith('Z"}')


@pytest.mark.parametrize("answer", list(Answer))
@pytest.mark.parametrize("suspected", list(Answer))
def test_nobody_turns_to_the_home_unless_told_that_they_may(answer: Answer, suspected: Answer) -> None:
    may = answer is Answer.NO and suspected is not Answer.YES

    assert Safety().home_is_off_limits
    assert Safety(do_not_contact_home=answer, suspected_carer=suspected).home_is_off_limits == (not may)


def test_every_body_says_who_acted() -> None:
    for model in MODELS.values():
        assert issubclass(model, Payload)
        assert model.model_fields["actor"].is_required()
