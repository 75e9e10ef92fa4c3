"""
Papers that go with a form: by reference, or one small one inside the sealed section itself.

A reference says which document is meant, so that nobody can pass another for it: the size and SHA-256 are those of the
document itself. Where it lies encrypted, the reference carries the key; whoever keeps the file then never reads it.
"""

import re
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from referral_contracts.encoding import HASH, b64, unb64
from referral_contracts.errors import RemoteError
from referral_contracts.payloads.base import Choice, Day, FieldGroup, Line, Text, label

ENCLOSED_MAX: Final = 32 * 1024
"""In base64url and beside a full form it still fits into a padded section of 64 KiB, and three such into an event."""
DOCUMENTS_MAX: Final = 50
_BASE64URL: Final = re.compile("[A-Za-z0-9_-]*")


def _bytes(value: object) -> bytes:
    # From a program the bytes themselves, from JSON their one spelling.
    if isinstance(value, bytes):
        return value
    if isinstance(value, str) and _BASE64URL.fullmatch(value):
        try:
            return unb64(value)
        except RemoteError:
            raise PydanticCustomError("base64url", "not the one spelling in base64url") from None
    raise PydanticCustomError("base64url", "not base64url without padding")


def _key(value: str) -> str:
    try:
        unb64(value, 32)
    except RemoteError:
        raise PydanticCustomError("base64url", "not 32 bytes in base64url") from None
    return value


def _bounded(value: bytes) -> bytes:
    if not 0 < len(value) <= ENCLOSED_MAX:
        raise PydanticCustomError("size", "a document of 1 to {most} bytes", {"most": ENCLOSED_MAX})
    return value


Content = Annotated[
    bytes,
    BeforeValidator(_bytes),
    AfterValidator(_bounded),
    PlainSerializer(b64, return_type=str, when_used="json"),
    WithJsonSchema(
        {
            "type": "string",
            "contentEncoding": "base64url",
            "pattern": "^[A-Za-z0-9_-]+$",
            "maxLength": (ENCLOSED_MAX * 4 + 2) // 3,
        }
    ),
]
"""The document itself: base64url without padding on the wire."""

Hash = Annotated[str, StringConstraints(pattern=HASH)]
Key = Annotated[str, StringConstraints(pattern=HASH), AfterValidator(_key)]
Size = Annotated[int, Field(ge=1, le=2**40)]


class MediaType(Choice):
    """What sort of file it is: what any office can open. Nothing in the list runs by itself."""

    PDF = "application/pdf", "Tệp PDF", "PDF"
    JPEG = "image/jpeg", "Ảnh JPEG", "JPEG image"
    PNG = "image/png", "Ảnh PNG", "PNG image"
    TIFF = "image/tiff", "Ảnh quét TIFF", "TIFF scan"
    TEXT = "text/plain", "Văn bản thuần (UTF-8)", "plain text (UTF-8)"
    DOCX = (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "Văn bản Word (DOCX)",
        "Word document (DOCX)",
    )
    ODT = "application/vnd.oasis.opendocument.text", "Văn bản OpenDocument (ODT)", "OpenDocument text (ODT)"
    MP3 = "audio/mpeg", "Ghi âm MP3", "MP3 recording"
    MP4 = "video/mp4", "Ghi hình MP4", "MP4 recording"
    DICOM = "application/dicom", "Ảnh y khoa DICOM", "DICOM medical image"
    OTHER = "other", "Khác", "other"
    UNKNOWN = "unknown", "Không biết", "unknown"


OtherMediaType = Annotated[
    Line | None,
    label(
        "Loại tệp khác",
        "other media type",
        "Ghi rõ khi chọn “Khác”.",
        "Which, when “other” was chosen.",
        personal=True,
    ),
]
Title = Annotated[
    Line | None,
    label(
        "Tên tài liệu", "title", "Trích yếu hoặc tên gọi của tài liệu.", "What the document is called.", personal=True
    ),
]
Number = Annotated[
    Line | None,
    label("Số, ký hiệu", "number", "Số và ký hiệu trên tài liệu.", "Number and sign on the document."),
]
IssuedOn = Annotated[
    Day | None,
    label("Ngày ban hành", "issued on", "Ngày ghi trên tài liệu.", "The day that stands on the document."),
]
SignedBy = Annotated[
    Line | None,
    label("Người ký", "signatory", "Họ tên, chức vụ người ký.", "Who signed it, and as what.", personal=True),
]


class Document(FieldGroup):
    """One document, by reference: which it is, where it lies, and how to tell that it is the one."""

    title: Title = None
    number: Number = None
    issued_on: IssuedOn = None
    signatory: SignedBy = None
    media_type: Annotated[
        MediaType | None,
        label("Loại tệp", "media type", "Tệp thuộc loại nào.", "What sort of file it is."),
    ] = None
    media_type_other: OtherMediaType = None
    size: Annotated[
        Size | None,
        label("Dung lượng", "size", "Số byte của tài liệu khi chưa mã hóa.", "Bytes of the document, not encrypted."),
    ] = None
    sha256: Annotated[
        Hash | None,
        label(
            "Mã băm SHA-256",
            "SHA-256",
            "Của tài liệu khi chưa mã hóa; nơi nhận đối chiếu để biết đúng tài liệu này.",
            "Of the document, not encrypted: the recipient compares it to know that it is this one.",
        ),
    ] = None
    key: Annotated[
        Key | None,
        label(
            "Khóa giải mã",
            "key",
            "Khi tệp được lưu ở dạng mã hóa: 32 byte, base64url. Không gửi khóa bằng đường khác.",
            "When the file lies encrypted: 32 bytes, base64url. The key goes no other way.",
            personal=True,
        ),
    ] = None
    place: Annotated[
        Text | None,
        label(
            "Nơi lưu",
            "place",
            "Địa chỉ tải tệp, hoặc nơi giữ bản giấy.",
            "Where to fetch the file, or where the paper is kept.",
            personal=True,
            essential=True,
        ),
    ] = None


class Enclosure(FieldGroup):
    """One small document inside the form itself: a letter, a scan of a page."""

    title: Title = None
    number: Number = None
    issued_on: IssuedOn = None
    signatory: SignedBy = None
    media_type: Annotated[
        MediaType,
        label("Loại tệp", "media type", "Tệp thuộc loại nào.", "What sort of file it is.", essential=True),
    ]
    media_type_other: OtherMediaType = None
    content: Annotated[
        Content,
        label(
            "Nội dung tệp",
            "content",
            "Toàn bộ tệp, tối đa 32 KiB, base64url. Tệp lớn hơn thì dẫn chiếu.",
            "The whole file, at most 32 KiB, in base64url. A larger one is referred to.",
            personal=True,
            essential=True,
        ),
    ]


Documents = Annotated[
    tuple[Document, ...],
    Field(max_length=DOCUMENTS_MAX),
    label(
        "Tài liệu kèm theo",
        "documents",
        "Dẫn chiếu từng tài liệu: số, ngày, người ký, nơi lưu, mã băm.",
        "Each by reference: number, date, signatory, place, hash.",
    ),
]
Enclosed = Annotated[
    Enclosure | None,
    label(
        "Tệp gửi kèm",
        "enclosed document",
        "Một tài liệu nhỏ nằm ngay trong phần này.",
        "One small document inside this section itself.",
    ),
]
