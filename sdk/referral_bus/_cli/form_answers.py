"""From what a person typed to an answer as JSON has it: dates as people in Viet Nam write them, choices by number."""

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from pydantic import ValidationError

from referral_bus._cli.files import read_bytes
from referral_contracts.encoding import b64
from referral_contracts.errors import LocalError
from referral_contracts.payloads.document import ENCLOSED_MAX
from referral_contracts.payloads.outline import Kind, Question
from referral_contracts.payloads.shown import VIET_NAM

Json = str | int | bool | list["Json"] | dict[str, "Json"]

_YES: Final = {"c", "co", "có", "y", "yes", "1"}
_NO: Final = {"k", "khong", "không", "n", "no", "2"}
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}")
_DAYS: Final = ("%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y")
_MOMENTS: Final = tuple(
    form
    for day in _DAYS
    for form in (f"{day} %H:%M", f"{day}T%H:%M", f"{day} %H:%M:%S", f"%H:%M {day}", f"{day} %Hh%M", f"%Hh%M {day}")
)


class NotAnAnswer(ValueError):
    """What was typed does not answer the question. It says nothing of what was typed."""


def read_answer(question: Question, typed: str) -> Json:
    """
    Return the answer that *typed* gives to *question*.

    Raises:
        NotAnAnswer: It gives none.
    """
    # One spelling of each Vietnamese letter, whatever the keyboard sent.
    text = unicodedata.normalize("NFC", typed).strip()
    if any(unicodedata.category(letter) == "Cc" and letter not in "\n\t" for letter in text):
        # What an arrow key sends to a terminal that does not know it is no part of a form.
        raise NotAnAnswer
    answer = _READERS.get(question.kind, _words)(question, text)
    try:
        question.check(json.dumps(answer))
    except (ValidationError, ValueError):
        # A letter that UTF-8 cannot write is a ValueError.
        raise NotAnAnswer from None
    return answer


def says_yes(typed: str) -> bool:
    """Return whether *typed* is a yes. Nothing, and a no, is none."""
    word = unicodedata.normalize("NFC", typed).strip().casefold()
    if word in _YES:
        return True
    if word in _NO or not word:
        return False
    raise NotAnAnswer


def _words(_question: Question, text: str) -> Json:
    return text


def _choice(question: Question, text: str) -> Json:
    if text.isascii() and text.isdecimal() and 1 <= int(text[:4]) <= len(question.choices):
        return question.choices[int(text[:4]) - 1].value
    named = {
        name.casefold(): choice.value
        for choice in question.choices
        for name in (choice.value, choice.vi, unicodedata.normalize("NFC", choice.en))
    }
    try:
        return named[text.casefold()]
    except KeyError:
        raise NotAnAnswer from None


def _number(_question: Question, text: str) -> Json:
    if not _NUMBER.fullmatch(text):
        raise NotAnAnswer
    return int(text)


def _yes_no(_question: Question, text: str) -> Json:
    if not text:
        raise NotAnAnswer
    return says_yes(text)


def _day(_question: Question, text: str) -> Json:
    for form in _DAYS:
        try:
            return datetime.strptime(text, form).date().isoformat()  # noqa: DTZ007 - a day has no zone
        except ValueError:
            continue
    raise NotAnAnswer


def _moment(question: Question, text: str) -> Json:
    for form in _MOMENTS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=VIET_NAM).isoformat()
        except ValueError:
            continue
    # With its offset, as a program writes it: the form itself says whether that is one.
    return _words(question, text)


def _file(_question: Question, text: str) -> Json:
    try:
        return b64(read_bytes(text, ENCLOSED_MAX))
    except LocalError:
        raise NotAnAnswer from None


_READERS: Final[Mapping[Kind, Callable[[Question, str], Json]]] = {
    Kind.CHOICE: _choice,
    Kind.NUMBER: _number,
    Kind.YES_NO: _yes_no,
    Kind.DAY: _day,
    Kind.MOMENT: _moment,
    Kind.FILE: _file,
}
