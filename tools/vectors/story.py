"""What is told in a story of the vectors: who says what to whom, about which event; and the first of them."""

from dataclasses import dataclass
from typing import Final

from referral_contracts.directory_model import Entry, Policy
from referral_contracts.payloads.actor import Actor, Role
from referral_contracts.payloads.case import CaseClosing, ClosingReason
from referral_contracts.payloads.handoff import Acceptance, Closing, Outcome, Receipt, Result
from referral_contracts.payloads.mau01 import ChildCategory, IntakeChannel, Mau01
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.request import HandoffRequest, Service, Urgency
from referral_contracts.verbs import Verb
from tools.vectors.cast import EVERYBODY, HOSPITAL, HOTLINE, POLICY, Agency

_OPERATOR: Final = Actor(role=Role.HOTLINE_OPERATOR)
_DOCTOR: Final = Actor(role=Role.HEALTH_WORKER)
SYSTEM: Final = Actor(role=Role.SYSTEM)

INTAKE: Final = Mau01(
    actor=_OPERATOR,
    child_category=ChildCategory.AT_RISK,
    channel=IntakeChannel.PHONE,
    current_condition="Trẻ kể bị đánh, đang ở nhà hàng xóm.",
)
REQUEST: Final = HandoffRequest(
    actor=_OPERATOR, service=Service.MEDICAL_CARE, urgency=Urgency.URGENT, medical="Vết bầm ở tay trái."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """One event of the story."""

    who: Agency
    verb: Verb
    to: tuple[Agency, ...] = ()
    body: Payload
    answers: int | None = None
    """Which saying it answers, counted from 0."""
    of: int | None = None
    """Which saying opened its hand-off."""
    at: int = 0
    """To which of that one's recipients."""
    follows: int | None = None
    supersedes: int | None = None
    wait_ms: int = 0
    """How long nothing is said before it, but for the usual minute."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What is said about one case, and among whom."""

    name: str
    comment: str
    number: int
    """Makes its ids other than those of the stories before."""
    cast: tuple[Agency, ...]
    entries: tuple[Entry, ...]
    policy: Policy
    sayings: tuple[Saying, ...]
    wire_until_ms: int | None = None
    """Until when this version of the wire is accepted."""


FIRST: Final = Story(
    name="life",
    comment="SPEC section 1 in full; a value that was submitted is named by its place in submissions",
    number=0,
    cast=EVERYBODY,
    entries=tuple(agency.entry for agency in EVERYBODY),
    policy=POLICY,
    sayings=(
        Saying(who=HOTLINE, verb=Verb.CASE_OPENED, body=INTAKE),
        Saying(who=HOTLINE, verb=Verb.OFFERED, to=(HOSPITAL,), body=REQUEST),
        Saying(who=HOSPITAL, verb=Verb.RECEIVED, to=(HOTLINE,), body=Receipt(actor=SYSTEM), answers=1, of=1),
        Saying(who=HOSPITAL, verb=Verb.ACCEPTED, to=(HOTLINE,), body=Acceptance(actor=_DOCTOR), answers=1, of=1),
        Saying(
            who=HOSPITAL,
            verb=Verb.COMPLETED,
            to=(HOTLINE,),
            body=Outcome(actor=_DOCTOR, result=Result.ACHIEVED),
            answers=3,
            of=1,
        ),
        Saying(who=HOTLINE, verb=Verb.CLOSED, to=(HOSPITAL,), body=Closing(actor=_OPERATOR), answers=4, of=1),
        Saying(
            who=HOTLINE,
            verb=Verb.CASE_CLOSED,
            body=CaseClosing(actor=_OPERATOR, reason=ClosingReason.NO_LONGER_AT_RISK),
            answers=0,
        ),
    ),
)
