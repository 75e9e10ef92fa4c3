"""
Mẫu số 05 of NĐ 56/2017: the decision that approves the plan. Provisional.

That the form exists is known in the norm's own words (T: Đ.28 k.2 names its draft); its fields and the days that the
Chair has for it are not (N). They may all be left out, and a later version may name them otherwise.
"""

from typing import Annotated, ClassVar

from referral_contracts.payloads.base import Day, Line, label
from referral_contracts.payloads.basis import About, Basis, Confidence, Status, unread_form
from referral_contracts.payloads.document import Documents, Enclosed
from referral_contracts.payloads.paper import ChildName, LegalBases, ResponsibleParties, Signatory
from referral_contracts.payloads.payload import Payload


class Mau05(Payload):
    """Quyết định phê duyệt và kế hoạch hỗ trợ, can thiệp."""

    schema_name: ClassVar[str] = "mau05"
    about: ClassVar[About] = About(
        vi="Mẫu số 05: Quyết định phê duyệt và kế hoạch hỗ trợ, can thiệp",
        en="Form 05: decision that approves the plan",
        status=Status.PROVISIONAL,
        basis=(
            Basis(
                place="NĐ 56/2017/NĐ-CP, Điều 28 khoản 2",
                vi="việc có mẫu này",
                en="that there is such a form",
                confidence=Confidence.TEXT,
            ),
            unread_form("05"),
        ),
    )

    legal_bases: LegalBases = ()
    child_name: ChildName = None
    plan: Annotated[
        Line | None,
        label("Kế hoạch được phê duyệt", "approved plan", "Số, ngày của kế hoạch.", "Number and day of the plan."),
    ] = None
    responsible_parties: ResponsibleParties = ()
    effective_on: Annotated[
        Day | None,
        label("Hiệu lực từ ngày", "effective on", "Ngày quyết định có hiệu lực.", "The day it takes effect."),
    ] = None
    signatory: Signatory = None
    documents: Documents = ()
    enclosed: Enclosed = None
