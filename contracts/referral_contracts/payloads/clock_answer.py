"""What agencies say of a clock: that it is wrong, that more time was given, that what was claimed is so."""

from typing import Annotated, ClassVar

from referral_contracts.payloads.base import Choice, Line, Moment, Text, label
from referral_contracts.payloads.basis import About
from referral_contracts.payloads.deadline import ClockNamed
from referral_contracts.payloads.document import Documents, Enclosed
from referral_contracts.payloads.handoff import Explanation, OtherReason
from referral_contracts.payloads.payload import Payload


class DisputeReason(Choice):
    """Why the agency whose clock it is says that it is wrong."""

    NOT_OURS = "not_ours", "Không thuộc thẩm quyền của cơ quan này", "not this agency's duty"
    DONE_IN_TIME = "done_in_time", "Đã thực hiện đúng hạn", "it was done in time"
    WRONG_START = "wrong_start", "Sai thời điểm hoặc sự kiện bắt đầu", "it started at another time, or not at all"
    WRONG_RULE = "wrong_rule", "Quy tắc không áp dụng cho vụ việc này", "the rule does not apply to this case"
    NOT_RECEIVED = "not_received", "Chưa nhận được", "nothing was received"
    DIFFERS = "differs", "Phần tính thời hạn khác với biểu mẫu", "the clock section says other than the form"
    OTHER = "other", "Khác", "other"
    UNKNOWN = "unknown", "Không biết", "unknown"


class ConfirmationBasis(Choice):
    """On what a superior confirms that something was done in time."""

    PAPERS_SEEN = "papers_seen", "Đã xem văn bản, sổ sách", "the papers or the register were seen"
    ON_THE_SPOT = "on_the_spot", "Đã kiểm tra tại chỗ", "it was checked on the spot"
    HEARD = "heard", "Theo báo cáo của người thực hiện", "by the word of who did it"
    OTHER = "other", "Khác", "other"
    UNKNOWN = "unknown", "Không biết", "unknown"


class ClockDispute(Payload):
    """The responsible agency says that a clock is wrong. It is never called missed then."""

    schema_name: ClassVar[str] = "clock-dispute"
    about: ClassVar[About] = About(vi="Ý kiến khác về thời hạn", en="dispute of a clock")

    clock: ClockNamed
    reason: Annotated[
        DisputeReason,
        label("Lý do", "reason", "Vì sao thời hạn không đúng.", "Why the clock is wrong.", essential=True),
    ]
    reason_other: OtherReason = None
    text: Annotated[
        Text | None,
        label("Giải trình", "explanation", "Giải trình cụ thể.", "In words.", personal=True, essential=True),
    ] = None
    documents: Documents = ()
    enclosed: Enclosed = None


class ClockExtension(Payload):
    """More time was given, by whom and with which document."""

    schema_name: ClassVar[str] = "clock-extension"
    about: ClassVar[About] = About(vi="Gia hạn", en="extension of a clock")

    clock: ClockNamed
    until: Annotated[
        Moment,
        label("Gia hạn đến", "until", "Hạn mới.", "The new due instant.", essential=True),
    ]
    authority: Annotated[
        Line,
        label(
            "Người có thẩm quyền",
            "authority",
            "Cơ quan, chức vụ đã quyết định gia hạn.",
            "Which office decided on it.",
            essential=True,
        ),
    ]
    document: Annotated[
        Line,
        label(
            "Số văn bản",
            "document",
            "Số, ký hiệu văn bản gia hạn.",
            "Number of the document that extends it.",
            essential=True,
        ),
    ]
    explanation: Explanation = None
    documents: Documents = ()
    enclosed: Enclosed = None


class ClockConfirmation(Payload):
    """A superior confirms that something was done in time which was recorded late."""

    schema_name: ClassVar[str] = "clock-confirmation"
    about: ClassVar[About] = About(vi="Xác nhận đã thực hiện đúng hạn", en="confirmation that it was done in time")

    clock: ClockNamed
    basis: Annotated[
        ConfirmationBasis,
        label("Cơ sở xác nhận", "basis", "Xác nhận dựa vào đâu.", "On what it rests.", essential=True),
    ]
    basis_other: Annotated[
        Line | None,
        label("Cơ sở khác", "other basis", "Ghi rõ khi chọn “Khác”.", "Which, when “other” was chosen.", personal=True),
    ] = None
    explanation: Explanation = None
    documents: Documents = ()
    enclosed: Enclosed = None
