"""
A trail as a picture: time goes down, each agency has a line, and each event is an arrow from who said it to who got it.

One SVG without anything from outside: no script, no font, no link. It is light and prints; what a colour says is said
by the words or by the form of the line as well.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from referral_contracts.lifecycle import OPENINGS
from referral_contracts.topics import agency_of
from referral_contracts.trail import words
from referral_contracts.trail.model import Kind, Row, Trail
from referral_contracts.trail.words import Language
from referral_contracts.verbs import CLOCKS, DEADLINES, Verb

_GUTTER: Final = 176
"""Where times and numbers stand, on the left."""
_LANE: Final = 148
_HEAD: Final = 58
_STEP: Final = 46
_BESIDE: Final = 350
"""Where it is said what an event did, on the right."""
_NAME: Final = 19
"""Letters of a name on one of its two lines."""
_REMARK: Final = 45

_GOOD: Final = frozenset({Verb.RECEIVED, Verb.ACCEPTED, Verb.COMPLETED, Verb.CASE_TRANSFER_ACCEPTED, Verb.CLOSED})
_BAD: Final = frozenset(
    {
        Verb.UNREADABLE,
        Verb.DECLINED,
        Verb.EXPIRED,
        Verb.WITHDRAWN,
        Verb.FAILED,
        Verb.RETURNED,
        Verb.CANCELLED,
        Verb.VOIDED,
        Verb.RECALLED,
        Verb.MISDIRECTED,
        Verb.CASE_VOIDED,
        Verb.CASE_TRANSFER_DECLINED,
        Verb.CASE_TRANSFER_WITHDRAWN,
    }
)
_LATE: Final = frozenset({Verb.DEADLINE_MISSED, Verb.DEADLINE_ESCALATED})

STYLE: Final = """
text{font-family:"Noto Sans","DejaVu Sans",Arial,sans-serif;font-size:12px;fill:#1f2933}
.name{font-weight:600}.quiet{fill:#52606d;font-size:11px}.lane{stroke:#d9e2ec;stroke-width:1}
.band{fill:#f5f7fa}.arrow{fill:none;stroke-width:1.6}.label{paint-order:stroke;stroke:#fff;stroke-width:3px}
.opens{stroke:#1d4ed8}.good{stroke:#15803d}.bad{stroke:#b45309}.late{stroke:#b91c1c}.clock{stroke:#7c3aed}
.other{stroke:#52606d}.refused{stroke:#b91c1c;stroke-dasharray:5 4}.fault{fill:#b91c1c;font-weight:600}
"""
_COLOURS: Final[Mapping[str, str]] = {
    "opens": "#1d4ed8",
    "good": "#15803d",
    "bad": "#b45309",
    "late": "#b91c1c",
    "clock": "#7c3aed",
    "other": "#52606d",
    "refused": "#b91c1c",
}


@dataclass(frozen=True, slots=True)
class _Lanes:
    """Where each agency's line is."""

    trail: Trail
    language: Language
    agencies: tuple[str, ...]

    def x(self, agency: str) -> int:
        return _GUTTER + self.agencies.index(agency) * _LANE + _LANE // 2

    @property
    def right(self) -> int:
        return _GUTTER + len(self.agencies) * _LANE


def picture(trail: Trail, language: Language) -> str:
    """Return the whole trail as one SVG file."""
    return _svg(_lanes(trail, language), trail.rows, alone=True)


def pictures(trail: Trail, language: Language, most: int = 16) -> Iterable[str]:
    """Yield the trail in pictures of at most *most* rows each, which fit on a printed page, for `STYLE` to dress."""
    lanes = _lanes(trail, language)
    for start in range(0, len(trail.rows), most):
        yield _svg(lanes, trail.rows[start : start + most], alone=False)


def _lanes(trail: Trail, language: Language) -> _Lanes:
    named = [
        agency_of(address)
        for row in trail.rows
        for address in (*(() if row.source is None else (row.source,)), *row.recipients)
    ]
    return _Lanes(trail, language, tuple(dict.fromkeys(named)))


def _svg(lanes: _Lanes, rows: Sequence[Row], *, alone: bool) -> str:
    width, height = lanes.right + _BESIDE, _HEAD + len(rows) * _STEP + 12
    box = f'viewBox="0 0 {width} {height}" role="img" lang="{lanes.language.tag}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {box}>',
        f"<title>{escape(_title(lanes))}</title>",
    ]
    if alone:
        parts.append(f'<style>{STYLE}</style><rect width="{width}" height="{height}" fill="#fff"/>')
    parts.append(_heads())
    parts += (
        f'<rect class="band" x="0" y="{_HEAD + at * _STEP}" width="{width}" height="{_STEP}"/>'
        for at in range(0, len(rows), 2)
    )
    parts += (_lane(lanes, agency, height) for agency in lanes.agencies)
    parts += (_row(lanes, row, _HEAD + at * _STEP) for at, row in enumerate(rows))
    return "".join([*parts, "</svg>"])


def _title(lanes: _Lanes) -> str:
    return (f"Quá trình vụ việc {lanes.trail.subject}", f"The trail of case {lanes.trail.subject}")[lanes.language]


def _heads() -> str:
    # A head takes its colour from its own definition: not every program knows `context-stroke`.
    marks = "".join(
        f'<marker id="to-{kind}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        f'<path d="M0,0 L8,4 L0,8 z" fill="{colour}"/></marker>'
        for kind, colour in _COLOURS.items()
    )
    return f"<defs>{marks}</defs>"


def _lane(lanes: _Lanes, agency: str, height: int) -> str:
    x = lanes.x(agency)
    first, second = _folded(words.name(lanes.trail, agency, lanes.language))
    return (
        f'<line class="lane" x1="{x}" y1="{_HEAD - 6}" x2="{x}" y2="{height - 8}"/>'
        + _text(x, 16, first, "name", middle=True)
        + _text(x, 31, second, "name", middle=True)
        + _text(x, 46, _cut(agency, _NAME + 2), "quiet", middle=True)
    )


def _folded(text: str) -> tuple[str, str]:
    """Return *text* on two lines, the second cut off where it is too long."""
    if len(text) <= _NAME:
        return "", text
    at = text.rfind(" ", 0, _NAME + 1)
    at = at if at > 0 else _NAME
    return text[:at], _cut(text[at:].strip(), _NAME)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _row(lanes: _Lanes, row: Row, top: int) -> str:
    y, language = top + _STEP - 16, lanes.language
    said = [
        _text(10, y - 4, words.when(row.at), ""),
        _text(10, y + 10, _number(row, language), "quiet"),
        *_beside(lanes, row, top),
    ]
    agency = None if row.source is None else agency_of(row.source)
    if agency is None:
        said.append(_text(_GUTTER + 8, y, words.what(row, language), "quiet"))
        return "".join(said)
    kind, x = _kind(row), lanes.x(agency)
    targets = [lanes.x(one) for one in dict.fromkeys(map(agency_of, row.recipients)) if one != agency]
    said += [_arrow(kind, x, target, y) for target in targets]
    said.append(f'<circle cx="{x}" cy="{y}" r="4" fill="{_COLOURS[kind]}"/>')
    left = min([x, *targets])
    label = words.what(row, language)
    said.append(_text(left + 8, y - 7, f"✕ {label}" if kind == "refused" else label, "label"))
    return "".join(said)


def _number(row: Row, language: Language) -> str:
    entry = (f"bản ghi {row.index}", f"entry {row.index}")[language]
    return entry if row.case is None else f"{entry} · #{row.case}"


def _arrow(kind: str, start: int, end: int, y: int) -> str:
    return f'<line class="arrow {kind}" x1="{start}" y1="{y}" x2="{end}" y2="{y}" marker-end="url(#to-{kind})"/>'


def _beside(lanes: _Lanes, row: Row, top: int) -> Iterable[str]:
    """Yield up to three lines on the right: what is wrong, what moved, and what else has to be said."""
    trail, language = lanes.trail, lanes.language
    wrong = [words.fault(one.code, one.detail, language) for one in trail.faults_of(row.index)]
    moves = [_fitted(words.moved(trail, move, language)) for move in row.moves]
    remarks = [mark for mark in words.marks(trail, row, language) if mark not in wrong]
    told = [*((line, "fault") for line in wrong), *((line, "") for line in moves), *((one, "quiet") for one in remarks)]
    shown = told if len(told) <= 3 else [*told[:2], (f"… +{len(told) - 2}", "quiet")]
    first = top + _STEP // 2 + 11 - 7 * len(shown)
    for at, (line, kind) in enumerate(shown):
        yield _text(lanes.right + 8, first + at * 14, _cut(line, _REMARK), kind)


def _fitted(moved: str) -> str:
    """Return what moved with its name cut short where it is too long: how it stands is what counts."""
    who, _, states = moved.rpartition(": ")
    return f"{_cut(who, max(8, _REMARK - len(states) - 2))}: {states}"


def _text(x: int, y: int, text: str, kind: str, *, middle: bool = False) -> str:
    if not text:
        return ""
    anchor = ' text-anchor="middle"' if middle else ""
    dressed = f' class="{kind}"' if kind else ""
    return f'<text x="{x}" y="{y}"{dressed}{anchor}>{escape(text)}</text>'


def _kind(row: Row) -> str:
    verb = row.verb
    if row.kind is Kind.EVENT and not row.accepted:
        return "refused"
    if verb in OPENINGS or verb in {Verb.CASE_OPENED, Verb.FORWARDED, Verb.CASE_TRANSFER_OFFERED}:
        return "opens"
    if verb in _LATE:
        return "late"
    if verb in DEADLINES or verb in CLOCKS:
        return "clock"
    return "good" if verb in _GOOD else "bad" if verb in _BAD else "other"
