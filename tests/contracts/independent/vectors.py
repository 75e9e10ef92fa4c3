"""What the authors of cryptography ship as vectors, read: RFCs' and NIST's, of the release that we run."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from cryptography_vectors import open_vector_file


def told(name: str) -> str:
    """Return the text of a file of vectors."""
    with open_vector_file(name, "r") as file:
        text: str = file.read()
    return text


def json_of(name: str) -> list[dict[str, Any]]:
    """Return the vectors of a file in JSON."""
    vectors: list[dict[str, Any]] = json.loads(told(name))
    return vectors


def blocks_of(name: str, first: str) -> Iterator[Mapping[str, str]]:
    """
    Give the vectors of a file of ``name = value`` lines, each beginning with the name *first*.

    A line in brackets holds for all that follow, until another of its name. A word alone, as FAIL, is a name.
    """
    above: dict[str, str] = {}
    block: dict[str, str] = {}
    for line in told(name).splitlines():
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        key, _, value = (part.strip() for part in text.strip("[]").partition("="))
        if text.startswith("["):
            above[key] = value
            continue
        if key == first and block:
            yield block
        block = {**above, key: value} if key == first else {**block, key: value}
    yield block


def raw(vector: Mapping[str, Any], *names: str) -> tuple[bytes, ...]:
    """Return the bytes that *names* spell in hexadecimal."""
    return tuple(bytes.fromhex(vector[name]) for name in names)
