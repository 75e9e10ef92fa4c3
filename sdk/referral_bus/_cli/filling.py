"""
A form on its way from its first question to its last: where one is, what was answered, what comes next.

The steps follow from what was answered so far: the words for ``other`` are asked when ``other`` was chosen, a group's
own questions when somebody wants to fill it in. No terminal and no file here.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import pairwise
from typing import Any, Final

from pydantic import ValidationError

from referral_bus._cli.form_answers import Json, read_answer, says_yes
from referral_contracts.encoding import jcs
from referral_contracts.payloads.base import OTHER, FieldGroup
from referral_contracts.payloads.outline import Question, depends_on, outline
from referral_contracts.payloads.payload import Payload

FormPath = tuple[str | int, ...]

_LATER: Final = frozenset({"missing", "other"})
"""Faults that the next questions put right."""


class Sort(Enum):
    """What a step asks."""

    ANSWER = auto()
    GROUP = auto()
    """Whether a group is wanted at all."""
    MORE = auto()
    """Whether there is another one in a list; in a list of plain answers, the next answer itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that is asked."""

    sort: Sort
    path: FormPath
    question: Question
    parents: tuple[Question, ...]
    required: bool = False

    @property
    def holder(self) -> FormPath:
        """The group that the question belongs to, or the item of a list."""
        return self.path[:-1] if self.parents else ()


class Refused(Exception):
    """The answer is one, and the form does not allow it."""

    def __init__(self, kind: str) -> None:
        """Keep the *kind* of fault, in pydantic's or the form's own words."""
        super().__init__(kind)
        self.kind = kind


@dataclass(slots=True)
class Filling:
    """A form that is being filled in."""

    model: type[Payload]
    body: dict[str, Any] = field(repr=False)
    """As JSON, whole or not yet."""
    at: int = 0

    @property
    def steps(self) -> Sequence[Step]:
        """Every step, as things stand."""
        return tuple(_steps(self.model, self.body, (), ()))

    @property
    def step(self) -> Step | None:
        """The step at hand; None when all are behind."""
        steps = self.steps
        return steps[self.at] if self.at < len(steps) else None

    def value(self, step: Step) -> Json | None:
        """Return the answer that *step* has so far."""
        node: Any = self.body
        for name in step.path:
            inside = name in node if isinstance(node, Mapping) else isinstance(name, int) and name < len(node)
            if not inside:
                return None
            node = node[name]
        found: Json = node
        return found

    def resume(self) -> None:
        """Go to what comes after the last thing that was answered."""
        answered = [
            number
            for number, step in enumerate(self.steps)
            if step.sort is Sort.ANSWER and self.value(step) is not None
        ]
        self.at = answered[-1] + 1 if answered else 0

    def back(self) -> bool:
        """Go to the step before; return False if there is none."""
        if self.at == 0:
            return False
        self.at -= 1
        return True

    def leave(self, step: Step) -> None:
        """
        Go on without another answer.

        Raises:
            Refused: There is none, and one is required.
        """
        if step.sort is Sort.ANSWER and step.required and self.value(step) is None:
            holder = step.path[:-1]
            if not self._is_optional(step) or _filled(self._node(holder)):
                raise Refused("missing")
            # The part was wanted and then left empty: it goes, and what follows it comes into its place.
            self._remove(holder)
            self.at = len(list(self._steps_before(holder)))
            return
        self.at += 1

    def answer(self, step: Step, typed: str) -> None:
        """
        Take what was typed as the answer to *step*, and go on.

        Raises:
            NotAnAnswer: It is none.
            Refused: It disagrees with another answer.
        """
        if step.sort is not Sort.ANSWER and step.question.group is not None:
            self._open(step, wanted=says_yes(typed))
            return
        path = (*step.path, len(self._node(step.path) or ())) if step.sort is Sort.MORE else step.path
        before = deepcopy(self.body)
        self._put(path, read_answer(step.question, typed))
        self._drop_words(step)
        fault = self._fault(path)
        if fault is not None:
            self.body = before
            raise Refused(fault)
        self.at += 1

    def erase(self, step: Step) -> None:
        """Take the answer to *step* away, and all below it; stay there."""
        if step.sort is Sort.MORE:
            given = self._node(step.path)
            if given:
                del given[-1]
                self.at = next((number for number, one in enumerate(self.steps) if one == step), 0)
            return
        self._remove(step.path)
        self._drop_words(step)

    def whole(self) -> dict[str, Any]:
        """Return the body without what is empty."""
        return _pruned(self.body)

    def faults(self) -> list[tuple[FormPath, str]]:
        """Return what keeps the form from being sent: where, and what kind of fault."""
        try:
            self.model.model_validate_json(jcs(self.whole()))
        except ValidationError as error:
            told = error.errors(include_input=False, include_url=False, include_context=False)
            return [(fault["loc"], fault["type"]) for fault in told]
        return []

    def go_to(self, path: FormPath) -> None:
        """Go to the first step at *path* or below it, or stay."""
        steps = self.steps
        found = (number for number, step in enumerate(steps) if step.path[: len(path)] == path)
        self.at = next(found, self.at)

    def _open(self, step: Step, *, wanted: bool) -> None:
        if step.sort is Sort.MORE and wanted:
            given = self._node(step.path)
            self._put((*step.path, len(given or ())), {})
            return
        if step.sort is Sort.GROUP and wanted and self._node(step.path) is None:
            self._put(step.path, {})
        self.at += 1

    def _fault(self, path: FormPath) -> str | None:
        """Return what the whole form has against the answer at *path*, beyond what comes later."""
        for where, kind in self.faults():
            if kind not in _LATER and path[: len(where)] == where:
                return kind
        return None

    def _drop_words(self, step: Step) -> None:
        beside = (*step.path[:-1], f"{step.path[-1]}_other")
        if self.value(step) != OTHER:
            self._remove(beside)

    def _is_optional(self, step: Step) -> bool:
        return bool(step.parents) and (step.parents[-1].many or not step.parents[-1].required)

    def _steps_before(self, path: FormPath) -> Iterator[Step]:
        for step in self.steps:
            if step.path == path or (step.sort is Sort.MORE and step.path == path[:-1]):
                return
            yield step

    def _node(self, path: FormPath) -> Any:  # noqa: ANN401 - JSON
        node: Any = self.body
        for name in path:
            try:
                node = node[name]
            except (KeyError, IndexError):
                return None
        return node

    def _put(self, path: FormPath, value: Json) -> None:
        node: Any = self.body
        for name, following in pairwise(path):
            fresh: Any = [] if isinstance(following, int) else {}
            if isinstance(node, list) and isinstance(name, int) and name == len(node):
                node.append(fresh)
            inside: Any = name
            node = node[inside] if isinstance(node, list) else node.setdefault(name, fresh)
        last: Any = path[-1]
        if isinstance(node, list) and last == len(node):
            node.append(value)
        else:
            node[last] = value

    def _remove(self, path: FormPath) -> None:
        holder = self._node(path[:-1])
        if self._node(path) is not None:
            del holder[path[-1]]


def _steps(
    group: type[FieldGroup], body: Mapping[str, Any], path: FormPath, parents: tuple[Question, ...]
) -> Iterator[Step]:
    questions = outline(group)
    for question in questions:
        choice = depends_on(question, questions)
        if choice is not None and body.get(choice.name) != OTHER:
            continue
        here = (*path, question.name)
        value = body.get(question.name)
        if question.many:
            yield from _list(question, value or [], here, parents)
        elif question.group is None:
            # Words for `other` are asked only when that was chosen, and then nothing goes without them.
            required = question.required or choice is not None
            yield Step(sort=Sort.ANSWER, path=here, question=question, parents=parents, required=required)
        else:
            if not question.required:
                yield Step(sort=Sort.GROUP, path=here, question=question, parents=parents)
            if question.required or value is not None:
                yield from _steps(question.group, value or {}, here, (*parents, question))


def _list(question: Question, given: Sequence[Any], path: FormPath, parents: tuple[Question, ...]) -> Iterator[Step]:
    for index, item in enumerate(given):
        if question.group is None:
            yield Step(sort=Sort.ANSWER, path=(*path, index), question=question, parents=parents)
        else:
            yield from _steps(question.group, item, (*path, index), (*parents, question))
    yield Step(sort=Sort.MORE, path=path, question=question, parents=parents)


def _filled(node: object) -> bool:
    return bool(_pruned_value(node))


def _pruned(body: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: _pruned_value(value) for name, value in body.items()}
    return {name: value for name, value in kept.items() if value not in (None, {}, [], "")}


def _pruned_value(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, Mapping):
        return _pruned(value)
    if isinstance(value, list):
        return [item for item in map(_pruned_value, value) if item not in (None, {}, [], "")]
    return value
