"""
Legal aid: the request for a child, and the centre's answer that it has taken the case on.

That the file is checked and answered at once is in the norm's own words (T: Luật TGPL 2017 Đ.30 k.2), as is the
moment from which a case counts as accepted (T: TT 12/2018/TT-BTP Đ.5 k.2). That the register exists is known (T), its
columns and the form of the request are not (N), and neither are the days to appoint a provider (N): no limit stands
here, and the fields are the plain minimum, the bus's own.
"""

from typing import Annotated, ClassVar, Final

from referral_contracts.payloads.base import Answer, Choice, Day, Line, Moment, Text, label
from referral_contracts.payloads.basis import About, Basis, Confidence
from referral_contracts.payloads.document import Documents, Enclosed
from referral_contracts.payloads.paper import LegalBases
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.place import Child

_ANSWERED_AT_ONCE: Final = Basis(
    place="Luật TGPL 11/2017/QH14, Điều 30 khoản 2",
    vi="kiểm tra và trả lời ngay cho người yêu cầu",
    en="that the request is checked and answered at once",
    confidence=Confidence.TEXT,
)


class LegalAidForm(Choice):
    """What kind of help is wanted."""

    ADVICE = "advice", "Tư vấn pháp luật", "legal advice"
    PROCEEDINGS = "proceedings", "Tham gia tố tụng", "taking part in proceedings"
    REPRESENTATION = (
        "representation",
        "Đại diện ngoài tố tụng",
        "representation outside proceedings",
    )
    OTHER = "other", "Khác", "other"
    UNKNOWN = "unknown", "Không biết", "unknown"


class LegalAidRequest(Payload):
    """Yêu cầu trợ giúp pháp lý cho trẻ em."""

    schema_name: ClassVar[str] = "legal-aid-request"
    about: ClassVar[About] = About(
        vi="Yêu cầu trợ giúp pháp lý",
        en="legal-aid request",
        basis=(_ANSWERED_AT_ONCE,),
    )

    applicant_name: Annotated[
        Line | None,
        label(
            "Người yêu cầu", "applicant", "Người đứng ra yêu cầu.", "Who asks for it.", personal=True, essential=True
        ),
    ] = None
    applicant_relation: Annotated[
        Line | None,
        label(
            "Quan hệ với trẻ em",
            "relation to the child",
            "Người yêu cầu là ai đối với trẻ em.",
            "Who the applicant is to the child.",
            personal=True,
        ),
    ] = None
    child: Annotated[
        Child | None,
        label("Trẻ em được trợ giúp", "the child", "Trợ giúp cho ai.", "Who is to be helped.", essential=True),
    ] = None
    form: Annotated[
        LegalAidForm | None,
        label("Hình thức trợ giúp", "form of aid", "Cần trợ giúp thế nào.", "What kind of help.", personal=True),
    ] = None
    form_other: Annotated[
        Line | None,
        label(
            "Hình thức khác", "other form", "Ghi rõ khi chọn “Khác”.", "Which, when “other” was chosen.", personal=True
        ),
    ] = None
    matter: Annotated[
        Text | None,
        label(
            "Nội dung yêu cầu",
            "matter",
            "Việc gì, đang ở giai đoạn nào.",
            "What it is about, and at what stage.",
            personal=True,
            essential=True,
        ),
    ] = None
    other_party: Annotated[
        Text | None,
        label(
            "Bên có quyền lợi đối lập",
            "other party",
            "Để trung tâm kiểm tra xung đột lợi ích.",
            "So that the centre can check for a conflict of interest.",
            personal=True,
        ),
    ] = None
    legal_basis: LegalBases = ()
    documents: Documents = ()
    enclosed: Enclosed = None


class LegalAidAcceptance(Payload):
    """Thụ lý vụ việc trợ giúp pháp lý, or the answer that papers are missing."""

    schema_name: ClassVar[str] = "legal-aid-acceptance"
    about: ClassVar[About] = About(
        vi="Thụ lý vụ việc trợ giúp pháp lý",
        en="legal-aid acceptance",
        basis=(
            Basis(
                place="TT 12/2018/TT-BTP, Điều 5 khoản 2",
                vi="thời điểm thụ lý là lúc ghi vào Sổ thụ lý",
                en="a case counts as accepted when it is written in the register",
                confidence=Confidence.TEXT,
            ),
            _ANSWERED_AT_ONCE,
        ),
    )

    complete: Annotated[
        Answer | None,
        label(
            "Giấy tờ đã đủ",
            "papers complete",
            "Giấy tờ có đủ để thụ lý không.",
            "Whether the papers suffice.",
            essential=True,
        ),
    ] = None
    missing: Annotated[
        Text | None,
        label("Giấy tờ còn thiếu", "what is missing", "Cần bổ sung gì.", "What has to be added.", personal=True),
    ] = None
    register_number: Annotated[
        Line | None,
        label("Số thụ lý", "register number", "Số trong Sổ thụ lý.", "Number in the register.", essential=True),
    ] = None
    registered_at: Annotated[
        Moment | None,
        label(
            "Thời điểm thụ lý",
            "registered at",
            "Lúc ghi vào Sổ thụ lý; vụ việc được tính là thụ lý từ lúc này.",
            "When it was written in the register; from then on the case counts as accepted.",
            essential=True,
        ),
    ] = None
    provider_name: Annotated[
        Line | None,
        label("Người thực hiện trợ giúp", "provider", "Người được cử thực hiện.", "Who was appointed.", personal=True),
    ] = None
    provider_contact: Annotated[
        Line | None,
        label("Liên hệ", "contact", "Số điện thoại, nơi làm việc.", "Telephone, office.", personal=True),
    ] = None
    appointed_on: Annotated[
        Day | None,
        label("Ngày cử người thực hiện", "appointed on", "Ngày ký quyết định cử.", "The day of the appointment."),
    ] = None
    documents: Documents = ()
    enclosed: Enclosed = None
