"""What is said about a whole case: opening it, passing it on, adding to it, closing it."""

from typing import Annotated, ClassVar

from referral_contracts.payloads.base import Choice, Line, Text, label
from referral_contracts.payloads.basis import About
from referral_contracts.payloads.document import Documents, Enclosed
from referral_contracts.payloads.handoff import DeclineReason, Explanation, OtherReason
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.place import Place

LegalBasis = Annotated[
    tuple[Line, ...],
    label("Căn cứ pháp lý", "legal basis", "Điều, khoản áp dụng.", "Article and clause that apply."),
]


class TransferReason(Choice):
    """Why another agency should own the case."""

    INCIDENT_COMMUNE = (
        "incident_commune",
        "Chuyển Ủy ban nhân dân cấp xã nơi xảy ra vụ việc",
        "to the commune where the incident happened",
    )
    RESIDENCE_COMMUNE = (
        "residence_commune",
        "Chuyển Ủy ban nhân dân cấp xã nơi trẻ em cư trú",
        "to the commune where the child lives",
    )
    OTHER_PROVINCE = "other_province", "Chuyển tỉnh, thành phố khác", "to another province"
    OTHER = "other", "Khác", "other"
    UNKNOWN = "unknown", "Không biết", "unknown"


class ClosingReason(Choice):
    """Why nothing more is done."""

    NO_LONGER_AT_RISK = (
        "no_longer_at_risk",
        "Trẻ em không còn nguy cơ bị xâm hại",
        "the child is no longer at risk of abuse",
    )
    UNFOUNDED = "unfounded", "Thông tin không có căn cứ", "the information was unfounded"
    HANDLED_ELSEWHERE = "handled_elsewhere", "Đã giải quyết trong vụ việc khác", "handled in another case"
    OTHER = "other", "Khác", "other"
    UNKNOWN = "unknown", "Không biết", "unknown"


class CaseOpening(Payload):
    """Why this case was opened. What is known of the child is in the Mẫu 01 beside it."""

    schema_name: ClassVar[str] = "case-opening"
    about: ClassVar[About] = About(vi="Mở vụ việc", en="case opening")

    reason: Annotated[
        Text | None,
        label(
            "Lý do mở vụ việc",
            "reason",
            "Vì sao mở vụ việc.",
            "Why the case was opened.",
            personal=True,
            essential=True,
        ),
    ] = None
    place: Annotated[
        Place | None,
        label(
            "Địa điểm xảy ra vụ việc",
            "incident place",
            "Quyết định Ủy ban nhân dân cấp xã nào phụ trách.",
            "Decides which commune people's committee is in charge.",
        ),
    ] = None
    legal_basis: LegalBasis = ()


class TransferOffer(Payload):
    """The owner offers the case to another agency, and stays responsible until that one accepts."""

    schema_name: ClassVar[str] = "transfer-offer"
    about: ClassVar[About] = About(vi="Đề nghị chuyển vụ việc", en="offer of the case")

    reason: Annotated[
        TransferReason,
        label(
            "Lý do chuyển vụ việc",
            "reason",
            "Vì sao cơ quan được đề nghị phải phụ trách.",
            "Why the other agency should own the case.",
            personal=True,
            essential=True,
        ),
    ]
    reason_other: OtherReason = None
    explanation: Explanation = None
    place: Annotated[
        Place | None,
        label(
            "Địa điểm quyết định thẩm quyền",
            "place that decides",
            "Nơi xảy ra vụ việc hoặc nơi trẻ em cư trú.",
            "Where the incident happened, or where the child lives.",
        ),
    ] = None
    still_open: Annotated[
        Text | None,
        label(
            "Việc đang thực hiện",
            "still open",
            "Những việc chưa xong mà bên nhận cần biết.",
            "Unfinished work that the new owner has to know of.",
            personal=True,
        ),
    ] = None
    legal_basis: LegalBasis = ()
    documents: Documents = ()
    enclosed: Enclosed = None


class TransferAnswer(Payload):
    """The answer to an offered case. Whether it is yes or no is the verb."""

    schema_name: ClassVar[str] = "transfer-answer"
    about: ClassVar[About] = About(vi="Trả lời đề nghị chuyển vụ việc", en="answer to an offered case")

    contact: Annotated[
        Line | None,
        label(
            "Người phụ trách",
            "contact",
            "Ai phụ trách vụ việc và liên hệ thế nào.",
            "Who is in charge of the case, and how to reach them.",
            personal=True,
        ),
    ] = None
    reason: Annotated[
        DeclineReason | None,
        label(
            "Lý do không nhận",
            "reason",
            "Chỉ ghi khi không nhận vụ việc.",
            "Only when the case is not taken.",
            personal=True,
        ),
    ] = None
    reason_other: OtherReason = None
    explanation: Explanation = None


class CaseClosing(Payload):
    """The owner ends the case."""

    schema_name: ClassVar[str] = "case-closing"
    about: ClassVar[About] = About(vi="Kết thúc vụ việc", en="closing of the case")

    reason: Annotated[
        ClosingReason,
        label(
            "Lý do kết thúc",
            "reason",
            "Vì sao kết thúc vụ việc.",
            "Why the case is closed.",
            personal=True,
            essential=True,
        ),
    ]
    reason_other: OtherReason = None
    summary: Annotated[
        Text | None,
        label(
            "Tóm tắt",
            "summary",
            "Tình trạng trẻ em và môi trường sống khi kết thúc.",
            "How the child and its surroundings are at the end.",
            personal=True,
            essential=True,
        ),
    ] = None
    follow_up: Annotated[
        Text | None,
        label(
            "Theo dõi sau kết thúc",
            "follow-up",
            "Ai theo dõi, đến khi nào.",
            "Who follows up, and how long.",
            personal=True,
        ),
    ] = None


class Note(Payload):
    """Something filed to named recipients, without asking for anything."""

    schema_name: ClassVar[str] = "note"
    about: ClassVar[About] = About(vi="Ghi chú", en="note")

    title: Annotated[
        Line | None,
        label("Tiêu đề", "title", "Nội dung chính.", "What it is about.", personal=True),
    ] = None
    text: Annotated[
        Text | None,
        label("Nội dung", "text", "Nội dung ghi chú.", "The note itself.", personal=True, essential=True),
    ] = None
    documents: Documents = ()
    enclosed: Enclosed = None
