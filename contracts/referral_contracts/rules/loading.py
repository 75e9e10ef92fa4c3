"""
From TOML texts to packs: everything that is wrong is told at once, by file, rule and field.

A pack is data that accuses people. So nothing in it is guessed at, left out or repaired.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from referral_contracts.rules.checks import faults_of, faults_of_row, faults_together
from referral_contracts.rules.faults import Fault, PackRefused, Problem
from referral_contracts.rules.pack import Override, Pack, PackHead, Rule, Threshold

Row = TypeVar("Row", bound=BaseModel)

_TABLES: Final[Mapping[str, type[BaseModel]]] = {"rule": Rule, "override": Override, "threshold": Threshold}
_FAULTS: Final[Mapping[str, Fault]] = {
    "missing": Fault.MISSING_FIELD,
    "extra_forbidden": Fault.UNKNOWN_FIELD,
    **{fault.value: fault for fault in (Fault.UNKNOWN_HAPPENING, Fault.UNKNOWN_ROLE)},
}
"""What pydantic calls it, and what we do."""


def load_packs(texts: Mapping[str, str]) -> tuple[Pack, ...]:
    """
    Return the packs that *texts* write, by the names of their files.

    Raises:
        PackRefused: Something is wrong with them, each alone or together.
    """
    packs, problems = read_packs(texts)
    if problems:
        raise PackRefused(problems)
    return tuple(packs.values())


def read_packs(texts: Mapping[str, str]) -> tuple[Mapping[str, Pack], tuple[Problem, ...]]:
    """Return the packs that can be read, by file, and everything that is wrong with *texts*."""
    packs: dict[str, Pack] = {}
    problems: list[Problem] = []
    for file, text in texts.items():
        pack, found = _read(file, text)
        problems += found
        if pack is not None:
            packs[file] = pack
            problems += faults_of(file, pack)
    return packs, (*problems, *faults_together(packs))


def _read(file: str, text: str) -> tuple[Pack | None, list[Problem]]:
    problems: list[Problem] = []
    told = read_toml(file, text, problems)
    if told is None:
        return None, problems
    problems += _strange(file, told)
    head = read_row(PackHead, told.get("pack", {}), file, "pack", problems)
    rows: dict[str, tuple[Any, ...]] = {}
    for name, model in _TABLES.items():
        listed = told.get(name, [])
        if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
            problems.append(Problem(file, "", name, Fault.WRONG_VALUE, f"written [[{name}]], once for each"))
            continue
        found = (
            read_row(model, one, file, _called(one, name, number), problems)
            for number, one in enumerate(listed, start=1)
        )
        rows[name] = tuple(row for row in found if row is not None)
        problems += [problem for row in rows[name] for problem in faults_of_row(file, row)]
    if head is None:
        return None, problems
    # What is wrong in a row is told; the rest is looked at all the same, so that a person mends a file once.
    return Pack(pack=head, **rows), problems


def _strange(file: str, told: Mapping[str, Any]) -> Iterator[Problem]:
    for name in told.keys() - _TABLES.keys() - {"pack"}:
        yield Problem(file, "", name, Fault.UNKNOWN_FIELD, "no such table")
    if "pack" not in told:
        yield Problem(file, "", "pack", Fault.MISSING_FIELD, "a pack says what it is in [pack]")


def _called(row: Mapping[str, Any], table: str, number: int) -> str:
    name = row.get("id" if table == "rule" else "rule")
    return name if isinstance(name, str) and name else f"{table} {number}"


def read_toml(file: str, text: str, problems: list[Problem]) -> dict[str, Any] | None:
    """Return what *text* writes, or None; why it writes nothing is added to *problems*."""
    try:
        told = tomllib.loads(text)
        # Numbers that are too long to write, and nesting that is too deep to follow, are found here.
        json.dumps(told, default=_plain)
    except tomllib.TOMLDecodeError as error:
        problems.append(Problem(file, "", "", Fault.MALFORMED_TOML, _lower(str(error))))
    except (ValueError, RecursionError):
        problems.append(Problem(file, "", "", Fault.MALFORMED_TOML, "a number too long, or nested too deep"))
    else:
        return told
    return None


def read_row(model: type[Row], told: object, file: str, name: str, problems: list[Problem]) -> Row | None:
    """Return the row that *told* writes, or None; what is wrong with it is added to *problems*."""
    # Through JSON: there a list is a tuple's and a date's text a date's, and nothing else is converted.
    try:
        return model.model_validate_json(json.dumps(told, default=_plain))
    except ValidationError as error:
        problems += [_problem(file, name, found) for found in error.errors(include_url=False, include_input=False)]
        return None


def _plain(value: object) -> str:
    # A date is written as a date. A time or a date with a time has no place in a pack, and does not pass for one.
    return value.isoformat() if type(value) is date else repr(value)


def _problem(file: str, rule: str, found: Any) -> Problem:  # noqa: ANN401 (pydantic's own dictionary)
    field = ".".join(str(part) for part in found["loc"])
    fault = _FAULTS.get(found["type"], Fault.WRONG_VALUE)
    if field == "source" and found["type"] in {"missing", "string_too_short"}:
        fault = Fault.MISSING_SOURCE
    return Problem(file, "" if rule == "pack" else rule, field, fault, _lower(found["msg"]))


def _lower(text: str) -> str:
    """Return a library's sentence as a fragment."""
    return text[:1].lower() + text[1:]
