"""
What goes with a side of a hand-off to the agency that takes it over: which side, why, and how the hand-off stands.

The forms that it rests on are sealed again beside this one, to the new agency alone.
"""

from typing import Annotated, ClassVar

from pydantic import StrictBool

from referral_contracts.payloads.actor import Agency
from referral_contracts.payloads.base import Choice, Line, label
from referral_contracts.payloads.basis import About
from referral_contracts.payloads.document import Hash
from referral_contracts.payloads.handoff import Explanation, OtherReason
from referral_contracts.payloads.payload import Payload


class Side(Choice):
    """A side of a hand-off."""

    RECIPIENT = "recipient", "Bên nhận", "recipient"
    SENDER = "sender", "Bên gửi", "sender"


class MovingReason(Choice):
    """Why an agency's work goes to another one."""

    MERGED = "merged", "Sáp nhập cơ quan", "the agency merges into another"
    SPLIT = "split", "Chia, tách cơ quan", "the agency is split"
    CLOSED = "closed", "Cơ quan kết thúc hoạt động", "the agency closes"
    DUTIES_MOVED = "duties_moved", "Chuyển chức năng, nhiệm vụ", "its duties are given to another"
    OTHER = "other", "Khác", "other"
    UNKNOWN = "unknown", "Không biết", "unknown"


class Moving(Payload):
    """A side of a hand-off goes to a successor of the agency that stood there. The SDK fills in how it stands."""

    schema_name: ClassVar[str] = "moving"
    about: ClassVar[About] = About(vi="Bàn giao cho cơ quan kế thừa", en="moving to a successor")

    reason: Annotated[
        MovingReason,
        label(
            "Lý do bàn giao", "reason", "Vì sao cơ quan khác làm tiếp.", "Why another agency goes on.", essential=True
        ),
    ]
    reason_other: OtherReason = None
    explanation: Explanation = None
    decision_number: Annotated[
        Line | None,
        label(
            "Số quyết định",
            "decision number",
            "Số, ký hiệu văn bản quyết định việc sắp xếp cơ quan.",
            "Number of the document that decides on the change of agencies.",
        ),
    ] = None
    side: Annotated[
        Side | None,
        label("Bên bàn giao", "side", "Bên nào của việc được bàn giao.", "Which side of the hand-off is moved."),
    ] = None
    opened_by: Annotated[
        Agency | None,
        label("Bên mở", "opened by", "Mã cơ quan đã mở lượt chuyển gửi.", "Id of the agency that opened the hand-off."),
    ] = None
    opened_in: Annotated[
        Hash | None,
        label(
            "Mã băm sự kiện mở",
            "hash of the opening event",
            "Để bên nhận mới xác nhận đã nhận được, nếu bên trước chưa xác nhận.",
            "So that the new recipient can say that it was received, where nobody has.",
        ),
    ] = None
    opened_with: Annotated[
        Line | None,
        label("Mở bằng", "opened with", "Lượt chuyển gửi được mở bằng bước nào.", "The verb that opened it."),
    ] = None
    state: Annotated[
        Line | None,
        label("Trạng thái", "state", "Lượt chuyển gửi đang ở trạng thái nào.", "How the hand-off stands."),
    ] = None
    received: Annotated[
        StrictBool | None,
        label("Đã nhận được", "received", "Bên nhận đã xác nhận nhận được hay chưa.", "Whether it was received."),
    ] = None
    forwarded_from: Annotated[
        Line | None,
        label(
            "Chuyển tiếp từ",
            "forwarded from",
            "Mã lượt chuyển gửi trước, nếu đây là việc được chuyển tiếp.",
            "The hand-off that was forwarded, when this one is its next.",
        ),
    ] = None
