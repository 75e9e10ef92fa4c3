"""
Mẫu số 04 of NĐ 56/2017: the plan of support and intervention. Provisional.

That the form exists and who drafts it is known in the norm's own words (T: Đ.28 k.1-2); its fields are from memory (N).
They may all be left out, and a later version may name them otherwise.
"""

from typing import Annotated, ClassVar

from pydantic import Field

from referral_contracts.payloads.base import FieldGroup, Line, Text, label
from referral_contracts.payloads.basis import About, Basis, Confidence, Status, unread_form
from referral_contracts.payloads.document import Documents, Enclosed
from referral_contracts.payloads.paper import ITEMS_MAX, ChildName
from referral_contracts.payloads.payload import Payload


class PlannedMeasure(FieldGroup):
    """One measure or service, and who is to provide it."""

    measure: Annotated[
        Text | None,
        label("Biện pháp, dịch vụ", "measure or service", "Việc sẽ làm.", "What will be done.", personal=True),
    ] = None
    responsible: Annotated[
        Line | None,
        label("Đơn vị chịu trách nhiệm", "responsible", "Ai thực hiện.", "Who does it.", personal=True),
    ] = None
    time: Annotated[
        Line | None,
        label("Thời gian", "time", "Khi nào, trong bao lâu.", "When, and for how long.", personal=True),
    ] = None
    resources: Annotated[
        Text | None,
        label("Nguồn lực", "resources", "Kinh phí, nhân lực, vật chất.", "Money, people, means.", personal=True),
    ] = None


class Mau04(Payload):
    """Kế hoạch hỗ trợ, can thiệp."""

    schema_name: ClassVar[str] = "mau04"
    about: ClassVar[About] = About(
        vi="Mẫu số 04: Kế hoạch hỗ trợ, can thiệp",
        en="Form 04: plan of support and intervention",
        status=Status.PROVISIONAL,
        basis=(
            Basis(
                place="NĐ 56/2017/NĐ-CP, Điều 28 khoản 1, 2",
                vi="việc có mẫu này và người lập kế hoạch",
                en="that there is such a form, and who drafts the plan",
                confidence=Confidence.TEXT,
            ),
            unread_form("04"),
        ),
    )

    child_name: ChildName = None
    objectives: Annotated[
        Text | None,
        label("Mục tiêu", "objectives", "Kế hoạch nhằm đạt điều gì.", "What the plan is to reach.", personal=True),
    ] = None
    measures: Annotated[
        tuple[PlannedMeasure, ...],
        Field(max_length=ITEMS_MAX),
        label(
            "Các biện pháp, dịch vụ",
            "measures and services",
            "Từng việc, ai thực hiện, khi nào, bằng nguồn lực nào.",
            "Each, by whom, when, and with what.",
        ),
    ] = ()
    signatories: Annotated[
        tuple[Line, ...],
        Field(max_length=ITEMS_MAX),
        label("Những người ký", "signatories", "Họ tên, chức vụ.", "Who signs, and as what.", personal=True),
    ] = ()
    documents: Documents = ()
    enclosed: Enclosed = None
