"""What the papers of a case share: who and when, the scale of three levels, decisions and who carries them out."""

from typing import Annotated, Final

from pydantic import Field

from referral_contracts.payloads.base import Choice, Day, FieldGroup, Line, Text, label

ITEMS_MAX: Final = 50
"""No form has half as many lines."""

Count = Annotated[int, Field(ge=0, le=99)]


class Level(Choice):
    """The scale of Mẫu 06, and an answer for whoever cannot tell."""

    HIGH = "high", "Cao", "high"
    MEDIUM = "medium", "Trung bình", "medium"
    LOW = "low", "Thấp", "low"
    UNKNOWN = "unknown", "Không biết", "unknown"


class Assessed(FieldGroup):
    """One line of an assessment: what was looked at, and how it was found to be."""

    item: Annotated[
        Text | None,
        label("Nội dung đánh giá", "item", "Điều được xem xét.", "What was looked at.", personal=True),
    ] = None
    level: Annotated[
        Level | None,
        label("Mức độ", "level", "Cao, trung bình hoặc thấp.", "High, medium or low.", personal=True),
    ] = None
    note: Annotated[
        Text | None,
        label(
            "Diễn giải",
            "explanation",
            "Căn cứ của mức độ đã chọn.",
            "What speaks for it.",
            personal=True,
        ),
    ] = None


ChildName = Annotated[
    Line | None,
    label("Họ và tên trẻ em", "child's name", "Ghi nếu biết.", "If known.", personal=True),
]
OfficerName = Annotated[
    Line | None,
    label(
        "Họ và tên cán bộ thực hiện",
        "officer's name",
        "Người thực hiện và ký tên.",
        "Who did it and signs for it.",
        personal=True,
    ),
]
DoneOn = Annotated[
    Day | None,
    label("Ngày, tháng, năm thực hiện", "date", "Ngày thực hiện.", "The day on which it was done."),
]
TotalHigh = Annotated[
    Count | None,
    label("Tổng số: Cao", "total: high", "Số mục được đánh giá ở mức cao.", "How many were found high."),
]
TotalMedium = Annotated[
    Count | None,
    label(
        "Tổng số: Trung bình",
        "total: medium",
        "Số mục được đánh giá ở mức trung bình.",
        "How many were found medium.",
    ),
]
TotalLow = Annotated[
    Count | None,
    label("Tổng số: Thấp", "total: low", "Số mục được đánh giá ở mức thấp.", "How many were found low."),
]
LegalBases = Annotated[
    tuple[Line, ...],
    Field(max_length=ITEMS_MAX),
    label("Căn cứ pháp lý", "legal bases", "Các văn bản nêu làm căn cứ.", "What the decision is based on."),
]
ResponsibleParties = Annotated[
    tuple[Line, ...],
    Field(max_length=ITEMS_MAX),
    label(
        "Cơ quan, cá nhân chịu trách nhiệm thi hành",
        "responsible parties",
        "Ai thi hành quyết định này.",
        "Who carries the decision out.",
        personal=True,
    ),
]
Signatory = Annotated[
    Line | None,
    label(
        "Người ký", "signatory", "Họ tên, chức vụ người ký quyết định.", "Who signed it, and as what.", personal=True
    ),
]
