"""What is made of a `clock` section by who reads it, and how certain a form is (SPEC 8)."""

from collections.abc import Iterator
from typing import Final

from deadline_watcher.core.hearing import MAX_TRIGGERS
from referral_contracts.codes import Code
from referral_contracts.payloads.base import label_of
from referral_contracts.payloads.forensic import ForensicRequest
from referral_contracts.payloads.handoff import Acceptance
from referral_contracts.payloads.mau01 import Mau01
from referral_contracts.payloads.mau02 import Mau02
from referral_contracts.payloads.mau06 import Mau06
from tools.vectors.cast import HOSPITAL
from tools.vectors.vector import Vector, fault, valid

_ASKED: Final = {"trigger": "forensic-order-received", "whose": HOSPITAL.id}
_SENT: Final = {"trigger": "forensic-order-sent", "whose": "police-b"}
_AT: Final = {**_ASKED, "occurred_at": "2026-03-14T02:20:00.000Z"}
_LATER: Final = {**_ASKED, "occurred_at": "2026-03-14T02:21:00.000Z"}


def cases() -> Iterator[Vector]:
    yield from _bounds()
    yield from _compared()
    yield from _certain()


def _bounds() -> Iterator[Vector]:
    kind = "clock-bounds"
    yield valid(kind, "clock_bounds", "the last that are heard", told=MAX_TRIGGERS - 2, more=2)
    yield valid(kind, "clock_bounds_none_more", "who tells nothing more is heard", told=MAX_TRIGGERS, more=0)
    yield fault(Code.TOO_MANY, kind, "clock_bounds_exceeded", "one too many, so none", told=MAX_TRIGGERS - 2, more=3)


def _compared() -> Iterator[Vector]:
    kind, differs = "clock-compared", Code.CLOCK_DIFFERS

    def held(told: list[dict[str, str]], derived: list[dict[str, str]], *, whole: bool) -> dict[str, object]:
        return {"told": told, "derived": derived, "whole": whole}

    same = held([_AT, _SENT], [_SENT, _AT], whole=True)
    yield valid(kind, "clock_compared", "told as the forms say it", **same)
    more = held([_ASKED, _SENT], [_ASKED], whole=False)
    yield valid(kind, "clock_compared_in_part", "what more was told may be of a form that is not ours to read", **more)
    at = held([_LATER], [_AT], whole=False)
    yield valid(kind, "clock_compared_of_another_form", "when, another form may tell", **at)
    moved = held([_LATER], [_AT], whole=True)
    yield fault(differs, kind, "clock_compared_of_another_time", "the form says when", **moved)
    untold = held([_SENT], [_SENT, _ASKED], whole=False)
    yield fault(differs, kind, "clock_compared_untold", "the form says that it happened", **untold)
    made_up = held([_SENT, _ASKED], [_SENT], whole=True)
    yield fault(differs, kind, "clock_compared_made_up", "no form knows of it", **made_up)
    whose = held([{**_ASKED, "whose": "clinic-f"}], [_ASKED], whole=False)
    yield fault(differs, kind, "clock_compared_of_somebody_else", "another agency's clock", **whose)


def _certain() -> Iterator[Vector]:
    kind = "certainty"
    for name, comment, model in (
        ("as_printed", "as printed, and read as a whole", Mau01),
        ("read_in_part", "of some fields nobody has read what is printed", Mau06),
        ("not_read", "the printed form was not read: no field is certain", Mau02),
        ("own", "the bus's own form, and what the law says of it", ForensicRequest),
        ("of_nothing", "the bus's own, which rests on no law", Acceptance),
    ):
        yield valid(
            kind,
            f"certainty_{name}",
            comment,
            schema=str(model.schema_id()),
            status=model.about.status.value,
            basis=[[part.place, part.confidence.value] for part in model.about.basis],
            provisional=sorted(field for field, mark in model.model_fields.items() if label_of(mark).provisional),
        )
    yield fault(
        Code.UNKNOWN_SCHEMA, kind, "certainty_unknown", "no such form: nothing is certain of it", schema="mau08/1.0"
    )
