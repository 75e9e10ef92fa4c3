"""
Which happenings a paper of a case tells the deadline watcher, and when they were.

An assessment, a plan or a decision was made when its `happened` says. A report or a request is made by the very event
that brings it, whatever it tells of: its `happened` is about the incident. The names in the comments are those of the
rules that wait for the trigger.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final, TypeAlias

from referral_contracts.payloads.breach import BreachNotice
from referral_contracts.payloads.forensic import ForensicConclusion, ForensicRequest
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

_MADE: Final[Mapping[type[Payload], str]] = {
    # Stops initial-risk-assessment.
    Mau02: "initial-risk-assessed",
    # Stops detailed-assessment, starts draft-plan-5wd.
    Mau03: "detailed-risk-assessed",
    # Stops draft-plan-5wd, starts approve-plan-2wd.
    Mau04: "plan-drafted",
    # Stops approve-plan-2wd and plan-procedure-7wd.
    Mau05: "plan-approved",
    # Stops plan-review.
    Mau06: "plan-reviewed",
    # Stops separation-decision-12h, starts separation-max-15d.
    Mau07: "separation-in-force",
}
_REPORTED: Final[Mapping[type[Payload], str]] = {
    # Stops childaffairs-prosecution-request.
    ProsecutionRequest: "prosecution-requested",
    # Stops report-suspicion, school-report-authority, school-report-general.
    SchoolReport: "school-reported",
}

TELLING_PAPERS: Final[frozenset[type[Payload]]] = frozenset(
    {*_MADE, *_REPORTED, ForensicRequest, ForensicConclusion, LegalAidAcceptance, SeriousCaseReport, BreachNotice}
)


def happenings(paper: Payload) -> Iterator[Happened]:
    """Yield what *paper* says has happened."""
    if type(paper) in _MADE:
        yield _MADE[type(paper)], _act(paper)
    if type(paper) in _REPORTED:
        yield _REPORTED[type(paper)], None
    match paper:
        case ForensicRequest():
            # Stops forensic-order-prompt, starts forensic-order-dispatch-24h.
            yield "forensic-order-issued", paper.ordered_at or _act(paper)
        case ForensicConclusion() if paper.conclusion is not None:
            # Stops what forensic-order-received started.
            yield "forensic-conclusion-given", _act(paper)
        case ForensicConclusion() if paper.late_reason is not None:
            # Stops forensic-late-notice.
            yield "forensic-delay-notified", None
        case LegalAidAcceptance() if paper.registered_at is not None:
            # legalaid-clock-start: a case counts as accepted when it is written in the register (TT 12/2018 Đ.5 k.2).
            yield LEGAL_AID_REGISTERED, paper.registered_at
        case SeriousCaseReport():
            yield from _serious(paper)
        case BreachNotice():
            yield from _detected("breach-detected", paper.detected_at)
            # Stops breach-notice-72h.
            yield "breach-notified", None
        case _:
            pass


def _serious(paper: SeriousCaseReport) -> Iterator[Happened]:
    yield from _detected("serious-case-detected", paper.detected_at)
    # Stops serious-case-report-3d; any other report serious-case-report-now.
    yield "serious-case-result-reported" if paper.stage is ReportStage.RESULT else "serious-case-reported", None


def _detected(trigger: str, detected_at: datetime | None) -> Iterator[Happened]:
    # Starts the clock of the notice itself, which may be the first that the bus hears of it.
    if detected_at is not None:
        yield trigger, detected_at


def _act(paper: Payload) -> datetime | None:
    return None if paper.happened is None else paper.happened.occurred_at
