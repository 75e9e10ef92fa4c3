"""Vectors with a byte or a character changed: what we refuse no other reader takes, and it reads what we read."""

import random
from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest
from pydantic import ValidationError

from referral_contracts.encoding import b64
from referral_contracts.errors import ReferralBusError
from tests.contracts.vector_runners import RUNNERS, octets
from tests.interop.readers import VECTORS, Program, given
from tests.interop.test_readers import BY_VALUE, spelled

pytestmark = pytest.mark.interop

CHANGES: Final = 12
"""Of each vector. Which, is drawn, from the same seed each time."""
NOT_CHANGED: Final = {"at", "kind", "seed", "story"}
FORMS: Final = "body"
"""What a person may say in a form is more than JSON Schema: other readers show it all the same (SPEC 8)."""
JUDGED: Final = "submission"
"""What becomes of another submission only a router can tell; readers check what one wrote."""
REFUSING: Final = {vector["kind"] for vector in VECTORS if vector["expect"] != "valid"} - {JUDGED} | {"life"}
"""Kinds in which something can be refused: the others only compute."""
LETTERS: Final = "AZaz09-_.:/ é\n"


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield where in a vector something can be changed."""
    if isinstance(value, Mapping) and not (value.keys() <= {"utf8", "base64url", "times"} and value):
        for name, inner in value.items():
            if path or name not in NOT_CHANGED:
                yield from places(inner, (*path, name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, (*path, index))
    elif value is not None and value != "" and path != ("context", "section"):
        # The name of a section's place is no part of what is sent.
        yield path


def in_records(story: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Yield what the router wrote in a whole story: each is signed, or under something that is."""
    for path in places(story["records"]):
        if path[1] in {"headers", "value"} and path[-1] not in {0, "submission"}:
            yield ("records", *path)


def changed(value: Any, path: tuple[Any, ...], draw: random.Random) -> Any:
    if path:
        inner = changed(value[path[0]], path[1:], draw)
        if isinstance(value, list):
            return [*value[: path[0]], inner, *value[path[0] + 1 :]]
        return {**value, path[0]: inner}
    if isinstance(value, Mapping):
        data = bytearray(octets(value) or b"\0")
        data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        return {"base64url": b64(bytes(data))}
    if isinstance(value, int):
        return draw.choice([value + 1, max(0, value - 1), value ^ 1 << draw.randrange(8)])
    at = draw.randrange(len(value))
    return value[:at] + draw.choice(LETTERS) + value[at + 1 :]


def ours(vector: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what we make of a vector; None where we refuse it."""
    try:
        return {name: spelled(value) for name, value in RUNNERS[vector["kind"]](vector).items()}
    except (ReferralBusError, ValidationError, ValueError, AssertionError, KeyError):
        return None


def test_no_reader_takes_what_we_refuse(program: Program) -> None:
    draw = random.Random(20260314)
    tried = []
    for vector in VECTORS:
        told = given(vector)
        ways = list(in_records(told) if vector["kind"] == "life" else places(told))
        if vector["kind"] in REFUSING and vector["name"] not in BY_VALUE and ways:
            tried += [changed(told, draw.choice(ways), draw) for _ in range(CHANGES)]
    came = program.came(tried)

    refused = 0
    for vector, told in zip(tried, came, strict=True):
        own = ours(vector)
        refused += own is None
        if own is None and vector["kind"] != FORMS:
            assert "code" in told, vector
        elif own is not None and vector["kind"] != "life":
            assert own == {name: spelled(value) for name, value in told.get("came", {}).items()}, (vector, told)
    assert len(tried) / 2 < refused < len(tried)
