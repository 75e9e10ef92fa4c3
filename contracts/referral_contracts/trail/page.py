"""
A trail as one page for people: what it is, what was checked, what happened, in Vietnamese and then in English.

The page has everything in it and runs nothing. It is made from the trail alone: whoever checks a bundle makes it again
and compares. So it tells nothing of witnesses, who are each reader's own to trust. A page does not prove itself, and
says so.
"""

from collections.abc import Iterable, Iterator
from html import escape
from typing import Final

from referral_contracts.encoding import b64
from referral_contracts.lifecycle import Receipt
from referral_contracts.trail import telling, words
from referral_contracts.trail.model import Trail
from referral_contracts.trail.picture import STYLE, pictures
from referral_contracts.trail.words import Language
from referral_contracts.verbs import DEADLINES
from referral_contracts.wording import CASES, EXERCISE, RECEIPTS, STATES

VERSION: Final = 1
"""Counted up whenever the same trail makes another page: an older bundle's page is then not compared."""

_STYLE: Final = """
body{font-family:"Noto Sans","DejaVu Sans",Arial,sans-serif;color:#1f2933;background:#fff;margin:2rem auto;
max-width:1200px;padding:0 1rem;line-height:1.45}h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}
table{border-collapse:collapse;width:100%;font-size:.82rem}th,td{border:1px solid #cbd2d9;padding:.3rem .45rem;
text-align:left;vertical-align:top;overflow-wrap:anywhere}
th{background:#f5f7fa;overflow-wrap:normal}
.wrong{border-left:5px solid #b91c1c;
background:#fef2f2;padding:.6rem 1rem}.wrong,.good,.note{margin:1rem 0}
.good{border-left:5px solid #15803d;background:#f0fdf4;padding:.6rem 1rem}
.note{border-left:5px solid #b45309;background:#fffbeb;padding:.6rem 1rem}svg{width:100%;height:auto;margin:.5rem 0}
code{overflow-wrap:anywhere}nav{text-align:right}
@media print{body{margin:0;max-width:none}svg,tr,.wrong,.good,.note{break-inside:avoid}
section+section{break-before:page}nav{display:none}}
@page{size:A4 landscape;margin:12mm}
"""

_TITLE: Final = ("Quá trình xử lý vụ việc", "What happened in a case")
_CHECKED: Final = (
    "Mọi bước dưới đây đều được chứng minh là có trong sổ nhật ký, do bộ định tuyến quyết định và do bên gửi ký.",
    "Each step below is proven to be in the log, decided by the router and signed by its sender.",
)
_FAULTY: Final = (
    "Có điểm không được chứng minh hoặc không khớp. Không dùng trang này làm chứng cứ khi chưa làm rõ:",
    "Something here is not proven, or does not follow. Do not rely on this page before it is cleared up:",
)
_HOW: Final = (
    "Trang này không tự chứng minh. Người nhận kiểm tra cả tệp bằng lệnh dưới đây, với danh sách khóa của chính mình:",
    "This page does not prove itself. Whoever gets it checks the whole file, with keys of their own, by:",
)
_SEALED: Final = (
    "Phần niêm phong chỉ các bên nhận mở được. Ở đây thấy ai gửi cho ai, việc gì, lúc nào, không thấy nội dung.",
    "What is sealed only its recipients can open. Seen here is who told whom, what kind of thing, when; not what.",
)
_MORE: Final = (
    "Phần nào được bên có quyền công khai thì có ở trên. Sau sự kiện cuối cùng có thể còn sự kiện chưa được đưa ra.",
    "What one who holds it has disclosed stands above. After the last event others may have followed.",
)


def page(trail: Trail) -> bytes:
    """Return the page, as a file."""
    title = escape(f"{_TITLE[Language.VI]} {trail.subject}")
    parts = [
        '<!DOCTYPE html>\n<html lang="vi"><head><meta charset="utf-8">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title><style>{_STYLE}{STYLE}</style></head><body>",
        '<nav><a href="#en" lang="en">English</a></nav>',
        *(part for language in Language for part in _section(trail, language)),
        "</body></html>\n",
    ]
    return "".join(parts).encode("utf-8")


def _section(trail: Trail, language: Language) -> Iterator[str]:
    yield f'<section id="{language.tag}" lang="{language.tag}"><h1>{_TITLE[language]}</h1>'
    if trail.exercise:
        yield f'<p class="note"><strong>{EXERCISE}</strong></p>'
    yield from _verdict(trail, language)
    yield _table((), _facts(trail, language))
    yield f"<h2>{('Sơ đồ theo thời gian', 'Timeline')[language]}</h2>"
    yield from pictures(trail, language)
    yield f"<h2>{('Từng bước', 'Step by step')[language]}</h2>"
    yield _table(telling.titles(language), telling.lines(trail, language))
    yield from _handoffs(trail, language)
    yield from _deadlines(trail, language)
    yield from _disclosed(trail, language)
    yield f"<h2>{('Điều cần biết', 'What to know')[language]}</h2><p>{_SEALED[language]} {_MORE[language]}</p>"
    yield f"<p>{_HOW[language]}</p><p><code>referral-bus verify FILE --policy log.policy --trust trust.json</code></p>"
    yield "</section>"


def _verdict(trail: Trail, language: Language) -> Iterator[str]:
    if trail.sound:
        yield f'<p class="good">✓ {_CHECKED[language]}</p>'
    else:
        found = "".join(
            f"<li>{escape(_place(one.index, language) + words.fault(one.code, one.detail, language))}</li>"
            for one in trail.faults
        )
        yield f'<div class="wrong"><strong>{_FAULTY[language]}</strong><ul>{found}</ul></div>'


def _place(index: int | None, language: Language) -> str:
    return "" if index is None else (f"bản ghi {index}: ", f"entry {index}: ")[language]


def _facts(trail: Trail, language: Language) -> Iterable[tuple[str, str]]:
    checkpoint = trail.checked.checkpoint
    state = words.NOT_KNOWN[language] if trail.state is None else CASES[trail.state][language]
    owner = words.NOT_KNOWN[language] if trail.owner is None else words.name(trail, trail.owner, language)
    size = (f"{checkpoint.size} bản ghi", f"{checkpoint.size} entries")[language]
    return (
        (("Vụ việc", "Case")[language], trail.subject),
        (("Trục", "Bus")[language], trail.bus),
        (("Trạng thái", "State")[language], state),
        (("Cơ quan chủ trì", "Owner")[language], owner),
        (("Sự kiện có hiệu lực", "Events that stand")[language], str(trail.events)),
        (("Sự kiện không được tiếp nhận", "Events that were refused")[language], str(trail.refused)),
        (("Bản ghi đã xóa", "Entries that were erased")[language], str(trail.erased)),
        (("Sổ nhật ký", "Log")[language], f"{words.plain(checkpoint.origin)}, {size}, {b64(checkpoint.root)}"),
        (
            ("Danh bạ", "Directory")[language],
            (f"phiên bản {trail.head.version}", f"version {trail.head.version}")[language]
            + f", {words.when(trail.head.issued)}",
        ),
    )


def _handoffs(trail: Trail, language: Language) -> Iterator[str]:
    if not trail.handoffs:
        return
    yield f"<h2>{('Các lượt chuyển gửi', 'Hand-offs')[language]}</h2>"
    titles = (("Bên gửi", "from"), ("Bên nhận", "to"), ("Trạng thái", "state"), ("Đã nhận", "receipt"))
    rows = (
        (
            words.name(trail, one.sender, language),
            words.name(trail, one.holder, language),
            STATES[one.state][language],
            RECEIPTS[Receipt(one.receipt)][language],
        )
        for one in trail.handoffs
    )
    yield _table([both[language] for both in titles], rows)


def _deadlines(trail: Trail, language: Language) -> Iterator[str]:
    told = [
        (
            words.when(row.at),
            words.what(row, language),
            ", ".join(words.name(trail, one, language) for one in row.recipients),
        )
        for row in trail.rows
        if row.accepted and row.verb in DEADLINES
    ]
    if told:
        yield f"<h2>{('Thời hạn', 'Deadlines')[language]}</h2>"
        titles = (("Thời điểm", "when"), ("Việc", "what"), ("Báo cho", "told to"))
        yield _table([both[language] for both in titles], told)


def _disclosed(trail: Trail, language: Language) -> Iterator[str]:
    for row in trail.rows:
        for section in row.sections:
            if section.schema is None:
                continue
            place = _place(row.index, language)
            yield f"<h2>{escape(f'{place}{words.DISCLOSED[language]}, {words.plain(section.schema)}')}</h2>"
            yield _table((), ((one.vi if language is Language.VI else one.en, one.value) for one in section.rows))


def _table(titles: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th>{escape(title)}</th>" for title in titles)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table>{f'<tr>{head}</tr>' if head else ''}{body}</table>"
