"""
Mẫu số 06 of NĐ 56/2017: review of the child's state after the plan, as far as the form was read.

The first half follows the printed form (T). The items of part 1.b and the words of the conclusion were not seen (N) and
are marked provisional; that the review ends in closing or in going on is in Đ.30 k.1 b and c (T).
"""

from typing import Annotated, ClassVar

from pydantic import Field

from referral_contracts.payloads.base import Choice, Line, Text, label
from referral_contracts.payloads.basis import About, Basis, Confidence, Status
from referral_contracts.payloads.document import Documents, Enclosed
from referral_contracts.payloads.paper import (
    ITEMS_MAX,
    Assessed,
    ChildName,
    DoneOn,
    Level,
    OfficerName,
    TotalHigh,
    TotalLow,
    TotalMedium,
)
from referral_contracts.payloads.payload import Payload


class ReviewOutcome(Choice):
    """What follows from the review."""

    CLOSE = "close", "Kết thúc: trẻ em không còn nguy cơ bị xâm hại", "close: the child is no longer at risk"
    CONTINUE = "continue", "Tiếp tục: vẫn còn nguy cơ, lập kế hoạch mới", "go on: the risk remains, a new plan"
    OTHER = "other", "Khác", "other"
    UNKNOWN = "unknown", "Không biết", "unknown"


class Mau06(Payload):
    """Rà soát, đánh giá tình trạng của trẻ em sau khi thực hiện kế hoạch hỗ trợ, can thiệp."""

    schema_name: ClassVar[str] = "mau06"
    about: ClassVar[About] = About(
        vi="Mẫu số 06: Rà soát, đánh giá tình trạng của trẻ em sau khi thực hiện kế hoạch hỗ trợ, can thiệp",
        en="Form 06: review of the child's state after the plan",
        status=Status.PARTLY_READ,
        basis=(
            Basis(
                place="NĐ 56/2017/NĐ-CP, Mẫu số 06, phần đầu đến mục 1.a",
                vi="các mục từ họ tên trẻ em đến tổng số",
                en="the fields from the child's name to the totals",
                confidence=Confidence.TEXT,
            ),
            Basis(
                place="NĐ 56/2017/NĐ-CP, Điều 30 khoản 1",
                vi="kết thúc hoặc tiếp tục",
                en="that it ends in closing or going on",
                confidence=Confidence.TEXT,
            ),
            Basis(
                place="NĐ 56/2017/NĐ-CP, Mẫu số 06, từ mục 1.b",
                vi="các mục của phần 1.b và câu chữ kết luận",
                en="the items of part 1.b and the words of the conclusion",
                confidence=Confidence.NOT_VERIFIED,
            ),
        ),
    )

    child_name: ChildName = None
    officer_name: OfficerName = None
    review_date: DoneOn = None
    harm_still_serious: Annotated[
        Level | None,
        label(
            "Mức độ tổn hại của trẻ em có còn nghiêm trọng không",
            "is the harm still serious",
            "Mục 1.a.1: cao, trung bình hoặc thấp.",
            "Item 1.a.1: high, medium or low.",
            personal=True,
            essential=True,
        ),
    ] = None
    abuser_access: Annotated[
        Level | None,
        label(
            "Khả năng tiếp cận trẻ em của đối tượng xâm hại",
            "abuser's access to the child",
            "Mục 1.a.2: cao, trung bình hoặc thấp.",
            "Item 1.a.2: high, medium or low.",
            personal=True,
            essential=True,
        ),
    ] = None
    care_environment_obstacles: Annotated[
        Level | None,
        label(
            "Những trở ngại trong môi trường chăm sóc trẻ em đối với việc bảo đảm an toàn cho trẻ em",
            "obstacles in the care environment to the child's safety",
            "Mục 1.a.3: cao, trung bình hoặc thấp.",
            "Item 1.a.3: high, medium or low.",
            personal=True,
            essential=True,
        ),
    ] = None
    totals_high: TotalHigh = None
    totals_medium: TotalMedium = None
    totals_low: TotalLow = None
    self_protection_recovery: Annotated[
        tuple[Assessed, ...],
        Field(max_length=ITEMS_MAX),
        label(
            "Đánh giá khả năng tự bảo vệ, phục hồi của trẻ em",
            "self-protection and recovery of the child",
            "Mục 1.b; các nội dung trong mẫu in chưa được đọc: ghi từng nội dung đã đánh giá.",
            "Part 1.b; its items in the printed form were not read: tell each that was assessed.",
            provisional=True,
        ),
    ] = ()
    outcome: Annotated[
        ReviewOutcome | None,
        label(
            "Kết luận",
            "conclusion",
            "Đề nghị kết thúc hoặc tiếp tục; câu chữ của mẫu in chưa được đọc.",
            "To close or to go on; the words of the printed form were not read.",
            personal=True,
            provisional=True,
        ),
    ] = None
    outcome_other: Annotated[
        Line | None,
        label(
            "Kết luận khác",
            "other conclusion",
            "Ghi rõ khi chọn “Khác”.",
            "Which, when “other” was chosen.",
            personal=True,
            provisional=True,
        ),
    ] = None
    explanation: Annotated[
        Text | None,
        label(
            "Diễn giải",
            "explanation",
            "Tình trạng trẻ em, môi trường sống và đề nghị, bằng lời.",
            "The child's state, its surroundings and what is proposed, in words.",
            personal=True,
            provisional=True,
        ),
    ] = None
    documents: Documents = ()
    enclosed: Enclosed = None
