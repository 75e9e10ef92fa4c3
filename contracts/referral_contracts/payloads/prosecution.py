"""
Kiến nghị khởi tố: a child-affairs agency asks investigators to prosecute, and tells the procuracy at the same time.

The duty, the documents that go with it and the notice to the procuracy are in the norm's own words (T: TTLT 01/2022
Đ.8 k.2, sexual abuse of a person under 18). A printed form was not read (N): the fields are the plain minimum, the
bus's own.
"""

from typing import Annotated, ClassVar

from referral_contracts.payloads.base import Answer, Day, Line, Moment, Text, label
from referral_contracts.payloads.basis import About, Basis, Confidence
from referral_contracts.payloads.document import Documents, Enclosed
from referral_contracts.payloads.paper import LegalBases
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.place import Child, Place


class ProsecutionRequest(Payload):
    """Kiến nghị khởi tố."""

    schema_name: ClassVar[str] = "prosecution-request"
    about: ClassVar[About] = About(
        vi="Kiến nghị khởi tố",
        en="prosecution request",
        basis=(
            Basis(
                place="TTLT 01/2022, Điều 8 khoản 2",
                vi="kiến nghị kèm tài liệu, đồng thời thông báo ngay cho Viện kiểm sát (chỉ vụ xâm hại tình dục)",
                en="the request with its documents, the procuracy told at once (sexual abuse alone)",
                confidence=Confidence.TEXT,
            ),
        ),
    )

    request_number: Annotated[
        Line | None,
        label("Số văn bản", "request number", "Số văn bản kiến nghị.", "Number of the letter."),
    ] = None
    requested_on: Annotated[
        Day | None,
        label("Ngày kiến nghị", "requested on", "Ngày ký văn bản.", "The day it was signed."),
    ] = None
    requesting_body: Annotated[
        Line | None,
        label(
            "Cơ quan kiến nghị", "requesting body", "Cơ quan nào kiến nghị.", "Which agency requests.", essential=True
        ),
    ] = None
    facts: Annotated[
        Text | None,
        label(
            "Nội dung vụ việc",
            "facts",
            "Việc gì đã xảy ra, biết từ đâu.",
            "What happened, and how it is known.",
            personal=True,
            essential=True,
        ),
    ] = None
    child: Annotated[
        Child | None,
        label("Trẻ em là bị hại", "the child", "Bị hại trong vụ việc.", "The victim.", essential=True),
    ] = None
    suspect: Annotated[
        Text | None,
        label(
            "Người bị nghi gây hại",
            "the suspect",
            "Ghi nếu biết.",
            "If known.",
            personal=True,
        ),
    ] = None
    place: Annotated[
        Place | None,
        label("Nơi xảy ra", "place", "Nơi xảy ra vụ việc.", "Where it happened."),
    ] = None
    objects: Annotated[
        Text | None,
        label(
            "Đồ vật, dấu vết",
            "objects and traces",
            "Đang giữ gì, ở đâu, ai giữ.",
            "What is kept, where, and by whom.",
            personal=True,
        ),
    ] = None
    procuracy_told: Annotated[
        Answer | None,
        label(
            "Đã thông báo Viện kiểm sát",
            "procuracy told",
            "Đã thông báo bằng văn bản cho Viện kiểm sát chưa.",
            "Whether the procuracy was told in writing.",
            essential=True,
        ),
    ] = None
    procuracy_told_at: Annotated[
        Moment | None,
        label(
            "Thời điểm thông báo Viện kiểm sát",
            "procuracy told at",
            "Lúc gửi thông báo.",
            "When it was told.",
        ),
    ] = None
    legal_basis: LegalBases = ()
    documents: Documents = ()
    enclosed: Enclosed = None
