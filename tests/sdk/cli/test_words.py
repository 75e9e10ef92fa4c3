import io
import sys
from collections.abc import Mapping
from enum import Enum

import pytest

from referral_bus._cli.faults import exit_of, hints_of
from referral_bus._cli.screen import Screen, columns, heading
from referral_bus._cli.wording import ENTRIES
from referral_bus.sent import EntryState
from referral_contracts.codes import Code
from referral_contracts.errors import LocalError
from referral_contracts.lifecycle import CaseState, Receipt, State
from referral_contracts.verbs import Verb
from referral_contracts.wording import CASES, RECEIPTS, REFUSALS, STATES, VERBS


@pytest.mark.parametrize(
    ("words", "named"),
    [(VERBS, Verb), (STATES, State), (CASES, CaseState), (RECEIPTS, Receipt), (ENTRIES, EntryState)],
)
def test_everything_a_case_worker_meets_has_words_in_two_languages(
    words: Mapping[Enum, tuple[str, str]], named: type[Enum]
) -> None:
    assert set(words) == set(named)
    assert all(vi and en and vi != en for vi, en in words.values())


def test_no_two_states_are_called_alike() -> None:
    for words in (VERBS, STATES, CASES, RECEIPTS, ENTRIES, REFUSALS):
        names = list(words.values())
        assert len({vi for vi, _ in names}) == len({en for _, en in names}) == len(names)


@pytest.mark.parametrize("code", list(Code))
def test_each_code_ends_the_process_with_one_of_the_listed_codes(code: Code) -> None:
    assert exit_of(LocalError(code)) in {2, 3, 4, 5, 70}
    assert all(hint == hint.strip() and not hint.endswith(".") for hint in hints_of(code))


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "environ", "coloured"),
    [
        pytest.param(Tty(), {}, True, id="a terminal"),
        pytest.param(Tty(), {"NO_COLOR": "1"}, False, id="a terminal without colour"),
        pytest.param(io.StringIO(), {}, False, id="a pipe"),
        pytest.param(io.StringIO(), {"FORCE_COLOR": "1"}, False, id="a pipe, whatever other programs do"),
    ],
)
def test_colour_is_for_terminals(
    stream: io.StringIO, environ: dict[str, str], coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", stream)
    table = columns([("a", "b")], "one", "two")

    Screen(as_json=False, environ=environ).put({}, heading("title"), table)

    assert coloured == ("\x1b" in stream.getvalue())


def test_a_table_fits_into_its_terminal_and_a_line_stays_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    Screen(as_json=False, environ={"COLUMNS": "40"}).put({}, "x" * 90, columns([("y" * 30, "z" * 30)]))
    line, *table = capsys.readouterr().out.splitlines()

    assert len(line) == 90
    assert len(table) > 1
    assert all(len(row) <= 40 for row in table)
