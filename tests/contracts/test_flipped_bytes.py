"""
Every vector with one byte of what it gives flipped, each in turn: it is refused, or it says something else.

What is protected (signed, sealed, hashed into something that is) has to be refused; what is only decoded may be
something else, but never the same in other bytes. What may change all the same and matters to nobody is in `HARMLESS`.
"""

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import ValidationError

from referral_contracts import decisions
from referral_contracts.directory import TrustRoot
from referral_contracts.directory_model import Entry, Policy, SignedHead
from referral_contracts.encoding import b64, parse_json, unb64
from referral_contracts.envelope import Envelope
from referral_contracts.errors import ReferralBusError
from referral_contracts.sections import read_section
from tests.contracts.vector_runners import RUNNERS, octets
from tests.house.tree import ROOT
from tools.vectors.kinds import KINDS

Given = Mapping[str, Any]
Where = tuple[str | int, ...]

VECTORS: Final = sorted((ROOT / "contracts/vectors").glob("*.json"))
SAMPLE: Final = 240
"""How many bytes of a vector are flipped where it is long; of what takes long to try, fewer."""
SLOW: Final = {"change": 12, "life": 6, "directory": 30, "inbox": 12, "submission": 6}
ONE_IN: Final = {"inbox": 8, "life": 8, "submission": 8}
"""In the long run all bytes are flipped, but of a kind whose parts are vectors of their own one in so many."""

PROTECTED: Final = {
    "change",
    "directory",
    "disclosed-section",
    "document",
    "head-signatures",
    "inbox",
    "life",
    "log-cosignature",
    "log-inclusion",
    "merkle-path",
    "proof",
    "section",
    "signature",
    "submission",
}
ASKED: Final = {"claim", "clock-compared", "clock-links", "correction", "due", "due-told", "log-request", "succession"}
"""Kinds that ask one thing of what kinds of their own read: what they do not ask about may be another."""
WORDS: Final = {"story", "typ", "state", "verb", "part", "receipt", "section"}
"""Members that name a row of a table, or a number: they are on no wire."""
FILED: Final = {"limit", "counting", "days"}
"""Members that write out what a pack or a calendar says: files of one's own, which are on no wire either."""

HARMLESS: Final[Mapping[tuple[str, str], str]] = {
    ("change", "before.*: id"): "an event's own name and time: its signature, which `life` has, is over them",
    ("change", "before.*: source"): "the same",
    ("change", "before.*: time"): "the same",
    ("change", "value: id"): "the same",
    ("change", "value: source"): "the same",
    ("change", "value: time"): "the same",
    ("directory", "in_use"): "the reader's own memory of a head that it has checked",
    ("disclosed-section", "section.readers.another.address"): "no reader is asked; the event's signature is over it",
    ("disclosed-section", "section.readers.another.enc"): "the same",
    ("head-signatures", "head: signatures.a stranger's"): "a signature by a key that is not pinned counts for nothing",
    ("life", "keys.*.sealing, z"): "as of a section's secret",
    ("life", "keys.*.sealing, clamped"): "the same",
    ("log-access", "key.proof"): "as whoever reads the directory has verified it",
    ("log-access", "key.use"): "the same",
    ("log-access", "key.valid_from"): "another day on which it is valid too",
    ("log-access", "key.valid_until"): "the same",
    ("log-checkpoint", "note"): "a line of a key that is not asked for counts for nothing",
    ("log-consistency", "new_root"): "every tree continues the empty one",
    ("log-policy", "policy"): "comments and addresses; where the policy comes from is the agency's business",
    ("partition", "subject"): "other cases lie in the same partition",
    ("section", "section.readers.another.address"): "another reader's; the event's signature is over it",
    ("section", "section.readers.another.enc"): "the same",
    ("section", "secret, z"): "what ML-KEM answers a wrong ciphertext with: it opens nothing",
    ("section", "secret, clamped"): "bits of an X25519 key that X25519 sets itself",
}
"""Places whose bytes may change without being refused, and why that matters to nobody."""

READERS: Final[Mapping[str, Callable[[bytes], object]]] = {
    "decision": decisions.read_decision,
    "delivery": decisions.read_delivery,
    "entry": Entry.decode,
    "envelope": Envelope.decode,
    "policy": Policy.decode,
    "signed-head": SignedHead.decode,
    "trust-root": TrustRoot.decode,
    "verdict": decisions.read_verdict,
}
"""What reads a kind's only member, where its runner tells less than all that was read."""

REFUSED: Final = (ReferralBusError, ValidationError)
"""A section that a vector gives as JSON is read by its model."""


def read(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a vector, and what of it is given."""
    vector: dict[str, Any] = json.loads(path.read_text())
    return vector, {name: vector[name] for name in KINDS[vector["kind"]].given}


def leaves(told: object, at: Where = ()) -> Iterator[tuple[Where, bytes]]:
    """Go through everything in *told* that has bytes."""
    if at[:1] and at[0] in FILED:
        return
    if isinstance(told, dict) and told.keys() <= {"utf8", "times", "base64url"}:
        yield at, octets(told)
    elif isinstance(told, dict):
        for name, inner in told.items():
            yield from leaves(inner, (*at, name))
    elif isinstance(told, list):
        for number, inner in enumerate(told):
            yield from leaves(inner, (*at, number))
    elif isinstance(told, str) and at[-1] not in WORDS:
        yield at, told.encode()


def put(told: Any, at: Where, data: bytes) -> Any:
    """Return *told* with other bytes at this place."""
    if not at:
        return data.decode() if isinstance(told, str) else {"base64url": b64(data)}
    inner = put(told[at[0]], at[1:], data)
    if isinstance(told, list):
        return [*told[: int(at[0])], inner, *told[int(at[0]) + 1 :]]
    return {**told, at[0]: inner}


def flips(given: Given, spots: Callable[[int], Sequence[int]]) -> Iterator[tuple[Where, bytes, Any]]:
    """Go through *given* with one byte flipped, at these of all its bytes."""
    found = list(leaves(given))
    chosen = set(spots(sum(len(data) for _, data in found)))
    number = -1
    for at, data in found:
        for place in range(len(data)):
            number += 1
            if number in chosen:
                changed = bytearray(data)
                # Not the highest bit of a text: it would be none.
                changed[place] ^= 1 << number % 7
                yield at, bytes(changed), put(given, at, bytes(changed))


def named(given: Given, at: Where, data: bytes) -> str:
    """Return the name of a place: the member that differs, and whose it is where that is why it does not matter."""
    inner: Any = given
    for step in at:
        inner = inner[step]
    if at[:2] == ("section", "readers"):
        own = given["section"]["readers"][at[2]]["address"] == given.get("address")
        return f"section.readers.{'own' if own else 'another'}.{at[3]}"
    name = ".".join("*" if isinstance(step, int) else step for step in at)
    if at[0] == "in_use":
        return "in_use"
    if name == "secret":
        return f"secret, {_part_of_secret(octets(inner), data)}"
    if at[0] == "keys" and at[-1] == "sealing":
        return f"keys.*.sealing, {_part_of_secret(unb64(inner), unb64(data.decode()))}"
    if isinstance(inner, str):
        return name
    try:
        before: Any = parse_json(octets(inner))
        parts = _differs(before, parse_json(data))
    except ReferralBusError:
        return name
    if parts[0] == "signatures":
        pinned = {key["kid"] for key in given["trust_root"]["keys"]}
        parts[1] = "pinned" if _kid(before["signatures"][int(parts[1])]) in pinned else "a stranger's"
    return f"{name}: {'.'.join(parts)}"


def _part_of_secret(before: bytes, after: bytes) -> str:
    """Return which part of a private sealing key differs: ML-KEM seed d, z, or X25519 private key."""
    place = next(place for place, (one, other) in enumerate(zip(before, after, strict=True)) if one != other)
    return "z" if 32 <= place < 64 else "clamped" if place in {64, 95} else "used"


def _kid(signature: str) -> object:
    header: dict[str, object] = json.loads(unb64(signature.partition(".")[0]))
    return header["kid"]


def _differs(one: Any, other: Any) -> list[str]:
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        name = next((name for name in one if one[name] != other[name]), None)
        return [] if name is None else [name, *_differs(one[name], other[name])]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        number = next(number for number in range(len(one)) if one[number] != other[number])
        return [str(number), *_differs(one[number], other[number])]
    return []


def meaning(kind: str, given: Given) -> object:
    """Return all that is read out of a vector."""
    if kind == "body":
        # Not its runner: what a newer minor version says is read, and not written again.
        return read_section(octets(given["plaintext"]))
    came = RUNNERS[kind](given)
    return READERS[kind](octets(given[KINDS[kind].given[0]])) if kind in READERS else came


def unrefused(path: Path, spots: Callable[[int], Sequence[int]]) -> set[tuple[str, str]]:
    """Return the places of a valid vector that could be changed without being refused and without saying another."""
    vector, given = read(path)
    kind, found = vector["kind"], set()
    meant = meaning(kind, vector)
    for at, data, flipped in flips(given, spots):
        try:
            same = meaning(kind, {**vector, **flipped}) == meant
        except REFUSED:
            continue
        except (AssertionError, KeyError):
            # What SPEC section 14 has a receiver compare, the story's runner asserts.
            if kind != "life":
                raise
            continue
        if same or kind in PROTECTED:
            found.add((kind, named(given, at, data)))
    return found


def sampled(path: Path, most: int = SAMPLE) -> Callable[[int], Sequence[int]]:
    """Return which bytes are flipped in a vector: the same ones in every run."""
    vector, _ = read(path)
    most = min(most, SLOW.get(vector["kind"], most))
    return lambda size: random.Random(path.stem).sample(range(size), min(size, most))


def one_in(every: int) -> Callable[[int], Sequence[int]]:
    return lambda size: range(0, size, every)


def says_all(vector: Mapping[str, Any]) -> bool:
    """Whether what comes of a vector is all that its bytes say, and it is valid."""
    return vector["expect"] == "valid" and vector["kind"] not in ASKED


def of(*, valid: bool) -> list[Any]:
    """Return the vectors that are valid, or are not, as parameters."""
    return [pytest.param(path, id=path.stem) for path in VECTORS if says_all(read(path)[0]) is valid]


@pytest.mark.parametrize("path", of(valid=True))
def test_a_flipped_byte_is_refused_or_says_something_else(path: Path) -> None:
    assert unrefused(path, sampled(path)) <= set(HARMLESS)


@pytest.mark.parametrize("path", of(valid=False))
def test_a_flipped_byte_of_what_is_refused_breaks_nothing(path: Path) -> None:
    vector, given = read(path)
    kind = vector["kind"]
    for _, _, flipped in flips(given, sampled(path, SAMPLE // 8)):
        try:
            meaning(kind, {**vector, **flipped})
        except REFUSED:
            continue
        except KeyError as error:
            # The flip has mended it, and a vector that is refused does not tell what would come of it.
            assert error.args[0] in KINDS[kind].comes


@pytest.mark.long
def test_every_byte_flipped_is_refused_or_says_something_else() -> None:
    found = set()
    for path in VECTORS:
        vector, _ = read(path)
        if says_all(vector):
            found |= unrefused(path, one_in(ONE_IN.get(vector["kind"], 1)))

    assert found <= set(HARMLESS)
    # And no less, where all bytes were tried: what is on the list for no reason would hide something one day.
    assert {place for place in HARMLESS if place[0] not in ONE_IN} <= found
