"""`audit consistent`, typed by somebody who has two checkpoints, and nothing else of the log than what it publishes."""

import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from referral_contracts.log.checkpoint import Checkpoint, sign_checkpoint
from referral_contracts.log.policy import Log as LoggedBy
from referral_contracts.log.policy import Policy
from tests.sdk.cli.terminal import type_alone
from tests.services.audit_log.tampering import flip
from tests.services.audit_log.world import KEY, ORIGIN, World

SIZES = (3, 256, 300, 700)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with the checkpoints that a log showed as it grew, and what it publishes."""
    world = World.on_files(tmp_path_factory.mktemp("log"))
    with world.opened() as log:
        for size in SIZES:
            world.ledger.write([size - world.ledger.written])
            world.catch_up(log)
            (world.home / f"{size}.checkpoint").write_bytes((world.tiles / "checkpoint").read_bytes())
    (world.home / "log.policy").write_bytes(Policy(logs=(LoggedBy(world.desk.note_key),)).format())
    return world.home


@pytest.fixture(scope="module")
def served(shown: Path) -> Iterator[str]:
    """Give the address of a static web server that has the published folder."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(shown / "tiles")))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def prove(
    capsys: pytest.CaptureFixture[str], home: Path, *checkpoints: str, log: str | None = None
) -> tuple[int, str, str]:
    named = [str(home / name) for name in checkpoints]
    where = ("--log", log or str(home / "tiles"), "--policy", str(home / "log.policy"))
    return type_alone(capsys, "audit", "consistent", *named, *where, "--json")


def forged(home: Path, size: int, root: bytes) -> str:
    """Write a checkpoint that the log signed, and that is not of the tree it publishes."""
    (home / "forged.checkpoint").write_bytes(sign_checkpoint(Checkpoint(ORIGIN, size, root), KEY))
    return "forged.checkpoint"


@pytest.mark.parametrize(("old", "new"), [(a, b) for a in SIZES for b in SIZES if a <= b])
def test_a_log_that_only_grew_is_proven_so(shown: Path, capsys: pytest.CaptureFixture[str], old: int, new: int) -> None:
    code, out, err = prove(capsys, shown, f"{old}.checkpoint", f"{new}.checkpoint")

    assert (code, err) == (0, "")
    told = json.loads(out)
    assert (told["consistent"], told["origin"]) == (True, ORIGIN)
    assert (told["old"]["size"], told["new"]["size"]) == (old, new)


def test_over_http_against_what_it_shows_now(shown: Path, served: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = prove(capsys, shown, "3.checkpoint", log=served)

    assert (code, json.loads(out)["new"]["size"]) == (0, SIZES[-1])


def test_a_rollback_is_named(shown: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = prove(capsys, shown, "700.checkpoint", "300.checkpoint")

    assert (code, json.loads(out)["error"]) == (4, "log-rollback")
    assert "keep both checkpoints" in err


@pytest.mark.parametrize("size", [1, 256, 300, 511, 700])
def test_a_fork_is_named(shown: Path, capsys: pytest.CaptureFixture[str], size: int) -> None:
    code, out, _ = prove(capsys, shown, forged(shown, size, b"\x01" * 32), "700.checkpoint")

    assert (code, json.loads(out)["error"]) == (4, "log-fork")


def test_tiles_of_another_tree_prove_nothing(shown: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tile = shown / "tiles" / "tile/0/001"
    flip(tile, 40)
    code, out, _ = prove(capsys, shown, "300.checkpoint", "700.checkpoint")
    flip(tile, 40)

    assert (code, json.loads(out)["error"]) == (4, "bad-tile")
    assert prove(capsys, shown, "300.checkpoint", forged(shown, 700, bytes(32)))[0] == 4


@pytest.mark.parametrize(
    ("log", "code", "said"),
    [("http://127.0.0.1:1", 3, "log-away"), ("/nowhere", 2, "no-such-file"), ("http://[", 3, "log-away")],
)
def test_a_log_that_is_not_there(
    shown: Path, capsys: pytest.CaptureFixture[str], log: str, code: int, said: str
) -> None:
    found, out, _ = prove(capsys, shown, "3.checkpoint", "700.checkpoint", log=log)

    assert (found, json.loads(out)["error"]) == (code, said)


def test_a_checkpoint_that_another_signed_is_none(shown: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (shown / "text.checkpoint").write_bytes(b"log\n3\nAAAA\n")
    code, out, _ = prove(capsys, shown, "text.checkpoint", "700.checkpoint")

    assert (code, json.loads(out)["error"]) == (4, "bad-note")
