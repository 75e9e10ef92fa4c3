"""The log against golang.org/x/mod/sumdb, byte for byte, at every size from 0 to 1,100 and about 65,536."""

import json
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pytest

from referral_contracts.keys import SigningKey
from referral_contracts.log.checkpoint import Checkpoint, cosign, sign_checkpoint
from referral_contracts.log.leaf import leaf
from referral_contracts.log.note import parse_note, std64, write_note
from referral_contracts.log.proofs import consistency_proof, inclusion_proof
from referral_contracts.log.tiles import TileReader, tiles_for
from tests.contracts.log.trees import Published
from tests.house.tree import ROOT
from tests.interop.readers import VECTORS, found
from tools.vectors.kinds import KINDS

pytestmark = pytest.mark.interop

SIZES: Final = [*range(1101), 65_535, 65_536, 65_537]
ORIGIN: Final = "training.log"
KEY: Final = SigningKey.from_seed(bytes(range(32)))


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the program in Go, built once; the module it needs comes through the module proxy, by its sum."""
    built = tmp_path_factory.mktemp("go-log") / "trial"
    command = [found("go", "Go 1.26 or later"), "build", "-buildvcs=false", "-o", str(built), "."]
    run = subprocess.run(command, cwd=ROOT / "tests/interop/go-log", capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return built


def told_by(program: Path) -> Iterator[dict[str, Any]]:
    sizes = "".join(f"{size}\n" for size in SIZES)
    command = [str(program), ORIGIN, KEY.to_seed().hex()]
    run = subprocess.run(command, input=sizes, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return map(json.loads, run.stdout.splitlines())


def grown(log: Published, size: int) -> None:
    """Let *log* grow to *size*."""
    log.grow([leaf(sha256(b"entry %d" % number).digest()) for number in range(log.frontier.size, size)])


def test_tiles_checkpoints_and_proofs_are_those_of_x_mod_at_every_size(program: Path) -> None:
    log = Published()
    seen = []
    for told in told_by(program):
        old, size = log.frontier.size, told["Size"]
        grown(log, size)
        root = log.frontier.root()
        read = TileReader(log.fetch, size, root)

        note = sign_checkpoint(Checkpoint(ORIGIN, size, root), KEY)
        text, signatures = parse_note(note)
        cosigned = write_note(text, [*signatures, cosign(text, size + 1, "witness.example/w", KEY)])
        assert told["Note"].encode() == cosigned
        assert told["Tiles"] == [[tile.path, sha256(log.fetch(tile)).hexdigest()] for tile in tiles_for(old, size)]
        for index, path in told["Inclusion"].items():
            assert path == [*map(std64, inclusion_proof(int(index), size, read))]
        for before, path in told["Consistency"].items():
            assert path == [*map(std64, consistency_proof(int(before), size, read))]
        seen.append(size)

    assert seen == SIZES


READ: Final = (
    "log-checkpoint",
    "log-consistency",
    "log-cosignature",
    "log-inclusion",
    "log-key",
    "log-leaf",
    "log-tiles",
)
"""What x/mod has, and a little beside it. Policies, receipts and what a witness answers are C2SP's alone."""
STRICTER: Final = {
    "log_key_in_capitals": "x/mod reads an id in capitals too",
    "log_key_of_small_order": "x/mod takes any 32 bytes as a key",
    "log_checkpoint_oversize": "x/mod has no limit on a note",
}
"""Vectors that x/mod takes and that are refused all the same."""


def test_x_mod_agrees_with_the_vectors(program: Path) -> None:
    vectors = [vector for vector in VECTORS if vector["kind"] in READ and vector["name"] not in STRICTER]
    lines = "".join(json.dumps(vector) + "\n" for vector in vectors)
    run = subprocess.run([str(program)], input=lines, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr

    for vector, told in zip(vectors, map(json.loads, run.stdout.splitlines()), strict=True):
        assert told["refused"] == (vector["expect"] != "valid"), vector["name"]
        if not told["refused"]:
            assert told["came"] == {name: vector[name] for name in KINDS[vector["kind"]].comes}, vector["name"]
