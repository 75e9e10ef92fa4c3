"""What a person is told while a form is shown or filled in, in Vietnamese, in English, or both."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final

import typer

from referral_contracts.encoding import ADDRESS, AGENCY, EVENT_ID, HASH
from referral_contracts.payloads.basis import Status
from referral_contracts.payloads.outline import Kind, Question
from referral_contracts.payloads.place import COMMUNE, PROVINCE

Words = tuple[str, str]
"""Vietnamese, English."""


class Lang(StrEnum):
    """In which language a form is shown."""

    VI = "vi"
    EN = "en"
    BOTH = "both"


LangOption = Annotated[Lang, typer.Option("--lang", help="Vietnamese, English, or both beside each other.")]

KINDS: Final[Mapping[Kind, Words]] = {
    Kind.LINE: ("một dòng chữ", "a line of text"),
    Kind.TEXT: ("đoạn văn", "text"),
    Kind.CODE: ("mã theo mẫu cố định", "a code of a fixed form"),
    Kind.NUMBER: ("số nguyên", "a whole number"),
    Kind.DAY: ("ngày: 14/03/2026 hoặc 2026-03-14", "a day: 14/03/2026 or 2026-03-14"),
    Kind.MOMENT: (
        "ngày giờ Việt Nam: 14/03/2026 09:20 hoặc 2026-03-14 09:20",
        "day and time in Viet Nam: 14/03/2026 09:20 or 2026-03-14 09:20",
    ),
    Kind.YES_NO: ("có hoặc không", "yes or no"),
    Kind.CHOICE: ("chọn một", "one of"),
    Kind.FILE: ("tên tệp trên máy này, tối đa 32 KiB", "the name of a file on this machine, at most 32 KiB"),
    Kind.GROUP: ("một nhóm mục", "a group of fields"),
}
CODES: Final[Mapping[str, Words]] = {
    PROVINCE: ("2 chữ số", "2 digits"),
    COMMUNE: ("5 chữ số", "5 digits"),
    AGENCY: ("mã cơ quan trong danh bạ, như cong-an", "an agency's id in the directory, such as cong-an"),
    ADDRESS: ("mã cơ quan, có thể kèm bộ phận: cong-an/truc-ban", "an agency's id, or with a desk: cong-an/truc-ban"),
    EVENT_ID: ("mã sự kiện, 36 ký tự", "an event's id, 36 characters"),
    HASH: ("32 byte viết dạng base64url, 43 ký tự", "32 bytes in base64url, 43 characters"),
}
"""What a pattern asks for, where people meet it."""
YES_NO: Final[tuple[Words, Words]] = (("Có", "yes"), ("Không", "no"))

STATUSES: Final[Mapping[Status, Words]] = {
    Status.FROZEN: ("theo mẫu in", "as printed"),
    Status.PARTLY_READ: ("đọc được một phần", "read in part"),
    Status.PROVISIONAL: ("tạm thời", "provisional"),
    Status.OWN: ("của trục", "the bus's own"),
}
"""In a list, where the status's own words take too much room."""
ESSENTIAL: Final[Words] = ("thiết yếu", "essential")
REQUIRED: Final[Words] = ("bắt buộc", "required")
PROVISIONAL: Final[Words] = ("tạm thời", "provisional")
PERSONAL: Final[Words] = ("thông tin riêng tư", "personal data")
MANY: Final[Words] = ("nhiều mục", "any number")
NOW: Final[Words] = ("đang ghi", "now")

HOW: Final[Words] = (
    "Enter: bỏ qua hoặc giữ nguyên · < quay lại · - xóa · ? giải thích · . dừng, lưu để làm tiếp",
    "Enter: leave as it is · < back · - erase · ? explain · . stop and keep for later",
)
HOW_TEXT: Final[Words] = ("Kết thúc đoạn văn bằng một dòng trống.", "An empty line ends the text.")
FILL_GROUP: Final[Words] = ("Ghi nhóm này? c: có · Enter: bỏ qua", "Fill in this group? y: yes · Enter: no")
ADD_FIRST: Final[Words] = ("Thêm một mục? c: có · Enter: không", "Add one? y: yes · Enter: no")
ADD_MORE: Final[Words] = ("Thêm mục nữa? c: có · Enter: không", "Add another? y: yes · Enter: no")
ADD_LINE: Final[Words] = ("Ghi thêm một mục · Enter: không", "One more · Enter: no more")
FIRST: Final[Words] = ("đây là câu đầu tiên", "this is the first question")
NEEDED: Final[Words] = ("mục bắt buộc: thiếu thì không gửi được", "required: nothing can be sent without it")
SAVED: Final[Words] = ("đã lưu, chưa xong", "kept, not finished")
FINISHED: Final[Words] = ("đã lưu, gửi được", "kept, ready to send")
STILL_WRONG: Final[Words] = ("chưa gửi được", "cannot be sent yet")
RESUMED: Final[Words] = ("làm tiếp", "going on with")

_NOT_WRITTEN: Final[Words] = (
    "quá dài, hoặc có ký tự không ghi được",
    "too long, or with letters that cannot be written",
)
FAULTS: Final[Mapping[Kind, Words]] = {
    Kind.LINE: _NOT_WRITTEN,
    Kind.TEXT: _NOT_WRITTEN,
    Kind.CODE: ("không đúng dạng mã", "not of the form of this code"),
    Kind.NUMBER: ("cần một số nguyên trong giới hạn", "a whole number within the limits is wanted"),
    Kind.DAY: ("không phải ngày: ghi như 14/03/2026", "no such day: write it as 14/03/2026"),
    Kind.MOMENT: ("không phải ngày giờ: ghi như 14/03/2026 09:20", "no such moment: write it as 14/03/2026 09:20"),
    Kind.YES_NO: ("trả lời 1 (có) hoặc 2 (không)", "answer 1 (yes) or 2 (no)"),
    Kind.CHOICE: ("chọn một số trong danh sách", "one of the numbers in the list is wanted"),
    Kind.FILE: ("không đọc được tệp, hoặc tệp rỗng hay quá lớn", "no such file, or it is empty or too large"),
    Kind.GROUP: ("trả lời c (có) hoặc Enter", "answer y (yes) or Enter"),
}
TOGETHER: Final[Mapping[str, Words]] = {
    "too_long": ("đã đủ số mục tối đa", "there are as many as there may be"),
}
DISAGREES: Final[Words] = ("không khớp với các mục khác", "does not agree with the other fields")


def told(words: Words, lang: Lang) -> str:
    """Return *words* in the language asked for."""
    match lang:
        case Lang.VI:
            return words[0]
        case Lang.EN:
            return words[1]
        case Lang.BOTH:
            return f"{words[0]} / {words[1]}" if words[0] != words[1] else words[0]


def name_of(question: Question, lang: Lang) -> str:
    """Return what a field is called."""
    return told((question.mark.vi, question.mark.en), lang)


def help_of(question: Question, lang: Lang) -> str:
    """Return what a field is for."""
    return told((question.mark.help_vi, question.mark.help_en), lang)


def marks_of(question: Question, lang: Lang, *, required: bool = False) -> str:
    """Return what else is to be known of a field, in brackets; nothing for nothing."""
    needed = question.required or required
    marks = (
        (needed, REQUIRED),
        (question.mark.essential and not needed, ESSENTIAL),
        (question.mark.provisional, PROVISIONAL),
        (question.many, MANY),
    )
    found = ", ".join(told(words, lang) for applies, words in marks if applies)
    return f"[{found}]" if found else ""


def kind_of(question: Question, lang: Lang) -> str:
    """Return what sort of answer is wanted, and its limits."""
    limits = question.limits
    if "minimum" in limits or "maximum" in limits:
        return f"{told(KINDS[question.kind], lang)}: {limits.get('minimum', '')}–{limits.get('maximum', '')}"
    if question.kind is Kind.CODE:
        pattern = limits["pattern"]
        return told(CODES[pattern], lang) if pattern in CODES else f"{told(KINDS[question.kind], lang)}: {pattern}"
    return told(KINDS[question.kind], lang)
