"""
Secrets in the repository: what has the shape of a key, and what looks as random as one.

Shapes are looked for in every file that git keeps. Randomness, in words of base64 or hexadecimal that could hold 32
bytes, is looked for in all but those whose nature it is to be full of it; what else is public is listed in known.toml,
by its hash.
"""

import hashlib
import math
import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

from tools.supply.locks import ROOT, tracked

_SHAPES: Final = {
    "a private key": re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----\s+[A-Za-z0-9+/=]{16}"),
    "an age key": re.compile(rb"\bAGE-SECRET-KEY-1[0-9A-Z]{50,}"),
    "a key of a cloud": re.compile(rb"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bAIza[0-9A-Za-z_-]{35}\b"),
    "a token of a code host": re.compile(
        rb"\bgh[pousr]_[0-9A-Za-z]{36,}|\bgithub_pat_\w{40,}|\bglpat-[\w-]{20,}|\bnpm_[0-9A-Za-z]{36}|\bpypi-[\w-]{50,}"
    ),
    "a token of a chat": re.compile(rb"\bxox[abposr]-[0-9A-Za-z-]{10,}"),
    "a signed token": re.compile(rb"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{20,}"),
    "a password in an address": re.compile(rb"\b[a-z][a-z+]{2,15}://[^\s:/@\"'{}$<>]+:[^\s:/@\"'{}$<>]+@[\w.-]+"),
    "a password": re.compile(
        rb"(?i)\b(?:password|passwd|api[_-]?key|secret[_-]?key|access[_-]?token)[\"']?\s*[:=]\s*[\"'][^\s\"'{}$<>]{6,}[\"']"
    ),
}
_WORDS: Final = (
    # With the least entropy a character, in bits: 32 random bytes have 4.7 to 5.2 and 3.6 to 4; names and paths less.
    (re.compile(rb"[A-Za-z0-9+/_-]{40,}={0,2}"), 4.3),
    (re.compile(rb"\b(?:[0-9a-f]{64,}|[0-9A-F]{64,})\b"), 3.3),
)
_KNOWN: Final = Path(__file__).with_name("known.toml")


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something that should not be in the repository; what it is stays unsaid."""

    path: str
    line: int
    what: str
    digest: str
    """The first 16 hexadecimal digits of its SHA-256: what known.toml lists."""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what} ({self.digest})"


def in_repository(root: Path = ROOT) -> list[Finding]:
    """Return what is found in the files that git keeps under *root*, and is not known to be public."""
    known = tomllib.loads(_KNOWN.read_text())
    return [found for name in tracked(root) for found in in_file(name, (root / name).read_bytes(), known)]


def in_file(name: str, data: bytes, known: Mapping[str, Any]) -> list[Finding]:
    """Return what is found in the file *name*."""
    public = known["public"]
    found = {*_shaped(name, data)}
    if not any(fnmatch(name, pattern) for pattern in known["random"]["files"]):
        found |= {*_random(name, data)}
    return sorted(finding for finding in found if finding.digest not in public)


def _shaped(name: str, data: bytes) -> Iterator[Finding]:
    for what, shape in _SHAPES.items():
        for match in shape.finditer(data):
            yield _finding(name, data, match, what)


def _random(name: str, data: bytes) -> Iterator[Finding]:
    for words, least in _WORDS:
        for match in words.finditer(data):
            if _entropy(match[0]) > least:
                yield _finding(name, data, match, "as random as a key")


def _entropy(word: bytes) -> float:
    counts = Counter(word).values()
    return -sum(count / len(word) * math.log2(count / len(word)) for count in counts)


def _finding(name: str, data: bytes, match: re.Match[bytes], what: str) -> Finding:
    digest = hashlib.sha256(match[0]).hexdigest()[:16]
    return Finding(path=name, line=data.count(b"\n", 0, match.start()) + 1, what=what, digest=digest)
