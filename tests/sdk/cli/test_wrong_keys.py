"""The wrong key file in the right folder: told as that, before anybody else is blamed."""

import json

import pytest

from referral_bus.keys import AgencyKeys
from tests.sdk.cli.terminal import EXAMPLES, Terminal

HINT = "khi cơ quan quản lý danh bạ đã công bố / is it the right key file (--home, --keys)?"


@pytest.fixture
def folder(terminal: Terminal) -> str:
    """Return the folder of an agency that was asked something, and whose keys nobody published."""
    asker, asked = "hotline-111", "xa-thi-du"
    opening, request = EXAMPLES / "case-opening.json", EXAMPLES / "commune.json"
    subject = json.loads(terminal.type("send", "open", str(opening), "--home", asker, "--json")[1])["subject"]
    to = f"{asked}={request}"
    assert terminal.type("send", "offer", "--case", subject, "--to", to, "--home", asker)[0] == 0
    AgencyKeys.generate(asked).save(terminal.folder / asked / "keys.json", replace=True)
    terminal.environ["REFERRAL_BUS_HOME"] = asked
    return asked


def test_what_only_shows_says_so_beside(folder: str, terminal: Terminal) -> None:
    ended, out, err = terminal.type("inbox", "list")

    assert (ended, "hotline-111 → " + folder in out) == (0, True)
    assert (
        f"referral-bus: hint: unknown-key: có đúng tệp khóa không (--home, --keys); khóa mới chỉ dùng được {HINT}"
        in err
    )


def test_a_section_that_does_not_open_is_not_the_senders_fault_yet(folder: str, terminal: Terminal) -> None:
    told = json.loads(terminal.type("inbox", "list", "--json", "--home", folder)[1])

    ended, _, err = terminal.type("open", told["id"])

    assert ended == 4
    assert "section s0 does not open: not-a-reader" in err
    assert "rồi hãy báo bên gửi / no key in the key file opens it: see whether it is the right one" in err
    assert "tell the sender and the operators" not in err


def test_nothing_can_be_said(folder: str, terminal: Terminal) -> None:
    ended, out, err = terminal.type("send", "open", str(EXAMPLES / "case-opening.json"), "--home", folder)

    assert (ended, out) == (2, "")
    assert "error: unknown-key: the directory does not list the signing key in the key file" in err
    assert err.count(HINT) == 1


def test_what_is_pinned_comes_from_the_registrar(terminal: Terminal) -> None:
    (terminal.folder / "cong-an" / "trust.json").write_text("{}")

    ended, _, err = terminal.type("status", "--home", "cong-an")

    assert ended == 2
    assert "error: malformed-value: cong-an/trust.json: not a trust root" in err
    assert "hint: the file comes from the registrar" in err


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        ("agency = cong-an", 'a line is NAME = "TEXT", with the quotes'),
        ('agency = "cong-an"', "or write it in the folder's bus.toml: bootstrap = …"),
    ],
)
def test_what_is_missing_in_the_folder_is_told(content: str, hint: str, terminal: Terminal) -> None:
    (terminal.folder / "cong-an" / "bus.toml").write_text(content)

    ended, _, err = terminal.type("status", "--home", "cong-an")

    assert (ended, f"hint: {hint}" in err) == (2, True)
