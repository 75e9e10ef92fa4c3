"""What the bus answers: the reasons for which it refuses an event, in the order of SPEC section 12."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.verbs import Verb
from tools.vectors import refusals
from tools.vectors.cast import HOSPITAL, HOTLINE
from tools.vectors.frozen import Frozen
from tools.vectors.life import Life
from tools.vectors.stories import (
    BUSY,
    CASE,
    CHAIN,
    DEADLINE,
    DISTRICT,
    DUTY,
    ENDING,
    LATE,
    MISTAKES,
    OLD_KEY,
    POLICE,
    SCHOOL,
    TEMPLE,
    says,
)
from tools.vectors.trials import Members, Trial, data, vector
from tools.vectors.vector import Vector

_NOTE: Final = says(HOTLINE, Verb.CASE_NOTED, HOSPITAL)
_AFTER: Final = 2
"""In the story of mistakes the hotline and the hospital are parties after so many events."""
_SIGNATURE: Final = topics.H_SIGNATURE


def cases(frozen: Frozen) -> Iterator[Vector]:
    number = 0
    for story, trials in (
        (MISTAKES, (*_nobodys(), *_as_it_stands(), *_window(), *refusals.talking())),
        (DUTY, refusals.duties()),
        (CASE, refusals.cases()),
        (ENDING, (*_ended(), *refusals.moves())),
        (CHAIN, refusals.chains()),
        (DEADLINE, refusals.deadlines()),
    ):
        life = Life(frozen, story)
        for trial in trials:
            number += 1
            yield vector(life, trial, number)


def _noted(code: Code, name: str, comment: str, **wrong: object) -> Trial:
    """Return a note to the hospital with one thing wrong."""
    members: dict[str, Any] = {"saying": _NOTE, "after": _AFTER, **wrong}
    return Trial(name=f"submission_{name}", comment=comment, code=code, **members)


def _headers(*pairs: tuple[str, bytes]) -> dict[str, object]:
    return {"headers": pairs}


def _spaced(value: bytes) -> bytes:
    return value.replace(b":", b": ", 1)


def _member(**members: object) -> Callable[[Members], None]:
    def change(told: Members) -> None:
        told |= members

    return change


def _nobodys() -> Iterator[Trial]:
    garbage = {"fault": Code.MALFORMED_RECORD, "headers": (), "key": None, "value": None}
    yield _noted(Code.MALFORMED_RECORD, "of_garbage", "a record that nobody can read", record=garbage)
    yield _noted(Code.NULL_VALUE, "without_value", "a record without a value", record={"value": None})
    yield _noted(Code.MISSING_HEADER, "without_signature", "a record without headers", record=_headers())
    other = _headers(("Signature", b"e30..e30"))
    yield _noted(Code.UNEXPECTED_HEADER, "with_another_header", "a header of another name", record=other)
    two = _headers((_SIGNATURE, b"e30..e30"), (_SIGNATURE, b"e30..e30"))
    yield _noted(Code.UNEXPECTED_HEADER, "with_two_signatures", "the same header twice", record=two)
    none = _headers((_SIGNATURE, b"none"))
    yield _noted(Code.MALFORMED_SIGNATURE, "with_no_signature", "a header that is no signature", record=none)
    yield _noted(Code.MALFORMED_JSON, "of_nobody", "signed text that names no sender", spelled=lambda _: b"hello")
    yield _noted(Code.UNKNOWN_SENDER, "by_a_stranger", "an agency without an entry", change=_member(source="nobody"))
    yield _noted(Code.UNKNOWN_KEY, "with_another_key", "signed by somebody else's key", key=POLICE.signing)
    changed = _headers((_SIGNATURE, HOTLINE.signing.sign(refusals.EVENT, b"{}").encode()))
    yield _noted(Code.BAD_SIGNATURE, "with_another_signature", "a signature over other bytes", record=changed)
    old = says(SCHOOL, Verb.CASE_NOTED, HOTLINE)
    yield _noted(Code.KEY_NOT_VALID, "with_an_old_key", "a key whose time is over", saying=old, key=OLD_KEY)
    away = says(TEMPLE, Verb.CASE_NOTED, HOTLINE)
    yield _noted(Code.TOPIC_MISSING, "from_off_the_bus", "a sender that is not on the bus", saying=away)
    late = says(LATE, Verb.CASE_NOTED, HOTLINE)
    yield _noted(Code.TOPIC_MISSING, "without_inbox", "a sender whose inbox nobody has made", saying=late)


def _as_it_stands() -> Iterator[Trial]:
    yield _noted(Code.NOT_CANONICAL, "white_space", "a space: refused, and answered", spelled=_spaced)
    yield _noted(Code.WRONG_BUS, "of_another_bus", "an event of production", change=_member(bus="production"))
    lost = {"fault": Code.UNDELIVERABLE}
    yield _noted(Code.UNDELIVERABLE, "undeliverable", "what follows from it cannot be written", record=lost)
    other = {"key": b"0" * 32}
    yield _noted(Code.WRONG_PARTITION, "with_another_record_key", "a record key that is not its case", record=other)
    elsewhere = _member(subject="0" * 31 + "1")
    yield _noted(Code.WRONG_PARTITION, "in_another_partition", "a case of another partition", change=elsewhere)
    yield _noted(Code.DUPLICATE, "again", "the same bytes once more", repeats=1)
    yield _noted(Code.ID_REUSED, "under_a_used_id", "other bytes under the id of the opening", again=0)
    opened = says(HOTLINE, Verb.CASE_OPENED)
    yield _noted(Code.WRONG_SUBJECT, "opened_again", "a case that is named after another event", saying=opened)
    answering = data(answers={"id": "019cea26-8940-7000-8000-000000000002", "sha256": "A" * 43})
    yield _noted(
        Code.MALFORMED_ENVELOPE,
        "opened_as_an_answer",
        "an opening that answers something",
        saying=opened,
        new_case=True,
        change=answering,
    )
    told = says(HOTLINE, Verb.CASE_OPENED, HOSPITAL)
    yield _noted(
        Code.WRONG_RECIPIENTS, "opened_to_somebody", "an opening is told to nobody", saying=told, new_case=True
    )
    school = says(SCHOOL, Verb.CASE_OPENED)
    yield _noted(Code.NOT_PERMITTED, "opened_by_a_school", "a role that opens no case", saying=school, new_case=True)


def _window() -> Iterator[Trial]:
    last = BUSY.window_ms
    yield _noted(Code.ACCEPTED, "at_the_end_of_the_window", "W after it was signed, to the millisecond", late_ms=last)
    yield _noted(Code.OUTSIDE_WINDOW, "after_the_window", "W and a millisecond after it was signed", late_ms=last + 1)
    yield _noted(
        Code.OUTSIDE_WINDOW, "before_the_window", "W and a millisecond before it was signed", late_ms=-last - 1
    )


def _ended() -> Iterator[Trial]:
    said = says(DISTRICT, Verb.CASE_NOTED, HOTLINE)
    yield _noted(Code.AGENCY_ENDED, "by_who_has_ended", "an agency that has ended", saying=said, after=7)
