"""
What a recipient is shown of a section is its sender's to choose, every byte of it. It may be nonsense; it may not end
the program, fill its memory, or look as if somebody else had said it.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from referral_contracts.encoding import jcs
from referral_contracts.errors import RemoteError
from referral_contracts.payloads.shown import printable
from referral_contracts.sections import read_section
from referral_contracts.verbs import Verb
from tests.sdk.cli.terminal import AGENCIES, EXAMPLES, KEYS, Terminal
from tests.sdk.forging import Event, plaintext
from tests.sdk.town import Town

HOTLINE, HOSPITAL = "hotline-111", "benh-vien"
ACTOR: Final = {"role": "system"}
LONG_S: Final = 20.0

Opening = Callable[..., tuple[int, str, str]]


@pytest.fixture
def show(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Opening:
    """Give what the hospital sees of sections that the hotline sealed to it."""
    town = Town(tmp_path, agencies=AGENCIES, keys=KEYS)
    terminal = Terminal(folder=tmp_path, capsys=capsys, simulator=town.sim)

    def showing(*plaintexts: bytes, options: tuple[str, ...] = ()) -> tuple[int, str, str]:
        terminal.environ["REFERRAL_BUS_HOME"] = str(tmp_path / HOTLINE)
        _, out, _ = terminal.type("send", "open", str(EXAMPLES / "case-opening.json"), "--json")
        subject = json.loads(out)["subject"]
        event = Event(
            town=town, source=HOTLINE, verb=Verb.OFFERED, subject=subject, recipients=(HOSPITAL,), plaintexts=plaintexts
        ).submit()
        terminal.environ["REFERRAL_BUS_HOME"] = str(tmp_path / HOSPITAL)
        return terminal.type("open", json.loads(event)["id"], *options)

    return showing


class TestNonsense:
    def test_a_moment_at_the_end_of_time_is_shown(self, show: Opening) -> None:
        body = {"actor": ACTOR, "happened": {"occurred_at": "9999-12-31T23:59:59.000Z"}, "text": "Trẻ đang ở trạm y tế"}
        code, out, _ = show(plaintext("note/1.0", body))

        assert code == 0
        assert "Trẻ đang ở trạm y tế" in out
        assert "31/12/9999 23:59 (+00:00)" in out

    @pytest.mark.parametrize("options", [(), ("--json",)], ids=["text", "json"])
    def test_a_long_name_before_many_values_does_not_fill_the_memory(
        self, show: Opening, options: tuple[str, ...]
    ) -> None:
        name = "tên dài " * 1000
        code, out, _ = show(plaintext("strange/1.0", {name: list(range(2000))}), options=options)

        assert code == 0
        assert len(out) < 2_000_000
        # Nothing is dropped: the name is there once, whole.
        assert out.count("dài") >= 1000
        assert "1999" in out

    def test_a_strange_field_with_a_long_name_in_a_known_form_does_neither(self) -> None:
        name = "n" * 40_000
        read = read_section(plaintext("note/1.0", {"actor": ACTOR, "text": "ở đây", name: list(range(9000))}))
        rows = list(read.rows())

        assert sum(len(row.path) + len(row.value) for row in rows) < 4_000_000
        assert name in {row.value for row in rows}
        assert "8999" in {row.value for row in rows}

    def test_names_in_names_do_not_either(self) -> None:
        body: object = list(range(5000))
        for letter in "abcdefghijklmnopqrstuvwxy":
            body = {letter * 3000: body}
        read = read_section(plaintext("strange/1.0", body))

        assert sum(len(row.path) + len(row.value) for row in read.rows()) < 4_000_000

    @pytest.mark.parametrize("schema", ["clock/1.1", "outcome/1.1", "progress/1.0", "tie/1.1", "handoff-request/1.7"])
    @pytest.mark.parametrize("item", ["{}", "[]", "0", '{"":0}', '{"kind":"x"}'])
    def test_a_list_of_nothing_but_faults_is_read_quickly(self, schema: str, item: str) -> None:
        lists = {"triggers", "measures", "events", "related_events", "legal_basis"}
        many = ",".join([item] * (110_000 // len(lists) // len(item)))
        body = ",".join(f'"{name}":[{many}]' for name in sorted(lists))
        read = read_section(f'{{"body":{{"actor":{{"role":"system"}},{body}}},"schema":"{schema}"}}'.encode())

        assert read.body
        assert list(read.rows())


class TestSomebodyElsesWords:
    @pytest.mark.parametrize(
        "schema",
        [
            "x\n2026-01-01 08:00:00  nhận thực hiện / accepted  cong-an → benh-vien",
            "x" + " " * 74 + "2026-01-01 08:00:00  nhận thực hiện / accepted  cong-an → benh-vien",
            "x" * 200,
        ],
        ids=["a line break", "blanks up to the margin", "letters up to the margin"],
    )
    def test_the_name_of_a_form_is_one_short_word_of_its_line(self, show: Opening, schema: str) -> None:
        code, out, _ = show(plaintext(schema, {"a": "b"}))
        (line,) = [line for line in out.splitlines() if line.startswith("  s0 ")]

        assert code == 0
        assert not [line for line in out.splitlines() if line.startswith("2026-01-01")]
        assert len(line.removesuffix("  unknown-schema")) <= 80

    def test_the_name_of_a_field_begins_no_line_of_its_own(self, show: Opening) -> None:
        _, out, _ = show(plaintext("strange/1.0", {"a\ncong-an → benh-vien": "b"}))

        assert [line.split() for line in out.splitlines() if "cong-an" in line] == [
            ["a", "cong-an", "→", "benh-vien", "b"]
        ]

    def test_no_mark_that_turns_a_line_is_written(self, show: Opening) -> None:
        marks = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u206a\u206f"
        _, text, _ = show(plaintext("strange/1.0", {marks: f"không{marks}an toàn"}))
        _, written, _ = show(plaintext("strange/1.0", {marks: f"không{marks}an toàn"}), options=("--json",))

        assert set(printable(marks)) == {"\N{REPLACEMENT CHARACTER}"}
        assert not set(marks) & set(text + written)
        assert json.loads(written)["sections"][0]["body"] == {marks: f"không{marks}an toàn"}


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 100_000,
        b'{"a":' * 20_000,
        b'{"body":{},"schema":"note/1.0"}' + b" " * 100_000 + b"\x00",
        b'{"body":{"a":1e999},"schema":"note/1.0"}',
        b'{"body":{"a":' + b"9" * 100_000 + b'},"schema":"note/1.0"}',
        b'{"body":{"a":"\\ud800"},"schema":"note/1.0"}',
        b'{"body":{"a":1,"a":2},"schema":"note/1.0"}',
        b'"' + b"\\" * 100_001,
        jcs({"body": [], "schema": "note/1.0"}),
        jcs({"body": {}, "schema": None}),
        b"",
        b"\xff\xfe",
    ],
)
def test_what_is_no_section_is_refused_in_our_own_words(data: bytes) -> None:
    with pytest.raises(RemoteError) as refusal:
        read_section(data)

    assert str(refusal.value).isascii()
