"""
The demonstration's voice: Vietnamese first, English beside it, in colour on a terminal and as plain text elsewhere.

Shows what it is given; knows nothing of the bus.
"""

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, TextIO

from rich import box
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from referral_contracts.payloads.shown import printable

WIDTH: Final = 100
_INDENT: Final = 8
_ROUTE: Final = 43
_VERB: Final = 24
_REST: Final = 28
"""The time before them, and the longest code behind."""


class Teller:
    """Tells the story as it happens."""

    def __init__(self, names: Mapping[str, str], out: TextIO) -> None:
        """Call the agencies by their short *names*, and write to *out*."""
        self._names = names
        self._started = time.monotonic()
        self._out = out
        terminal = out.isatty()
        self._console = Console(
            file=out,
            # Narrower only where the terminal is; a file or a pipe gets what the tables are made for.
            width=None if terminal else WIDTH,
            no_color=not terminal,
            highlight=False,
            markup=False,
            emoji=False,
        )
        self._console.width = min(self._console.width, WIDTH)
        # On a narrow terminal a long route may push its line's end onto the next; the short ones still stand in line.
        self._route = min(_ROUTE, self._console.width - _VERB - _REST)
        self._chapters = 0

    def elapsed_s(self) -> float:
        """Return how long the story has been going on."""
        return time.monotonic() - self._started

    def title(self, vi: str, en: str, *lines: str) -> None:
        """Open the story."""
        text = Text(vi, style="bold").append(f"\n{en}", style="not bold dim")
        for line in lines:
            text.append(f"\n{line}", style="not bold")
        self._print(Panel(text, border_style="cyan", padding=(0, 2)), 0)

    def chapter(self, vi: str, en: str) -> None:
        """Begin a part of it."""
        self._chapters += 1
        self._gap()
        self._print(Text(f"{self._chapters} · {vi}", style="bold cyan").append(f" · {en}", style="not bold cyan"), 0)

    def tell(self, vi: str, en: str) -> None:
        """Say what happens, in both languages."""
        self._print(Text(vi))
        self._print(Text(en, style="dim"))

    def note(self, text: str) -> None:
        """Say what a part of the machinery is doing."""
        self._print(Text(f"{self.elapsed_s():5.1f} s  {printable(text)}", style="dim"))

    def said(self, source: str, verb: str, to: Sequence[str], told: str, *, good: bool) -> None:
        """Show an event and the answer of the bus."""
        route = f"{self.short(source)} → {', '.join(map(self.short, to))}" if to else self.short(source)
        line = Text(f"{self.elapsed_s():5.1f} s  ", style="dim")
        # What is too long for its column pushes the next ones on, rather than lose its end.
        line.append(f"{route:<{self._route}} ", style="default not dim")
        line.append(f"{verb:<{_VERB}} ", style="magenta not dim")
        line.append(told, style="bold green not dim" if good else "bold yellow not dim")
        self._print(line)

    def tried(self, what: str, code: str) -> None:
        """Show what somebody tried who had no right to, and what the ledger says of it."""
        line = Text(f"{self.elapsed_s():5.1f} s  ", style="dim")
        line.append(f"{what:<{self._route + 1 + _VERB}} ", style="default not dim")
        line.append(code, style="bold yellow not dim")
        self._print(line)

    def heard(self, who: str, forms: Iterable[str], sealed: Sequence[str]) -> None:
        """Show what somebody could read of an event, and what stays sealed to it."""
        line = Text(f"{self.short(who)} ", style="green")
        line.append(f"đọc / reads {', '.join(forms) or '—'}")
        if sealed:
            line.append(f" · niêm phong / sealed: {' '.join(sealed)}", style="dim")
        self._indented(line)

    def notice(self, vi: str, en: str) -> None:
        """Show what a case worker reads of a deadline."""
        self._indented(Text(printable(vi), style="green"))
        self._indented(Text(printable(en), style="dim"))

    def left(self, clocks: Iterable[tuple[str, float]]) -> None:
        """Show how many seconds some agencies still have."""
        line = Text(f"{self.elapsed_s():5.1f} s  ", style="dim").append("còn / left  ")
        for number, (who, seconds) in enumerate(clocks):
            line.append(" · " if number else "").append(self.short(who)).append(
                f" {math.ceil(seconds)} s", style="bold not dim"
            )
        self._print(line)

    def remark(self, text: str, style: str = "dim") -> None:
        """Add a line to what was just shown."""
        self._indented(Text(printable(text), style=style))

    def quote(self, text: str) -> None:
        """Show what somebody reads, as far as it fits on a line."""
        line = Text(printable(text), style="green")
        line.truncate(self._console.width - 2 - _INDENT, overflow="ellipsis")
        self._indented(line)

    def form(self, title: str, rows: Iterable[tuple[str, str, str]]) -> None:
        """Show some fields of a form, with what was filled in."""
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
        table.add_column(ratio=5, overflow="fold")
        table.add_column(ratio=6, overflow="fold")
        for vi, en, value in rows:
            table.add_row(Text(vi).append(f" / {en}", style="dim"), Text(printable(value)))
        self._print(Panel(table, title=title, title_align="left", border_style="dim", padding=(0, 1)), _INDENT)

    def matrix(
        self, title: str, columns: Sequence[str], rows: Iterable[tuple[str, str, Sequence[bool], bool]], legend: str
    ) -> None:
        """Show who can read which field: a row has its two names, a mark for each column, and whether it is grave."""
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
        marks_width = max(len(self.short(who)) for who in columns)
        names_width = self._console.width - 4 - len(columns) * (marks_width + 2)
        table.add_column("mục / field", no_wrap=True, overflow="ellipsis", max_width=names_width)
        for who in columns:
            table.add_column(self.short(who), justify="center", width=marks_width)
        for vi, en, marks, grave in rows:
            name = Text(vi, style="bold" if grave else "").append(f" / {en}", style="not bold dim")
            seen = [Text("●", style="bold green") if mark else Text("·", style="dim") for mark in marks]
            table.add_row(name, *seen)
        self._gap()
        self._print(Text(title, style="bold"))
        self._print(table)
        self._print(Text(legend, style="dim"))

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[str]], *, words: bool = False) -> None:
        """Show a table: of numbers between its first and last column, or of *words*."""
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
        for number, column in enumerate(columns):
            justify: Literal["left", "right"] = "left" if words or number in (0, len(columns) - 1) else "right"
            table.add_column(column, overflow="fold", justify=justify, no_wrap=not number)
        for row in rows:
            table.add_row(*(printable(cell) for cell in row))
        self._gap()
        self._print(Text(title, style="bold"))
        self._print(table)

    def end(self, vi: str, en: str, *, good: bool, lines: Sequence[str] = ()) -> None:
        """Close the story."""
        text = Text(vi, style="bold").append(f"\n{en}", style="not bold")
        for line in lines:
            text.append(f"\n{printable(line)}", style="not bold dim")
        self._gap()
        self._print(Panel(text, border_style="green" if good else "red", padding=(0, 2)), 0)

    def short(self, who: str) -> str:
        """Return what somebody is called where there is little room."""
        return self._names.get(who, who)

    def _gap(self) -> None:
        self._out.write("\n")

    def _print(self, shown: RenderableType, indent: int = 2) -> None:
        with self._console.capture() as captured:
            self._console.print(Padding.indent(shown, indent))
        # What is copied from here has no tails of spaces; and it is out before the next thing happens.
        self._out.write("".join(f"{line.rstrip(' ')}\n" for line in captured.get().splitlines()))
        self._out.flush()

    def _indented(self, line: Text) -> None:
        self._print(line, 2 + _INDENT)
