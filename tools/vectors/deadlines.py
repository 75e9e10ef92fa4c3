"""What is said of one clock in the vectors: the twelve hours of a commune, missed and disputed."""

from datetime import UTC, datetime, timedelta
from typing import Final

from referral_contracts.encoding import b64, sha256
from referral_contracts.payloads.basis import Confidence
from referral_contracts.payloads.clock_answer import (
    ClockConfirmation,
    ClockDispute,
    ClockExtension,
    ConfirmationBasis,
    DisputeReason,
)
from referral_contracts.payloads.deadline import (
    ClockUnreadable,
    DeadlineNotice,
    Delivered,
    EventNamed,
    Found,
    Ground,
    RuleNamed,
    Standing,
)
from referral_contracts.payloads.payload import Payload
from referral_contracts.verbs import Verb
from tools.vectors.cast import event_id
from tools.vectors.story import SYSTEM

CLOCK: Final = "1c5f" * 8
STARTED_BY: Final = EventNamed(id=event_id(1), sha256=b64(sha256(b"what started it")))
_BEGAN: Final = datetime(2026, 3, 14, 2, 20, tzinfo=UTC)
_DUE: Final = _BEGAN + timedelta(hours=12)
_UNTIL: Final = _DUE + timedelta(hours=6)
_RULE: Final = RuleNamed(
    id="emergency-measures-12h",
    vi="Can thiệp khẩn cấp trong 12 giờ",
    en="emergency measures within 12 hours",
    ground=Ground.LAW,
    source="NĐ 56/2017/NĐ-CP, Điều 26 khoản 3",
    quote="trong vòng 12 giờ từ khi nhận thông tin, Chủ tịch Ủy ban nhân dân cấp xã",
    confidence=Confidence.TEXT,
    pack="national",
    version="2026.1",
)


def notice(
    standing: Standing, *, step: int | None = None, level: int | None = None, found: Found | None = None
) -> DeadlineNotice:
    """Return what the watcher says of the clock."""
    return DeadlineNotice(
        actor=SYSTEM,
        clock=CLOCK,
        rule=_RULE,
        responsible="ward-a",
        due_at=_DUE,
        started_at=_BEGAN,
        standing=standing,
        delivery=Delivered.PROVEN,
        trigger="information-received",
        started_by=STARTED_BY,
        step=step,
        level=level,
        found=found,
    )


BODIES: Final[dict[Verb, Payload]] = {
    Verb.CLOCK_DISPUTED: ClockDispute(actor=SYSTEM, clock=CLOCK, reason=DisputeReason.DONE_IN_TIME),
    Verb.CLOCK_EXTENDED: ClockExtension(
        actor=SYSTEM, clock=CLOCK, until=_UNTIL, authority="UBND quận D", document="12/QĐ-UBND"
    ),
    Verb.CLOCK_CONFIRMED: ClockConfirmation(actor=SYSTEM, clock=CLOCK, basis=ConfirmationBasis.PAPERS_SEEN),
    Verb.DEADLINE_ARMED: notice(Standing.RUNNING),
    Verb.DEADLINE_REMINDED: notice(Standing.RUNNING, step=1),
    Verb.DEADLINE_MISSED: notice(Standing.MISSED),
    Verb.DEADLINE_ESCALATED: notice(Standing.MISSED, step=1, level=1),
    Verb.DEADLINE_EXPLAINED: notice(Standing.MET_AS_CLAIMED, found=Found.DONE_IN_TIME),
    Verb.DEADLINE_UNREADABLE: ClockUnreadable(actor=SYSTEM, event=STARTED_BY, code="malformed-section"),
}
