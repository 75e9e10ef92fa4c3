import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from referral_bus._cli.files import SECTION_MAX
from tests.sdk.cli.terminal import EXAMPLES, Terminal

NOTE = {"schema": "note/1.0", "body": {"actor": {"role": "police_officer"}}}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        pytest.param(b"", "malformed-json", id="nothing"),
        pytest.param(b"\xff\xfe\x00\x01", "malformed-json", id="not UTF-8"),
        pytest.param(b"[" * 10_000 + b"]" * 10_000, "malformed-json", id="nested 10,000 deep"),
        pytest.param(b'{"schema":' * 5_000, "malformed-json", id="nested and never closed"),
        pytest.param(b'{"schema":"note/1.0","schema":"note/1.0","body":{}}', "malformed-json", id="a key twice"),
        pytest.param(b'{"schema":"note/1.0","body":{"text":NaN}}', "malformed-json", id="NaN"),
        pytest.param(b'{"schema":"note/1.0","body":{"text":"\\ud800"}}', "malformed-json", id="half a character"),
        pytest.param(b"null", "malformed-section", id="null"),
        pytest.param(b'{"schema":["note/1.0"],"body":{}}', "malformed-section", id="a schema that is no text"),
        pytest.param(b"x" * (SECTION_MAX + 1), "oversize", id="larger than a section can be"),
    ],
)
def test_a_file_of_garbage_is_refused_with_a_code(terminal: Terminal, content: bytes, code: str) -> None:
    Path("file.json").write_bytes(content)

    ended, out, err = terminal.type("check", "file.json")

    assert (ended, out) == (2, "")
    assert err.startswith(f"referral-bus: error: file.json: {code}: ")


def test_a_huge_file_is_refused_before_it_is_read(terminal: Terminal) -> None:
    # A hundred gigabytes without a byte on the disk: nobody reads this to its end.
    with Path("huge.json").open("wb") as file:
        os.truncate(file.fileno(), 100 * 2**30)

    assert terminal.type("check", "huge.json")[0] == 2
    assert terminal.type("keys", "show", "huge.json")[0] == 2


@given(content=st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_in_a_file_it_is_described_or_refused(terminal: Terminal, content: bytes) -> None:
    Path("file.json").write_bytes(content)

    assert terminal.type("check", "file.json")[0] in {0, 2}
    assert terminal.type("keys", "show", "file.json")[0] == 2
    assert terminal.type("directory", "publish", "--home", "registrar", "file.json")[0] == 2


def test_what_others_wrote_cannot_repaint_the_terminal(terminal: Terminal) -> None:
    nasty = "\x1b[2J\x9b31m\u202e\u2028\x07an toàn\r"
    Path("note.json").write_text(json.dumps({**NOTE, "body": {**NOTE["body"], "text": nasty}}))  # type: ignore[dict-item]

    text, told = terminal.type("check", "note.json")[1], terminal.type("check", "note.json", "--json")[1]

    for written in (text, told.removesuffix("\n")):
        assert "an toàn" in written
        assert not set("\x1b\x9b\u202e\u2028\x07\r") & set(written)
    assert "[2J" in json.loads(told)["fields"][-1]["value"]


def test_a_name_of_a_file_cannot_repaint_the_terminal_either(terminal: Terminal) -> None:
    _, _, err = terminal.type("check", "\x1b[2Jnothing\nreferral-bus: all is well")

    assert "\x1b" not in err
    assert "\nreferral-bus: all is well" not in err


@pytest.mark.parametrize("command", ["check", "keys show", "directory publish"])
def test_a_folder_is_no_file(terminal: Terminal, command: str) -> None:
    terminal.environ["REFERRAL_BUS_HOME"] = "registrar"

    ended, _, err = terminal.type(*command.split(), "hotline-111")

    assert ended == 2
    assert "no-such-file" in err


def test_whoever_stops_reading_gets_no_complaint(tmp_path: Path) -> None:
    # The real program, a real pipe, and nobody at its other end.
    reading, writing = os.pipe()
    os.close(reading)
    program = "import sys; from referral_bus._cli import main; sys.exit(main())"
    ended = subprocess.run(
        [sys.executable, "-c", program, "check", str(EXAMPLES / "police.json")],
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
        cwd=tmp_path,
    )
    os.close(writing)

    assert (ended.returncode, ended.stderr) == (141, b"")
