"""
Nothing of the case file is anywhere but in sealed sections: a whole case is played, and everything it left is searched.

Every log line of every process, the metrics page, topic names, record keys, headers and values, the state, the
decisions, and the raw bytes of the agencies' stores and of Kafka's own files. What the demonstration says on the
terminal is what its people read: that alone is not searched.
"""

import base64
import json

import pytest

from tests.kafka.case_file_search import case_file, leaks, log_lines, needles, places, proves_that_it_was_read
from tests.kafka.demo_run import DemoRun

pytestmark = pytest.mark.kafka

CHILD = "Trần Thị Ví Dụ"
SAFE_PLACE = "Nhà tạm lánh Bình Minh Giả Tưởng"


@pytest.fixture(scope="module")
def written(demo: DemoRun) -> dict[str, bytes]:
    return places(demo)


def test_no_string_of_the_case_file_is_anywhere_in_the_clear(written: dict[str, bytes]) -> None:
    assert leaks(written, case_file()) == []


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
@pytest.mark.parametrize("place", ["router-1.log", "agencies/bv-nhi-minh-hoa/store.db", "keys of referral.ledger[0]"])
def test_a_planted_name_is_found(
    demo: DemoRun, written: dict[str, bytes], place: str, form: str, planted: bytes
) -> None:
    found = leaks({place: written[place] + planted + b"\n"}, frozenset({CHILD}))

    assert (place, form, CHILD) in [(leak.place, leak.form, leak.text) for leak in found]


def test_a_part_of_a_long_text_is_found(written: dict[str, bytes]) -> None:
    (text,) = (text for text in case_file() if SAFE_PLACE in text)
    found = leaks({"router-1.log": written["router-1.log"] + text[:50].encode()}, case_file())

    assert {text} == {leak.text for leak in found}
