"""The words for what the bus names with codes: Vietnamese for those who work on a case, English beside it."""

from collections.abc import Mapping
from typing import Final

from referral_contracts.codes import Code
from referral_contracts.directory_model import Purpose
from referral_contracts.lifecycle import CaseState, Receipt, State
from referral_contracts.verbs import Verb

EXERCISE: Final = "DIỄN TẬP / EXERCISE"
"""Beside everything that belongs to an exercise, wherever a person sees it."""

VERBS: Final[Mapping[Verb, tuple[str, str]]] = {
    Verb.CASE_OPENED: ("mở vụ việc", "case opened"),
    Verb.CASE_TRANSFER_OFFERED: ("đề nghị chuyển vụ việc", "case transfer offered"),
    Verb.CASE_TRANSFER_ACCEPTED: ("đã nhận vụ việc", "case transfer accepted"),
    Verb.CASE_TRANSFER_DECLINED: ("không nhận vụ việc", "case transfer declined"),
    Verb.CASE_TRANSFER_WITHDRAWN: ("rút lại đề nghị chuyển vụ việc", "case transfer withdrawn"),
    Verb.CASE_NOTED: ("bổ sung vào vụ việc", "case noted"),
    Verb.CASE_CORRECTED: ("đính chính trong vụ việc", "case corrected"),
    Verb.CASE_LINKED: ("liên kết vụ việc", "case linked"),
    Verb.CASE_UNLINKED: ("bỏ liên kết vụ việc", "case unlinked"),
    Verb.CASE_CLOSED: ("kết thúc vụ việc", "case closed"),
    Verb.CASE_REOPENED: ("mở lại vụ việc", "case reopened"),
    Verb.CASE_VOIDED: ("hủy vụ việc nhập nhầm", "case entered in error"),
    Verb.OFFERED: ("đề nghị thực hiện", "offered"),
    Verb.ASSIGNED: ("chuyển giải quyết", "assigned"),
    Verb.NOTIFIED: ("thông báo", "notified"),
    Verb.RECEIVED: ("đã nhận được", "received"),
    Verb.UNREADABLE: ("không đọc được", "unreadable"),
    Verb.ACCEPTED: ("nhận thực hiện", "accepted"),
    Verb.DECLINED: ("từ chối", "declined"),
    Verb.EXPIRED: ("hết hạn trả lời", "expired"),
    Verb.WITHDRAWN: ("rút lại", "withdrawn"),
    Verb.FORWARDED: ("chuyển tiếp", "forwarded"),
    Verb.PROGRESSED: ("báo cáo tiến độ", "progressed"),
    Verb.SUSPENDED: ("tạm dừng", "suspended"),
    Verb.RESUMED: ("tiếp tục", "resumed"),
    Verb.COMPLETED: ("hoàn thành", "completed"),
    Verb.FAILED: ("không thực hiện được", "failed"),
    Verb.RETURNED: ("trả lại", "returned"),
    Verb.CANCELLED: ("hủy", "cancelled"),
    Verb.REOPENED: ("mở lại", "reopened"),
    Verb.CLOSED: ("kết thúc", "closed"),
    Verb.MOVED: ("bàn giao cho cơ quan kế thừa", "moved"),
    Verb.ASKED: ("hỏi", "asked"),
    Verb.ANSWERED: ("trả lời", "answered"),
    Verb.CORRECTED: ("đính chính", "corrected"),
    Verb.VOIDED: ("hủy vì nhập nhầm", "entered in error"),
    Verb.RECALLED: ("thu hồi vì gửi nhầm", "recalled"),
    Verb.MISDIRECTED: ("báo nhận nhầm", "misdirected"),
    Verb.CLOCK_DISPUTED: ("có ý kiến khác về thời hạn", "clock disputed"),
    Verb.CLOCK_EXTENDED: ("gia hạn", "clock extended"),
    Verb.CLOCK_CONFIRMED: ("xác nhận đã thực hiện đúng hạn", "done in time, confirmed"),
    Verb.DEADLINE_ARMED: ("bắt đầu tính thời hạn", "clock started"),
    Verb.DEADLINE_REMINDED: ("nhắc thời hạn", "deadline is near"),
    Verb.DEADLINE_MISSED: ("quá hạn", "deadline missed"),
    Verb.DEADLINE_ESCALATED: ("báo cáo cấp trên về việc quá hạn", "missed deadline, escalated"),
    Verb.DEADLINE_EXPLAINED: ("làm rõ về thời hạn", "deadline explained"),
    Verb.DEADLINE_UNREADABLE: ("không đọc được phần tính thời hạn", "clock section unreadable"),
}

STATES: Final[Mapping[State, tuple[str, str]]] = {
    State.OFFERED: ("chờ trả lời", "offered"),
    State.ASSIGNED: ("chờ nhận giải quyết", "assigned"),
    State.NOTIFIED: ("đã gửi thông báo", "notified"),
    State.RECEIVED: ("đã nhận thông báo", "received"),
    State.ACCEPTED: ("đang thực hiện", "accepted"),
    State.DECLINED: ("bị từ chối", "declined"),
    State.EXPIRED: ("hết hạn, không có trả lời", "expired"),
    State.WITHDRAWN: ("đã rút lại", "withdrawn"),
    State.FORWARDED: ("đã chuyển tiếp, chờ bên sau nhận", "forwarded"),
    State.RELEASED: ("bên sau đã nhận", "released"),
    State.SUSPENDED: ("đang tạm dừng", "suspended"),
    State.COMPLETED: ("đã hoàn thành", "completed"),
    State.FAILED: ("không thực hiện được", "failed"),
    State.RETURNED: ("đã trả lại", "returned"),
    State.STOPPED: ("đã hủy", "stopped"),
    State.CLOSED: ("đã kết thúc", "closed"),
    State.VOIDED: ("đã hủy vì nhập nhầm", "entered in error"),
    State.RECALLED: ("bị thu hồi, chờ bên nhận trả lời", "recalled, waiting for the recipient"),
    State.MISDIRECTED: ("gửi nhầm, bên nhận đã trả lời", "misdirected"),
}

CASES: Final[Mapping[CaseState, tuple[str, str]]] = {
    CaseState.OPEN: ("đang mở", "open"),
    CaseState.TRANSFER_OFFERED: ("đang đề nghị chuyển", "transfer offered"),
    CaseState.CLOSED: ("đã kết thúc", "closed"),
    CaseState.VOIDED: ("đã hủy vì nhập nhầm", "entered in error"),
}

RECEIPTS: Final[Mapping[Receipt, tuple[str, str]]] = {
    Receipt.NONE: ("chưa nhận được", "not yet received"),
    Receipt.UNREADABLE: ("nhận được, không đọc được", "unreadable"),
    Receipt.RECEIVED: ("đã nhận được", "received"),
}

PURPOSES: Final[Mapping[Purpose, tuple[str, str]]] = {
    Purpose.COMPLAINT: ("giải quyết khiếu nại, tố cáo", "a complaint or denunciation"),
    Purpose.DATA_PROTECTION: ("kiểm tra việc bảo vệ dữ liệu cá nhân", "data protection"),
    Purpose.INSPECTION: ("thanh tra, kiểm tra", "inspection"),
    Purpose.PROCEEDINGS: ("tố tụng", "proceedings"),
    Purpose.REVIEW: ("rà soát vụ việc", "case review"),
}
"""What a grant is for."""

REFUSALS: Final[Mapping[Code, tuple[str, str]]] = {
    Code.STALE_HEAD: ("bên khác đã có hành động trước", "somebody moved it first"),
    Code.ILLEGAL_TRANSITION: ("việc này không còn làm được ở bước hiện tại", "not possible at this step"),
    Code.WRONG_PARTY: ("cơ quan này không có quyền làm việc đó", "not for this agency to say"),
    Code.NOT_FOUND: ("không có vụ việc này, hoặc không phải bên liên quan", "no such case, or not a party of it"),
    Code.NOT_PERMITTED: ("quy tắc danh bạ không cho phép", "the directory's policy does not allow it"),
    Code.UNKNOWN_RECIPIENT: ("không có nơi nhận này", "no such recipient"),
    Code.RECIPIENTS_APART: ("các nơi nhận này không được biết về nhau", "the recipients may not know of each other"),
    Code.OPEN_HANDOFFS: ("còn lượt chuyển gửi chưa kết thúc", "hand-offs are still open"),
    Code.ARCHIVED: ("vụ việc đã lưu trữ", "the case is archived"),
    Code.OUTSIDE_WINDOW: ("đồng hồ máy lệch quá giới hạn", "this machine's clock is too far off"),
    Code.TOO_MANY: ("gửi quá nhiều trong thời gian ngắn", "too many in a short time"),
    Code.KEY_NOT_VALID: ("khóa đã hết hạn hoặc bị thu hồi", "a key is expired or revoked"),
    Code.UNKNOWN_KEY: ("danh bạ không có khóa này", "the directory does not have the key"),
    Code.UNKNOWN_SENDER: ("danh bạ không có cơ quan gửi", "the directory does not have the sender"),
    Code.DUPLICATE: ("đã gửi trước đó", "said before"),
    Code.ID_REUSED: ("mã sự kiện đã được dùng", "the id was used before"),
}
"""What a person may meet. Any other refusal is a fault of the program that sent, and its code says enough."""


FAULTS: Final[Mapping[str, str]] = {
    "base64url": "không đúng dạng base64url hoặc không đủ dài",
    "bool_type": "cần true hoặc false",
    "date_from_datetime_parsing": "không phải ngày: ghi như 2016-03-14",
    "day": "không phải ngày: ghi như 2016-03-14",
    "enum": "không phải một lựa chọn của mẫu",
    "extra_forbidden": "không có mục này",
    "greater_than_equal": "nhỏ hơn mức cho phép",
    "int_from_float": "cần một số nguyên",
    "int_type": "cần một số nguyên",
    "less_than_equal": "lớn hơn mức cho phép",
    "literal_error": "không phải một lựa chọn của mẫu",
    "missing": "còn thiếu",
    "model_type": "cần một nhóm mục",
    "moment": "không phải thời điểm: ghi như 2026-03-14T09:20:00+07:00",
    "other": "chọn “other” thì phải ghi rõ bằng lời",
    "size": "tài liệu rỗng hoặc quá lớn",
    "string_pattern_mismatch": "không đúng dạng mã",
    "string_too_long": "quá dài",
    "string_too_short": "quá ngắn",
    "string_type": "cần một đoạn chữ trong ngoặc kép",
    "too_long": "quá nhiều mục",
    "too_short": "quá ít mục",
    "tuple_type": "cần một danh sách",
}
"""What is wrong with a field of a form, in Vietnamese, by pydantic's or the form's own name of it."""
_WRONG: Final = "không đúng"


def both(words: tuple[str, str]) -> str:
    """Return Vietnamese and English as one text."""
    return f"{words[0]} / {words[1]}"


def fault(kind: str, english: str, meant: str | None = None) -> str:
    """Return what a person is told of a fault of this *kind*, found in *english*, and which field was *meant*."""
    words = FAULTS.get(kind, _WRONG), english
    return both(words if meant is None else (f"{words[0]}; có phải {meant}?", f"{words[1]}; is {meant} meant?"))


def refusal(code: Code) -> str:
    """Return a refusal's code with what it means, where people may meet it."""
    return f"{code.value} ({both(REFUSALS[code])})" if code in REFUSALS else code.value
