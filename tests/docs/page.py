"""
A page that is carried out: what it tells to type is typed, and what it says comes of it is compared.

In a ``console`` block ``$ `` begins a command, which has to end with 0, or with what ``# ends with N`` behind it says;
the lines below are its output, with ``…`` for what is left out: in a line, or as a line of its own for any number of
them. Ids differ from those on the page, and stand for the same thing all over it; in a command the beginning of one
will do. A block with ``file=NAME`` is that file.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Final

Type = Callable[[str], tuple[int, str]]
"""Types a command; returns what it ends with and what it writes."""

_BEGUN: Final = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4})*(?![\w-])")
_PARTS: Final = re.compile(
    r"(?P<whole>\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[0-9a-f]{32}\b)"
    r"|(?P<begun>\b[0-9a-f]{8}(?:-[0-9a-f]{4})*-?…)"
    r"|(?P<key>(?<= )[\w-]{6}…)"
)
_MEANINGS: Final = {"whole": "([0-9a-f-]{32,36})", "begun": "[0-9a-f]{8}[0-9a-f-]*", "key": r"[\w-]{43}.*"}
_ENDS: Final = re.compile(r"\s+# ends with (\d+)$")


@dataclass(frozen=True, slots=True)
class Step:
    """A command of the page, what it ends with, and what the page says it writes."""

    command: str
    ended: int
    written: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class File:
    """A file that the page tells to save."""

    name: str
    content: str


def parts(markdown: str) -> Iterator[Step | File]:
    """Yield the commands and files of *markdown*, in its order."""
    for block in re.finditer(r"^```(\S*)(?: file=(\S+))?\n(.*?)^```$", markdown, re.MULTILINE | re.DOTALL):
        language, name, content = block.groups()
        if name is not None:
            yield File(name, content)
        elif language == "console":
            yield from _steps(content)


def _steps(content: str) -> Iterator[Step]:
    lines = content.splitlines()
    while lines:
        command = lines.pop(0).removeprefix("$ ")
        if here := re.search(r"<<'(\w+)'$", command):
            end = lines.index(here[1]) + 1
            command, lines = "\n".join([command, *lines[:end]]), lines[end:]
        written = list(takewhile(lambda line: not line.startswith("$ "), lines))
        del lines[: len(written)]
        ends = _ENDS.search(command)
        yield Step(_ENDS.sub("", command), int(ends[1]) if ends else 0, tuple(written))


@dataclass(slots=True)
class Reader:
    """Somebody who does what the page says, one thing after the other."""

    folder: Path
    type: Type
    ids: dict[str, str] = field(default_factory=dict)
    """What the page's ids are here."""

    def follow(self, markdown: str) -> int:
        """Do all of it; return how many commands it were."""
        done = 0
        for part in parts(markdown):
            if isinstance(part, File):
                (self.folder / part.name).write_text(part.content, "utf-8")
            else:
                self._do(part)
                done += 1
        return done

    def _do(self, step: Step) -> None:
        command = _BEGUN.sub(lambda found: self._meant(found[0]), step.command)
        ended, written = self.type(command)
        shown = f"$ {command}\nended {ended}\n{written}"
        assert ended == step.ended, shown
        pattern, named = _pattern(step.written)
        found = re.fullmatch(pattern, "".join(f"{_even(line)}\n" for line in written.splitlines()))
        assert found is not None, "\n".join([shown, "and not", *step.written])
        for ours, theirs in zip(named, found.groups(), strict=True):
            assert self.ids.setdefault(ours, theirs) == theirs, f"{shown}\n{ours} was {self.ids[ours]}"

    def _meant(self, begun: str) -> str:
        known = {theirs for ours, theirs in self.ids.items() if ours.startswith(begun)}
        return known.pop() if len(known) == 1 else begun


def _pattern(lines: tuple[str, ...]) -> tuple[str, list[str]]:
    pattern, named = "", []
    for line in map(_even, lines):
        if line.strip() == "…":
            pattern += r"(?:.*\n)*?"
            continue
        named += [found["whole"] for found in _PARTS.finditer(line) if found["whole"]]
        begin = 0
        for found in _PARTS.finditer(line):
            pattern += _told(line[begin : found.start()]) + _MEANINGS[found.lastgroup or ""]
            begin = found.end()
        pattern += _told(line[begin:]) + r"\n"
    return pattern, named


def _told(text: str) -> str:
    return re.escape(text).replace("…", ".*")


def _even(line: str) -> str:
    """Return *line* with one space wherever there are some: columns are as wide as what is in them."""
    return re.sub(r" +", " ", line).rstrip()
