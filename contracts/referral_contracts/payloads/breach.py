"""
Thông báo vi phạm quy định về bảo vệ dữ liệu cá nhân: notice that personal data went where it must not.

That the authority is told at the latest 72 hours after detection is in the norm's own words (T: Luật BVDLCN 91/2025
Đ.23 k.1), the written record is from a secondary source (S: Đ.23 k.2). What the notice must contain was not read (N):
the fields are the plain minimum, the bus's own.
"""

from typing import Annotated, ClassVar

from pydantic import Field

from referral_contracts.payloads.base import Line, Moment, Text, label
from referral_contracts.payloads.basis import About, Basis, Confidence
from referral_contracts.payloads.document import Documents, Enclosed
from referral_contracts.payloads.payload import Payload

People = Annotated[int, Field(ge=0, le=100_000_000)]


class BreachNotice(Payload):
    """Thông báo vi phạm quy định về bảo vệ dữ liệu cá nhân."""

    schema_name: ClassVar[str] = "breach-notice"
    about: ClassVar[About] = About(
        vi="Thông báo vi phạm quy định về bảo vệ dữ liệu cá nhân",
        en="notice of a personal-data breach",
        basis=(
            Basis(
                place="Luật BVDLCN 91/2025/QH15, Điều 23 khoản 1",
                vi="chậm nhất là 72 giờ kể từ khi phát hiện",
                en="at the latest 72 hours after detection",
                confidence=Confidence.TEXT,
            ),
            Basis(
                place="Luật BVDLCN 91/2025/QH15, Điều 23 khoản 2",
                vi="lập biên bản, phối hợp xử lý",
                en="a written record, and cooperation",
                confidence=Confidence.SECONDARY,
            ),
        ),
    )

    controller: Annotated[
        Line | None,
        label(
            "Bên kiểm soát dữ liệu",
            "controller",
            "Cơ quan chịu trách nhiệm về dữ liệu.",
            "The agency that answers for the data.",
            essential=True,
        ),
    ] = None
    detected_at: Annotated[
        Moment | None,
        label(
            "Thời điểm phát hiện",
            "detected at",
            "Lúc phát hiện vi phạm; thời hạn 72 giờ tính từ đây.",
            "When it was detected; the 72 hours run from here.",
            essential=True,
        ),
    ] = None
    what_happened: Annotated[
        Text | None,
        label(
            "Vi phạm",
            "what happened",
            "Việc gì, bằng cách nào, từ lúc nào.",
            "What, how, and since when.",
            personal=True,
            essential=True,
        ),
    ] = None
    data_kinds: Annotated[
        Text | None,
        label(
            "Loại dữ liệu",
            "kinds of data",
            "Dữ liệu nào bị lộ, mất, sửa.",
            "Which data leaked, was lost or changed.",
            personal=True,
            essential=True,
        ),
    ] = None
    people_affected: Annotated[
        People | None,
        label("Số người bị ảnh hưởng", "people affected", "Ước tính nếu chưa rõ.", "An estimate will do."),
    ] = None
    consequences: Annotated[
        Text | None,
        label(
            "Hậu quả có thể xảy ra",
            "consequences",
            "Ai có thể bị hại, thế nào.",
            "Who may be harmed, and how.",
            personal=True,
            essential=True,
        ),
    ] = None
    measures: Annotated[
        Text | None,
        label("Biện pháp khắc phục", "measures", "Đã làm gì, sẽ làm gì.", "What was and will be done.", personal=True),
    ] = None
    contact: Annotated[
        Line | None,
        label(
            "Đầu mối liên hệ",
            "contact",
            "Ai trả lời về việc này.",
            "Who answers for it.",
            personal=True,
            essential=True,
        ),
    ] = None
    late_reason: Annotated[
        Text | None,
        label(
            "Lý do thông báo muộn",
            "reason for delay",
            "Chỉ ghi khi đã quá thời hạn.",
            "Only when the time has run out.",
            personal=True,
        ),
    ] = None
    documents: Documents = ()
    enclosed: Enclosed = None
