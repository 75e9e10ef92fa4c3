"""
What is said about a hand-off after it was opened: one body for each answer.

The verb in the clear says what happened; these say why, by whom, and with what result.
"""

from typing import Annotated, ClassVar

from pydantic import StrictBool, StringConstraints

from referral_contracts.payloads.actor import Address
from referral_contracts.payloads.base import Choice, Line, Moment, Text, label
from referral_contracts.payloads.basis import About
from referral_contracts.payloads.document import Documents, Enclosed
from referral_contracts.payloads.measure import Measure
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.request import EventId

Explanation = Annotated[
    Text | None,
    label(
        "Giải thích",
        "explanation",
        "Nêu rõ thêm bằng lời.",
        "The same in words, as far as needed.",
        personal=True,
    ),
]
OtherReason = Annotated[
    Line | None,
    label("Lý do khác", "other reason", "Ghi rõ khi chọn “Khác”.", "Which, when “other” was chosen.", personal=True),
]
Measures = Annotated[
    tuple[Measure, ...],
    label("Các việc đã làm", "measures", "Từng việc và thời điểm.", "Each act, and when it was done."),
]
Recommendation = Annotated[
    Text | None,
    label("Kiến nghị", "recommendation", "Nên làm gì tiếp cho trẻ em.", "What the child needs next.", personal=True),
]


class DeclineReason(Choice):
    """Why a request is not taken on."""

    NOT_COMPETENT = "not_competent", "Không thuộc thẩm quyền", "not competent"
    OUTSIDE_AREA = "outside_area", "Không thuộc địa bàn", "outside the area"
    NO_CAPACITY = "no_capacity", "Không đủ khả năng tiếp nhận", "no capacity"
    NOT_ELIGIBLE = "not_eligible", "Không thuộc đối tượng", "not eligible"
    MISSING_INFORMATION = "missing_information", "Thiếu thông tin, hồ sơ", "information or papers missing"
    ALREADY_HANDLED = "already_handled", "Cơ quan khác đang giải quyết", "another agency is dealing with it"
    CONFLICT_OF_INTEREST = "conflict_of_interest", "Có xung đột lợi ích", "conflict of interest"
    OTHER = "other", "Khác", "other"
    UNKNOWN = "unknown", "Không biết", "unknown"


class WithdrawalReason(Choice):
    """Why a request is taken back before it was answered."""

    ANOTHER_ACCEPTED = "another_accepted", "Cơ quan khác đã nhận", "another agency accepted"
    NO_LONGER_NEEDED = "no_longer_needed", "Không còn cần thiết", "no longer needed"
    SITUATION_CHANGED = "situation_changed", "Tình hình đã thay đổi", "the situation changed"
    SENT_IN_ERROR = "sent_in_error", "Gửi nhầm", "sent in error"
    OTHER = "other", "Khác", "other"
    UNKNOWN = "unknown", "Không biết", "unknown"


class ReturnReason(Choice):
    """Why accepted work is given back."""

    NOT_COMPETENT = "not_competent", "Không thuộc thẩm quyền", "not competent"
    CHILD_MOVED = "child_moved", "Trẻ em đã chuyển đi nơi khác", "the child has moved"
    CANNOT_CONTINUE = "cannot_continue", "Không thể tiếp tục thực hiện", "cannot be continued"
    CHILD_REFUSED = "child_refused", "Trẻ em không đồng ý", "the child does not agree"
    OTHER = "other", "Khác", "other"
    UNKNOWN = "unknown", "Không biết", "unknown"


class Result(Choice):
    """What came of accepted work."""

    ACHIEVED = "achieved", "Đạt mục tiêu", "achieved"
    PARTLY_ACHIEVED = "partly_achieved", "Đạt một phần", "partly achieved"
    NOT_ACHIEVED = "not_achieved", "Không đạt", "not achieved"
    OTHER = "other", "Khác", "other"
    UNKNOWN = "unknown", "Không biết", "unknown"


class Receipt(Payload):
    """The opening event arrived and every section meant for us opened. The recipient's own system says so."""

    schema_name: ClassVar[str] = "receipt"
    about: ClassVar[About] = About(vi="Xác nhận đã nhận được", en="receipt")


class Unreadable(Payload):
    """The opening event arrived, and a section of it could not be opened or understood."""

    schema_name: ClassVar[str] = "unreadable"
    about: ClassVar[About] = About(vi="Báo không đọc được", en="report that a section cannot be read")

    code: Annotated[
        str,
        StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,63}$"),
        label("Mã lỗi", "code", "Vì sao không đọc được.", "Why it could not be read.", essential=True),
    ]
    section: Annotated[
        str,
        StringConstraints(pattern=r"^s(0|[1-9][0-9]?)$"),
        label("Phần", "section", "Phần không đọc được.", "Which section could not be read.", essential=True),
    ]


class Acceptance(Payload):
    """The recipient takes the work on."""

    schema_name: ClassVar[str] = "acceptance"
    about: ClassVar[About] = About(vi="Nhận thực hiện", en="acceptance")

    contact: Annotated[
        Line | None,
        label(
            "Người phụ trách",
            "contact",
            "Ai phụ trách và liên hệ thế nào.",
            "Who is in charge, and how to reach them.",
            personal=True,
            essential=True,
        ),
    ] = None
    starts_at: Annotated[
        Moment | None,
        label(
            "Bắt đầu lúc",
            "starts at",
            "Dự kiến bắt đầu thực hiện.",
            "When the work is expected to start.",
            essential=True,
        ),
    ] = None
    register_number: Annotated[
        Line | None,
        label(
            "Số thụ lý",
            "register number",
            "Số trong Sổ thụ lý, nếu có.",
            "Number in the register of accepted cases, if there is one.",
        ),
    ] = None
    registered_at: Annotated[
        Moment | None,
        label(
            "Thời điểm thụ lý",
            "registered at",
            "Lúc ghi vào Sổ thụ lý.",
            "When it was written in the register.",
        ),
    ] = None
    explanation: Explanation = None


class Decline(Payload):
    """The recipient does not take the work on."""

    schema_name: ClassVar[str] = "decline"
    about: ClassVar[About] = About(vi="Từ chối", en="refusal")

    reason: Annotated[
        DeclineReason,
        label(
            "Lý do từ chối",
            "reason",
            "Vì sao không nhận được.",
            "Why it cannot be taken on.",
            personal=True,
            essential=True,
        ),
    ]
    reason_other: OtherReason = None
    explanation: Explanation = None
    suggested: Annotated[
        Line | None,
        label(
            "Đề xuất cơ quan khác",
            "suggested agency",
            "Cơ quan nào có thể nhận.",
            "Which agency could take it on.",
        ),
    ] = None
    documents: Documents = ()
    enclosed: Enclosed = None


class Withdrawal(Payload):
    """The sender takes the request back."""

    schema_name: ClassVar[str] = "withdrawal"
    about: ClassVar[About] = About(vi="Rút lại đề nghị", en="withdrawal")

    reason: Annotated[
        WithdrawalReason,
        label(
            "Lý do rút",
            "reason",
            "Vì sao rút lại đề nghị.",
            "Why the request is taken back.",
            personal=True,
            essential=True,
        ),
    ]
    reason_other: OtherReason = None
    explanation: Explanation = None


class Forwarding(Payload):
    """The recipient of a statutory assignment passes it on to the competent body."""

    schema_name: ClassVar[str] = "forwarding"
    about: ClassVar[About] = About(vi="Chuyển tiếp", en="forwarding")

    forwarded_to: Annotated[
        Address | None,
        label(
            "Chuyển đến",
            "forwarded to",
            "Mã cơ quan có thẩm quyền được chuyển đến.",
            "Id of the competent agency that it went to.",
            essential=True,
        ),
    ] = None
    next_event: Annotated[
        EventId | None,
        label(
            "Sự kiện chuyển tiếp",
            "next event",
            "Mã sự kiện mở lượt chuyển gửi mới.",
            "Id of the event that opened the next hand-off.",
        ),
    ] = None
    legal_basis: Annotated[
        tuple[Line, ...],
        label(
            "Căn cứ pháp lý",
            "legal basis",
            "Điều, khoản xác định thẩm quyền.",
            "Article and clause that make the other agency competent.",
        ),
    ] = ()
    explanation: Explanation = None


class Progress(Payload):
    """What has been done so far."""

    schema_name: ClassVar[str] = "progress"
    about: ClassVar[About] = About(vi="Báo cáo tiến độ", en="progress report")

    summary: Annotated[
        Text | None,
        label(
            "Tình hình thực hiện",
            "summary",
            "Đã làm gì, tình hình trẻ em ra sao.",
            "What has been done, and how the child is.",
            personal=True,
            essential=True,
        ),
    ] = None
    measures: Measures = ()
    next_step: Annotated[
        Text | None,
        label("Việc tiếp theo", "next step", "Sẽ làm gì tiếp.", "What comes next.", personal=True),
    ] = None
    next_report_at: Annotated[
        Moment | None,
        label("Báo cáo lần sau", "next report at", "Khi nào báo cáo tiếp.", "When to expect the next report."),
    ] = None
    documents: Documents = ()
    enclosed: Enclosed = None


class Outcome(Payload):
    """The work is done, and this came of it."""

    schema_name: ClassVar[str] = "outcome"
    about: ClassVar[About] = About(vi="Kết quả thực hiện", en="outcome")

    result: Annotated[
        Result,
        label("Kết quả", "result", "Mục tiêu có đạt không.", "Whether the aim was reached.", essential=True),
    ]
    result_other: Annotated[
        Line | None,
        label(
            "Kết quả khác", "other result", "Ghi rõ khi chọn “Khác”.", "Which, when “other” was chosen.", personal=True
        ),
    ] = None
    summary: Annotated[
        Text | None,
        label(
            "Nội dung kết quả",
            "summary",
            "Đã làm gì và kết luận thế nào; chỉ ghi điều bên đề nghị cần biết.",
            "What was done and concluded; only what the sender has to know.",
            personal=True,
            essential=True,
        ),
    ] = None
    measures: Measures = ()
    recommendation: Recommendation = None
    documents: Documents = ()
    enclosed: Enclosed = None


class Return(Payload):
    """The recipient gives back work that it had accepted."""

    schema_name: ClassVar[str] = "return"
    about: ClassVar[About] = About(vi="Trả lại việc đã nhận", en="return")

    reason: Annotated[
        ReturnReason,
        label(
            "Lý do trả lại",
            "reason",
            "Vì sao không làm tiếp.",
            "Why the work is given back.",
            personal=True,
            essential=True,
        ),
    ]
    reason_other: OtherReason = None
    explanation: Explanation = None
    done_so_far: Annotated[
        Text | None,
        label("Đã thực hiện", "done so far", "Phần việc đã làm.", "What was done before.", personal=True),
    ] = None


class Closing(Payload):
    """The sender, or the owner of the case, has taken note of the result: nothing is open any more."""

    schema_name: ClassVar[str] = "closing"
    about: ClassVar[About] = About(vi="Kết thúc lượt chuyển gửi", en="closing of a hand-off")

    automatic: Annotated[
        StrictBool | None,
        label(
            "Tự động",
            "automatic",
            "Trục kết thúc vì đã quá thời hạn phản hồi.",
            "Closed by the bus, because nobody did within the set time.",
        ),
    ] = None
    note: Annotated[
        Text | None,
        label("Ghi chú", "note", "Điều cần ghi lại khi kết thúc.", "What to keep on record.", personal=True),
    ] = None
