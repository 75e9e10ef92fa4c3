"""
A form as a list of questions: what each asks, in which order, and what can answer it.

It is read off the models. Whatever shows a form to be filled in, on a terminal or in a browser, asks these questions
and holds each answer against its question at once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from functools import cache
from types import UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import ConfigDict, TypeAdapter
from pydantic.fields import FieldInfo

from referral_contracts.payloads.base import Choice, FieldGroup, Label, label_of

_LONG: Final = 1000
"""From here on a text is more than a line."""
_STRICT: Final = ConfigDict(strict=True, hide_input_in_errors=True)


class Kind(StrEnum):
    """What sort of answer is wanted."""

    LINE = "line"
    TEXT = "text"
    CODE = "code"
    """A word of a fixed form, such as a commune's code."""
    NUMBER = "number"
    DAY = "day"
    MOMENT = "moment"
    YES_NO = "yes-no"
    CHOICE = "choice"
    FILE = "file"
    """Bytes: the content of a file."""
    GROUP = "group"
    """More questions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One field of a form or of a group in it."""

    name: str
    mark: Label
    kind: Kind
    many: bool
    """Any number of answers, each of `kind`."""
    required: bool
    """Nothing can be sent without it."""
    group: type[FieldGroup] | None = None
    choices: tuple[Choice, ...] = ()
    limits: Mapping[str, Any]
    """Of one answer, in the words of JSON Schema: ``maxLength``, ``minimum``, ``maximum``, ``pattern``."""
    item: object
    """The type of one answer."""

    def check(self, answer: str) -> None:
        """Hold one answer, as JSON, against the question; pydantic's ValidationError tells what is wrong."""
        _adapter(self.item).validate_json(answer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A question, and where in the form it stands: ``incident_place.commune``, ``measures[].kind``."""

    path: str
    question: Question


@cache
def outline(model: type[FieldGroup]) -> tuple[Question, ...]:
    """Return the questions of *model* in its own order; those of a group in it are `outline` of that."""
    return tuple(_question(name, field) for name, field in model.model_fields.items())


def places(model: type[FieldGroup], prefix: str = "") -> Iterator[Place]:
    """Yield every question of *model*, those of its groups after the group's own."""
    for question in outline(model):
        path = f"{prefix}{question.name}{'[]' if question.many else ''}"
        yield Place(path=path, question=question)
        if question.group is not None:
            yield from places(question.group, f"{path}.")


def depends_on(question: Question, among: Sequence[Question]) -> Question | None:
    """Return the choice of which *question* holds the words for ``other``; None if it stands for itself."""
    choice = question.name.removesuffix("_other")
    return next((one for one in among if one.name == choice and one is not question), None)


def _question(name: str, field: FieldInfo) -> Question:
    whole = Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    item, many = _item(whole)
    bare = get_args(item)[0] if get_origin(item) is Annotated else item
    group = bare if isinstance(bare, type) and issubclass(bare, FieldGroup) else None
    choices = tuple(bare) if isinstance(bare, type) and issubclass(bare, Choice) else ()
    limits = {} if group is not None else _limits(item)
    return Question(
        name=name,
        mark=label_of(field),
        kind=_kind(bare, limits),
        many=many,
        required=field.is_required(),
        group=group,
        choices=choices,
        limits=limits,
        item=item,
    )


def _item(annotation: object) -> tuple[object, bool]:
    """Return the type of one answer, and whether there may be several."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner = get_origin(parts[0])
        # What bounds a list or stands beside "nothing" does not bound one answer.
        return _item(parts[0]) if inner in {tuple, Union, UnionType} else (annotation, False)
    if origin in {Union, UnionType}:
        (kept,) = (part for part in parts if part is not type(None) and get_origin(part) is not Literal)
        return _item(kept)
    return (parts[0], True) if origin is tuple else (annotation, False)


def _kind(bare: object, limits: Mapping[str, Any]) -> Kind:
    if not isinstance(bare, type):
        raise TypeError(bare)
    # A bool is an int and a datetime is a date: the narrower one first.
    kinds: tuple[tuple[type, Kind], ...] = (
        (FieldGroup, Kind.GROUP),
        (Choice, Kind.CHOICE),
        (bool, Kind.YES_NO),
        (int, Kind.NUMBER),
        (datetime, Kind.MOMENT),
        (date, Kind.DAY),
        (bytes, Kind.FILE),
    )
    for of, kind in kinds:
        if issubclass(bare, of):
            return kind
    if "pattern" in limits:
        return Kind.CODE
    return Kind.TEXT if limits.get("maxLength", _LONG) >= _LONG else Kind.LINE


@cache
def _adapter(item: Any) -> TypeAdapter[Any]:  # noqa: ANN401 (any type is a type's type)
    return TypeAdapter(item, config=_STRICT)


def _limits(item: object) -> Mapping[str, Any]:
    schema = _adapter(item).json_schema()
    return {name: schema[name] for name in ("maxLength", "minimum", "maximum", "pattern") if name in schema}
