"""
Mẫu số 07 of NĐ 56/2017: the decision to separate a child from parents or carer for a time. Provisional.

The grounds are known in the norm's own words (T: Đ.32 k.1), the limits from a newspaper (S), the form's fields from
memory (N). They may all be left out, and a later version may name them otherwise. No limit is enforced here.
"""

from typing import Annotated, ClassVar

from pydantic import Field

from referral_contracts.payloads.base import Line, Moment, Text, label
from referral_contracts.payloads.basis import About, Basis, Confidence, Status, unread_form
from referral_contracts.payloads.document import Documents, Enclosed
from referral_contracts.payloads.paper import ITEMS_MAX, ChildName, LegalBases, ResponsibleParties, Signatory
from referral_contracts.payloads.payload import Payload

Days = Annotated[int, Field(ge=1, le=366)]


class Mau07(Payload):
    """Quyết định về việc tạm thời cách ly trẻ em khỏi cha, mẹ, người chăm sóc trẻ em."""

    schema_name: ClassVar[str] = "mau07"
    about: ClassVar[About] = About(
        vi="Mẫu số 07: Quyết định về việc tạm thời cách ly trẻ em khỏi cha, mẹ, người chăm sóc trẻ em",
        en="Form 07: decision on temporary separation of a child from parents or carer",
        status=Status.PROVISIONAL,
        basis=(
            Basis(
                place="NĐ 56/2017/NĐ-CP, Điều 32 khoản 1",
                vi="căn cứ để cách ly",
                en="the grounds for separation",
                confidence=Confidence.TEXT,
            ),
            Basis(
                place="NĐ 56/2017/NĐ-CP, Điều 32",
                vi="thời hạn cách ly",
                en="how long it may last",
                confidence=Confidence.SECONDARY,
            ),
            unread_form("07"),
        ),
    )

    legal_bases: LegalBases = ()
    child_name: ChildName = None
    carers: Annotated[
        tuple[Line, ...],
        Field(max_length=ITEMS_MAX),
        label(
            "Cha, mẹ, người chăm sóc",
            "parents or carers",
            "Trẻ em được cách ly khỏi những ai.",
            "From whom the child is separated.",
            personal=True,
        ),
    ] = ()
    stay_place: Annotated[
        Text | None,
        label(
            "Nơi tạm thời chăm sóc trẻ em",
            "place of temporary stay",
            "Chỉ gửi người trực tiếp đưa đón, chăm sóc trẻ em.",
            "Only for those who bring the child there or care for it.",
            personal=True,
        ),
    ] = None
    starts_at: Annotated[
        Moment | None,
        label("Bắt đầu cách ly", "starts at", "Lúc bắt đầu cách ly.", "When the separation begins."),
    ] = None
    days: Annotated[
        Days | None,
        label("Thời hạn (ngày)", "duration in days", "Số ngày ghi trong quyết định.", "Days, as in the decision."),
    ] = None
    responsible_parties: ResponsibleParties = ()
    signatory: Signatory = None
    documents: Documents = ()
    enclosed: Enclosed = None
