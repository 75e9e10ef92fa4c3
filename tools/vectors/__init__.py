"""
The vectors of the wire format, made from the code: `contracts/vectors`.

What is drawn at random, the sealing of content keys, is made once and kept in `frozen.json`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tools.vectors import (
    changes,
    clocks,
    directories,
    dues,
    encodings,
    envelopes,
    heard,
    inboxes,
    leaves,
    life,
    logs,
    reads,
    rooms,
    sections,
    signatures,
    steps,
    submissions,
    successors,
)
from tools.vectors.frozen import KEPT, Frozen
from tools.vectors.stories import STORIES
from tools.vectors.story import FIRST
from tools.vectors.vector import Vector

VECTORS: Final = Path("contracts/vectors")


def all_cases(frozen: Frozen) -> Iterator[Vector]:
    """Yield every vector."""
    yield from encodings.cases()
    yield from dues.cases()
    yield from envelopes.cases(frozen)
    yield from signatures.cases()
    yield from sections.cases(frozen)
    yield from leaves.cases()
    yield from steps.cases()
    yield from rooms.cases()
    yield from clocks.cases()
    yield from directories.cases()
    yield from changes.cases()
    yield from successors.cases()
    yield from heard.cases()
    for story in (FIRST, *STORIES):
        yield from life.cases(life.Life(frozen, story))
    yield from inboxes.cases(frozen)
    yield from submissions.cases(frozen)
    yield from logs.cases()
    yield from reads.cases()


__all__ = ["KEPT", "VECTORS", "Frozen", "Vector", "all_cases"]
