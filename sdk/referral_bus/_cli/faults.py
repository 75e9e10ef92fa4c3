"""
From an error to what a person is told and what the process says when it ends.

Lower-case fragments, advice in hints, nothing of a payload; a fault of ours tells its place in the code and no text,
for that could quote what was being worked on.
"""

import json
import sys
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from types import TracebackType
from typing import Final

import typer

from referral_bus._cli.world import Exit
from referral_contracts.codes import Code
from referral_contracts.errors import Fatal, LocalError, ReferralBusError, RemoteError
from referral_contracts.payloads.shown import printable
from referral_contracts.wording import both

_AWAY: Final = frozenset(
    {
        Code.BROKER_AWAY,
        Code.TIMED_OUT,
        Code.TOPIC_MISSING,
        Code.DIRECTORY_MISSING,
        Code.DIRECTORY_EXPIRED,
        Code.DIRECTORY_BEHIND,
        Code.CLOCK_BEHIND,
        Code.LOG_AWAY,
    }
)
_ALARMING: Final = frozenset(
    {
        Code.DIRECTORY_FORKED,
        Code.DIRECTORY_STALE,
        Code.DIRECTORY_ROOT,
        Code.NOT_ENOUGH_SIGNATURES,
        Code.ENTRY_VANISHED,
        Code.OWN_KEY_CHANGED,
        Code.BAD_DECISION,
        Code.COUNTER_GAP,
        Code.WRONG_COMMITMENT,
        Code.POSITION_LOST,
        Code.BAD_BUNDLE,
        Code.BAD_CHECKPOINT,
        Code.BAD_NOTE,
        Code.BAD_PROOF,
        Code.LOG_FORK,
        Code.LOG_ROLLBACK,
        Code.RECEIPT_MISSING,
    }
)
_HINTS: Final = {
    Code.STORE_BUSY: (
        "một tiến trình referral-bus khác của cơ quan đang chạy, có thể là inbox watch; kết thúc nó hoặc chờ",
        "another referral-bus of this agency is at work, perhaps a watch; end it or wait for it",
    ),
    Code.TIMED_OUT: (
        "việc đã gửi nằm trong hộp gửi và sẽ được gửi khi có thể: referral-bus outbox wait",
        "what was sent stays in the outbox and goes out when it can: referral-bus outbox wait",
    ),
    Code.STATE_FORMAT: (
        "dùng --store hoặc --home của chính cơ quan; kho do phiên bản khác tạo phải được chuyển đi",
        "name this agency's own with --store or --home; what another version made has to be moved away",
    ),
    Code.FILE_EXISTS: (
        "chọn tên khác, hoặc tự chuyển tệp cũ đi",
        "choose another name, or move the old file away yourself",
    ),
    Code.BAD_CERTIFICATE: (
        "chứng thư (tls.pem) và tổ chức chứng thực (ca.crt) do bên vận hành trục cấp, đặt trong thư mục của cơ quan",
        "the certificate (tls.pem) and the authority (ca.crt) come from whoever runs the bus, into the agency's folder",
    ),
    Code.NOT_AUTHORISED: (
        "có đúng chứng thư của cơ quan này không; nếu đúng, bên vận hành trục phải cấp quyền",
        "is it this agency's certificate? if so, whoever runs the bus has to give it its rights",
    ),
    Code.DIRECTORY_MISSING: (
        "chưa đọc được danh bạ thì chưa niêm phong được gì: có đúng trục này không",
        "nothing can be sealed before the directory was read: is this the right bus?",
    ),
    Code.TOPIC_MISSING: (
        "trục chưa được thiết lập cho cơ quan này, hoặc đây là máy chủ khác",
        "the bus was not set up for this agency, or this is another broker",
    ),
    Code.UNKNOWN_RECIPIENT: (
        "xem danh sách cơ quan: referral-bus directory show",
        "referral-bus directory show lists the agencies",
    ),
    Code.UNKNOWN_SENDER: (
        "cơ quan quản lý danh bạ chưa công bố cơ quan này trên trục này",
        "the registrar has not published this agency on this bus yet",
    ),
    Code.UNKNOWN_KEY: (
        "có đúng tệp khóa không (--home, --keys); khóa mới chỉ dùng được khi cơ quan quản lý danh bạ đã công bố",
        "is it the right key file (--home, --keys)? new keys are good once the registrar has published them",
    ),
    Code.KEY_NOT_VALID: (
        "theo danh bạ, khóa trong tệp chưa có hoặc không còn hiệu lực: hỏi cơ quan quản lý danh bạ",
        "by the directory the keys in the file are not valid yet, or no longer: ask the registrar",
    ),
    Code.UNKNOWN_SCHEMA: (
        "tệp ghi tên biểu mẫu ở “schema”, ví dụ mau01/1.0; các biểu mẫu: referral-bus form list",
        "a section file names its form under schema, such as mau01/1.0; referral-bus form list tells them all",
    ),
    Code.MALFORMED_SECTION: (
        "referral-bus form show MẪU cho biết từng trường và cách trả lời",
        "referral-bus form show FORM tells what answers each field",
    ),
    Code.MALFORMED_JSON: (
        "tệp là JSON mã UTF-8: mỗi tên một lần, chỉ dùng số nguyên",
        "a section file is JSON in UTF-8: each name once, whole numbers only",
    ),
    Code.ILLEGAL_TRANSITION: (
        "xem hiện trạng bằng referral-bus case show; nhiệm vụ được giao thì chuyển tiếp, không từ chối",
        "referral-bus case show tells how it stands; a duty is forwarded, never declined",
    ),
    Code.WRONG_PARTY: (
        "bên nhận trả lời, bên đề nghị rút lại và kết thúc, cơ quan phụ trách kết thúc vụ việc",
        "the recipient answers, who asked withdraws and closes, the owner closes the case",
    ),
}
"""Beside those of the code itself: what this program can do about it."""


class WrongUsage(Exception):
    """The command line or a file asks for something that cannot be meant."""

    def __init__(self, message: str, *hints: str, code: Code = Code.INCOMPLETE_INPUT) -> None:
        """Say what is wrong in a lower-case fragment; *hints* what can be done."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.hints = hints


class Several(Exception):
    """More than one thing is wrong: a person puts them right in one go."""

    def __init__(self, errors: tuple[LocalError, ...]) -> None:
        """Keep all of them."""
        super().__init__()
        self.errors = errors


def report(error: Exception, *, as_json: bool) -> Exit:
    """Tell what went wrong, on standard output too if that is JSON; return what the process says."""
    match error:
        case Several():
            return max(report(each, as_json=as_json) for each in error.errors)
        case WrongUsage():
            return _told(Exit.USAGE, error.code, error.message, error.hints, as_json=as_json)
        case ReferralBusError():
            return _told(exit_of(error), error.code, error.detail, hints_of(error.code), as_json=as_json)
        case _:
            return _told(Exit.FAULT, Code.INTERNAL, place_of(error), (), as_json=as_json)


def _told(code: Exit, error: Code, detail: str, hints: Sequence[str], *, as_json: bool) -> Exit:
    complain(f"{error.value}: {detail}" if detail else error.value, *hints)
    if as_json:
        sys.stdout.write(json.dumps({"error": error.value, "detail": detail, "hints": list(hints)}) + "\n")
    return code


def exit_of(error: ReferralBusError) -> Exit:
    """Return what the process says when *error* ends it."""
    if error.code is Code.STORE_BUSY:
        return Exit.BUSY
    if error.code is Code.INTERNAL:
        return Exit.FAULT
    if error.code in _AWAY:
        return Exit.AWAY
    if isinstance(error, RemoteError | Fatal) or error.code in _ALARMING:
        return Exit.ALARM
    return Exit.USAGE


def hints_of(code: Code) -> tuple[str, ...]:
    """Return the advice that goes with *code*."""
    found = (LocalError(code).hint, both(_HINTS[code]) if code in _HINTS else "")
    return tuple(hint for hint in found if hint)


def meant(name: str, known: Iterable[str]) -> list[str]:
    """Return the hint that tells which of the *known* names is meant; none if nothing is near."""
    return [f"is {near} meant?" for near in get_close_matches(name, list(known), 1)]


def complain(message: str, *hints: str) -> None:
    """Write an error and its hints to standard error."""
    _write(f"error: {message}")
    advise(*hints)


def advise(*hints: str) -> None:
    """Write hints to standard error."""
    for hint in hints:
        _write(f"hint: {hint}")


def mention(text: str) -> None:
    """Write what goes on to standard error."""
    _write(text)


def _write(text: str) -> None:
    told = printable(text).replace("\n", " ").encode("utf-8", "replace").decode("utf-8")
    sys.stderr.write(f"referral-bus: {told}\n")
    sys.stderr.flush()


def usage_message(error: typer.TyperException) -> str:
    """Return what the parser complains of, in our manner: no capital, no period."""
    message = " ".join(error.format_message().split()).rstrip(".")
    return message[:1].lower() + message[1:]


def usage_hint(error: typer.TyperException) -> str:
    """Return where it is told how the command is used that the parser complains of."""
    context = getattr(error, "ctx", None)
    if context is None or context.parent is None:
        return "referral-bus --help lists the commands, and COMMAND --help what each takes"
    return f"{context.command_path} --help tells what there is, and how it is used"


def place_of(error: BaseException) -> str:
    """Return the kind of *error* and where in the code it arose, and nothing that it says."""
    trace: TracebackType | None = error.__traceback__
    place = "?"
    while trace is not None:
        path = Path(trace.tb_frame.f_code.co_filename)
        place = f"{path.parent.name}/{path.name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__} at {place}"
