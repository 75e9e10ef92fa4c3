"""What reads a page out: a page that says what is not so is found out."""

from pathlib import Path

import pytest

from tests.docs.page import Reader, Step, parts

CASE = "b0ad5b5de5bbf36ec51dfc28d0a00e8c"
HERE = "00000000000000000000000000000001"


def page(*lines: str) -> str:
    return "\n".join(["```console", *lines, "```"])


class Echo:
    """Writes what it was told to, and remembers what was typed."""

    def __init__(self, *written: str, ended: int = 0) -> None:
        self.written = list(written)
        self.ended = ended
        self.typed: list[str] = []

    def type(self, command: str) -> tuple[int, str]:
        self.typed.append(command)
        return self.ended, self.written.pop(0)


def test_commands_have_their_files_and_what_they_write() -> None:
    text = page("$ cat > a <<'END'", "$ x", "END", "$ go there  # ends with 3", "said")

    # A line of a file is no command, whatever it begins with.
    assert [Step("go there", 3, ("said",))] == list(parts(text))[-1:]


def test_ids_stand_for_the_same_thing_all_over_the_page() -> None:
    echo = Echo(f"case   {HERE}  open\nmore\n", "")
    Reader(Path(), echo.type).follow(page("$ show", f"case {CASE} open", "…", "$ close b0ad5b5d"))

    assert echo.typed == ["show", f"close {HERE}"]


@pytest.mark.parametrize(
    ("says", "written", "ended"),
    [("open", "closed\n", 0), ("open", "open\nmore\n", 0), ("open", "open\n", 1), ("a … c", "a b d\n", 0)],
)
def test_what_is_not_so_is_found_out(says: str, written: str, ended: int) -> None:
    with pytest.raises(AssertionError):
        Reader(Path(), Echo(written, ended=ended).type).follow(page("$ show", says))


def test_an_id_that_is_another_the_second_time_is_found_out() -> None:
    echo = Echo(f"case {HERE}\n", f"case {HERE[::-1]}\n")
    with pytest.raises(AssertionError):
        Reader(Path(), echo.type).follow(page("$ show", f"case {CASE}", "$ show", f"case {CASE}"))


def test_a_file_is_saved_as_the_page_has_it(tmp_path: Path) -> None:
    Reader(tmp_path, Echo().type).follow("```python file=a.py\nx = 1\n```")

    assert (tmp_path / "a.py").read_text() == "x = 1\n"
