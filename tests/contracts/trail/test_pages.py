import csv
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from referral_contracts.codes import Code
from referral_contracts.directory_model import Head
from referral_contracts.encoding import b64, sha256
from referral_contracts.envelope import HandoffKey
from referral_contracts.lifecycle import CaseState
from referral_contracts.log.access import ACCESSED
from referral_contracts.log.checkpoint import Checkpoint
from referral_contracts.log.policy import Checked
from referral_contracts.trail import page, telling, words
from referral_contracts.trail.checking import make_trail
from referral_contracts.trail.model import Fault, Kind, Row, SectionSeen, Trail
from referral_contracts.trail.picture import picture, pictures
from referral_contracts.trail.standing import Move
from referral_contracts.trail.words import FAULTS, STATEMENTS, TOLD, WAYS, Language
from referral_contracts.verbs import Verb
from referral_contracts.wording import CASES, PURPOSES, RECEIPTS, REFUSALS, STATES, VERBS
from tests.contracts.trail.conftest import Case
from tests.house.tree import ROOT
from tests.stories.logged import LOG, ORIGIN
from tests.stories.world import HOSPITAL, POLICE, WARD

_AT = "2026-11-23T01:02:03.004Z"
_EMPTY = Trail(
    bus="training",
    subject="0" * 32,
    checked=Checked(checkpoint=Checkpoint(ORIGIN, 10, bytes(32)), log=LOG, witnesses=(), quorum=False),
    head=Head(bus="training", entries=1, expires=_AT, issued=_AT, root="A" * 43, version=1, wire=()),
    names={},
    rows=(),
    faults=(),
    exercise=False,
    state=None,
    owner=None,
    handoffs=(),
)
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</text></svg><script>",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-1",
    "@SUM(1)",
    "\t=1",
    "a\u202eb",
    "two\nlines",
    "]]>",
    "&lt;b&gt;",
]


class Seen(HTMLParser):
    """The elements and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links |= {value or "" for name, value in attrs if name in {"href", "src", "xlink:href"}}


@pytest.fixture(scope="session")
def trail(case: Case) -> Trail:
    indexes = case.indexes(case.subject)
    grounds = case.grounds(case.checkpoint(), case.extract(indexes))
    return make_trail(grounds, case.subject, [one.leaf for one in case.sealed(indexes)])


def named(trail: Trail, name: str) -> Trail:
    """Return the trail with agencies that are called *name*."""
    return replace(trail, names=dict.fromkeys(trail.names, (name, name)))


def seen(data: bytes) -> Seen:
    parser = Seen()
    parser.feed(data.decode())
    return parser


def test_a_page_tells_it_in_two_languages(trail: Trail) -> None:
    shown = page.page(trail).decode()

    for verb in (Verb.CASE_OPENED, Verb.OFFERED, Verb.DECLINED):
        assert all(f"<td>{word}</td>" in shown for word in VERBS[verb])
    assert '<section id="vi" lang="vi">' in shown
    assert '<section id="en" lang="en">' in shown
    assert "✓" in shown


def test_a_page_has_everything_in_it_and_runs_nothing(trail: Trail) -> None:
    shown = page.page(trail)
    found = seen(shown)

    assert found.tags & {"script", "link", "img", "iframe", "object", "form", "a"} == {"a"}
    assert found.links == {"#en"}
    assert not {name for name in found.attributes if name.startswith("on")}
    assert b"default-src 'none'" in shown
    assert re.findall(rb"url\(([^)]*)\)", shown.replace(b"url(#to-", b"")) == []


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_becomes_anything_but_text(trail: Trail, name: str) -> None:
    plain, hostile = seen(page.page(trail)), seen(page.page(named(trail, name)))

    assert (plain.tags, plain.attributes, plain.links) == (hostile.tags, hostile.attributes, hostile.links)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_picture_is_well_formed_whatever_somebody_is_called(trail: Trail, name: str, language: Language) -> None:
    drawn = ET.fromstring(picture(named(trail, name), language))
    tags = {element.tag.partition("}")[2] for element in drawn.iter()}

    assert tags == {"svg", "title", "style", "rect", "defs", "marker", "path", "line", "text", "circle"}


@pytest.mark.parametrize("name", HOSTILE)
def test_no_cell_is_a_command_to_a_spreadsheet(trail: Trail, name: str) -> None:
    rows = list(csv.reader(io.StringIO(telling.as_csv(named(trail, name), Language.VI))))

    assert len(rows) == len(trail.rows) + 1
    assert {len(row) for row in rows} == {len(telling.TITLES)}
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_a_picture_draws_each_event_from_who_said_it_to_who_got_it(trail: Trail) -> None:
    drawn = picture(trail, Language.EN)
    arrows = sum(len(set(row.recipients)) for row in trail.rows)

    assert drawn.count('<line class="arrow') == arrows
    assert drawn.count("✕") == trail.refused
    for agency in (WARD, POLICE, HOSPITAL):
        assert drawn.count(f">{agency}</text>") >= 2


def test_a_long_name_hides_no_state(trail: Trail) -> None:
    drawn = picture(named(trail, "Ủy ban nhân dân phường có một cái tên rất dài"), Language.EN)

    assert "…: offered → accepted<" in drawn
    assert "…: completed → closed<" in drawn


def test_pictures_that_fit_a_page_show_every_row_once(trail: Trail) -> None:
    drawn = list(pictures(trail, Language.VI, 10))
    numbers = [int(found) for one in drawn for found in re.findall(r">bản ghi (\d+)", one)]

    assert numbers == [row.index for row in trail.rows]
    assert len(drawn) == -(-len(trail.rows) // 10)


def test_what_is_wrong_stands_at_the_top_and_beside_its_row(trail: Trail) -> None:
    fault = Fault(code=next(iter(FAULTS)), index=trail.rows[3].index, detail="a <b>detail</b>")
    shown = page.page(replace(trail, faults=(fault,))).decode()

    assert shown.count("a &lt;b&gt;detail&lt;/b&gt;") >= 4
    assert "✓" not in shown
    assert '<div class="wrong">' in shown
    assert 'class="fault"' in picture(replace(trail, faults=(fault,)), Language.VI)


def test_an_exercise_says_so(trail: Trail) -> None:
    assert "DIỄN TẬP" in page.page(replace(trail, exercise=True)).decode()
    assert "DIỄN TẬP" not in page.page(trail).decode()


def test_every_word_is_there_in_both_languages() -> None:
    for both in (*FAULTS.values(), *STATEMENTS.values()):
        assert all(word.strip() for word in both)
        assert both[0] != both[1]


def test_the_json_of_a_trail_has_a_row_for_each_leaf(trail: Trail) -> None:
    told = telling.fields(trail)

    assert isinstance(told["rows"], list)
    assert [row["leaf"] for row in told["rows"]] == [row.index for row in trail.rows]
    assert told["faults"] == []
    assert told["state"] == "closed"


def test_another_page_is_another_version() -> None:
    """
    A bundle's page is compared by whoever has the version that made it, and nobody is to be accused by a new word: once
    a release has made pages, count `page.VERSION` up when this fails. Then change the hash here.
    """
    key = HandoffKey(opening="01900000-0000-7000-8000-000000000001", recipient="ward-a")
    row = Row(
        index=7,
        kind=Kind.EVENT,
        at=_AT,
        code=Code.ACCEPTED,
        case=1,
        source="hotline",
        verb=Verb.ASSIGNED,
        recipients=("ward-a",),
        moves=(Move(handoff=key, before=None, after="assigned"),),
        sections=(SectionSeen(number=0, readers=("ward-a",)),),
    )
    refused = replace(row, index=8, code=Code.STALE_HEAD, case=None, moves=(), disputed=True)
    asked = {"asked": "trail", "by": "ward-a", "purpose": "review", "until": _AT}
    read = Row(index=9, kind=Kind.STATEMENT, at=row.at, statement=ACCESSED, told=asked)
    told = replace(
        _EMPTY,
        names={"ward-a": ("Phường A", "Ward A")},
        rows=(row, refused, read, Row(index=10, kind=Kind.ERASED, erased_by=9)),
        faults=(Fault(code=Code.COUNTER_GAP, index=8, detail="a gap"),),
        state=CaseState.OPEN,
        owner="hotline",
    )

    tables = (VERBS, STATES, CASES, RECEIPTS, REFUSALS, FAULTS, STATEMENTS, TOLD, WAYS, PURPOSES, telling.TITLES)
    forms = b"".join(path.read_bytes() for path in sorted((ROOT / "contracts/schemas").glob("*-[0-9].json")))
    all_words = "".join(map(repr, tables)).encode() + forms

    assert (page.VERSION, b64(sha256(page.page(told) + all_words))) == (
        1,
        "wc05-qTVbiQCTR-dZhwQ6m6s8CUfO4cRkTmzvSL-4tU",
    )
    assert (telling.FORMAT, b64(sha256(telling.as_json(told)))) == (
        "referral-bus-trail/v1",
        "1GmMQ-DJNG8bEb1zpZFM_xSsnyWzLsrLI8Yjgq9GdZQ",
    )


def test_what_a_statement_says_is_in_words_and_local_time() -> None:
    told = {"asked": "27", "bus": "training", "entries": '["A"]', "leaves": "[1,3]"}
    erased = Row(index=32, kind=Kind.STATEMENT, at=_AT, statement="erased", told=told)
    held = Row(index=29, kind=Kind.STATEMENT, at=_AT, statement="hold-lifted", told={"ground": "x", "hold": "28"})
    wait = Row(
        index=27,
        kind=Kind.STATEMENT,
        at=_AT,
        statement="erasure-asked",
        told={"not_before": "2026-12-31T17:00:00.000Z"},
    )
    trail = replace(_EMPTY, rows=(erased, held, wait))

    assert words.marks(trail, erased, Language.VI) == ["bản ghi đề nghị: 27", "bản ghi: [1,3]"]
    assert words.marks(trail, held, Language.VI) == ["căn cứ: x", "bản ghi yêu cầu giữ lại: 28"]
    assert words.marks(trail, wait, Language.EN) == ["not before: 01/01/2027 00:00:00"]
    assert words.marks(trail, replace(wait, told={"until": "ever"}), Language.EN) == ["granted until: ever"]
