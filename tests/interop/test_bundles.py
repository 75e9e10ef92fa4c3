"""The checker of evidence bundles in Go, made from SPEC.md, against bundles that are sound and that are not."""

import subprocess
from pathlib import Path
from typing import Final

import pytest

from referral_contracts.trail.bundle import read_bundle
from tests.contracts.trail.bundles import changed, flipped, found, opened, packed, sampled, swapped, without
from tests.contracts.trail.conftest import Case, told_case
from tests.house.tree import ROOT
from tests.interop import readers
from tests.stories.logged import POLICY

pytestmark = pytest.mark.interop

FOLDER: Final = ROOT / "contracts/readers/go-bundle"
LINES: Final = 200
WIDTH: Final = 150


@pytest.fixture(scope="module")
def case() -> Case:
    return told_case()


@pytest.fixture(scope="module")
def bundle(case: Case) -> bytes:
    return case.bundle(case.subject)


class Checker:
    """The program, with the keys that its reader trusts."""

    def __init__(self, folder: Path, case: Case) -> None:
        go = readers.found("go", "Go 1.26 or later")
        self.program, self.file = folder / "checker", folder / "bundle.zip"
        self.policy, self.trust = folder / "log.policy", folder / "trust.json"
        self.policy.write_bytes(POLICY.format())
        self.trust.write_bytes(case.world.simulator.root.encode())
        run = subprocess.run(
            [go, "build", "-buildvcs=false", "-o", self.program, "."],
            cwd=FOLDER,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.returncode == 0, run.stderr

    def says(self, data: bytes) -> str | None:
        """Return the last line of what it says of a sound bundle, or None: it found something wrong."""
        self.file.write_bytes(data)
        command = [self.program, self.file, self.policy, self.trust]
        run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        return run.stdout.splitlines()[-1] if run.returncode == 0 else None


@pytest.fixture(scope="module")
def checker(tmp_path_factory: pytest.TempPathFactory, case: Case) -> Checker:
    return Checker(tmp_path_factory.mktemp("checker"), case)


def test_it_finds_a_sound_bundle_sound(checker: Checker, case: Case, bundle: bytes) -> None:
    trail = read_bundle(bundle, POLICY, case.world.simulator.root).trail

    assert trail.sound
    assert checker.says(bundle) == (
        f"SOUND: {len(trail.rows)} leaves of case {case.subject} in a log of {len(case.entries)}, "
        'cosigned by ["witness.ward-a"]'
    )


def test_an_erased_event_is_proven_to_have_been_there(checker: Checker) -> None:
    case = told_case()
    indexes = case.indexes(case.subject)
    case.erase(indexes[6])
    indexes.append(case.erasure(case.subject, [indexes[6]]))
    checker.trust.write_bytes(case.world.simulator.root.encode())

    assert checker.says(case.bundle(case.subject, indexes=indexes)) is not None


@pytest.mark.parametrize(
    "name", ["checkpoint", "directory.jsonl", "events.jsonl", "page.html", "manifest.json", "proofs/0.tlog-proof"]
)
def test_a_flipped_byte_is_found_by_both(checker: Checker, case: Case, bundle: bytes, name: str) -> None:
    """Whatever a part's hash in the manifest; but what only the manifest vouches for has to be as that says."""
    files = opened(bundle)
    for at in sampled(len(files[name]), 25):
        data = _refitted(bundle, name, at)

        assert found(case, data), at
        assert checker.says(data) is None, at


def _refitted(bundle: bytes, name: str, at: int) -> bytes:
    if name in {"page.html", "manifest.json"}:
        start = bundle.index(opened(bundle)[name])
        return flipped(bundle, start + at)
    return changed(bundle, name, lambda data: flipped(data, at))


def test_what_is_dropped_swapped_or_cut_is_found_by_both(checker: Checker, case: Case, bundle: bytes) -> None:
    indexes = case.indexes(case.subject)
    files = opened(bundle)
    one, other = "proofs/3.tlog-proof", "proofs/4.tlog-proof"
    spoiled = [
        case.bundle(case.subject, indexes=[*indexes[:9], *indexes[10:]]),
        changed(bundle, "events.jsonl", lambda data: without(data, 9)),
        changed(bundle, "events.jsonl", lambda data: swapped(data, 3)),
        packed({**files, one: files[other], other: files[one]}),
        changed(bundle, "checkpoint", lambda _: case.checkpoint(size=20)),
        bundle[: len(bundle) // 2],
        packed({name: data for name, data in files.items() if name != one}),
    ]
    for number, data in enumerate(spoiled):
        assert found(case, data), number
        assert checker.says(data) is None, number


def test_keys_that_are_not_trusted_prove_nothing(checker: Checker, case: Case, bundle: bytes) -> None:
    stranger = told_case()
    policy = POLICY.format().replace(b"training.log+", b"training.log2+")
    checker.policy.write_bytes(policy)

    assert checker.says(bundle) is None
    checker.policy.write_bytes(POLICY.format())

    assert checker.says(bundle) is not None
    assert checker.says(stranger.bundle(stranger.subject)) is not None
    checker.trust.write_bytes(case.world.simulator.root.encode().replace(b"training", b"trainings"))

    assert checker.says(bundle) is None


def test_it_is_small_enough_to_be_read() -> None:
    lines = [line for path in FOLDER.glob("*.go") for line in path.read_text().splitlines()]

    assert len(lines) <= LINES
    assert max(map(len, lines)) <= WIDTH
