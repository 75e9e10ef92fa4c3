"""
Báo cáo vụ việc nghiêm trọng: the first word right after it happened, and the written result.

Both are asked for by one city's plan, in its own words (T: Hà Nội's plan on QĐ 1863, part V: at once by telephone or
e-mail, in writing at the latest 03 days after detection). It binds nobody elsewhere. No printed form is known: the
fields are the plain minimum, the bus's own.
"""

from typing import Annotated, ClassVar

from referral_contracts.payloads.base import Choice, Line, Moment, Text, label
from referral_contracts.payloads.basis import About, Basis, Confidence
from referral_contracts.payloads.document import Documents, Enclosed
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.place import Child, Place


class ReportStage(Choice):
    """Which of the two reports it is."""

    FIRST = "first", "Báo cáo nhanh ngay sau khi xảy ra", "first report, right after it happened"
    RESULT = "result", "Báo cáo kết quả bằng văn bản", "written report on the result"
    OTHER = "other", "Khác", "other"
    UNKNOWN = "unknown", "Không biết", "unknown"


class SeriousKind(Choice):
    """What makes the case serious."""

    VIOLENCE = "violence", "Bạo lực", "violence"
    ABUSE = "abuse", "Xâm hại", "abuse"
    EXPLOITATION = "exploitation", "Bóc lột", "exploitation"
    INJURY_DEATH = "injury_death", "Trẻ em tử vong do tai nạn, thương tích", "a child's death by injury"
    OTHER = "other", "Khác", "other"
    UNKNOWN = "unknown", "Không biết", "unknown"


class SeriousCaseReport(Payload):
    """Báo cáo vụ việc nghiêm trọng."""

    schema_name: ClassVar[str] = "serious-case-report"
    about: ClassVar[About] = About(
        vi="Báo cáo vụ việc nghiêm trọng",
        en="serious-case report",
        basis=(
            Basis(
                place="Kế hoạch của TP Hà Nội thực hiện QĐ 1863 và CT 23, mục V (chỉ áp dụng tại Hà Nội)",
                vi="báo cáo ngay bằng điện thoại, email; bằng văn bản chậm nhất sau 03 ngày",
                en="at once by telephone or e-mail; in writing at the latest after 03 days",
                confidence=Confidence.TEXT,
            ),
        ),
    )

    stage: Annotated[
        ReportStage,
        label("Loại báo cáo", "stage", "Báo cáo nhanh hay kết quả.", "First report, or the result.", essential=True),
    ]
    stage_other: Annotated[
        Line | None,
        label(
            "Loại báo cáo khác",
            "other stage",
            "Ghi rõ khi chọn “Khác”.",
            "Which, when “other” was chosen.",
            personal=True,
        ),
    ] = None
    report_number: Annotated[
        Line | None,
        label("Số báo cáo", "report number", "Số văn bản, nếu có.", "Number of the report, if it has one."),
    ] = None
    reporting_body: Annotated[
        Line | None,
        label(
            "Địa phương báo cáo",
            "reporting body",
            "Ủy ban nhân dân nơi xảy ra.",
            "The locality that reports.",
            essential=True,
        ),
    ] = None
    detected_at: Annotated[
        Moment | None,
        label(
            "Thời điểm phát hiện",
            "detected at",
            "Lúc vụ việc được phát hiện.",
            "When the case was detected.",
            essential=True,
        ),
    ] = None
    kind: Annotated[
        SeriousKind | None,
        label(
            "Loại vụ việc", "kind", "Vì sao là nghiêm trọng.", "What makes it serious.", personal=True, essential=True
        ),
    ] = None
    kind_other: Annotated[
        Line | None,
        label(
            "Loại vụ việc khác",
            "other kind",
            "Ghi rõ khi chọn “Khác”.",
            "Which, when “other” was chosen.",
            personal=True,
        ),
    ] = None
    child: Annotated[
        Child | None,
        label("Trẻ em", "the child", "Chỉ ghi phần nơi nhận cần biết.", "Only what the recipient has to know."),
    ] = None
    place: Annotated[
        Place | None,
        label("Nơi xảy ra", "place", "Nơi xảy ra vụ việc.", "Where it happened.", essential=True),
    ] = None
    summary: Annotated[
        Text | None,
        label("Diễn biến", "summary", "Tóm tắt vụ việc.", "What happened.", personal=True, essential=True),
    ] = None
    measures: Annotated[
        Text | None,
        label("Việc đã làm", "what was done", "Can thiệp, hỗ trợ đã thực hiện.", "Help already given.", personal=True),
    ] = None
    result: Annotated[
        Text | None,
        label("Kết quả", "result", "Ghi trong báo cáo kết quả.", "In the report on the result.", personal=True),
    ] = None
    proposal: Annotated[
        Text | None,
        label("Đề xuất", "proposal", "Đề nghị cấp trên.", "What is asked of the higher level.", personal=True),
    ] = None
    documents: Documents = ()
    enclosed: Enclosed = None
