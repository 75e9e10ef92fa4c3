"""
Mẫu số 03 of NĐ 56/2017: gathering information, verification and specific risk assessment. Provisional.

That the form exists is known from a procedure page (S: Đ.27); its fields are from memory (N). They may all be left out,
and a later version may name them otherwise.
"""

from typing import Annotated, ClassVar

from referral_contracts.payloads.base import Text, label
from referral_contracts.payloads.basis import About, Basis, Confidence, Status, unread_form
from referral_contracts.payloads.document import Documents, Enclosed
from referral_contracts.payloads.paper import ChildName, DoneOn, Level, OfficerName
from referral_contracts.payloads.payload import Payload


class Mau03(Payload):
    """Thu thập thông tin, xác minh và đánh giá nguy cơ cụ thể."""

    schema_name: ClassVar[str] = "mau03"
    about: ClassVar[About] = About(
        vi="Mẫu số 03: Thu thập thông tin, xác minh và đánh giá nguy cơ cụ thể",
        en="Form 03: information gathering, verification and specific risk assessment",
        status=Status.PROVISIONAL,
        basis=(
            Basis(
                place="NĐ 56/2017/NĐ-CP, Điều 27",
                vi="tên mẫu và việc đánh giá",
                en="the form's title and the assessment",
                confidence=Confidence.SECONDARY,
            ),
            unread_form("03"),
        ),
    )

    child_name: ChildName = None
    officer_name: OfficerName = None
    assessment_date: DoneOn = None
    physical_state: Annotated[
        Text | None,
        label("Tình trạng thể chất", "physical state", "Thân thể, sức khỏe.", "Body and health.", personal=True),
    ] = None
    psychological_state: Annotated[
        Text | None,
        label(
            "Tình trạng tâm lý",
            "psychological state",
            "Tâm lý của trẻ em.",
            "The child's state of mind.",
            personal=True,
        ),
    ] = None
    cognitive_state: Annotated[
        Text | None,
        label(
            "Nhận thức", "cognitive state", "Khả năng nhận thức, học tập.", "Understanding and learning.", personal=True
        ),
    ] = None
    emotional_state: Annotated[
        Text | None,
        label(
            "Tình cảm, hành vi",
            "emotional state",
            "Cảm xúc, hành vi, quan hệ.",
            "Feelings, conduct, ties.",
            personal=True,
        ),
    ] = None
    family: Annotated[
        Text | None,
        label("Gia đình", "family", "Thành viên, quan hệ, hoàn cảnh.", "Members, ties, circumstances.", personal=True),
    ] = None
    care_environment: Annotated[
        Text | None,
        label(
            "Môi trường chăm sóc",
            "care environment",
            "Nơi ở, người chăm sóc, điều kiện sống.",
            "Home, carers, living conditions.",
            personal=True,
        ),
    ] = None
    cause: Annotated[
        Text | None,
        label("Nguyên nhân", "cause", "Nguyên nhân của tổn hại, nguy cơ.", "What causes harm or risk.", personal=True),
    ] = None
    abuser_access: Annotated[
        Level | None,
        label(
            "Khả năng tiếp cận trẻ em của đối tượng xâm hại",
            "abuser's access to the child",
            "Cao, trung bình hoặc thấp.",
            "High, medium or low.",
            personal=True,
        ),
    ] = None
    protective_factors: Annotated[
        Text | None,
        label(
            "Yếu tố bảo vệ",
            "protective factors",
            "Ai, điều gì đang bảo vệ được trẻ em.",
            "Who or what can protect the child.",
            personal=True,
        ),
    ] = None
    needs: Annotated[
        Text | None,
        label("Nhu cầu của trẻ em", "needs", "Trẻ em cần được hỗ trợ gì.", "What help the child needs.", personal=True),
    ] = None
    conclusion: Annotated[
        Text | None,
        label("Kết luận", "conclusion", "Kết luận về nguy cơ.", "What is concluded of the risk.", personal=True),
    ] = None
    documents: Documents = ()
    enclosed: Enclosed = None
