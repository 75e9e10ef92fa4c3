import json
import os
import re
import select
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from referral_bus._cli.fill import Sitting, begin, missing_of
from referral_bus._cli.filling import Filling
from referral_bus._cli.form_words import FAULTS, KINDS, STATUSES, Lang
from referral_contracts.codes import Code
from referral_contracts.errors import LocalError
from referral_contracts.payloads.basis import Status
from referral_contracts.payloads.handoff import Progress
from referral_contracts.payloads.mau01 import Mau01
from referral_contracts.payloads.mau02 import Mau02
from referral_contracts.payloads.outline import Kind
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.registry import MODELS
from referral_contracts.payloads.turn import Resumption
from referral_contracts.sections import read_draft

PROGRAM = "import sys; from referral_bus._cli import main; sys.exit(main())"


def sit(model: type[Payload], file: Path, typed: Sequence[str], lang: Lang = Lang.BOTH) -> tuple[bool, str]:
    """Fill in *model*, typing each of *typed*, then Ctrl-D; return whether it is finished, and what was shown."""
    lines = iter(typed)
    screen: list[str] = []

    def read(prompt: str) -> str:
        screen.append(prompt)
        try:
            return next(lines)
        except StopIteration:
            raise EOFError from None

    filling = begin(model, str(file))
    finished = Sitting(filling=filling, file=str(file), lang=lang, read=read, write=screen.append).hold()
    return finished, "".join(screen)


def body_of(file: Path) -> dict[str, object]:
    draft = json.loads(file.read_text())
    assert isinstance(draft["body"], dict)
    return draft["body"]


def test_everybody_is_told_what_is_wanted_in_two_languages() -> None:
    assert set(KINDS) == set(FAULTS) == set(Kind)
    assert set(STATUSES) == set(Status)


def test_a_form_filled_in_to_its_end_can_be_sent_and_is_private(tmp_path: Path) -> None:
    file = tmp_path / "go-on.json"

    finished, screen = sit(Resumption, file, ["2", "XTD-0012", "", "", "Trẻ đã về nhà bà.", "Có mẹ đi cùng.", ""])

    assert finished
    assert missing_of(str(file)) == []
    payload = read_draft(file.read_bytes())
    assert isinstance(payload, Resumption)
    assert payload.note == "Trẻ đã về nhà bà.\nCó mẹ đi cùng."
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["go-on.json"]
    assert "[1/5] Chức danh / role  [bắt buộc / required]" in screen


def test_a_form_can_be_left_and_gone_on_with(tmp_path: Path) -> None:
    file = tmp_path / "report.json"

    first, _ = sit(Mau01, file, ["1", "TD-1", "", "", "Tổng đài 111", "."])
    second, screen = sit(Mau01, file, ["457/BC", "<", "-"])

    assert (first, second) == (False, False)
    assert body_of(file) == {
        "actor": {"role": "hotline_operator", "staff_number": "TD-1"},
        "receiving_agency": "Tổng đài 111",
    }
    assert f"làm tiếp / going on with {file}" in screen
    assert "đang ghi / now: 457/BC" in screen


def test_nothing_is_lost_when_the_terminal_goes_away(tmp_path: Path) -> None:
    def gone(_prompt: str) -> str:
        if not (tmp_path / "a.json").exists():
            return "1"
        raise KeyboardInterrupt

    sitting = Sitting(
        filling=Filling(model=Mau01, body={}),
        file=str(tmp_path / "a.json"),
        lang=Lang.VI,
        read=gone,
        write=lambda _: None,
    )
    with pytest.raises(KeyboardInterrupt):
        sitting.hold()

    assert body_of(tmp_path / "a.json") == {"actor": {"role": "hotline_operator"}}


@pytest.mark.parametrize(
    ("lang", "seen", "unseen"),
    [
        (Lang.VI, "! chọn một số trong danh sách", "one of the numbers"),
        (Lang.EN, "! one of the numbers in the list is wanted", "chọn một số"),
        (Lang.BOTH, "! chọn một số trong danh sách / one of the numbers", "Enter: bỏ qua hoặc giữ nguyên\n"),
    ],
)
def test_a_slip_is_told_at_once_in_the_language_asked_for(tmp_path: Path, lang: Lang, seen: str, unseen: str) -> None:
    _, screen = sit(Mau01, tmp_path / "a.json", ["99"], lang)

    assert seen in screen
    assert unseen not in screen
    assert "\n[1/32] " in screen


def test_each_item_of_a_list_has_its_number_and_what_it_cannot_do_without(tmp_path: Path) -> None:
    _, screen = sit(Progress, tmp_path / "a.json", ["1", "", "", "", "", "y", "evidence_taken", "", "y", "other", ""])

    assert screen.count("— Các việc đã làm / measures 1\n") == screen.count("— Các việc đã làm / measures 2\n") == 1
    assert "Việc khác / other measure  [bắt buộc / required]" in screen
    assert "! mục bắt buộc: thiếu thì không gửi được / required: nothing can be sent without it" in screen


def test_a_provisional_form_says_so_before_its_first_question(tmp_path: Path) -> None:
    _, screen = sit(Mau02, tmp_path / "a.json", [])

    assert screen.index("! mẫu tạm thời, chưa đối chiếu với mẫu in") < screen.index("[1/")


def test_the_question_mark_explains_and_the_first_question_has_none_before_it(tmp_path: Path) -> None:
    _, screen = sit(Mau01, tmp_path / "a.json", ["<", "1", "?"])

    assert "đây là câu đầu tiên / this is the first question" in screen
    assert "một dòng chữ / a line of text  [thông tin riêng tư / personal data]" in screen


@pytest.mark.parametrize(
    ("content", "told", "code"),
    [
        (b"{", "malformed-json", Code.MALFORMED_JSON),
        (b"[]", "something else in it than mau01/1.0", Code.FILE_EXISTS),
        (b'{"schema":"note/1.0","body":{}}', "something else in it than mau01/1.0", Code.FILE_EXISTS),
        (b'{"schema":"mau01/2.0","body":{}}', "something else in it than mau01/1.0", Code.FILE_EXISTS),
        (b'{"schema":"mau01/1.0","body":{},"more":1}', "something else in it", Code.FILE_EXISTS),
        (b'{"schema":"mau01/1.0","body":{"child_nmae":"x"}}', "not as the form wants it", Code.INCOMPLETE_INPUT),
        (b'{"schema":"mau01/1.0","body":{"happened":[1]}}', "not as the form wants it", Code.INCOMPLETE_INPUT),
    ],
)
def test_a_file_with_something_else_in_it_is_never_written_over(
    tmp_path: Path, content: bytes, told: str, code: Code
) -> None:
    file = tmp_path / "a.json"
    file.write_bytes(content)

    with pytest.raises(Exception, match=r".*") as refused:
        begin(Mau01, str(file))

    assert getattr(refused.value, "code", None) is code
    assert told in f"{refused.value} {code.value}"
    assert file.read_bytes() == content


def test_where_nothing_can_be_written_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="there is no folder"):
        sit(Mau01, tmp_path / "nowhere" / "a.json", ["1"])
    (tmp_path / "folder").mkdir()
    with pytest.raises(LocalError):
        begin(Mau01, str(tmp_path / "folder"))


@given(
    model=st.sampled_from(list(MODELS.values())),
    typed=st.lists(
        st.sampled_from(["", "<", "-", "?", "1", "y", "\x1b[A", "x" * 9000, "14/03/2016"]) | st.text(), max_size=30
    ),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_typed_there_is_an_answer_to_it(tmp_path: Path, model: type[Payload], typed: list[str]) -> None:
    file = tmp_path / "a.json"
    file.unlink(missing_ok=True)

    finished, screen = sit(model, file, typed)

    assert not set("\x1b\x07\r") & set(screen)
    assert not finished or isinstance(read_draft(file.read_bytes()), model)


def at_a_terminal(folder: Path, *arguments: str, typed: Sequence[str]) -> tuple[int, str]:
    """Run the real program at a terminal of its own, typing each line when it asks."""
    terminal, theirs = os.openpty()
    program = subprocess.Popen(
        # Its own terminal has to be the one that Ctrl-C comes from.
        [sys.executable, "-c", f"import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); {PROGRAM}", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=folder,
        env={**os.environ, "TERM": "dumb"},
        start_new_session=True,
    )
    os.close(theirs)
    shown = b""
    lines: Iterator[str] = iter(typed)
    while True:
        ready, _, _ = select.select([terminal], [], [], 60)
        try:
            # A terminal whose program has ended is an OSError on Linux.
            read = os.read(terminal, 65536) if ready else b""
        except OSError:
            break
        if not read:
            break
        shown += read
        if re.search(rb"\n *(\S.*)?> $", shown[-400:]):
            os.write(terminal, next(lines, "\x04").encode() + b"\n")
    os.close(terminal)
    return program.wait(timeout=60), shown.decode(errors="replace")


def test_the_real_program_asks_at_a_real_terminal(tmp_path: Path) -> None:
    ended, shown = at_a_terminal(
        tmp_path, "form", "fill", "resumption", "a.json", typed=["77", "2", "XTD-0012", "", "", ""]
    )

    assert ended == 0, shown
    assert "! chọn một số trong danh sách / one of the numbers in the list is wanted" in shown
    assert "a.json: đã lưu, gửi được / kept, ready to send" in shown
    assert "referral-bus: hint: referral-bus check a.json" in shown
    assert "Traceback" not in shown
    assert body_of(tmp_path / "a.json") == {"actor": {"role": "child_protection_worker", "staff_number": "XTD-0012"}}


def test_ctrl_c_ends_it_without_a_trace_and_what_was_answered_is_kept(tmp_path: Path) -> None:
    ended, shown = at_a_terminal(tmp_path, "form", "fill", "resumption", "a.json", typed=["2", "\x03"])

    assert ended == 130, shown
    assert "referral-bus: hint: what was answered is kept: referral-bus form fill resumption a.json" in shown
    assert "referral-bus: interrupted" in shown
    assert "Traceback" not in shown
    assert body_of(tmp_path / "a.json") == {"actor": {"role": "child_protection_worker"}}
