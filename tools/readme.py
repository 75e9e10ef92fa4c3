"""
Are the commands in the READMEs and under docs/ true?

Every `make X` and every `referral-bus …` in a code block or a code span of one is looked up: the target in the
Makefile, the verb and its options in the command line itself, by asking it for help. Nothing is carried out.
"""

import io
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Final

import typer

from referral_bus._cli import build
from referral_bus._cli.faults import usage_message

ROOT: Final = Path(__file__).resolve().parent.parent
SHELL_BLOCKS: Final = {"", "bash", "console", "sh", "shell"}


def shell_lines(markdown: str) -> Iterator[str]:
    """Yield what *markdown* tells a person to type: lines of shell blocks, and code spans outside of blocks."""
    language: str | None = None
    line = ""
    for raw in markdown.splitlines():
        if fence := re.match(r"\s*```\s*(\S*)", raw):
            language = fence[1] if language is None else None
        elif language is None:
            yield from re.findall(r"`([^`]+)`", raw)
        elif language in SHELL_BLOCKS:
            line += raw.strip()
            if line.endswith("\\"):
                line = line[:-1]
                continue
            yield line.removeprefix("$ ")
            line = ""


def commands(markdown: str) -> Iterator[list[str]]:
    """Yield the words of each call of make or referral-bus in *markdown*, without what stands before or after it."""
    for line in shell_lines(markdown):
        for part in re.split(r"&&|\|\||[;|]", line):
            try:
                words = shlex.split(part, comments=True)
            except ValueError:
                continue  # prose with an apostrophe, or what a program printed
            while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
                del words[0]
            if words and words[0] in {"make", "referral-bus"}:
                yield words


def targets(makefile: str) -> set[str]:
    """Return the targets that *makefile* has for people."""
    return set(re.findall(r"^([a-z][a-z-]*):", makefile, flags=re.MULTILINE))


def wrong_target(words: list[str], known: set[str]) -> str | None:
    """Say what is wrong with a call of make."""
    unknown = [word for word in words[1:] if "=" not in word and not word.startswith("-") and word not in known]
    return f"there is no target {unknown[0]!r} in the Makefile" if unknown else None


def wrong_verb(words: list[str], program: Callable[..., object]) -> str | None:
    """Say what is wrong with a call of referral-bus: its own help knows each verb and option."""
    try:
        with redirect_stdout(io.StringIO()):
            program(args=[*words[1:], "--help"], prog_name=words[0], standalone_mode=False)
    except typer.TyperException as error:
        return usage_message(error)
    return None


def main() -> int:
    known = targets((ROOT / "Makefile").read_text())
    program = typer.main.get_command(build()).main
    wrong = 0
    readmes = subprocess.run(
        ["git", "ls-files", "README.md", "*/README.md", "docs/*.md"], cwd=ROOT, capture_output=True, check=True
    )
    for name in readmes.stdout.decode().splitlines():
        for words in commands((ROOT / name).read_text()):
            if complaint := wrong_target(words, known) if words[0] == "make" else wrong_verb(words, program):
                print(f"{name}: `{shlex.join(words)}`: {complaint}", file=sys.stderr)
                wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
