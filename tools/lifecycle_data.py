"""Section 9 of SPEC as data, `contracts/lifecycle.json`: what a reader in another language need not copy by hand."""

import json
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

from referral_contracts.lifecycle import (
    CASES,
    CLOCK_VERBS,
    ENDED_STATES,
    HANDOFFS,
    HEADLESS,
    NOT_SHOWN_HELD,
    OPEN_STATES,
    OPENINGS,
    RECEIPTS,
    Part,
)
from referral_contracts.verbs import Verb
from tools.lifecycle_page import answered, told

DATA: Final = Path("contracts/lifecycle.json")

_S = TypeVar("_S", bound=StrEnum)


def _verb(verb: Verb) -> dict[str, object]:
    return {
        "answers": answered(verb),
        "clock": verb in CLOCK_VERBS,
        "handoff": not verb.of_case and verb not in OPENINGS,
        "moves": verb not in HEADLESS,
        "recipients": told(verb),
    }


def _steps(machine: Mapping[_S, Mapping[tuple[Verb, Part], _S]]) -> dict[str, list[dict[str, str]]]:
    return {
        state.value: [
            {"verb": verb.value, "part": part.value, "after": after.value} for (verb, part), after in steps.items()
        ]
        for state, steps in machine.items()
    }


def pages() -> Iterator[tuple[Path, str]]:
    """Yield the file."""
    receipts = {
        receipt: {(verb, Part.RECIPIENT): after for verb, after in moves.items()} for receipt, moves in RECEIPTS.items()
    }
    data = {
        "verbs": {verb.value: _verb(verb) for verb in Verb},
        "cases": _steps(CASES),
        "handoffs": _steps(HANDOFFS),
        "receipts": _steps(receipts),
        "not_shown_held": sorted(NOT_SHOWN_HELD),
        "open": sorted(OPEN_STATES),
        "ended": sorted(ENDED_STATES),
    }
    yield DATA, json.dumps(data, ensure_ascii=False, indent=1) + "\n"
