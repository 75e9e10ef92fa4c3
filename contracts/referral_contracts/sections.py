"""
What lies inside a sealed section: ``{"body": {…}, "schema": "mau01/1.0"}`` in RFC 8785 form.

The sender is strict: `encode_section` writes only what its model allows. The reader never drops: what can be shown to
a person is shown, and `ReadSection.code` says why it has to be answered ``unreadable`` besides.
"""

import copy
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from typing import Any, Final, get_args

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError

from referral_contracts import wording
from referral_contracts.codes import Code
from referral_contracts.encoding import jcs, parse_json
from referral_contracts.errors import LocalError, RemoteError
from referral_contracts.payloads.base import FieldGroup
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.registry import MODELS
from referral_contracts.payloads.shown import Row, describe, printable

_SCHEMA: Final = re.compile(r"([a-z][a-z0-9-]{0,62})/([1-9][0-9]{0,3})\.(0|[1-9][0-9]{0,3})")
_FIELD: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
_FAULTS_TOLD: Final = 20
_FAULTS: Final = 1000
"""With so many faults a body is no newer version of a form; and describing them takes a second and more."""
_PATH: Final = 200
"""A field's path, as a person is shown it. Ours have some thirty characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A field that this version of the form does not have, kept as it came."""

    path: str
    value: object = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadSection:
    """A section as its reader gets it."""

    schema: str
    """As the sender wrote it."""
    body: Mapping[str, object] = field(repr=False)
    """The whole body as JSON, whatever we understand of it."""
    payload: Payload | None
    """What we understand; None when only the raw body can be shown."""
    unknown: tuple[Unknown, ...] = field(default=(), repr=False)
    """What a newer version says beyond `payload`."""
    code: Code | None = None
    """Why the body was not understood, for the answer ``unreadable``."""

    @property
    def known(self) -> bool:
        """Whether the body was understood."""
        return self.payload is not None

    def rows(self) -> Iterator[Row]:
        """Yield everything in the section for a person: known fields with their labels, the rest as it came."""
        if self.payload is None:
            yield from _raw("", self.body)
            return
        yield from describe(self.payload)
        for item in self.unknown:
            yield from _named("", item.path, item.value)


def encode_section(payload: Payload) -> bytes:
    """
    Return the plaintext of a section that says *payload*. Fields without a value are left out.

    Raises:
        LocalError: The payload breaks its own form; it was made or changed behind the model's back.
    """
    try:
        body = jcs(_filled(payload.model_dump(mode="json", exclude_none=True, warnings="error")))
        type(payload).model_validate_json(body)
    except (ValidationError, PydanticSerializationError) as error:
        raise LocalError(Code.MALFORMED_SECTION, f"not a valid {payload.schema_id()}") from error
    return b'{"body":%b,"schema":%b}' % (body, jcs(payload.schema_id()))


def _filled(value: dict[str, object]) -> dict[str, object]:
    # An empty list says nothing either: a form that gains one in a later version is written as before.
    return {name: _filled_in(item) for name, item in value.items() if item != []}


def _filled_in(value: object) -> object:
    if isinstance(value, dict):
        return _filled(value)
    return [_filled_in(item) for item in value] if isinstance(value, list) else value


def read_draft(data: bytes) -> Payload:
    """
    Return the payload that a person's file asks to send: the same JSON as in a section, read strictly.

    Raises:
        LocalError: Not such a file. The detail names the fields at fault and never what was filled in.
    """
    try:
        schema, body = _frame(data)
    except RemoteError as error:
        raise LocalError(error.code, error.detail) from error
    model, newer = _model(schema)
    if model is None or newer:
        named = {form.schema_name: form.schema_id() for form in MODELS.values()}
        near = get_close_matches(schema.partition("/")[0], named, 1)
        raise LocalError(Code.UNKNOWN_SCHEMA, "no such form" + "".join(f"; is {named[one]} meant?" for one in near))
    try:
        return model.model_validate_json(jcs(body))
    except ValidationError as error:
        raise LocalError(Code.MALFORMED_SECTION, _faults(error, model)) from error


def read_section(data: bytes) -> ReadSection:
    """
    Return what a section says, as far as it can be understood.

    Raises:
        RemoteError: There is no body to show: not JSON as the wire allows it, or not a section.
    """
    schema, body = _frame(data)
    model, newer = _model(schema)
    if model is None:
        return ReadSection(schema=schema, body=body, payload=None, code=Code.UNKNOWN_SCHEMA)
    with suppress(ValidationError):
        # Our own version of the form, as nearly every time: nothing in it is unknown to a model that forbids more.
        return ReadSection(schema=schema, body=body, payload=model.model_validate_json(jcs(body)))
    known, unknown = _split(model, body, "")
    payload, set_aside = _understand(model, known, newer=newer)
    if payload is None:
        return ReadSection(schema=schema, body=body, payload=None, code=Code.MALFORMED_SECTION)
    return ReadSection(schema=schema, body=body, payload=payload, unknown=(*unknown, *set_aside))


def form_of(schema: str) -> type[Payload] | None:
    """Return the form that *schema* names, of whatever minor version; None for one that is not known here."""
    return _model(schema)[0]


def known_schemas() -> tuple[str, ...]:
    """Return the schemas that this version writes."""
    return tuple(sorted(model.schema_id() for model in MODELS.values()))


def _frame(data: bytes) -> tuple[str, dict[str, object]]:
    section = parse_json(data)
    if not isinstance(section, dict) or section.keys() != {"body", "schema"}:
        raise RemoteError(Code.MALFORMED_SECTION, "not an object of body and schema")
    schema, body = section["schema"], section["body"]
    if not isinstance(schema, str) or not isinstance(body, dict):
        raise RemoteError(Code.MALFORMED_SECTION, "not an object of body and schema")
    return schema, body


def _model(schema: str) -> tuple[type[Payload] | None, bool]:
    match = _SCHEMA.fullmatch(schema)
    if match is None:
        return None, False
    model = MODELS.get((match[1], int(match[2])))
    return model, model is not None and int(match[3]) > model.minor


def _split(group: type[FieldGroup], body: Mapping[str, object], prefix: str) -> tuple[dict[str, object], list[Unknown]]:
    """Part *body* into what *group* has fields for and what it has not, at every depth."""
    known: dict[str, object] = {}
    unknown: list[Unknown] = []
    inner = _inner(group)
    for name, value in body.items():
        if name not in inner:
            unknown.append(Unknown(path=f"{prefix}{name}", value=value))
            continue
        known[name], beyond = _split_value(inner[name], value, f"{prefix}{name}")
        unknown += beyond
    return known, unknown


def _split_value(group: type[FieldGroup] | None, value: object, path: str) -> tuple[object, list[Unknown]]:
    if group is not None and isinstance(value, dict):
        return _split(group, value, f"{path}.")
    if group is not None and isinstance(value, list):
        parted = [_split_value(group, item, f"{path}.{index}") for index, item in enumerate(value)]
        return [known for known, _ in parted], [item for _, beyond in parted for item in beyond]
    return value, []


@cache
def _inner(group: type[FieldGroup]) -> Mapping[str, type[FieldGroup] | None]:
    """Return what group of fields lies in each field of *group*, in a list or not. Worked out once for each form."""
    return {name: _group_in(field.annotation) for name, field in group.model_fields.items()}


def _group_in(annotation: object) -> type[FieldGroup] | None:
    if isinstance(annotation, type) and issubclass(annotation, FieldGroup):
        return annotation
    return next((found for part in get_args(annotation) if (found := _group_in(part)) is not None), None)


def _understand(
    model: type[Payload], body: dict[str, object], *, newer: bool
) -> tuple[Payload | None, tuple[Unknown, ...]]:
    try:
        return model.model_validate_json(jcs(body)), ()
    except ValidationError as error:
        if not newer or error.error_count() > _FAULTS:
            return None, ()
        faults = [fault["loc"] for fault in error.errors(include_input=False, include_url=False, include_context=False)]
    # A newer minor version may have answers that we do not know. What they answer is set aside and shown as it came:
    # the field alone if the rest is whole without it, else everything under the same field of the body.
    for depth in (None, 1):
        rest, aside = _set_aside(body, {_step_by_step(body, loc[:depth]) for loc in faults})
        try:
            return model.model_validate_json(jcs(rest)), aside
        except ValidationError:
            continue
    return None, ()


def _step_by_step(body: dict[str, object], loc: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Return the longest beginning of *loc* that names a field in *body*: pydantic adds names of its own to a union."""
    node: object = body
    reached = 0
    for depth, step in enumerate(loc, start=1):
        if isinstance(node, dict) and step in node:
            node, reached = node[step], depth
        elif isinstance(node, list) and isinstance(step, int) and step < len(node):
            node = node[step]
        else:
            break
    return loc[:reached]


def _set_aside(
    body: dict[str, object], paths: set[tuple[int | str, ...]]
) -> tuple[dict[str, object], tuple[Unknown, ...]]:
    rest = copy.deepcopy(body)
    aside = []
    for path in sorted(paths, key=len, reverse=True):
        if not path:
            continue
        node: Any = rest
        for step in path[:-1]:
            node = node[step]
        aside.append(Unknown(path=".".join(map(str, path)), value=node.pop(path[-1])))
    return rest, tuple(aside)


def _raw(path: str, value: object) -> Iterator[Row]:
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from _named(path, str(name), item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _raw(f"{path}.{index}", item)
    elif value is not None:
        name = printable(path)
        told = value if isinstance(value, str) else jcs(value).decode()
        yield Row(path=name, vi=name, en=name, value=printable(told))


def _named(path: str, name: str, value: object) -> Iterator[Row]:
    whole = f"{path}.{name}" if path else name
    if len(whole) <= _PATH:
        yield from _raw(whole, value)
        return
    # A path stands before each of its values. What is too long for that is told once, whole, and cut from there on.
    cut = f"{whole[:_PATH]}…"
    yield from _raw(cut, name)
    yield from _raw(cut, value)


def _faults(error: ValidationError, model: type[FieldGroup]) -> str:
    """Name the fields at fault. A strange field's name is told only if it looks like one, not like a child's."""
    faults = error.errors(include_input=False, include_url=False, include_context=False)
    told = []
    for fault in faults[:_FAULTS_TOLD]:
        path = ".".join(
            str(step) if _FIELD.fullmatch(str(step)) or isinstance(step, int) else "?" for step in fault["loc"]
        )
        meant = _meant(fault["loc"], model) if fault["type"] == "extra_forbidden" else None
        english = "no such field" if fault["type"] == "extra_forbidden" else fault["msg"][:1].lower() + fault["msg"][1:]
        reason = wording.fault(fault["type"], english, meant)
        told.append(f"{path or 'body'}: {reason}")
    if len(faults) > _FAULTS_TOLD:
        more = len(faults) - _FAULTS_TOLD
        told.append(wording.both((f"và {more} lỗi nữa", f"and {more} more")))
    return "; ".join(told)


def _meant(loc: tuple[int | str, ...], model: type[FieldGroup]) -> str | None:
    """Return which field of the form was probably meant."""
    group: type[FieldGroup] | None = model
    for step in loc[:-1]:
        # Steps that are no fields are places in a list.
        if group is not None and step in group.model_fields:
            group = _inner(group)[str(step)]
    return next(iter(get_close_matches(str(loc[-1]), () if group is None else group.model_fields, 1)), None)
