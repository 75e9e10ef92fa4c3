"""Any body of a form, made from its outline: each field left out or answered, at every depth."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from referral_contracts.encoding import b64, format_time
from referral_contracts.payloads.base import OTHER, FieldGroup
from referral_contracts.payloads.outline import Kind, Question, outline

# What the wire can say: no half characters.
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
_MOMENTS = st.datetimes(datetime(1900, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - added


def _wire(moment: datetime) -> str:
    return format_time(int(moment.timestamp()) * 1000 + moment.microsecond // 1000)


def _answers(question: Question) -> st.SearchStrategy[Any]:
    match question.kind:
        case Kind.GROUP:
            assert question.group is not None
            return bodies(question.group)
        case Kind.CHOICE:
            return st.sampled_from([choice.value for choice in question.choices])
        case Kind.NUMBER:
            return st.integers(question.limits.get("minimum"), question.limits.get("maximum"))
        case Kind.YES_NO:
            return st.booleans()
        case Kind.DAY:
            return _MOMENTS.map(lambda moment: moment.date().isoformat())
        case Kind.MOMENT:
            return _MOMENTS.map(_wire)
        case Kind.FILE:
            return st.binary(min_size=1, max_size=40).map(b64)
        case Kind.CODE:
            return st.from_regex(question.limits["pattern"].replace("$", r"\Z"))
        case Kind.LINE | Kind.TEXT:
            return _TEXT


@st.composite
def bodies(draw: st.DrawFn, group: type[FieldGroup]) -> dict[str, Any]:
    """Bodies of *group* that break no rule."""
    body: dict[str, Any] = {}
    for question in outline(group):
        needs_words = body.get(question.name.removesuffix("_other")) == OTHER and question.name.endswith("_other")
        if not (question.required or needs_words or draw(st.booleans())):
            continue
        one = _answers(question)
        body[question.name] = draw(st.lists(one, min_size=1, max_size=3)) if question.many else draw(one)
        if needs_words and not body[question.name].strip():
            body[question.name] = "khác"
    if "birth_date" in body:
        body.pop("estimated_age", None)
    return {name: value for name, value in body.items() if value != {}}
