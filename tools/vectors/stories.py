"""Stories beside the one of SPEC section 1, so that every verb is said once, and every way in which a case goes on."""

from typing import Final

from referral_contracts.directory_model import Delivery, Entry, MayKnow, MaySend, Policy
from referral_contracts.encoding import format_time
from referral_contracts.keys import SigningKey
from referral_contracts.payloads.base import Answer as Known
from referral_contracts.payloads.case import (
    CaseClosing,
    ClosingReason,
    Note,
    TransferAnswer,
    TransferOffer,
    TransferReason,
)
from referral_contracts.payloads.handoff import (
    Acceptance,
    Closing,
    Decline,
    DeclineReason,
    Forwarding,
    Outcome,
    Progress,
    Receipt,
    Result,
    Return,
    ReturnReason,
    Unreadable,
    Withdrawal,
    WithdrawalReason,
)
from referral_contracts.payloads.link import Link, Relation, Unlinking, UnlinkingReason
from referral_contracts.payloads.mistake import (
    Corrected,
    Correction,
    Disposal,
    Misdirection,
    Recall,
    RecallReason,
    Voiding,
    VoidingReason,
)
from referral_contracts.payloads.moving import Moving, MovingReason
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.talk import Answer, Question
from referral_contracts.payloads.turn import (
    Cancellation,
    CancellationReason,
    Expiry,
    Failure,
    FailureReason,
    Reopening,
    ReopeningReason,
    Resumption,
    Suspension,
    SuspensionReason,
)
from referral_contracts.verbs import Verb
from tools.vectors import deadlines
from tools.vectors.cast import BUS, EVERYBODY, HOSPITAL, HOTLINE, START, TERM, WATCHER, Agency, secret
from tools.vectors.registrar import Term, key_record
from tools.vectors.story import INTAKE, REQUEST, SYSTEM, Saying, Story

POLICE: Final = Agency("police-b", "police", "Công an B", "police B")
WARD_A: Final = Agency("ward-a", "commune", "UBND phường A", "ward A")
WARD_B: Final = Agency("ward-b", "commune", "UBND phường B", "ward B")
DISTRICT: Final = Agency("district-d", "commune", "UBND quận D", "district D")
SCHOOL: Final = Agency("school-e", "school", "Trường E", "school E")
"""Who may not open a case, and is no party of any."""
TEMPLE: Final = Agency("temple-g", "school", "Chùa G", "temple G")
"""Who is not on the bus."""
LATE: Final = Agency("late-h", "school", "Trường H", "school H")
"""Who is, and whose inbox nobody has made yet."""
OLD_KEY: Final = SigningKey.from_seed(secret("school-e signed", 32))
"""The school's key of before."""
HOUR_MS: Final = 3_600_000
END_MS: Final = START + HOUR_MS
"""When district D is split into the two wards."""

BUSY: Final = Policy(
    keep_closed_ms=24 * HOUR_MS,
    may_know=(
        MayKnow(answers="team", roles=("hospital", "police")),
        MayKnow(roles=("commune", "hospital", "legal-aid", "police")),
    ),
    may_open=("commune", "hotline"),
    may_send=(
        MaySend(recipients=("*",), senders=("commune", "hotline", "police"), verbs=("*",)),
        MaySend(recipients=("*",), senders=("*",), verbs=("case.noted", "handoff.notified")),
    ),
    window_ms=2 * HOUR_MS,
)
CAST: Final = (*EVERYBODY, POLICE, WARD_A, WARD_B, DISTRICT, SCHOOL)


def _entry(agency: Agency) -> Entry:
    if agency is SCHOOL:
        before = Term(from_ms=TERM.from_ms, until_ms=START)
        old = key_record(BUS, agency.id, OLD_KEY, before, OLD_KEY)
        return agency.with_keys(old, agency.event_key, agency.sealing_key)
    if agency is TEMPLE:
        return agency.small_entry.model_copy(update={"delivery": Delivery(kind="off-bus")})
    if agency is not DISTRICT:
        return agency.entry
    following = WARD_A.id, WARD_B.id
    return agency.entry.model_copy(update={"ends_at": format_time(END_MS), "successors": following})


ENTRIES: Final = tuple(map(_entry, (*CAST, TEMPLE, LATE)))

BODIES: Final[dict[Verb, Payload]] = {
    Verb.CASE_OPENED: INTAKE,
    Verb.CASE_TRANSFER_OFFERED: TransferOffer(actor=SYSTEM, reason=TransferReason.INCIDENT_COMMUNE),
    Verb.CASE_TRANSFER_ACCEPTED: TransferAnswer(actor=SYSTEM),
    Verb.CASE_TRANSFER_DECLINED: TransferAnswer(actor=SYSTEM),
    Verb.CASE_TRANSFER_WITHDRAWN: Withdrawal(actor=SYSTEM, reason=WithdrawalReason.SITUATION_CHANGED),
    Verb.CASE_NOTED: Note(actor=SYSTEM, text="Trẻ đã về nhà bà ngoại."),
    Verb.CASE_CORRECTED: Correction(actor=SYSTEM, what=Corrected.NAME),
    Verb.CASE_LINKED: Link(actor=SYSTEM, relation=Relation.SAME_CHILD, others=("ab" * 16,)),
    Verb.CASE_UNLINKED: Unlinking(actor=SYSTEM, reason=UnlinkingReason.NOT_THE_SAME, others=("ab" * 16,)),
    Verb.CASE_CLOSED: CaseClosing(actor=SYSTEM, reason=ClosingReason.NO_LONGER_AT_RISK),
    Verb.CASE_REOPENED: Reopening(actor=SYSTEM, reason=ReopeningReason.NEW_INFORMATION),
    Verb.CASE_VOIDED: Voiding(actor=SYSTEM, reason=VoidingReason.ENTERED_TWICE),
    Verb.OFFERED: REQUEST,
    Verb.ASSIGNED: REQUEST,
    Verb.NOTIFIED: REQUEST,
    Verb.RECEIVED: Receipt(actor=SYSTEM),
    Verb.UNREADABLE: Unreadable(actor=SYSTEM, code="wrong-commitment", section="s0"),
    Verb.ACCEPTED: Acceptance(actor=SYSTEM),
    Verb.DECLINED: Decline(actor=SYSTEM, reason=DeclineReason.NO_CAPACITY),
    Verb.EXPIRED: Expiry(actor=SYSTEM),
    Verb.WITHDRAWN: Withdrawal(actor=SYSTEM, reason=WithdrawalReason.NO_LONGER_NEEDED),
    Verb.FORWARDED: Forwarding(actor=SYSTEM),
    Verb.PROGRESSED: Progress(actor=SYSTEM),
    Verb.SUSPENDED: Suspension(actor=SYSTEM, reason=SuspensionReason.CHILD_UNAVAILABLE),
    Verb.RESUMED: Resumption(actor=SYSTEM),
    Verb.COMPLETED: Outcome(actor=SYSTEM, result=Result.ACHIEVED),
    Verb.FAILED: Failure(actor=SYSTEM, reason=FailureReason.CHILD_NOT_FOUND),
    Verb.RETURNED: Return(actor=SYSTEM, reason=ReturnReason.CHILD_MOVED),
    Verb.CANCELLED: Cancellation(actor=SYSTEM, reason=CancellationReason.NO_LONGER_NEEDED),
    Verb.REOPENED: Reopening(actor=SYSTEM, reason=ReopeningReason.NOT_ACHIEVED),
    Verb.CLOSED: Closing(actor=SYSTEM),
    Verb.MOVED: Moving(actor=SYSTEM, reason=MovingReason.SPLIT),
    Verb.ASKED: Question(actor=SYSTEM, text="Ai đang chăm sóc trẻ?"),
    Verb.ANSWERED: Answer(actor=SYSTEM, text="Bà ngoại."),
    Verb.CORRECTED: Correction(actor=SYSTEM, what=Corrected.COMMUNE),
    Verb.VOIDED: Voiding(actor=SYSTEM, reason=VoidingReason.WRONG_CHILD),
    Verb.RECALLED: Recall(actor=SYSTEM, reason=RecallReason.WRONG_AGENCY),
    Verb.MISDIRECTED: Misdirection(actor=SYSTEM, opened=Known.YES, disposal=Disposal.DESTROYED),
    **deadlines.BODIES,
}


def says(who: Agency, verb: Verb, *to: Agency, **about: int) -> Saying:
    """Return what *who* says, with the body that goes with the verb."""
    return Saying(who=who, verb=verb, to=to, body=BODIES[verb], **about)


def _story(number: int, name: str, comment: str, *sayings: Saying) -> Story:
    opened = says(HOTLINE, Verb.CASE_OPENED)
    return Story(
        name=name,
        comment=comment,
        number=number,
        cast=CAST,
        entries=ENTRIES,
        policy=BUSY,
        sayings=(opened, *sayings),
        wire_until_ms=START + 48 * HOUR_MS,
    )


CASE: Final = _story(
    1,
    "life_of_a_case",
    "a case changes hands, is corrected, linked, closed, put away and restored; and is voided at last",
    says(HOTLINE, Verb.CASE_TRANSFER_OFFERED, WARD_A, answers=0),
    says(WARD_A, Verb.CASE_TRANSFER_DECLINED, HOTLINE, answers=1),
    says(HOTLINE, Verb.CASE_TRANSFER_OFFERED, WARD_B, answers=2),
    says(WARD_B, Verb.CASE_TRANSFER_ACCEPTED, HOTLINE, answers=3),
    says(WARD_B, Verb.CASE_NOTED, HOTLINE),
    says(WARD_B, Verb.CASE_CORRECTED, HOTLINE, supersedes=5),
    says(WARD_B, Verb.CASE_LINKED),
    says(WARD_B, Verb.CASE_UNLINKED),
    says(WARD_B, Verb.CASE_CLOSED, answers=4),
    says(WARD_B, Verb.CASE_REOPENED, answers=9),
    says(WARD_B, Verb.NOTIFIED, HOSPITAL),
    says(HOSPITAL, Verb.RECEIVED, WARD_B, of=11, answers=11),
    says(WARD_B, Verb.CASE_CLOSED, answers=10),
    says(WARD_B, Verb.CASE_REOPENED, answers=13, wait_ms=25 * HOUR_MS),
    says(WARD_B, Verb.NOTIFIED, HOSPITAL),
    says(WARD_B, Verb.WITHDRAWN, HOSPITAL, of=15, answers=15),
    says(WARD_B, Verb.CASE_VOIDED, answers=14),
)

DUTY: Final = _story(
    2,
    "life_of_a_duty",
    "a duty is forwarded, given back, done, and reopened; then a team of two is asked, and one who does not answer",
    says(HOTLINE, Verb.ASSIGNED, POLICE),
    says(POLICE, Verb.RECEIVED, HOTLINE, of=1, answers=1),
    says(POLICE, Verb.FORWARDED, HOTLINE, WARD_A, of=1, answers=1),
    says(WARD_A, Verb.RECEIVED, POLICE, of=3, at=1, answers=3),
    says(WARD_A, Verb.ACCEPTED, POLICE, of=3, at=1, answers=3),
    says(WARD_A, Verb.PROGRESSED, POLICE, of=3, at=1, answers=5),
    says(POLICE, Verb.ASKED, WARD_A, of=3, at=1, answers=5),
    says(WARD_A, Verb.ANSWERED, POLICE, of=3, at=1, answers=5),
    says(WARD_A, Verb.SUSPENDED, POLICE, of=3, at=1, answers=5),
    says(WARD_A, Verb.RESUMED, POLICE, of=3, at=1, answers=9),
    says(WARD_A, Verb.RETURNED, POLICE, of=3, at=1, answers=10),
    says(POLICE, Verb.ACCEPTED, HOTLINE, of=1, answers=3),
    says(POLICE, Verb.COMPLETED, HOTLINE, of=1, answers=12),
    says(HOTLINE, Verb.REOPENED, POLICE, of=1, answers=13),
    says(POLICE, Verb.FAILED, HOTLINE, of=1, answers=14),
    says(HOTLINE, Verb.CLOSED, POLICE, of=1, answers=15),
    says(POLICE, Verb.CLOSED, WARD_A, of=3, at=1, answers=11),
    says(HOTLINE, Verb.OFFERED, POLICE, HOSPITAL, follows=16),
    says(HOSPITAL, Verb.ACCEPTED, HOTLINE, POLICE, of=18, at=1, answers=18),
    says(POLICE, Verb.DECLINED, HOTLINE, of=18, answers=18),
    says(HOTLINE, Verb.CANCELLED, HOSPITAL, of=18, at=1, answers=19),
    says(HOTLINE, Verb.OFFERED, HOSPITAL),
    says(WATCHER, Verb.EXPIRED, HOTLINE, HOSPITAL, of=22, answers=22),
    says(HOTLINE, Verb.CASE_CLOSED, answers=0),
)

MISTAKES: Final = _story(
    3,
    "life_of_mistakes",
    "what was wrong is corrected, recalled after it was withdrawn, given back, asked of another, and voided",
    says(HOTLINE, Verb.OFFERED, HOSPITAL),
    says(HOSPITAL, Verb.UNREADABLE, HOTLINE, of=1, answers=1),
    says(HOTLINE, Verb.CORRECTED, HOSPITAL, of=1, answers=1, supersedes=1),
    says(HOSPITAL, Verb.RECEIVED, HOTLINE, of=1, answers=1),
    says(HOTLINE, Verb.WITHDRAWN, HOSPITAL, of=1, answers=1),
    says(HOTLINE, Verb.RECALLED, HOSPITAL, of=1, answers=5),
    says(HOSPITAL, Verb.MISDIRECTED, HOTLINE, of=1, answers=6),
    says(HOTLINE, Verb.OFFERED, POLICE, follows=7),
    says(HOTLINE, Verb.VOIDED, POLICE, of=8, answers=8),
    says(HOTLINE, Verb.CASE_VOIDED, answers=0),
)

ENDING: Final = _story(
    4,
    "life_of_an_agency_that_ends",
    "a district moves one hand-off to one of the wards that follow it, and ends; the first of them speaks for the rest",
    says(HOTLINE, Verb.ASSIGNED, DISTRICT),
    says(DISTRICT, Verb.ACCEPTED, HOTLINE, of=1, answers=1),
    says(HOTLINE, Verb.OFFERED, DISTRICT),
    says(DISTRICT, Verb.MOVED, HOTLINE, WARD_B, of=3, answers=3),
    says(WARD_B, Verb.ACCEPTED, HOTLINE, of=3, answers=4),
    says(WARD_A, Verb.COMPLETED, HOTLINE, of=1, answers=2, wait_ms=HOUR_MS),
    says(WARD_B, Verb.COMPLETED, HOTLINE, of=3, answers=5),
    says(HOTLINE, Verb.CLOSED, WARD_A, of=1, answers=6),
    says(HOTLINE, Verb.CLOSED, WARD_B, of=3, answers=7),
    says(WARD_B, Verb.RECEIVED, HOTLINE, of=3, answers=3),
    says(HOTLINE, Verb.CASE_CLOSED, answers=0),
)

CHAIN: Final = _story(
    5,
    "life_of_a_chain",
    "a duty is passed on twice and done; that the one in the middle was sent wrongly brings it back to nobody",
    says(HOTLINE, Verb.ASSIGNED, POLICE),
    says(POLICE, Verb.FORWARDED, HOTLINE, WARD_A, of=1, answers=1),
    says(WARD_A, Verb.FORWARDED, POLICE, WARD_B, of=2, at=1, answers=2),
    says(WARD_B, Verb.ACCEPTED, WARD_A, of=3, at=1, answers=3),
    says(WARD_B, Verb.COMPLETED, WARD_A, of=3, at=1, answers=4),
    says(WARD_A, Verb.CLOSED, WARD_B, of=3, at=1, answers=5),
    says(WARD_A, Verb.RECEIVED, POLICE, of=2, at=1, answers=2),
    says(POLICE, Verb.RECALLED, WARD_A, of=2, at=1, answers=3),
    says(HOTLINE, Verb.CANCELLED, POLICE, WARD_A, of=2, at=1, answers=8),
    says(HOTLINE, Verb.CASE_CLOSED, answers=0),
)

DEADLINE: Final = _story(
    6,
    "life_of_a_deadline",
    "the watcher tells a ward of a clock, reminds it, calls it missed and tells another; it is disputed and explained",
    says(HOTLINE, Verb.ASSIGNED, WARD_A),
    says(WATCHER, Verb.DEADLINE_ARMED, WARD_A),
    says(WATCHER, Verb.DEADLINE_REMINDED, WARD_A),
    says(WATCHER, Verb.DEADLINE_MISSED, WARD_A),
    says(WATCHER, Verb.DEADLINE_ESCALATED, DISTRICT),
    says(WARD_A, Verb.CLOCK_DISPUTED, DISTRICT),
    says(WARD_A, Verb.CLOCK_EXTENDED),
    says(DISTRICT, Verb.CLOCK_CONFIRMED, WARD_A),
    says(WATCHER, Verb.DEADLINE_EXPLAINED, WARD_A),
    says(WATCHER, Verb.DEADLINE_UNREADABLE, HOTLINE),
    says(HOTLINE, Verb.WITHDRAWN, WARD_A, of=1, answers=1),
    says(HOTLINE, Verb.CASE_CLOSED, answers=0),
    says(WATCHER, Verb.DEADLINE_EXPLAINED, DISTRICT),
    says(HOTLINE, Verb.CASE_VOIDED, answers=12),
    says(WARD_A, Verb.CLOCK_DISPUTED),
)

STORIES: Final = (CASE, DUTY, MISTAKES, ENDING, CHAIN, DEADLINE)
