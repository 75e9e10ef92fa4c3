"""A bundle taken apart and put together again by somebody who knows how it is made, and has no key."""

import re
from collections.abc import Callable, Iterable
from typing import Final

from referral_contracts.encoding import b64, jcs, parse_json, sha256
from referral_contracts.errors import RemoteError
from referral_contracts.trail import archive
from referral_contracts.trail.bundle import read_bundle
from tests.contracts.trail.conftest import Case
from tests.stories.logged import POLICY

ANY: Final = re.compile(".*")
Files = dict[str, bytes]


def opened(data: bytes) -> Files:
    """Return the files of a bundle."""
    return archive.unpack(data, ANY)


def packed(files: Files, **told: object) -> bytes:
    """Return a bundle of *files* whose manifest fits them, and says *told* besides."""
    manifest = parse_json(files["manifest.json"])
    assert isinstance(manifest, dict)
    rest = {name: data for name, data in files.items() if name != "manifest.json"}
    listed = {name: b64(sha256(data)) for name, data in rest.items()}
    return archive.pack({**rest, "manifest.json": jcs({**manifest, "files": listed, **told})})


def changed(data: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """Return the bundle with one file changed, and its manifest made to fit."""
    files = opened(data)
    return packed({**files, name: change(files[name])})


def found(case: Case, data: bytes) -> str:
    """Return what is found wrong with a bundle; an empty text: nothing."""
    try:
        trail = read_bundle(data, POLICY, case.world.simulator.root).trail
    except RemoteError as error:
        return str(error)
    return "; ".join(map(str, trail.faults))


def flipped(data: bytes, at: int, bit: int = 1) -> bytes:
    """Return *data* with one bit another."""
    return data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :]


def sampled(size: int, most: int) -> Iterable[int]:
    """Return places all over *size* bytes, the first and the last among them."""
    step = max(1, size // most)
    return sorted({*range(0, size, step), size - 1})


def without(lines: bytes, number: int) -> bytes:
    """Return *lines* without one of them."""
    kept = lines.splitlines(keepends=True)
    del kept[number]
    return b"".join(kept)


def swapped(lines: bytes, number: int) -> bytes:
    """Return *lines* with one of them and the next in the other order."""
    kept = lines.splitlines(keepends=True)
    kept[number], kept[number + 1] = kept[number + 1], kept[number]
    return b"".join(kept)
