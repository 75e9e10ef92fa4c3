"""
Mẫu số 02 of NĐ 56/2017: initial risk assessment and temporary safety measures. Provisional.

The title and the duty are known in the norm's own words (T: Đ.26 k.2); the fields are not (N): nobody here has read the
printed form. They may all be left out, and a later version may name them otherwise.
"""

from typing import Annotated, ClassVar

from pydantic import Field

from referral_contracts.payloads.base import Answer, FieldGroup, Line, Text, label
from referral_contracts.payloads.basis import About, Basis, Confidence, Status, unread_form
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


class SafetyMeasure(FieldGroup):
    """One need for safety, and who sees to it for now."""

    need: Annotated[
        Text | None,
        label(
            "Nhu cầu an toàn", "safety need", "Trẻ em cần được bảo đảm điều gì.", "What the child needs.", personal=True
        ),
    ] = None
    measure: Annotated[
        Text | None,
        label(
            "Biện pháp tạm thời",
            "temporary measure",
            "Biện pháp được áp dụng.",
            "What is done about it.",
            personal=True,
        ),
    ] = None
    provider: Annotated[
        Line | None,
        label("Đơn vị thực hiện", "provider", "Ai thực hiện biện pháp.", "Who provides it.", personal=True),
    ] = None


class Mau02(Payload):
    """Đánh giá nguy cơ ban đầu, thực hiện các biện pháp bảo đảm an toàn tạm thời cho trẻ."""

    schema_name: ClassVar[str] = "mau02"
    about: ClassVar[About] = About(
        vi="Mẫu số 02: Đánh giá nguy cơ ban đầu, thực hiện các biện pháp bảo đảm an toàn tạm thời cho trẻ",
        en="Form 02: initial risk assessment and temporary safety measures",
        status=Status.PROVISIONAL,
        basis=(
            Basis(
                place="NĐ 56/2017/NĐ-CP, Điều 26 khoản 2",
                vi="tên mẫu và nghĩa vụ đánh giá",
                en="the form's title and the duty to assess",
                confidence=Confidence.TEXT,
            ),
            unread_form("02"),
        ),
    )

    child_name: ChildName = None
    officer_name: OfficerName = None
    assessment_date: DoneOn = None
    harm_level: Annotated[
        Level | None,
        label("Mức độ tổn hại", "harm level", "Trẻ em bị tổn hại đến mức nào.", "How badly harmed.", personal=True),
    ] = None
    continuing_access: Annotated[
        Level | None,
        label(
            "Nguy cơ tiếp tục bị tiếp cận",
            "risk of continuing access",
            "Khả năng đối tượng xâm hại tiếp tục tiếp cận trẻ em.",
            "How easily the abuser can still reach the child.",
            personal=True,
        ),
    ] = None
    care_environment: Annotated[
        Level | None,
        label(
            "Nguy cơ từ môi trường chăm sóc",
            "risk in the care environment",
            "Trở ngại trong môi trường chăm sóc đối với việc bảo đảm an toàn.",
            "What in the child's care stands in the way of its safety.",
            personal=True,
        ),
    ] = None
    self_protection: Annotated[
        tuple[Assessed, ...],
        Field(max_length=ITEMS_MAX),
        label(
            "Khả năng tự bảo vệ của trẻ em",
            "self-protection of the child",
            "Từng nội dung đã đánh giá và mức độ.",
            "Each thing that was assessed, and its level.",
        ),
    ] = ()
    total_high: TotalHigh = None
    total_medium: TotalMedium = None
    total_low: TotalLow = None
    emergency: Annotated[
        Answer | None,
        label(
            "Trường hợp khẩn cấp",
            "emergency",
            "Kết luận có phải trường hợp khẩn cấp hay không.",
            "Whether it is concluded to be an emergency.",
            personal=True,
        ),
    ] = None
    safety_measures: Annotated[
        tuple[SafetyMeasure, ...],
        Field(max_length=ITEMS_MAX),
        label(
            "Nhu cầu an toàn và biện pháp tạm thời",
            "safety needs and temporary measures",
            "Từng nhu cầu, biện pháp và đơn vị thực hiện.",
            "Each need, what is done, and by whom.",
        ),
    ] = ()
    documents: Documents = ()
    enclosed: Enclosed = None
