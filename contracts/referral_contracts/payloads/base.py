"""
What every form is made of: labelled fields, choices with names in two languages, times in one spelling.

A `FieldGroup` is frozen, strict and closed to unknown fields, and neither its errors nor its repr repeat what was
typed in. Whole bodies are in `payload`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Final, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic.config import JsonDict
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from referral_contracts.encoding import TIME, format_time

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
"""Nobody in a case was born earlier; and years below 1000 have more than one spelling."""

_MOMENT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _moment(value: object) -> datetime:
    # Takes any offset, as people write it; keeps UTC and milliseconds, as the wire writes it.
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            # The standard library's text quotes what it could not read; ours does not.
            raise PydanticCustomError("moment", "no such moment") from None
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise PydanticCustomError("moment", "a moment with its offset, such as 2026-03-14T09:20:00+07:00")
    try:
        utc = value.astimezone(UTC)
    except OverflowError:
        raise PydanticCustomError("moment", "no such moment") from None
    if utc < _EARLIEST:
        raise PydanticCustomError("moment", "a moment after 1900")
    return utc.replace(microsecond=utc.microsecond // 1000 * 1000)


def _wire_moment(moment: datetime) -> str:
    return format_time((moment - _EPOCH) // timedelta(milliseconds=1))


def _day(value: object) -> date:
    if isinstance(value, str) and _DAY.fullmatch(value):
        try:
            value = date.fromisoformat(value)
        except ValueError:
            raise PydanticCustomError("day", "no such day") from None
    if not isinstance(value, date) or isinstance(value, datetime) or value < _EARLIEST.date():
        raise PydanticCustomError("day", "a day after 1900, such as 2016-03-14")
    return value


Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    PlainSerializer(_wire_moment, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": TIME}),
]
"""When something was: UTC with milliseconds on the wire, aware everywhere."""

Day = Annotated[date, BeforeValidator(_day)]
"""A day without a time: ``2016-03-14``."""

Line = Annotated[str, StringConstraints(max_length=300)]
"""A name, a number, an address."""

Text = Annotated[str, StringConstraints(max_length=8000)]
"""Free text. Three full ones fit in a quarter of an envelope, even in Vietnamese at three bytes a letter."""

Age = Annotated[int, Field(ge=0, le=130)]


class Choice(StrEnum):
    """A closed list of answers, each with its name in two languages."""

    vi: str
    en: str

    def __new__(cls, value: str, vi: str, en: str) -> Self:
        """Make the member *value*, called *vi* on Vietnamese forms and *en* in English."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.vi = vi
        member.en = en
        return member

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Tell the names of the answers in the generated schema too."""
        schema = handler.resolve_ref_schema(handler(core_schema))
        schema["labels"] = {member.value: {"vi": member.vi, "en": member.en} for member in cls}
        return schema


class Answer(Choice):
    """Yes, no, or asked and not known."""

    YES = "yes", "Có", "yes"
    NO = "no", "Không", "no"
    UNKNOWN = "unknown", "Không biết", "unknown"


OTHER: Final = "other"
"""The answer that needs words: the field beside it, with ``_other`` at the end of its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What a person is told about a field, and what the bus must know of it."""

    vi: str
    en: str
    help_vi: str
    help_en: str
    personal: bool
    essential: bool
    provisional: bool = False


def label(
    vi: str,
    en: str,
    help_vi: str,
    help_en: str,
    *,
    personal: bool = False,
    essential: bool = False,
    provisional: bool = False,
) -> Any:  # noqa: ANN401 (what pydantic's own Field returns)
    """
    Return the mark of a field: its name and a short help, in Vietnamese and in English.

    Args:
        personal: It may hold personal data (NĐ 56/2017 Đ.33): never in a log, an error, a metric, a key.
        essential: The work is held up without it; it is shown as missing, and never demanded.
        provisional: It stands in a printed form of which this part was not read: it may yet change.
    """
    extra: JsonDict = {
        "vi": vi,
        "en": en,
        "help_vi": help_vi,
        "help_en": help_en,
        "personal": personal,
        "essential": essential,
    }
    if provisional:
        extra["provisional"] = True
    return Field(title=en, json_schema_extra=extra)


def label_of(field: FieldInfo) -> Label:
    """Return the mark of *field*. A field without one is a mistake in the form: TypeError."""
    extra = field.json_schema_extra
    if not isinstance(extra, dict):
        msg = "a field without a label"
        raise TypeError(msg)
    marks: Mapping[str, Any] = extra
    return Label(**marks)


class FieldGroup(BaseModel):
    """A group of fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    def __repr__(self) -> str:
        """Name the model and nothing in it: a repr ends up in logs and tracebacks."""
        return f"{type(self).__name__}(…)"

    __str__ = __repr__

    @model_validator(mode="after")
    def _other_is_said(self) -> Self:
        for name, beside in _with_words(type(self)):
            if getattr(self, name) == OTHER:
                words: str | None = getattr(self, beside)
                if words is None or not words.strip():
                    raise PydanticCustomError(
                        "other", "{field} needs words when the answer is other", {"field": beside}
                    )
        return self


@cache
def _with_words(group: type[FieldGroup]) -> tuple[tuple[str, str], ...]:
    """Return the fields of *group* that have one beside them for words. Worked out once for each form."""
    beside = ((name, f"{name}_other") for name in group.model_fields)
    return tuple((name, words) for name, words in beside if words in group.model_fields)
