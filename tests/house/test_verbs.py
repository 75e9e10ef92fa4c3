"""Whoever adds a verb is told here what else it needs: a method, a command, words, a form, and a look at SOME."""

import asyncio
import importlib
import inspect
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

import pytest
import typer

from referral_bus import Draft, ReferralBus
from referral_bus._cli import answers, build, cases, clocks, drafts, run, send
from referral_bus._cli.world import Exit, Identity, World
from referral_bus.testing import Clock
from referral_bus.transport import Connect
from referral_contracts.lifecycle import State
from referral_contracts.verbs import DEADLINES, Verb
from tests.house.tree import ROOT, files
from tools.lifecycle_page import FHIR

SAID_UNASKED = {Verb.RECEIVED, Verb.UNREADABLE, Verb.EXPIRED, *DEADLINES}
"""What no method and no command says: the SDK says it by itself, in the transaction that stores the event, or the
deadline watcher does."""
SOME = {
    "OPENINGS": "opens a hand-off for each recipient",
    "HEADLESS": "moves no head",
    "LINKS": "ties a case to others, or takes that back",
    "CLOCK_VERBS": "can start or stop a legal clock",
    "TELLING_VERBS": "has a body that can hold a trigger",
    "CLOCKED": "gets a clock section from the SDK",
    "BY_FORM": "what a Mẫu 01 in it, or answered by it, tells the watcher",
    "_RECEIPTS": "is a receipt",
    "_PUT_RIGHT": "is left out of the picture of a hand-off's life",
    "_UNCORRECTED": "is nothing that a correction names",
    "CORRECTIONS": "names an earlier event that it corrects",
    "TALK": "asks, answers or corrects, in every state",
    "BESIDE": "changes no state of a hand-off, and no picture shows it",
    "_ANSWERS": "goes to whom the hand-off or case says: to the successors of those who have ended",
    "_NAMING": "names last, in the SDK, who is new to the hand-off",
    "_CARRYING": "may carry the forms of another verb as well",
    "_BY_SYSTEM": "passes on nobody else's word, said for an agency that is not on the bus",
    "_BY_WATCHER": "the deadline watcher may say it of a hand-off, though it is no party",
    "_ANSWER_NOTHING": "answers nothing",
    "_APART": "goes to each recipient in an event of its own",
    "_JUDGED": "is held against the directory's policy",
    "_BY_RECIPIENT": "the recipient of a hand-off says it, in the vectors",
    "CLOCKS": "says something of a clock that runs already",
    "DEADLINES": "tells of a deadline: the watcher says it, though it is no party",
    "_BODIES": "says something of a clock, with which body",
    "_BY_ANOTHER_VERB": "tells the watcher what follows from another event as well",
    "_OURS": "tells the responsible agency what to do next",
    "_TO_ONE": "is told one recipient, and is no answer",
    "TRANSFER_ANSWERS": "ends the offer of a case, and goes to its other side",
    "_TOLD_BY_OWNER": "is told whom, on the page of the lifecycles, when the owner of a case says it",
    "_GOOD": "has an arrow, in the picture of a trail, that says that work goes on or is done",
    "_BAD": "has one that says that something was given back, taken back or went wrong",
    "_LATE": "has one that says that a deadline has passed",
    "_TO_NOBODY": "has no recipients, in the vectors",
}
"""Tables and sets of the code that hold some of the verbs only, and what a verb that is in one does."""
LOOKED_AT = 47
"""How many verbs have been held against each row of SOME."""


def test_each_verb_was_held_against_what_only_some_verbs_do() -> None:
    assert len(Verb) == LOOKED_AT, f"decide for the new verb in each of {', '.join(SOME)}; then count it"


class Recorder:
    """In the place of `Drafts`: each draft is the verb that it would say."""

    def open_case(self, _payloads: object, *, exercise: bool) -> Verb:
        return Verb.CASE_OPENED

    def to_each(self, verb: Verb, *_told: object, **_more: object) -> Verb:
        return verb

    def move(self, *_told: object, **_more: object) -> Verb:
        return Verb.MOVED

    about_case = about_handoff = link = to_each


@pytest.fixture
def bus(monkeypatch: pytest.MonkeyPatch) -> ReferralBus:
    monkeypatch.setattr(ReferralBus, "_drafts", Recorder())
    return ReferralBus.__new__(ReferralBus)


def test_each_verb_has_a_method_of_the_sdk(bus: ReferralBus) -> None:
    said = []
    for name, method in inspect.getmembers(ReferralBus, inspect.isfunction):
        told = inspect.signature(method)
        if told.return_annotation is Draft and not name.startswith("_"):
            needed = [part for part in told.parameters.values() if part.kind is part.POSITIONAL_OR_KEYWORD]
            said.append(method(bus, *needed[1:]))

    assert sorted(said) == sorted(set(Verb) - SAID_UNASKED)


def commands_that_say() -> Iterator[tuple[tuple[str, ...], Any]]:
    def walk(command: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
        for name, inner in getattr(command, "commands", {}).items():
            yield from walk(inner, (*path, name))
        if any(part.name == "no_wait" for part in command.params):
            yield path, command

    yield from walk(typer.main.get_command(build()), ())


def typed(command: Any) -> list[str]:
    """Return words for everything that *command* needs."""
    file = str(ROOT / "examples" / "note.json")
    words = {"files": file, "to": f"a={file}", "case": "0", "other": "0", "handoff": "0", "event": "0"}
    # A note goes to others or, as files alone, to nobody.
    needed = [part for part in command.params if part.required or part.name == "files"]
    options = [part for part in needed if part.param_type_name == "option"]
    told = [word for part in options for word in (part.opts[0], words[part.name])]
    return [*told, *(words[part.name] for part in needed if part not in options)]


def test_each_verb_has_a_command(bus: ReferralBus, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[object] = []

    async def say(_call: object, make: Any, _patience: object) -> Exit:
        said.append(make(bus))
        return Exit.DONE

    def nowhere(_bootstrap: str, _identity: Identity) -> Connect:
        pytest.fail("nothing is to be sent")

    for module in (answers, cases, clocks, send):
        monkeypatch.setattr(module, "say", say)
    found = [(answers, "find_answered"), *((module, "find_subject") for module in (cases, clocks, drafts))]
    for module, name in (*found, (answers, "find_said"), (cases, "find_said")):
        monkeypatch.setattr(module, name, lambda _bus, text: text)
    world = World(environ={}, connect=nowhere, clock=Clock(), run=asyncio.run)
    for path, command in commands_that_say():
        assert run([*path, *typed(command)], world) == Exit.DONE, path

    assert sorted(map(str, said)) == sorted(set(Verb) - SAID_UNASKED)


def tables() -> Iterator[tuple[str, Mapping[Any, object] | AbstractSet[Any]]]:
    """Yield every table and set of our modules whose keys are verbs, with its name."""
    for path in files("contracts/referral_*/*.py", "sdk/referral_*/*.py", "services/*/*.py", "tools/*.py"):
        parts = path.with_suffix("").parts
        name = ".".join(parts if parts[0] == "tools" else parts[1:]).removesuffix(".__init__")
        if parts[-1] == "__main__":
            continue
        for attribute, value in vars(importlib.import_module(name)).items():
            if isinstance(value, Mapping | AbstractSet) and value and all(isinstance(key, Verb) for key in value):
                yield attribute, value


def test_each_table_of_verbs_is_complete_or_is_known_not_to_be() -> None:
    found = list(tables())
    complete = {name for name, table in found if set(table) == set(Verb)}

    assert {name for name, _ in found} - complete == set(SOME)
    assert complete == {"BODIES", "USES", "VERBS"}


def test_each_state_has_a_word_of_fhir() -> None:
    assert set(FHIR) == set(State)
