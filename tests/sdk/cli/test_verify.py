import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from referral_bus._cli import run
from referral_bus._cli.world import Exit, Identity, World
from referral_bus.testing import Clock
from referral_bus.transport import Connect
from referral_contracts.codes import Code
from referral_contracts.trail import page
from tests.contracts.trail.bundles import changed, flipped, opened, packed
from tests.contracts.trail.conftest import Case, told_case
from tests.stories.logged import POLICY

Call = Callable[..., int]


def nowhere(_bootstrap: str, _identity: Identity) -> Connect:
    pytest.fail("nothing is to be asked of any bus")


@pytest.fixture(scope="module")
def case() -> Case:
    return told_case()


@pytest.fixture
def verify(tmp_path: Path, case: Case) -> Call:
    """Call the verb with one's own files of keys."""
    (tmp_path / "log.policy").write_bytes(POLICY.format())
    (tmp_path / "trust.json").write_bytes(case.world.simulator.root.encode())
    world = World(environ={"COLUMNS": "200"}, connect=nowhere, clock=Clock(), run=asyncio.run)
    keys = ["--policy", str(tmp_path / "log.policy"), "--trust", str(tmp_path / "trust.json")]

    def call(data: bytes, *more: str, keys: list[str] = keys) -> int:
        (tmp_path / "given").write_bytes(data)
        return run(["verify", str(tmp_path / "given"), *keys, *more], world)

    return call


@pytest.fixture(scope="module")
def bundle(case: Case) -> bytes:
    return case.bundle(case.subject)


def test_a_sound_bundle_is_told_as_a_table(
    verify: Call, case: Case, bundle: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify(bundle, "--language", "en") == Exit.DONE
    out = capsys.readouterr().out

    assert f"{case.subject}  đã kết thúc / closed  ward-a" in out
    assert "no.  when" in out
    assert "refused: somebody moved it first" in out
    assert "events proven" in out


def test_as_json_it_is_the_trail(verify: Call, case: Case, bundle: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(bundle, "--json") == Exit.DONE
    told = json.loads(capsys.readouterr().out)

    assert (told["sound"], told["page_compared"]) == (True, True)
    assert told["trail"] == json.loads(opened(bundle)["trail.json"])


def test_page_picture_and_csv_are_made_anew(
    verify: Call, bundle: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown, drawn = tmp_path / "page.html", tmp_path / "trail.svg"

    assert verify(bundle, "--csv", "--page", str(shown), "--picture", str(drawn)) == Exit.DONE
    assert shown.read_bytes() == opened(bundle)["page.html"]
    assert drawn.read_text().startswith("<svg ")
    assert capsys.readouterr().out.startswith("Số,Thời điểm,")


def test_what_was_changed_is_an_alarm(verify: Call, bundle: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(flipped(bundle, len(bundle) // 2)) == Exit.ALARM
    assert f"referral-bus: error: {Code.BAD_BUNDLE.value}: " in capsys.readouterr().err


def test_what_is_missing_is_shown_and_an_alarm(verify: Call, case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    indexes = case.indexes(case.subject)
    gap = case.bundle(case.subject, indexes=[*indexes[:4], *indexes[5:]])

    assert verify(gap) == Exit.ALARM
    told = capsys.readouterr()
    assert "not sound" in told.out
    assert "counter-gap: event 5 of the case is missing before it" in told.err


def test_a_page_that_is_not_compared_is_told(verify: Call, bundle: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    other = packed({**opened(bundle), "page.html": b"all is well"}, page=page.VERSION + 1)

    assert verify(other) == Exit.DONE
    assert "its page.html was made by another version and not compared" in capsys.readouterr().err


def test_a_receipt_is_checked_with_its_event(
    verify: Call, case: Case, bundle: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index = case.index_of(case.told.team.value)
    (tmp_path / "event").write_bytes(case.told.team.value)
    (tmp_path / "signature").write_bytes(case.told.team.signature + b"\n")
    event = ["--event", str(tmp_path / "event"), "--signature", str(tmp_path / "signature")]
    receipt = opened(bundle)[f"proofs/{index}.tlog-proof"]

    assert verify(receipt, *event, "--json") == Exit.DONE
    told = json.loads(capsys.readouterr().out)
    assert (told["index"], told["code"], told["event"]) == (index, "accepted", case.told.team.ref.sha256)
    assert told["witnessed"]
    assert verify(receipt, *event) == Exit.DONE
    assert verify(flipped(receipt, 40), *event) == Exit.ALARM
    (tmp_path / "event").write_bytes(case.told.assigned.value)
    capsys.readouterr()
    assert verify(receipt, *event) == Exit.ALARM
    assert "receipt, event and signature have to be of one event" in capsys.readouterr().err
    (tmp_path / "event").unlink()
    assert verify(receipt, *event) == Exit.USAGE
    assert f"{tmp_path / 'event'}: cannot be read" in capsys.readouterr().err


def test_a_receipt_without_enough_witnesses_is_provisional(
    verify: Call, case: Case, bundle: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index = case.index_of(case.told.team.value)
    (tmp_path / "event").write_bytes(case.told.team.value)
    (tmp_path / "signature").write_bytes(case.told.team.signature)
    name = f"proofs/{index}.tlog-proof"
    bare = case.checkpoint(witnessed=False)
    receipt = changed(bundle, name, lambda data: data[: data.index(b"\n\n") + 2] + bare)

    assert (
        verify(opened(receipt)[name], "--event", str(tmp_path / "event"), "--signature", str(tmp_path / "signature"))
        == Exit.DONE
    )
    assert "provisional" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "kept", "said"),
    [
        (["--language", "fr"], 4, "--language is vi or en"),
        ([], 2, "a bundle is checked with --trust"),
    ],
)
def test_what_cannot_be_meant_is_told(
    verify: Call,
    bundle: bytes,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    kept: int,
    said: str,
) -> None:
    keys = ["--policy", str(tmp_path / "log.policy"), "--trust", str(tmp_path / "trust.json")][:kept]

    assert verify(bundle, *more, keys=keys) == Exit.USAGE
    assert said in capsys.readouterr().err


def test_a_receipt_needs_its_event(verify: Call, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(b"c2sp.org/tlog-proof@v1\n") == Exit.USAGE
    assert "--event and --signature" in capsys.readouterr().err
