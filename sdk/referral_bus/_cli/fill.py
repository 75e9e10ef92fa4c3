"""
A sitting at a terminal: one field after the other is asked for, with its label and its help.

What was answered is in the file after each answer, so that neither Ctrl-C nor a closed terminal loses any of it.
"""

import json
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final

from referral_bus._cli import form_words as words
from referral_bus._cli.faults import WrongUsage
from referral_bus._cli.files import SECTION_MAX, STDIN, read_bytes, write_private
from referral_bus._cli.filling import Filling, FormPath, Refused, Sort, Step
from referral_bus._cli.form_answers import Json, NotAnAnswer
from referral_bus._cli.form_words import Lang, Words, told
from referral_contracts.codes import Code
from referral_contracts.encoding import parse_json
from referral_contracts.errors import LocalError, RemoteError
from referral_contracts.payloads.outline import Kind, Question
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.shown import completeness, printable
from referral_contracts.sections import form_of, read_draft

Read = Callable[[str], str]

_STOP, _BACK, _ERASE, _HELP = ".", "<", "-", "?"
_COMMANDS: Final = frozenset({_STOP, _BACK, _ERASE, _HELP, ""})
_SHOWN: Final = 300
"""Letters of an answer that is shown again: enough to know it by."""
_INCOMPLETE: Final = frozenset({"missing", "other"})


def terminal_line(prompt: str) -> str:
    """Return a line that somebody types at this process's terminal; EOFError when there will be no more."""
    with suppress(ImportError):
        # It edits the line, and lifts the 4,096 bytes that a terminal gives to one. What was typed is kept nowhere.
        import readline  # noqa: PLC0415 - not every Python has it

        readline.set_auto_history(False)
    return input(prompt)


def at_a_terminal() -> bool:
    """Whether somebody can be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def begin(model: type[Payload], name: str) -> Filling:
    """
    Return the form in the file *name* as far as it was filled in, or an empty one if there is no such file.

    Raises:
        WrongUsage: The file is no draft of this form.
        LocalError: It cannot be read.
    """
    if name == STDIN:
        raise WrongUsage("a form is filled in to a file, not to standard output")
    filling = Filling(model=model, body={})
    if not Path(name).exists():
        return filling
    try:
        draft = parse_json(read_bytes(name, SECTION_MAX))
    except (LocalError, RemoteError) as error:
        raise LocalError(error.code, f"{name}: {error.detail}") from error
    match draft:
        case {"schema": str(schema), "body": dict(body), **rest} if not rest and form_of(schema) is model:
            filling.body = body
        case _:
            raise WrongUsage(
                f"{name}: there is something else in it than {model.schema_id()}",
                "choose another name, or move the old file away yourself",
                code=Code.FILE_EXISTS,
            )
    if any(kind not in _INCOMPLETE for _, kind in filling.faults()):
        raise WrongUsage(f"{name}: some of it is not as the form wants it", f"referral-bus check {name} tells what")
    filling.resume()
    return filling


@dataclass(slots=True)
class Sitting:
    """Somebody who fills in a form."""

    filling: Filling
    file: str
    lang: Lang
    read: Read
    write: Callable[[str], object] = field(default_factory=lambda: sys.stdout.write)
    _group: FormPath = ()
    _asked: Step | None = None

    def hold(self) -> bool:
        """Ask until all is answered or somebody stops. Return whether the form is ready to send; the file has it."""
        about = self.filling.model.about
        self._say(f"{self.filling.model.schema_id()}  {told((about.vi, about.en), self.lang)}")
        if about.status.uncertain:
            self._say(f"! {told((about.status.vi, about.status.en), self.lang)}")
        if self.filling.at:
            self._say(f"{told(words.RESUMED, self.lang)} {self.file}")
        self._say(told(words.HOW, self.lang))
        while True:
            step = self.filling.step
            if step is None:
                if self._is_ready():
                    return True
                continue
            try:
                typed = self._ask(step)
            except EOFError:
                typed = _STOP
            except UnicodeDecodeError:
                self._complain(words.FAULTS[step.question.kind])
                continue
            if typed.strip() == _STOP:
                self._save()
                return False
            self._take(step, typed)

    def _take(self, step: Step, typed: str) -> None:
        try:
            match typed.strip():
                case "":
                    self.filling.leave(step)
                case command if command == _BACK:
                    if not self.filling.back():
                        self._complain(words.FIRST)
                case command if command == _ERASE:
                    self.filling.erase(step)
                    self._save()
                case command if command == _HELP:
                    self._asked = None
                    personal = f"  [{told(words.PERSONAL, self.lang)}]" if step.question.mark.personal else ""
                    self._say(f"  {words.kind_of(step.question, self.lang)}{personal}")
                    self._say(f"  {told(words.HOW, self.lang)}")
                case _:
                    self.filling.answer(step, typed)
                    self._save()
        except NotAnAnswer:
            yes_or_no = step.question.group is not None
            self._complain(words.FAULTS[Kind.GROUP if yes_or_no else step.question.kind])
        except Refused as refused:
            needed = refused.kind == "missing"
            self._complain(words.NEEDED if needed else words.TOGETHER.get(refused.kind, words.DISAGREES))

    def _ask(self, step: Step) -> str:
        self._head(step)
        if step.sort is Sort.GROUP or (step.sort is Sort.MORE and step.question.group is not None):
            return self.read(f"  {self._invitation(step)} > ")
        if step.question.kind is not Kind.TEXT:
            return self.read("  > ")
        first = self.read("  > ")
        if first.strip() in _COMMANDS:
            return first
        lines = [first]
        # A pasted paragraph with line breaks is one answer, not the answers to the next questions.
        while (line := self.read("  … ")).strip():
            lines.append(line)
        return "\n".join(lines)

    def _head(self, step: Step) -> None:
        question, lang = step.question, self.lang
        if step.holder != self._group:
            self._group = step.holder
            if step.parents:
                self._say(f"\n— {self._within(step)}")
        marks = words.marks_of(question, lang, required=step.required)
        number = f"{self.filling.at + 1}/{len(self.filling.steps)}"
        self._say(f"\n[{number}] {words.name_of(question, lang)}{f'  {marks}' if marks else ''}")
        if step == self._asked:
            # What could be answered was on the screen a moment ago.
            return
        self._asked = step
        self._say(f"  {words.help_of(question, lang)}")
        if step.sort is Sort.MORE and question.group is None:
            self._say(f"  {told(words.ADD_LINE, lang)}")
        if question.group is None:
            self._options(question)
        value = self.filling.value(step)
        if value is not None and step.sort is Sort.ANSWER:
            self._say(f"  {told(words.NOW, lang)}: {self._shown(question, value)}")

    def _within(self, step: Step) -> str:
        # The place of an item in its list stands in the path behind the list's own name.
        numbers = {name: place for name, place in pairwise(step.path) if isinstance(place, int)}
        names = [
            words.name_of(parent, self.lang) + (f" {numbers[parent.name] + 1}" if parent.name in numbers else "")
            for parent in step.parents
        ]
        return " › ".join(names)

    def _options(self, question: Question) -> None:
        lang = self.lang
        options = [told((choice.vi, choice.en), lang) for choice in question.choices]
        if question.kind is Kind.YES_NO:
            options = [told(option, lang) for option in words.YES_NO]
        for number, option in enumerate(options, 1):
            self._say(f"  {number:>2}  {option}")
        if not options and question.kind not in {Kind.LINE, Kind.TEXT}:
            self._say(f"  ({words.kind_of(question, lang)})")
        if question.kind is Kind.TEXT:
            self._say(f"  ({told(words.HOW_TEXT, lang)})")

    def _invitation(self, step: Step) -> str:
        if step.sort is Sort.GROUP:
            return told(words.FILL_GROUP, self.lang)
        return told(words.ADD_MORE if self.filling.value(step) else words.ADD_FIRST, self.lang)

    def _shown(self, question: Question, value: Json) -> str:
        if question.kind is Kind.FILE:
            return f"{len(str(value)) * 3 // 4} byte"
        if question.kind is Kind.YES_NO:
            return told(words.YES_NO[0 if value else 1], self.lang)
        for choice in question.choices:
            if choice.value == value:
                return told((choice.vi, choice.en), self.lang)
        text = str(value).replace("\n", "\n    ")
        return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"

    def _is_ready(self) -> bool:
        self._save()
        faults = self.filling.faults()
        if not faults:
            return True
        self._complain(words.STILL_WRONG)
        for where, kind in faults:
            path = ".".join(map(str, where))
            self._say(f"  {path}: {told(words.TOGETHER.get(kind, words.NEEDED), self.lang)}")
        self.filling.at = max(0, len(self.filling.steps) - 1)
        self.filling.go_to(faults[0][0])
        return False

    def _save(self) -> None:
        draft = {"schema": self.filling.model.schema_id(), "body": self.filling.whole()}
        write_private(Path(self.file), json.dumps(draft, ensure_ascii=False, indent=2).encode() + b"\n")

    def _complain(self, what: Words) -> None:
        self._say(f"  ! {told(what, self.lang)}")

    def _say(self, text: str) -> None:
        self.write(f"{printable(text)}\n")


def missing_of(name: str) -> list[dict[str, str]]:
    """Return which essential fields the finished form in the file *name* leaves out."""
    payload = read_draft(read_bytes(name, SECTION_MAX))
    return [{"path": gap.path, "vi": gap.vi, "en": gap.en} for gap in completeness(payload)]
