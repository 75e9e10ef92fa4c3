import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from referral_bus._cli.filling import Filling, Refused, Sort, Step
from referral_bus._cli.form_answers import NotAnAnswer, read_answer, says_yes
from referral_contracts.payloads.handoff import Closing, Progress
from referral_contracts.payloads.mau01 import Mau01
from referral_contracts.payloads.outline import Kind, outline
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.registry import MODELS
from referral_contracts.sections import encode_section, read_draft
from tests.contracts.payloads.forms import DRAFTS, example


def empty(model: type[Payload]) -> Filling:
    return Filling(model=model, body={})


def type_in(filling: Filling, *typed: str) -> None:
    for text in typed:
        step = filling.step
        assert step is not None
        if text:
            filling.answer(step, text)
        else:
            filling.leave(step)


def asked(filling: Filling) -> str:
    step = filling.step
    return "" if step is None else ".".join(map(str, step.path))


def on_paper(step: Step, body: dict[str, Any]) -> Any:
    value: Any = body
    for name in step.path:
        there: Any = name
        value = value[there] if isinstance(value, list) else (value or {}).get(there)
    return value


def typed_for(step: Step, body: dict[str, Any]) -> str:
    """What a person types at *step* who has *body* on paper."""
    value = on_paper(step, body)
    if value is None:
        return ""
    if step.question.group is not None:
        return "có"
    return ("có" if value else "không") if isinstance(value, bool) else str(value)


def copy_out(filling: Filling, body: dict[str, Any]) -> None:
    """Answer each step from *body* until the form is at its end."""
    while (step := filling.step) is not None:
        given_so_far = filling.value(step)
        if step.sort is Sort.MORE:
            count = len(given_so_far) if isinstance(given_so_far, list) else 0
            more = (on_paper(step, body) or [])[count:]
            text = ("y" if step.question.group is not None else str(more[0])) if more else ""
        else:
            text = typed_for(step, body)
        type_in(filling, text)


@pytest.mark.parametrize("path", DRAFTS, ids=lambda path: path.stem)
def test_whoever_has_a_form_on_paper_can_type_it_in(path: Path) -> None:
    payload = example(path.stem)
    filling = empty(type(payload))

    copy_out(filling, json.loads(encode_section(payload))["body"])

    assert filling.faults() == []
    assert payload == type(payload).model_validate_json(json.dumps(filling.whole()))


@pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.schema_name)
def test_every_field_of_every_form_can_be_asked_for(model: type[Payload]) -> None:
    filling = empty(model)

    first = [step.question.name for step in filling.steps if len(step.path) == 1]
    words = {name for name in model.model_fields if name.endswith("_other")}
    # A group that there has to be is not asked for: its own fields are, as those of the actor.
    groups = {
        question.name
        for question in outline(model)
        if question.group is not None and question.required and not question.many
    }

    assert groups >= {"actor"}
    assert [question.name for question in outline(model) if question.name not in words | groups] == [
        name for name in first if name not in words
    ]


def test_the_words_for_other_are_asked_when_other_was_chosen_and_then_needed() -> None:
    filling = empty(Mau01)

    type_in(filling, "other")
    assert asked(filling) == "actor.role_other"
    with pytest.raises(Refused, match="missing"):
        type_in(filling, "")
    type_in(filling, "Trưởng thôn")
    filling.at = 0
    type_in(filling, "Điều tra viên")

    assert asked(filling) == "actor.staff_number"
    assert filling.whole() == {"actor": {"role": "investigator"}}


def test_a_group_is_asked_for_first_and_a_list_one_after_the_other() -> None:
    filling = empty(Progress)
    type_in(filling, "1", "", "", "", "Đã khám", "y")

    assert asked(filling) == "measures.0.kind"
    type_in(filling, "evidence_taken", "20/11/2026 21:30")
    assert asked(filling) == "measures"
    type_in(filling, "y", "other", "Đã chườm lạnh", "", "")

    assert asked(filling) == "next_step"
    assert filling.whole()["measures"] == [
        {"kind": "evidence_taken", "done_at": "2026-11-20T21:30:00+07:00"},
        {"kind": "other", "kind_other": "Đã chườm lạnh"},
    ]


def test_a_part_that_was_wanted_and_left_empty_goes_away() -> None:
    filling = empty(Progress)
    type_in(filling, "1", "", "", "", "Đã khám", "y", "")

    assert asked(filling) == "measures"
    type_in(filling, "")
    assert asked(filling) == "next_step"
    assert "measures" not in filling.whole()


def test_a_started_part_is_not_left_without_what_it_needs() -> None:
    filling = empty(Progress)
    type_in(filling, "1", "", "", "", "Đã khám", "y", "evidence_taken")
    filling.back()
    filling.erase(filling.steps[filling.at])
    filling.body["measures"][0]["done_at"] = "2026-11-20T21:30:00+07:00"

    with pytest.raises(Refused, match="missing"):
        type_in(filling, "")


def test_what_is_required_cannot_be_passed() -> None:
    with pytest.raises(Refused, match="missing"):
        type_in(empty(Mau01), "")


def test_two_answers_that_disagree_are_both_kept() -> None:
    filling = empty(Mau01)
    type_in(filling, "1")
    filling.go_to(("birth_date",))
    type_in(filling, "14/03/2016")

    type_in(filling, "7")

    assert filling.whole() == {
        "actor": {"role": "hotline_operator"},
        "birth_date": "2016-03-14",
        "estimated_age": 7,
    }


def test_an_answer_can_be_taken_back_and_erased() -> None:
    filling = empty(Mau01)
    assert not filling.back()
    type_in(filling, "1", "TD-1")
    assert filling.back()
    step = filling.step
    assert step is not None
    assert filling.value(step) == "TD-1"

    filling.erase(step)

    assert filling.value(step) is None
    assert asked(filling) == "actor.staff_number"


def test_the_last_of_a_list_can_be_erased() -> None:
    filling = empty(MODELS["mau04", 1])
    filling.body = {"actor": {"role": "system"}, "signatories": ["Vũ Thị Thử Nghiệm", "Nhầm"]}
    filling.at = next(
        number for number, step in enumerate(filling.steps) if step.sort is Sort.MORE and step.path == ("signatories",)
    )
    step = filling.step
    assert step is not None

    filling.erase(step)

    assert filling.whole()["signatories"] == ["Vũ Thị Thử Nghiệm"]
    assert filling.step == step


def test_a_form_goes_on_after_the_last_answer() -> None:
    filling = empty(Mau01)
    filling.body = {"actor": {"role": "system"}, "child_name": "Trần Thị Ví Dụ"}

    filling.resume()

    assert asked(filling) == "birth_date"


def question(model: type[Payload], name: str) -> Any:
    return next(one for one in outline(model) if one.name == name)


@pytest.mark.parametrize(
    ("name", "typed", "answer"),
    [
        ("birth_date", "14/03/2016", "2016-03-14"),
        ("birth_date", "1.2.2016", "2016-02-01"),
        ("birth_date", "2016-03-14", "2016-03-14"),
        ("received_at", "20/11/2026 20:10", "2026-11-20T20:10:00+07:00"),
        ("received_at", "20h10 20/11/2026", "2026-11-20T20:10:00+07:00"),
        ("received_at", "2026-11-20T20:10:00Z", "2026-11-20T20:10:00Z"),
        ("father_age", " 34 ", 34),
        ("sex", "2", "female"),
        ("sex", "NỮ", "female"),
        ("sex", "Nu\u031b\u0303", "female"),
        ("child_name", "Tra\u0302\u0300n Thi\u0323 Ví Dụ", "Trần Thị Ví Dụ"),
    ],
)
def test_answers_are_read_as_people_write_them(name: str, typed: str, answer: object) -> None:
    assert answer == read_answer(question(Mau01, name), typed)


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("birth_date", "30/02/2016"),
        ("birth_date", "03/14/2016"),
        ("birth_date", "14/03/1816"),
        ("birth_date", "hôm qua"),
        ("received_at", "20/11/2026"),
        ("received_at", "24:10 20/11/2026"),
        ("received_at", "2026-11-20T20:10:00"),
        ("father_age", "34,5"),
        ("father_age", "131"),
        ("father_age", "-1"),
        ("father_age", "9" * 400),
        ("sex", "0"),
        ("sex", "4"),
        ("sex", "²"),
        ("sex", "gái"),
        ("child_name", "x" * 301),
        ("child_name", "\x1b[A"),
        ("child_name", "\udcff"),
    ],
)
def test_what_is_no_answer_is_refused_without_repeating_it(name: str, typed: str) -> None:
    with pytest.raises(NotAnAnswer) as refused:
        read_answer(question(Mau01, name), typed)

    assert str(refused.value) == ""


def test_yes_and_no_are_said_in_either_language() -> None:
    automatic = question(Closing, "automatic")

    assert [read_answer(automatic, typed) for typed in ("Có", "1", "yes", "k", "2", "No")] == [True] * 3 + [False] * 3
    assert [says_yes(typed) for typed in ("c", "", "không")] == [True, False, False]
    for typed in ("", "có lẽ"):
        with pytest.raises(NotAnAnswer):
            read_answer(automatic, typed)
    with pytest.raises(NotAnAnswer):
        says_yes("có lẽ")


def test_a_small_file_is_taken_in_and_a_large_one_is_not(tmp_path: Path) -> None:
    content = outline(MODELS["note", 1])[-1].group
    assert content is not None
    asks = next(one for one in outline(content) if one.kind is Kind.FILE)
    (tmp_path / "page.pdf").write_bytes(b"%PDF")
    (tmp_path / "large.pdf").write_bytes(b"x" * 32769)

    assert read_answer(asks, str(tmp_path / "page.pdf")) == "JVBERg"
    for name in ("large.pdf", "nothing.pdf", ""):
        with pytest.raises(NotAnAnswer):
            read_answer(asks, str(tmp_path / name))


TYPED = st.sampled_from(
    ["", "", "", "<", "-", "1", "2", "6", "y", "không", "other", "14/03/2016", "20/11/2026 20:10", "Đã khám", "99001"]
) | st.text(max_size=4)


@given(model=st.sampled_from(list(MODELS.values())), typed=st.lists(TYPED, max_size=40))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_typed_the_form_stays_one_that_can_be_gone_on_with(model: type[Payload], typed: list[str]) -> None:
    filling = empty(model)
    for text in typed:
        step = filling.step
        if step is None:
            break
        try:
            match text:
                case "<":
                    filling.back()
                case "-":
                    filling.erase(step)
                case _:
                    type_in(filling, text)
        except (NotAnAnswer, Refused):
            continue

    again = Filling(model=model, body=filling.whole())
    again.resume()
    assert {kind for _, kind in again.faults()} <= {"missing", "other"}
    if not again.faults():
        draft = {"schema": model.schema_id(), "body": again.whole()}
        assert isinstance(read_draft(json.dumps(draft).encode()), model)


@given(st.datetimes(datetime(1901, 1, 1), datetime(9998, 12, 31)))  # noqa: DTZ001 - as a person writes it, without a zone
def test_a_moment_of_the_calendar_is_read_back(moment: datetime) -> None:
    asks = question(Mau01, "received_at")

    assert read_answer(asks, f"{moment:%d/%m/%Y %H:%M}") == f"{moment:%Y-%m-%dT%H:%M}:00+07:00"
