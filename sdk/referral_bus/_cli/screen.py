"""
Standard output: what a command was asked for, as text for a person or as JSON, one object a line.

What other agencies wrote cannot repaint a terminal: control characters and direction overrides are replaced in text
and escaped in JSON, which stays exact.
"""

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from referral_contracts.payloads.shown import VIET_NAM, Missing, Row, printable
from referral_contracts.sections import form_of

Fields = Mapping[str, object]

_PIPE_WIDTH: Final = 120
_WORD: Final = 73
"""The longest name and version that a form can have."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_RAW: Final = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ud800-\udfff]")
"""What JSON allows unescaped in a string, and a terminal or a line reader should not get."""


class Screen:
    """Standard output for one command."""

    def __init__(self, *, as_json: bool, environ: Mapping[str, str]) -> None:
        """Write JSON, or text with colours where *environ* and the terminal have them."""
        self.as_json = as_json
        self._environ = environ

    def put(self, fields: Fields, *lines: RenderableType) -> None:
        """Write one result: *fields* as JSON, or *lines* as text."""
        if self.as_json:
            text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
            sys.stdout.write(_RAW.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")
        else:
            self._print(lines)
        # What is acknowledged, or waited for by a pipe, has to be out.
        sys.stdout.flush()

    def text(self, text: str) -> None:
        """Write *text* as it is: a file for another program."""
        sys.stdout.write(text)
        sys.stdout.flush()

    def _print(self, lines: Iterable[RenderableType]) -> None:
        console = self._console()
        with console.capture() as captured:
            for line in lines:
                told = plain(line) if isinstance(line, str) else line
                # A line is a line, however narrow the terminal; only tables are fitted into it.
                console.print(told, soft_wrap=isinstance(told, Text))
        # The spaces that fill a table's last column are of no use to anybody.
        sys.stdout.write("".join(f"{line.rstrip(' ')}\n" for line in captured.get().splitlines()))

    def _console(self) -> Console:
        terminal = sys.stdout.isatty()
        columns = self._environ.get("COLUMNS", "")
        width = int(columns) if columns.isdecimal() and int(columns) else None if terminal else _PIPE_WIDTH
        return Console(
            file=sys.stdout,
            force_terminal=terminal,
            color_system="auto" if terminal and not self._environ.get("NO_COLOR") else None,
            width=width,
            highlight=False,
            markup=False,
            emoji=False,
        )


def plain(text: str, style: str = "") -> Text:
    """Return *text* to print: nothing in it is a command to the terminal."""
    return Text(printable(text).encode("utf-8", "replace").decode("utf-8"), style=style)


def word(text: str) -> str:
    """Return *text*, which another agency chose, as one word of a line: it neither ends the line nor fills it."""
    told = " ".join(text.split())
    return told if len(told) <= _WORD else f"{told[: _WORD - 1]}…"


def heading(text: str) -> Text:
    """Return the title of a part."""
    return plain(text, "bold")


def indented(table: RenderableType) -> RenderableType:
    """Return a table a little to the right."""
    return Padding(table, (0, 0, 0, 2))


def columns(rows: Iterable[Sequence[str]], *titles: str, whole: bool = False) -> RenderableType:
    """Return a table without frames; *whole*: what its first column holds is typed again, and never broken."""
    table = Table(box=None, pad_edge=False, show_header=bool(titles), header_style="dim", padding=(0, 2, 0, 0))
    found = [list(row) for row in rows]
    for number in range(max(map(len, [titles, *found]), default=0)):
        title = plain(titles[number]) if number < len(titles) else ""
        table.add_column(title, overflow="fold", no_wrap=whole and number == 0)
    for row in found:
        table.add_row(*(plain(cell) for cell in row))
    return table


def stacked(rows: Iterable[Sequence[Sequence[str]]], *titles: str, marked: Sequence[bool] = ()) -> RenderableType:
    """Return a table whose cells are lines below each other, to fit beside each other; *marked* rows stand out."""
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for title in titles:
        table.add_column(plain(title), overflow="fold")
    for number, row in enumerate(rows):
        style = "red" if number < len(marked) and marked[number] else ""
        table.add_row(*(Text("\n", style=style).join(plain(line, style) for line in cell if line) for cell in row))
    return table


def form(rows: Iterable[Row], missing: Sequence[Missing] = ()) -> RenderableType:
    """Return the filled-in fields of a form, and below them the essential ones that are still empty."""
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(ratio=2, overflow="fold")
    table.add_column(ratio=3, overflow="fold")
    for row in rows:
        table.add_row(_label(row), plain(row.value))
    for gap in missing:
        table.add_row(_label(gap), plain("— còn thiếu / missing", "yellow"))
    return table


def caution(schema: str) -> list[RenderableType]:
    """Return what a person has to know before relying on a form of *schema*: nothing, or a line."""
    model = form_of(schema)
    if model is None or not model.about.status.uncertain:
        return []
    return [plain(f"  ! {model.about.status.vi} / {model.about.status.en}", "yellow")]


def status(schema: str) -> str | None:
    """Return for JSON how the form of *schema* came about; None when it is not known here."""
    model = form_of(schema)
    return None if model is None else model.about.status.value


def _label(row: Row | Missing) -> Text:
    # A field that we do not know has its own path for a name.
    names = f"{row.vi} / {row.en}" if row.vi != row.en else " ".join(row.vi.split())
    if isinstance(row, Row) and row.provisional:
        names += " (tạm thời / provisional)"
    return plain(names).append(f"  {printable(row.path)}", "dim") if row.path != row.vi else plain(names)


def row_fields(rows: Iterable[Row]) -> list[Fields]:
    """Return *rows* for JSON."""
    return [
        {"path": row.path, "vi": row.vi, "en": row.en, "value": row.value, "provisional": row.provisional}
        for row in rows
    ]


def missing_fields(missing: Iterable[Missing]) -> list[Fields]:
    """Return *missing* for JSON."""
    return [{"path": gap.path, "vi": gap.vi, "en": gap.en} for gap in missing]


def when(ms: int) -> str:
    """Return a moment as people in Viet Nam read a clock."""
    return f"{(_EPOCH + timedelta(milliseconds=ms)).astimezone(VIET_NAM):%Y-%m-%d %H:%M:%S}"
