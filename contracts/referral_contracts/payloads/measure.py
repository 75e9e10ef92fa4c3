"""What has been done: the measures that a progress report or an outcome tells."""

from typing import Annotated

from referral_contracts.payloads.base import Choice, FieldGroup, Line, Moment, label


class MeasureKind(Choice):
    """The acts that the law waits for, and one for everything else."""

    INITIAL_RISK_ASSESSED = "initial_risk_assessed", "Đã đánh giá nguy cơ ban đầu", "initial risk assessed"
    EMERGENCY_MEASURES_APPLIED = (
        "emergency_measures_applied",
        "Đã áp dụng biện pháp can thiệp khẩn cấp",
        "emergency measures applied",
    )
    CHILD_SEPARATED = (
        "child_separated",
        "Đã tạm thời cách ly trẻ em",
        "child temporarily separated from the carer",
    )
    INVESTIGATORS_ALERTED = (
        "investigators_alerted",
        "Đã báo Cơ quan Cảnh sát điều tra",
        "competent investigators alerted",
    )
    REPORT_TRANSFERRED = (
        "report_transferred",
        "Đã chuyển tin báo kèm tài liệu, đồ vật",
        "report transferred with documents and objects",
    )
    EVIDENCE_TAKEN = "evidence_taken", "Đã thu thập dấu vết, mẫu vật", "traces and samples taken"
    FORENSIC_ORDER_ISSUED = (
        "forensic_order_issued",
        "Đã ban hành quyết định trưng cầu giám định",
        "forensic order issued",
    )
    OTHER = "other", "Khác", "other"


class Measure(FieldGroup):
    """One act, and when it was done."""

    kind: Annotated[
        MeasureKind,
        label(
            "Việc đã làm",
            "measure",
            "Việc nào đã được thực hiện.",
            "Which act was carried out.",
            personal=True,
            essential=True,
        ),
    ]
    kind_other: Annotated[
        Line | None,
        label(
            "Việc khác",
            "other measure",
            "Ghi rõ khi chọn “Khác”.",
            "Which act, when “other” was chosen.",
            personal=True,
        ),
    ] = None
    done_at: Annotated[
        Moment | None,
        label(
            "Thời điểm thực hiện",
            "done at",
            "Lúc việc đó được thực hiện.",
            "When it was carried out.",
            essential=True,
        ),
    ] = None
