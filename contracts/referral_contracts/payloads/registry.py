"""
Which schema name is which model, and which verbs use which.

The order within a verb is the order in which a person is shown the sections: the verb's own body first.
"""

from collections.abc import Mapping
from typing import Final

from referral_contracts.payloads.breach import BreachNotice
from referral_contracts.payloads.case import CaseClosing, CaseOpening, Note, TransferAnswer, TransferOffer
from referral_contracts.payloads.clock import ClockSection
from referral_contracts.payloads.clock_answer import ClockConfirmation, ClockDispute, ClockExtension
from referral_contracts.payloads.deadline import ClockUnreadable, DeadlineNotice
from referral_contracts.payloads.forensic import ForensicConclusion, ForensicRequest
from referral_contracts.payloads.handoff import (
    Acceptance,
    Closing,
    Decline,
    Forwarding,
    Outcome,
    Progress,
    Receipt,
    Return,
    Unreadable,
    Withdrawal,
)
from referral_contracts.payloads.legal_aid import LegalAidAcceptance, LegalAidRequest
from referral_contracts.payloads.link import Link, Unlinking
from referral_contracts.payloads.mau01 import Mau01
from referral_contracts.payloads.mau02 import Mau02
from referral_contracts.payloads.mau03 import Mau03
from referral_contracts.payloads.mau04 import Mau04
from referral_contracts.payloads.mau05 import Mau05
from referral_contracts.payloads.mau06 import Mau06
from referral_contracts.payloads.mau07 import Mau07
from referral_contracts.payloads.mistake import Correction, Misdirection, Recall, Voiding
from referral_contracts.payloads.moving import Moving
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.prosecution import ProsecutionRequest
from referral_contracts.payloads.relay import Relay
from referral_contracts.payloads.request import HandoffRequest, Tie
from referral_contracts.payloads.school import SchoolReport
from referral_contracts.payloads.serious_case import SeriousCaseReport
from referral_contracts.payloads.stats import Stats
from referral_contracts.payloads.talk import Answer, Question
from referral_contracts.payloads.turn import (
    Cancellation,
    Expiry,
    Failure,
    Reopening,
    Resumption,
    Suspension,
)
from referral_contracts.verbs import Verb

PAPERS: Final[tuple[type[Payload], ...]] = (
    Mau02,
    Mau03,
    Mau04,
    Mau05,
    Mau06,
    Mau07,
    ForensicRequest,
    ForensicConclusion,
    ProsecutionRequest,
    LegalAidRequest,
    LegalAidAcceptance,
    SchoolReport,
    SeriousCaseReport,
    BreachNotice,
)
"""What is filed in a case or passed on with it, to whoever has to act on it."""

USES: Final[Mapping[Verb, tuple[type[Payload], ...]]] = {
    Verb.CASE_OPENED: (CaseOpening, Mau01, SchoolReport),
    Verb.CASE_TRANSFER_OFFERED: (TransferOffer, Mau01, Note, *PAPERS, Relay),
    Verb.CASE_TRANSFER_ACCEPTED: (TransferAnswer,),
    Verb.CASE_TRANSFER_DECLINED: (TransferAnswer,),
    Verb.CASE_TRANSFER_WITHDRAWN: (Withdrawal,),
    Verb.CASE_NOTED: (Note, Mau01, Progress, *PAPERS, Stats, Relay),
    Verb.CASE_CORRECTED: (Correction, Relay),
    Verb.CASE_LINKED: (Link, Note, Relay),
    Verb.CASE_UNLINKED: (Unlinking, Note, Relay),
    Verb.CASE_CLOSED: (CaseClosing,),
    Verb.CASE_REOPENED: (Reopening,),
    Verb.CASE_VOIDED: (Voiding,),
    Verb.OFFERED: (HandoffRequest, Mau01, Tie, *PAPERS, Relay),
    Verb.ASSIGNED: (HandoffRequest, Mau01, Tie, *PAPERS, Relay),
    Verb.NOTIFIED: (HandoffRequest, Mau01, Note, Tie, *PAPERS, Relay),
    Verb.RECEIVED: (Receipt,),
    Verb.UNREADABLE: (Unreadable,),
    Verb.ACCEPTED: (Acceptance, LegalAidAcceptance),
    Verb.DECLINED: (Decline,),
    Verb.EXPIRED: (Expiry,),
    Verb.WITHDRAWN: (Withdrawal,),
    Verb.FORWARDED: (Forwarding,),
    Verb.PROGRESSED: (Progress, Note, *PAPERS),
    Verb.SUSPENDED: (Suspension,),
    Verb.RESUMED: (Resumption,),
    Verb.COMPLETED: (Outcome, Note, *PAPERS),
    Verb.FAILED: (Failure, Note),
    Verb.RETURNED: (Return, Note),
    Verb.CANCELLED: (Cancellation,),
    Verb.REOPENED: (Reopening, HandoffRequest),
    Verb.CLOSED: (Closing,),
    Verb.MOVED: (Moving,),
    Verb.ASKED: (Question,),
    Verb.ANSWERED: (Answer, Note),
    Verb.CORRECTED: (Correction,),
    Verb.VOIDED: (Voiding,),
    Verb.RECALLED: (Recall,),
    Verb.MISDIRECTED: (Misdirection,),
    Verb.CLOCK_DISPUTED: (ClockDispute, Note, Relay),
    Verb.CLOCK_EXTENDED: (ClockExtension, Note, Relay),
    Verb.CLOCK_CONFIRMED: (ClockConfirmation, Note, Relay),
    Verb.DEADLINE_ARMED: (DeadlineNotice,),
    Verb.DEADLINE_REMINDED: (DeadlineNotice,),
    Verb.DEADLINE_MISSED: (DeadlineNotice,),
    Verb.DEADLINE_ESCALATED: (DeadlineNotice,),
    Verb.DEADLINE_EXPLAINED: (DeadlineNotice,),
    Verb.DEADLINE_UNREADABLE: (ClockUnreadable,),
}
"""
What an event of each verb may carry besides its `clock` section, which every verb may have. A correction may carry what
the event that it corrects may carry, too.
"""

_ALL: Final[tuple[type[Payload], ...]] = (ClockSection, *(model for models in USES.values() for model in models))

MODELS: Final[Mapping[tuple[str, int], type[Payload]]] = {(model.schema_name, model.major): model for model in _ALL}
"""By name and major version. A minor version needs no entry: the newest one reads all older ones."""


def may_carry(verb: Verb, model: type[Payload]) -> bool:
    """Whether an event of *verb* may have a section of *model*."""
    return model is ClockSection or model in USES[verb]
