"""
Nothing of the case files is anywhere but in sealed sections: two cases are played, and all they left is searched.

Nor does anything tell which rule, form or service a case is about; metrics alone name rules, and no case beside them.
Every log line of every process, the metrics pages, topic names, record keys, headers and values, the states, the
decisions, and the raw bytes of the agencies' stores and of Kafka's own files. What the demonstration says on the
terminal is what its people read: that alone is not searched.
"""

import base64
import json

import pytest

from tests.kafka.case_file_search import (
    but_for_metrics,
    case_file,
    cases_of,
    leaks,
    log_lines,
    needles,
    places,
    proves_that_it_was_read,
    vocabulary,
)
from tests.kafka.demo_run import DemoRun

pytestmark = pytest.mark.kafka

CHILD = "Trần Thị Ví Dụ"
SAFE_PLACE = "Nhà tạm lánh Bình Minh Giả Tưởng"
RULE = "demo-emergency-measures"
OTHER_RULES = ("demo-handoff-answered", "demo-handoff-received")


@pytest.fixture(scope="module")
def written(demo: DemoRun) -> dict[str, bytes]:
    return places(demo)


def test_no_string_of_the_case_file_is_anywhere_in_the_clear(written: dict[str, bytes]) -> None:
    assert leaks(written, case_file()) == []


def test_no_rule_form_or_service_is_named_anywhere_in_the_clear(written: dict[str, bytes]) -> None:
    assert leaks(but_for_metrics(written), vocabulary()) == []


def test_the_metrics_name_rules_and_no_case(demo: DemoRun, written: dict[str, bytes]) -> None:
    cases = cases_of(demo)
    pages = {place: page for place, page in written.items() if place not in but_for_metrics(written)}

    assert len(cases) == 2
    assert set(pages) == {"router-1.metrics", "watcher-1.metrics", "audit-log-1.metrics"}
    assert [place for place, page in pages.items() for case in cases if case in page] == []
    assert {leak.text for leak in leaks(pages, vocabulary())} == {RULE, *OTHER_RULES}


@pytest.mark.parametrize("named", [RULE, "school-reported", "mau01/1.", '"crime_report"'])
@pytest.mark.parametrize(
    "place", ["watcher-1.log", "values of watcher.state[0]", "header values of referral.ledger[1]"]
)
def test_a_planted_rule_form_or_service_is_found(written: dict[str, bytes], place: str, named: str) -> None:
    found = leaks({place: written[place] + named.encode() + b"\n"}, vocabulary())

    assert named in {leak.text for leak in found}


def test_the_watcher_kept_its_state_and_it_reads_like_noise(written: dict[str, bytes]) -> None:
    states = [content for place, content in written.items() if place.startswith("values of watcher.state[")]

    assert sum(map(len, states)) > 1000
    assert leaks({str(number): state for number, state in enumerate(states)}, case_file() | vocabulary()) == []


def test_what_is_searched_is_what_the_run_wrote(demo: DemoRun, written: dict[str, bytes]) -> None:
    for place, proof in proves_that_it_was_read(demo).items():
        assert proof in written[place], place
    assert log_lines(demo.home) > 50


def test_the_case_file_is_what_is_searched_for() -> None:
    texts = case_file()

    assert CHILD in texts
    assert any(SAFE_PLACE in text for text in texts)
    assert len(texts) > 100
    assert len(needles(texts)) > 900


def test_the_terminal_shows_what_the_search_would_find(demo: DemoRun) -> None:
    found = leaks({"terminal": demo.told.encode()}, case_file())

    assert CHILD in {leak.text for leak in found}


@pytest.mark.parametrize(
    ("form", "planted"),
    [
        pytest.param("as it is", CHILD.encode(), id="plain"),
        pytest.param("escaped", json.dumps(CHILD).encode(), id="escaped for JSON"),
        pytest.param("in hexadecimal", CHILD.encode().hex().encode(), id="hexadecimal"),
        *(
            pytest.param("in base64", base64.b64encode(b"abc"[:lead] + CHILD.encode() + b"?"), id=f"base64, {lead}")
            for lead in range(3)
        ),
        *(
            pytest.param("in base64", base64.urlsafe_b64encode(b"abc"[:lead] + CHILD.encode()), id=f"url, {lead}")
            for lead in range(3)
        ),
    ],
)
@pytest.mark.parametrize(
    "place", ["router-1.log", "watcher-1.log", "agencies/bv-nhi-minh-hoa/store.db", "values of watcher.state[0]"]
)
def test_a_planted_name_is_found(
    demo: DemoRun, written: dict[str, bytes], place: str, form: str, planted: bytes
) -> None:
    found = leaks({place: written[place] + planted + b"\n"}, frozenset({CHILD}))

    assert (place, form, CHILD) in [(leak.place, leak.form, leak.text) for leak in found]


def test_a_part_of_a_long_text_is_found(written: dict[str, bytes]) -> None:
    (text,) = (text for text in case_file() if SAFE_PLACE in text)
    found = leaks({"router-1.log": written["router-1.log"] + text[:50].encode()}, case_file())

    assert {text} == {leak.text for leak in found}
