"""The words of a trail in Vietnamese and in English: what people read who know neither the bus nor its codes."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Final

from referral_contracts.codes import Code
from referral_contracts.encoding import parse_time
from referral_contracts.errors import RemoteError
from referral_contracts.lifecycle import CaseState, State
from referral_contracts.log.access import ACCESSED, Way
from referral_contracts.payloads.shown import VIET_NAM, printable
from referral_contracts.trail.model import Kind, Row, Trail
from referral_contracts.trail.standing import Move
from referral_contracts.wording import CASES, PURPOSES, REFUSALS, STATES, VERBS

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Language(IntEnum):
    """Which of each pair of words."""

    VI = 0
    EN = 1

    @property
    def tag(self) -> str:
        """The language's tag, as HTML has it."""
        return self.name.lower()


FAULTS: Final[Mapping[Code, tuple[str, str]]] = {
    Code.BAD_PROOF: ("không chứng minh được là có trong sổ nhật ký", "not proven to be in the log"),
    Code.BAD_DECISION: ("không phải quyết định của bộ định tuyến", "not a decision of the router"),
    Code.BAD_TRAIL: ("không khớp với các bản ghi được đưa ra", "does not follow from what is shown"),
    Code.BAD_SIGNATURE: ("chữ ký không đúng", "the signature is wrong"),
    Code.MALFORMED_SIGNATURE: ("chữ ký không đúng dạng", "the signature is malformed"),
    Code.UNKNOWN_KEY: ("khóa ký không có trong danh bạ", "signed by a key that the directory does not have"),
    Code.KEY_NOT_VALID: ("khóa ký không còn hiệu lực khi gửi", "signed by a key that was not valid then"),
    Code.COUNTER_GAP: ("thiếu hoặc sai thứ tự", "something is missing, or out of order"),
    Code.WRONG_SUBJECT: ("thuộc vụ việc khác", "of another case"),
    Code.WRONG_COMMITMENT: ("khóa mở không khớp với phần niêm phong", "what was disclosed does not open the section"),
    Code.MISSING_ERASURE: ("mất dữ liệu mà không có quyết định xóa", "bytes are gone, and no erasure is on record"),
    Code.ILLEGAL_TRANSITION: ("bước này không được phép", "the rules have no such step here"),
    Code.WRONG_PARTY: ("không thuộc quyền của bên này", "not for this side to say"),
    Code.STALE_HEAD: ("đã có hành động khác trước đó", "something else came first"),
}
"""What a fault of a trail means. Of any other its code and detail say enough."""

STATEMENTS: Final[Mapping[str, tuple[str, str]]] = {
    ACCESSED: ("có người đọc vụ việc", "the case was read"),
    "erasure-asked": ("đề nghị xóa dữ liệu", "an erasure was asked for"),
    "erased": ("đã xóa dữ liệu", "data were erased"),
    "hold": ("giữ lại, không được xóa", "held back from erasure"),
    "hold-lifted": ("không còn phải giữ lại", "no longer held back from erasure"),
}

TOLD: Final[Mapping[str, tuple[str, str]]] = {
    "asked": ("xem", "read"),
    "by": ("bên", "by"),
    "ground": ("căn cứ", "ground"),
    "hold": ("bản ghi yêu cầu giữ lại", "entry of the hold"),
    "leaves": ("bản ghi", "entries"),
    "not_before": ("không sớm hơn", "not before"),
    "purpose": ("mục đích", "purpose"),
    "until": ("quyền đến", "granted until"),
}
"""What else a statement may say."""

_REQUEST: Final = ("bản ghi đề nghị", "entry of the request")
_ERASED: Final = "erased"
_NOT_FOR_PEOPLE: Final = frozenset({"bus", "entries"})
"""What a statement says for programs: it is in `telling`."""
_TIMES: Final = frozenset({"not_before", "until"})

WAYS: Final[Mapping[Way, tuple[str, str]]] = {
    Way.BUNDLE: ("bộ chứng cứ", "the evidence bundle"),
    Way.READS: ("ai đã đọc vụ việc", "who has read the case"),
    Way.SEARCH: ("kết quả tìm kiếm", "what a search found"),
    Way.TRAIL: ("quá trình vụ việc", "the trail"),
}
"""What a read was of."""

_READ: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    "asked": {way.value: words for way, words in WAYS.items()},
    "purpose": {purpose.value: words for purpose, words in PURPOSES.items()},
}

NOT_KNOWN: Final = ("không rõ", "not known")
ERASED: Final = ("đã xóa", "erased")
REFUSED: Final = ("không tiếp nhận", "refused")
DISPUTED: Final = ("có tranh chấp: khóa ký bị lộ", "disputed: the key was compromised")
SEALED: Final = ("phần niêm phong", "sealed")
DISCLOSED: Final = ("phần được công khai", "disclosed")


def name(trail: Trail, address: str, language: Language) -> str:
    """Return what people call an agency or a desk of one."""
    agency, _, desk = address.partition("/")
    called = trail.names.get(agency)
    shown = agency if called is None else plain(called[language])
    return f"{shown} / {desk}" if desk else shown


def plain(text: str) -> str:
    """Return *text* on one line, without anything that turns a line's direction."""
    return " ".join(printable(text).split())


def when(text: str | None) -> str:
    """Return a moment as people in Viet Nam read a clock."""
    if text is None:
        return ""
    return f"{(_EPOCH + timedelta(milliseconds=parse_time(text))).astimezone(VIET_NAM):%d/%m/%Y %H:%M:%S}"


def what(row: Row, language: Language) -> str:
    """Return what happened."""
    match row.kind:
        case Kind.ERASED:
            return ERASED[language]
        case Kind.STATEMENT:
            kind = row.statement or ""
            return STATEMENTS[kind][language] if kind in STATEMENTS else plain(kind)
        case _:
            return NOT_KNOWN[language] if row.verb is None else VERBS[row.verb][language]


def moved(trail: Trail, move: Move, language: Language) -> str:
    """Return what an event did, as in ``Công an: chờ trả lời → đang thực hiện``."""
    if move.handoff is None:
        who = ("vụ việc", "case")[language]
        words = [CASES[CaseState(text)][language] for text in (move.before, move.after) if text is not None]
    else:
        who = name(trail, move.handoff.recipient, language)
        words = [STATES[State(text)][language] for text in (move.before, move.after) if text is not None]
    return f"{who}: {' → '.join(words)}"


def marks(trail: Trail, row: Row, language: Language) -> list[str]:
    """Return all that has to be said beside a row."""
    found = []
    if row.kind is Kind.EVENT and row.code is not None and not row.accepted:
        why = REFUSALS[row.code][language] if row.code in REFUSALS else row.code.value
        found.append(f"{REFUSED[language]}: {why}")
    sealed = sum(section.schema is None for section in row.sections)
    if sealed:
        found.append(f"{sealed} {SEALED[language]}")
    shown = [section.schema for section in row.sections if section.schema is not None]
    if shown:
        found.append(f"{DISCLOSED[language]}: {', '.join(map(plain, shown))}")
    if row.disputed:
        found.append(DISPUTED[language])
    if row.erased_by is not None:
        found.append((f"theo bản ghi số {row.erased_by}", f"by entry {row.erased_by}")[language])
    for key, value in (row.told or {}).items():
        if key not in _NOT_FOR_PEOPLE:
            found.append(f"{_title(row, key)[language]}: {_told(trail, key, value, language)}")
    return found + [fault(one.code, one.detail, language) for one in trail.faults_of(row.index)]


def _title(row: Row, key: str) -> tuple[str, str]:
    if row.statement == _ERASED and key == "asked":
        return _REQUEST
    return TOLD.get(key, (plain(key), plain(key)))


def _told(trail: Trail, key: str, value: str, language: Language) -> str:
    if key == "by":
        return name(trail, value, language)
    if key in _TIMES:
        try:
            return when(value)
        except RemoteError:
            return plain(value)
    said = _READ.get(key, {}).get(value)
    return plain(value) if said is None else said[language]


def fault(code: Code, detail: str, language: Language) -> str:
    """Return what is wrong."""
    said = FAULTS[code][language] if code in FAULTS else code.value
    return f"⚠ {said} ({code.value}: {detail})"
