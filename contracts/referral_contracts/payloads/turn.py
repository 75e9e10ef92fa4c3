"""
What turns accepted work: a pause and its end, a failure, a cancellation, a reopening; and what time alone has done.

The verb in the clear says what happened; these say why, by whom, and until when.
"""

from typing import Annotated, ClassVar

from pydantic import StrictBool

from referral_contracts.payloads.base import Choice, Moment, Text, label
from referral_contracts.payloads.basis import About
from referral_contracts.payloads.handoff import Explanation, Measures, OtherReason, Recommendation
from referral_contracts.payloads.payload import Payload


class SuspensionReason(Choice):
    """Why accepted work rests."""

    CHILD_UNAVAILABLE = "child_unavailable", "Chưa tiếp cận được trẻ em", "the child cannot be reached"
    AWAITING_DECISION = "awaiting_decision", "Chờ quyết định của cơ quan khác", "another agency has to decide first"
    AWAITING_INFORMATION = "awaiting_information", "Chờ thông tin, hồ sơ", "information or papers are awaited"
    CHILD_IN_TREATMENT = "child_in_treatment", "Trẻ em đang điều trị", "the child is under treatment"
    EMERGENCY_FIRST = "emergency_first", "Ưu tiên biện pháp khẩn cấp", "emergency measures come first"
    OTHER = "other", "Khác", "other"
    UNKNOWN = "unknown", "Không biết", "unknown"


class FailureReason(Choice):
    """Why the work could not be done."""

    CHILD_NOT_FOUND = "child_not_found", "Không tìm được trẻ em", "the child was not found"
    CHILD_REFUSED = "child_refused", "Trẻ em không đồng ý", "the child does not agree"
    FAMILY_REFUSED = "family_refused", "Gia đình không hợp tác", "the family does not cooperate"
    NO_MEANS = "no_means", "Không đủ điều kiện thực hiện", "the means were missing"
    TOO_LATE = "too_late", "Đã quá muộn để thực hiện", "it was too late"
    OTHER = "other", "Khác", "other"
    UNKNOWN = "unknown", "Không biết", "unknown"


class CancellationReason(Choice):
    """Why work that had begun, or a request that still stood, is ended by the one who asked or owns the case."""

    NO_LONGER_NEEDED = "no_longer_needed", "Không còn cần thiết", "no longer needed"
    SITUATION_CHANGED = "situation_changed", "Tình hình đã thay đổi", "the situation changed"
    DONE_BY_ANOTHER = "done_by_another", "Cơ quan khác đã thực hiện", "another agency has done it"
    CASE_ENDS = "case_ends", "Vụ việc kết thúc", "the case ends"
    SENT_IN_ERROR = "sent_in_error", "Gửi nhầm", "sent in error"
    OTHER = "other", "Khác", "other"
    UNKNOWN = "unknown", "Không biết", "unknown"


class ReopeningReason(Choice):
    """Why something that was finished goes on."""

    NEW_INFORMATION = "new_information", "Có thông tin mới", "new information"
    ABUSE_AGAIN = "abuse_again", "Trẻ em tiếp tục bị xâm hại", "the child was abused again"
    NOT_ACHIEVED = "not_achieved", "Chưa đạt mục tiêu", "the aim was not reached"
    CLOSED_IN_ERROR = "closed_in_error", "Kết thúc nhầm", "closed in error"
    OTHER = "other", "Khác", "other"
    UNKNOWN = "unknown", "Không biết", "unknown"


class Suspension(Payload):
    """The recipient's work rests. It stays responsible."""

    schema_name: ClassVar[str] = "suspension"
    about: ClassVar[About] = About(vi="Tạm dừng thực hiện", en="suspension")

    reason: Annotated[
        SuspensionReason,
        label(
            "Lý do tạm dừng",
            "reason",
            "Vì sao tạm dừng.",
            "Why the work rests.",
            personal=True,
            essential=True,
        ),
    ]
    reason_other: OtherReason = None
    explanation: Explanation = None
    until: Annotated[
        Moment | None,
        label("Dự kiến đến", "until", "Dự kiến tiếp tục lúc nào.", "When it is expected to go on.", essential=True),
    ] = None


class Resumption(Payload):
    """The recipient goes on with work that rested."""

    schema_name: ClassVar[str] = "resumption"
    about: ClassVar[About] = About(vi="Tiếp tục thực hiện", en="resumption")

    note: Annotated[
        Text | None,
        label("Ghi chú", "note", "Vì sao tiếp tục được.", "What made it possible.", personal=True),
    ] = None


class Failure(Payload):
    """The recipient tried, and could not do it."""

    schema_name: ClassVar[str] = "failure"
    about: ClassVar[About] = About(vi="Không thực hiện được", en="failure")

    reason: Annotated[
        FailureReason,
        label(
            "Lý do không thực hiện được",
            "reason",
            "Vì sao không thực hiện được.",
            "Why it could not be done.",
            personal=True,
            essential=True,
        ),
    ]
    reason_other: OtherReason = None
    explanation: Explanation = None
    measures: Measures = ()
    recommendation: Recommendation = None


class Cancellation(Payload):
    """Who asked for it, or the owner of the case, ends it."""

    schema_name: ClassVar[str] = "cancellation"
    about: ClassVar[About] = About(vi="Hủy việc", en="cancellation")

    reason: Annotated[
        CancellationReason,
        label("Lý do hủy", "reason", "Vì sao không cần làm nữa.", "Why it ends.", personal=True, essential=True),
    ]
    reason_other: OtherReason = None
    explanation: Explanation = None


class Reopening(Payload):
    """What was finished goes on: a completed hand-off, or a closed case."""

    schema_name: ClassVar[str] = "reopening"
    about: ClassVar[About] = About(vi="Mở lại", en="reopening")

    reason: Annotated[
        ReopeningReason,
        label("Lý do mở lại", "reason", "Vì sao phải làm tiếp.", "Why it goes on.", personal=True, essential=True),
    ]
    reason_other: OtherReason = None
    explanation: Explanation = None


class Expiry(Payload):
    """A request was not answered in the time that was set for it. The deadline watcher says so."""

    schema_name: ClassVar[str] = "expiry"
    about: ClassVar[About] = About(vi="Hết hạn trả lời", en="expiry")

    due_at: Annotated[
        Moment | None,
        label("Hạn trả lời", "due at", "Phải trả lời trước lúc nào.", "When the answer was due.", essential=True),
    ] = None
    proven: Annotated[
        StrictBool | None,
        label(
            "Đã chứng minh nhận được",
            "delivery proven",
            "Bên nhận đã xác nhận nhận được hay chưa.",
            "Whether the recipient's receipt is on record.",
        ),
    ] = None
