"""A store that cannot be opened: the path, and the folder or right that is missing."""

import os
import sqlite3
from pathlib import Path

import pytest

from referral_bus._cli.files import why_not_opened
from tests.sdk.cli.terminal import Terminal


@pytest.mark.parametrize(
    ("store", "told"),
    [
        ("nowhere/store.db", "nowhere/store.db: the store can be neither read nor made; there is no folder nowhere"),
        ("hotline-111", "hotline-111: the store can be neither read nor made; it is a folder"),
        ("hotline-111/keys.json/store.db", "neither read nor made; hotline-111/keys.json is no folder"),
        ("hotline-111/bus.toml", "state-format: hotline-111/bus.toml: not a store"),
    ],
)
def test_the_path_and_what_is_missing_are_told(store: str, told: str, terminal: Terminal) -> None:
    terminal.environ["REFERRAL_BUS_HOME"] = "hotline-111"

    ended, out, err = terminal.type("status", "--store", store)

    assert (ended, out) == (2, "")
    assert told in err.splitlines()[0]


@pytest.mark.parametrize(
    ("closed", "told"),
    [("store.db", "no right to read and write it"), (".", "no right to make files in the folder {folder}")],
)
def test_a_missing_right_is_told(
    closed: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, terminal: Terminal
) -> None:
    # Not by taking rights away: whoever runs the tests may be allowed everything.
    file = tmp_path / "store.db"
    file.touch()
    monkeypatch.setattr(os, "access", lambda path, _mode: Path(path) != tmp_path / closed)

    assert why_not_opened(file) == told.format(folder=tmp_path)


def test_a_folder_that_takes_no_journal_is_not_taken_for_a_strange_file(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.environ["REFERRAL_BUS_HOME"] = "hotline-111"
    connect = sqlite3.connect

    def read_only(path: str, **settings: object) -> sqlite3.Connection:
        return connect(f"file:{path}?mode=ro", uri=True, timeout=0, isolation_level=None)

    monkeypatch.setattr(sqlite3, "connect", read_only)
    ended, _, err = terminal.type("status")

    assert ended == 2
    assert "no-such-file: " in err
    assert "store.db: the store or its folder cannot be written; " in err
