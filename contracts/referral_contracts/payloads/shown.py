"""
What a person sees of a body: rows to read, what is still missing, and which strings are personal.

All three walk the labels of the models; no form is known here by name.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from typing import Final

from referral_contracts.encoding import b64, sha256
from referral_contracts.payloads.base import Choice, FieldGroup, Label, label_of
from referral_contracts.payloads.payload import Payload

VIET_NAM: Final = timezone(timedelta(hours=7))
"""The whole country, all year, since 1975."""

_UNSAFE: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a form as a person reads it."""

    path: str
    vi: str
    en: str
    value: str = field(repr=False)
    """Safe to print: control characters and direction overrides are replaced."""
    provisional: bool = False
    """The printed form was not read so far; of a form of which nothing was read, its `about` tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """An essential field that is still empty."""

    path: str
    vi: str
    en: str


def printable(text: str) -> str:
    """Return *text* without what could repaint a terminal or turn a line's direction: a sender is not trusted."""
    return _UNSAFE.sub("\N{REPLACEMENT CHARACTER}", text)


def describe(payload: Payload) -> Iterator[Row]:
    """Yield the filled-in fields of *payload* in the order of the form."""
    provisional = {name for name, info in type(payload).model_fields.items() if label_of(info).provisional}
    for path, mark, value in _leaves(payload):
        unread = path.partition(".")[0] in provisional
        yield Row(path=path, vi=mark.vi, en=mark.en, value=printable(_told(value)), provisional=unread)


def completeness(payload: Payload) -> tuple[Missing, ...]:
    """
    Return the essential fields of *payload* that are still empty.

    An answer ``unknown`` is an answer. Fields of a group that was left out whole count only if the group is essential.
    """
    return tuple(_missing(payload, ""))


def personal_strings(payload: Payload) -> tuple[str, ...]:
    """
    Return every personal text and day in *payload*, as it stands on the wire.

    Ages, yes and no, and coded answers are left out: as strings they are too short to mean anybody.
    """
    found = (
        _on_the_wire(value)
        for _, mark, value in _leaves(payload)
        if mark.personal and isinstance(value, str | bytes | date) and not isinstance(value, Choice | datetime)
    )
    return tuple(dict.fromkeys(value for value in found if value.strip()))


def _on_the_wire(value: str | bytes | date) -> str:
    if isinstance(value, date):
        return value.isoformat()
    return b64(value) if isinstance(value, bytes) else value


def _leaves(group: FieldGroup, prefix: str = "") -> Iterator[tuple[str, Label, object]]:
    for name, info in type(group).model_fields.items():
        value: object = getattr(group, name)
        mark = label_of(info)
        if not isinstance(value, tuple):
            yield from _leaf(f"{prefix}{name}", mark, value)
            continue
        for index, item in enumerate(value):
            yield from _leaf(f"{prefix}{name}.{index}", mark, item)


def _leaf(path: str, mark: Label, value: object) -> Iterator[tuple[str, Label, object]]:
    if isinstance(value, FieldGroup):
        yield from _leaves(value, f"{path}.")
    elif not _is_empty(value):
        yield path, mark, value


def _missing(group: FieldGroup, prefix: str) -> Iterator[Missing]:
    for name, info in type(group).model_fields.items():
        value: object = getattr(group, name)
        mark = label_of(info)
        if mark.essential and _is_empty(value):
            yield Missing(path=f"{prefix}{name}", vi=mark.vi, en=mark.en)
        for path, item in _groups(f"{prefix}{name}", value):
            yield from _missing(item, f"{path}.")


def _groups(path: str, value: object) -> Iterator[tuple[str, FieldGroup]]:
    if isinstance(value, FieldGroup):
        yield path, value
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            if isinstance(item, FieldGroup):
                yield f"{path}.{index}", item


def _is_empty(value: object) -> bool:
    return value is None or value == () or (isinstance(value, str) and not value.strip())


def _told(value: object) -> str:
    if isinstance(value, Choice):
        return f"{value.vi} / {value.en}"
    if isinstance(value, datetime):
        try:
            return f"{value.astimezone(VIET_NAM):%d/%m/%Y %H:%M} (+07:00)"
        except OverflowError:
            # The last hours of the year 9999 are a moment, and in Viet Nam the year 10000, which is none.
            return f"{value:%d/%m/%Y %H:%M} (+00:00)"
    if isinstance(value, date):
        return f"{value:%d/%m/%Y}"
    if isinstance(value, bytes):
        # A file is nothing to read here: what tells one from another is.
        return f"{len(value)} byte, SHA-256 {b64(sha256(value))}"
    return str(value)
