"""
Which happenings a paper of a case tells the deadline watcher, and when they were.

An assessment, a plan or a decision was made when its `happened` says. A report or a request is made by the very event
that brings it, whatever it tells of: its `happened` is about the incident.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, TypeAlias

from referral_contracts.payloads.base import Answer
from referral_contracts.payloads.breach import BreachNotice
from referral_contracts.payloads.forensic import ExaminationKind, ForensicConclusion, ForensicRequest
from referral_contracts.payloads.legal_aid import LegalAidAcceptance
from referral_contracts.payloads.mau02 import Mau02
from referral_contracts.payloads.mau03 import Mau03
from referral_contracts.payloads.mau04 import Mau04
from referral_contracts.payloads.mau05 import Mau05
from referral_contracts.payloads.mau06 import Mau06
from referral_contracts.payloads.mau07 import Mau07
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.prosecution import ProsecutionRequest
from referral_contracts.payloads.school import SchoolReport
from referral_contracts.payloads.serious_case import ReportStage, SeriousCaseReport

Happened: TypeAlias = tuple[str, datetime | None]
"""A trigger, and when it was; None is the moment at which the bus admits the event."""

LEGAL_AID_REGISTERED: Final = "legal-aid-registered"

MADE: Final[Mapping[type[Payload], str]] = {
    Mau02: "initial-risk-assessed",
    Mau03: "detailed-risk-assessed",
    Mau04: "plan-drafted",
    Mau05: "plan-approved",
    Mau06: "plan-reviewed",
    Mau07: "separation-decided",
}
"""What was made when the paper says."""
REPORTED: Final[Mapping[type[Payload], str]] = {
    ProsecutionRequest: "prosecution-requested",
    SchoolReport: "school-reported",
}
"""What the event itself does that brings the paper."""
EMERGENCIES: Final[Mapping[Answer, str]] = {Answer.YES: "emergency-found", Answer.NO: "emergency-ruled-out"}
"""What an initial assessment concludes: without an emergency nobody has let 12 hours pass."""

_INJURY, _DEATH, _MENTAL, _ABUSE, _LABORATORY = "injury", "death", "mental", "abuse", "laboratory"
EXAMINATIONS: Final[Mapping[ExaminationKind, str]] = {
    ExaminationKind.INJURY: _INJURY,
    ExaminationKind.AGE: _INJURY,
    ExaminationKind.CAUSE_OF_DEATH: _DEATH,
    ExaminationKind.MENTAL_STATE: _MENTAL,
    ExaminationKind.SEXUAL_ABUSE: _ABUSE,
    ExaminationKind.MALTREATMENT: _ABUSE,
    ExaminationKind.PREGNANCY: _ABUSE,
    ExaminationKind.TOXICOLOGY: _LABORATORY,
    ExaminationKind.HISTOPATHOLOGY: _LABORATORY,
    ExaminationKind.DNA: _LABORATORY,
}
"""The law gives several kinds of examination one limit; the watcher is told the group, and not the kind."""

TELLING_PAPERS: Final[frozenset[type[Payload]]] = frozenset(
    {*MADE, *REPORTED, ForensicRequest, ForensicConclusion, LegalAidAcceptance, SeriousCaseReport, BreachNotice}
)

PAPER_TRIGGERS: Final = frozenset(
    {
        *MADE.values(),
        *REPORTED.values(),
        *EMERGENCIES.values(),
        *(f"{group}-order-received" for group in EXAMINATIONS.values()),
        *(f"{group}-examination-concluded" for group in EXAMINATIONS.values()),
        "separation-in-force",
        "procuracy-notified",
        "abuse-noticed",
        "serious-case-detected",
        "serious-case-reported",
        "serious-case-result-reported",
        "breach-detected",
        "breach-notified",
        "forensic-order-issued",
        "forensic-conclusion-given",
        "forensic-delay-notified",
        "consultation-held",
        LEGAL_AID_REGISTERED,
        "provider-appointed",
    }
)
"""Every trigger that a paper can tell."""

_VIET_NAM: Final = timedelta(hours=7)


def happenings(paper: Payload) -> Iterator[Happened]:
    """Yield what *paper* says has happened."""
    if type(paper) in MADE:
        yield MADE[type(paper)], _act(paper)
    if type(paper) in REPORTED:
        yield REPORTED[type(paper)], None
    yield from _besides(paper)
    yield from _answered(paper)


def _besides(paper: Payload) -> Iterator[Happened]:
    match paper:
        case Mau02(emergency=(Answer.YES | Answer.NO) as found):
            yield EMERGENCIES[found], _act(paper)
        case Mau07():
            # From when the child is separated; without a word of it, from when it was decided.
            yield "separation-in-force", paper.starts_at or _act(paper)
        case ProsecutionRequest() if paper.procuracy_told is Answer.YES or paper.procuracy_told_at is not None:
            yield "procuracy-notified", paper.procuracy_told_at
        case SchoolReport():
            yield from _detected("abuse-noticed", paper.noticed_at)
        case SeriousCaseReport():
            yield from _detected("serious-case-detected", paper.detected_at)
            result = paper.stage is ReportStage.RESULT
            yield "serious-case-result-reported" if result else "serious-case-reported", None
        case BreachNotice():
            yield from _detected("breach-detected", paper.detected_at)
            yield "breach-notified", None
        case _:
            pass


def _answered(paper: Payload) -> Iterator[Happened]:
    match paper:
        case ForensicRequest():
            yield "forensic-order-issued", paper.ordered_at or _act(paper)
        case ForensicConclusion():
            yield from _concluded(paper)
        case LegalAidAcceptance() if paper.registered_at is not None:
            # A case counts as accepted when it is written in the register (TT 12/2018 Đ.5 k.2).
            yield LEGAL_AID_REGISTERED, paper.registered_at
            if paper.appointed_on is not None:
                yield "provider-appointed", max(_begin(paper.appointed_on), paper.registered_at)
        case _:
            pass


def order_received(paper: Payload) -> Iterator[str]:
    """Yield what the receipt of *paper* tells besides: which examination was ordered, as far as its limit needs it."""
    if isinstance(paper, ForensicRequest) and paper.kind in EXAMINATIONS:
        yield f"{EXAMINATIONS[paper.kind]}-order-received"


def _concluded(paper: ForensicConclusion) -> Iterator[Happened]:
    if paper.conclusion is not None:
        yield "forensic-conclusion-given", _act(paper)
        if paper.kind in EXAMINATIONS:
            yield f"{EXAMINATIONS[paper.kind]}-examination-concluded", _act(paper)
    elif paper.late_reason is not None:
        yield "forensic-delay-notified", None
    if paper.consultation is Answer.YES:
        # With one the limit is longer (TT 13/2022/TT-BYT Đ.2 k.2).
        yield "consultation-held", None


def _detected(trigger: str, detected_at: datetime | None) -> Iterator[Happened]:
    # Starts the clock of the notice itself, which may be the first that the bus hears of it.
    if detected_at is not None:
        yield trigger, detected_at


def _act(paper: Payload) -> datetime | None:
    return None if paper.happened is None else paper.happened.occurred_at


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), UTC) - _VIET_NAM
