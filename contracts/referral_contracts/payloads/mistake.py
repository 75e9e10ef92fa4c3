"""
What is said of mistakes: entered in error, sent to the wrong place, asked back, answered for.

Nothing that was said is taken out of the record by these; they say beside it what was wrong, and what became of it.
"""

from typing import Annotated, ClassVar

from pydantic import Field

from referral_contracts.payloads.base import Answer, Choice, Line, Moment, Text, label
from referral_contracts.payloads.basis import About
from referral_contracts.payloads.handoff import Explanation, OtherReason
from referral_contracts.payloads.payload import Payload

People = Annotated[int, Field(ge=0, le=100_000)]
"""More than any agency has."""


class Corrected(Choice):
    """What was wrong in something that was said."""

    COMMUNE = "commune", "Địa bàn cấp xã", "the commune"
    NAME = "name", "Họ tên", "a name"
    RECEIPT_TIME = "receipt_time", "Thời điểm tiếp nhận", "when the information was received"
    OTHER = "other", "Khác", "other"
    UNKNOWN = "unknown", "Không biết", "unknown"


class VoidingReason(Choice):
    """Why something should never have been entered."""

    ENTERED_TWICE = "entered_twice", "Nhập trùng", "entered twice"
    WRONG_CHILD = "wrong_child", "Nhầm trẻ em", "the wrong child"
    ONLY_PRACTISED = "only_practised", "Là diễn tập, không phải việc thật", "practised, and entered as real"
    NOT_MEANT = "not_meant", "Nhập nhầm", "entered without meaning to"
    OTHER = "other", "Khác", "other"
    UNKNOWN = "unknown", "Không biết", "unknown"


class RecallReason(Choice):
    """Why something that was sent is asked back."""

    WRONG_AGENCY = "wrong_agency", "Gửi nhầm cơ quan", "sent to the wrong agency"
    WRONG_CHILD = "wrong_child", "Gửi nhầm thông tin của trẻ em khác", "what is another child's"
    WRONG_DOCUMENT = "wrong_document", "Gửi nhầm tài liệu", "the wrong document"
    TOO_MUCH = "too_much", "Gửi nhiều hơn mức cần thiết", "more than was needed"
    OTHER = "other", "Khác", "other"
    UNKNOWN = "unknown", "Không biết", "unknown"


class Wanted(Choice):
    """What the recipient is asked to do with what it holds."""

    DESTROY = "destroy", "Hủy", "destroy it"
    RETURN = "return", "Trả lại", "give it back"
    EITHER = "either", "Hủy hoặc trả lại", "destroy it or give it back"
    OTHER = "other", "Khác", "other"
    UNKNOWN = "unknown", "Không biết", "unknown"


class Disposal(Choice):
    """What became of what was not for its recipient."""

    DESTROYED = "destroyed", "Đã hủy", "destroyed"
    RETURNED = "returned", "Đã trả lại", "given back"
    KEPT = "kept", "Còn giữ", "kept"
    OTHER = "other", "Khác", "other"
    UNKNOWN = "unknown", "Không biết", "unknown"


class Correction(Payload):
    """Something in an earlier event was wrong. The form as it should have been is in a section beside this one."""

    schema_name: ClassVar[str] = "correction"
    about: ClassVar[About] = About(vi="Đính chính", en="correction")

    what: Annotated[
        Corrected,
        label(
            "Nội dung đính chính",
            "what was wrong",
            "Điều gì đã ghi sai; nếu nhiều điều thì chọn điều quan trọng nhất.",
            "What was wrong; of several things, the one that matters most.",
            essential=True,
        ),
    ]
    what_other: Annotated[
        Line | None,
        label(
            "Nội dung khác", "what else", "Ghi rõ khi chọn “Khác”.", "Which, when “other” was chosen.", personal=True
        ),
    ] = None
    reason: Annotated[
        Text | None,
        label(
            "Lý do đính chính",
            "reason",
            "Vì sao đã ghi sai, căn cứ vào đâu để sửa.",
            "How the mistake came about, and how the right answer is known.",
            personal=True,
            essential=True,
        ),
    ] = None


class Voiding(Payload):
    """A hand-off, or a whole case, was entered in error."""

    schema_name: ClassVar[str] = "voiding"
    about: ClassVar[About] = About(vi="Hủy vì nhập nhầm", en="voiding")

    reason: Annotated[
        VoidingReason,
        label(
            "Lý do nhập nhầm",
            "reason",
            "Vì sao lẽ ra không được nhập.",
            "Why it should never have been entered.",
            personal=True,
            essential=True,
        ),
    ]
    reason_other: OtherReason = None
    explanation: Explanation = None


class Recall(Payload):
    """The sender asks back what it sent by mistake."""

    schema_name: ClassVar[str] = "recall"
    about: ClassVar[About] = About(vi="Thu hồi vì gửi nhầm", en="recall")

    reason: Annotated[
        RecallReason,
        label("Lý do thu hồi", "reason", "Nhầm ở đâu.", "What the mistake was.", personal=True, essential=True),
    ]
    reason_other: OtherReason = None
    wanted: Annotated[
        Wanted | None,
        label(
            "Đề nghị",
            "wanted",
            "Bên nhận cần làm gì với bản đang giữ.",
            "What the recipient is asked to do with what it holds.",
            essential=True,
        ),
    ] = None
    wanted_other: Annotated[
        Line | None,
        label(
            "Đề nghị khác", "other wish", "Ghi rõ khi chọn “Khác”.", "Which, when “other” was chosen.", personal=True
        ),
    ] = None
    explanation: Explanation = None


class Misdirection(Payload):
    """The recipient got what was not for it, and tells what became of it."""

    schema_name: ClassVar[str] = "misdirection"
    about: ClassVar[About] = About(vi="Báo nhận nhầm", en="misdirection")

    opened: Annotated[
        Answer,
        label(
            "Đã mở xem",
            "opened",
            "Có người đã đọc nội dung hay chưa.",
            "Whether anybody has read what it says.",
            essential=True,
        ),
    ]
    read_by: Annotated[
        People | None,
        label("Số người đã xem", "read by", "Bao nhiêu người đã đọc.", "How many people have read it."),
    ] = None
    disposal: Annotated[
        Disposal,
        label(
            "Xử lý",
            "disposal",
            "Bản nhận nhầm đã được hủy, trả lại hay còn giữ.",
            "Whether it was destroyed, given back or kept.",
            essential=True,
        ),
    ]
    disposal_other: Annotated[
        Line | None,
        label("Xử lý khác", "otherwise", "Ghi rõ khi chọn “Khác”.", "How, when “other” was chosen.", personal=True),
    ] = None
    done_at: Annotated[
        Moment | None,
        label("Xử lý lúc", "done at", "Lúc hủy hoặc trả lại.", "When it was destroyed or given back."),
    ] = None
    kept_why: Annotated[
        Text | None,
        label(
            "Lý do còn giữ",
            "why it is kept",
            "Vì sao còn giữ, theo quy định nào.",
            "Why it is kept, and on what basis.",
            personal=True,
        ),
    ] = None
    meant_for: Annotated[
        Line | None,
        label(
            "Nơi nhận đúng",
            "meant for",
            "Cơ quan nào mới là nơi nhận, nếu biết.",
            "Which agency it should have gone to, if that is known.",
        ),
    ] = None
    explanation: Explanation = None
