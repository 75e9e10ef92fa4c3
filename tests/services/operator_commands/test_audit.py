"""`referral-bus audit verify`, typed on the machine that keeps the log of a bus that had something to do."""

import json
import shutil
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import typer

from audit_log.checking.findings import SAYS, Fault
from audit_log.core.places import NOWHERE, Place
from audit_log.core.reading import LedgerReader
from audit_log.folder import Folder
from audit_log.log import Desk, Log
from audit_log.store import open_store
from operator_commands.audit import add_to
from referral_bus._cli import installed
from referral_bus._cli.command import group_of
from referral_contracts import topics
from referral_contracts.keys import SigningKey
from referral_contracts.log.policy import Log as LoggedBy
from referral_contracts.log.policy import Policy
from referral_contracts.sealing import random_salts
from referral_contracts.verbs import Verb
from tests.sdk.cli.terminal import type_alone
from tests.services.audit_log.tampering import alter, flip
from tests.services.audit_log.world import World as LogWorld
from tests.stories.world import BUS, HOTLINE, WARD, World

KEY = SigningKey.from_seed(bytes([79]) * 32)
DESK = Desk(origin=f"{BUS}.log", key=KEY, salts=random_salts, clock=lambda: 1)


def keep(world: World, home: Path, url: str | None = None) -> None:
    """Write down what a log of *world* keeps, on top of what it has, and what its auditors pinned at its beginning."""
    store, folder = open_store(url or f"sqlite:///{home}/log.db", bus=BUS, origin=DESK.origin), Folder(home / "tiles")
    log = Log(store, folder, DESK)
    for number in range(world.simulator.partitions + 1):
        reader, place = LedgerReader(BUS, number), log.places.get(number, NOWHERE)
        new = [one for one in world.broker.records(topics.LEDGER, number) if one.offset >= place.next_offset]
        taken = []
        for record in new:
            found = reader.read(record, place, world.simulator.directory)
            assert found is not None
            taken.append(found)
            place = Place(record.offset + 1, found.counter, found.chain)
        log.append(taken, {number: place})
        log.publish()
    folder.close()
    store.close()
    if (home / "log.policy").exists():
        return
    (home / "log.policy").write_bytes(Policy(logs=(LoggedBy(DESK.note_key),)).format())
    (home / "trust.json").write_bytes(world.simulator.root.encode())


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Give the folder of a log with one case."""
    world = World(partitions=2)
    opened = world.say(HOTLINE, Verb.CASE_OPENED)
    world.reply(WARD, Verb.ACCEPTED, world.say(HOTLINE, Verb.OFFERED, case=opened.case, to=[WARD]))
    keep(world, tmp_path)
    return tmp_path


def verify(capsys: pytest.CaptureFixture[str], home: Path, *more: str) -> tuple[int, str, str]:
    where = ("--store", f"sqlite:///{home}/log.db", "--tiles", str(home / "tiles"))
    pinned = ("--policy", str(home / "log.policy"), "--trust", str(home / "trust.json"))
    return type_alone(capsys, "audit", "verify", *where, *pinned, *more)


def test_a_whole_log_is_whole(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = verify(capsys, home, "--json", "--from", str(home / "tiles" / "checkpoint"))

    assert (code, err) == (0, "")
    told = json.loads(out)
    assert (told["size"], told["faults"], told["findings"]) == (4, 0, [])


def test_a_copy_of_the_store_is_whole_without_the_folder(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(home / "tiles" / "checkpoint", home / "kept")
    shutil.rmtree(home / "tiles")
    pinned = ("--policy", str(home / "log.policy"), "--trust", str(home / "trust.json"))
    store = ("--store", f"sqlite:///{home}/log.db", "--store-alone", "--from", str(home / "kept"))
    code, out, _ = type_alone(capsys, "audit", "verify", *store, *pinned, "--json")

    assert (code, json.loads(out)["findings"]) == (0, [])
    alter(LogWorld.on_files(home), "update entries set entry = zeroblob(32) where idx = 2")
    code, out, _ = type_alone(capsys, "audit", "verify", *store, *pinned, "--json")
    assert (code, "checkpoint-fork" in out) == (4, True)
    code, _, err = type_alone(capsys, "audit", "verify", *store, *pinned, "--tiles", str(home))
    assert (code, "--tiles" in err) == (2, True)


def test_a_flipped_byte_of_the_store_is_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    alter(LogWorld.on_files(home), "update records set value = replace(CAST(value AS TEXT), '0', '1') where idx = 2")

    code, out, err = verify(capsys, home, "--json")

    assert code == 4
    assert {(one["code"], one["place"]) for one in json.loads(out)["findings"]} >= {("leaf-changed", "leaf 2")}
    assert "the log is not what it was" in err
    assert "leaf-changed" in verify(capsys, home)[1]


def test_a_tile_and_a_checkpoint_are_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    flip(home / "tiles" / "tile/0/000.p/4")
    flip(home / "tiles" / "checkpoint", at=-2)

    code, out, _ = verify(capsys, home)

    assert code == 4
    assert "checkpoint-unsigned" in out


def test_what_the_rules_would_not_have_decided_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    world = World(partitions=2)
    opened = world.say(HOTLINE, Verb.CASE_OPENED)
    # The router forgets the case, and refuses what belongs to it: signed, chained, and still not what it should say.
    lane = world.simulator._lanes[next(n for n in range(2) if world.broker.records(topics.LEDGER, n))]
    lane.fold._put(opened.case.encode(), None)
    world.answer(world.write(HOTLINE, Verb.OFFERED, case=opened.case, to=[WARD]))
    keep(world, tmp_path)

    code, out, _ = verify(capsys, tmp_path, "--json")

    assert code == 4
    assert [one["code"] for one in json.loads(out)["findings"]] == ["judged-otherwise"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--store", "sqlite:////nowhere/log.db"), "no such store"),
        (("--store", "what"), "not the URL of a store"),
        (("--ledger", "127.0.0.1:1"), "127.0.0.1:1: the ledger cannot be read"),
        (("--from", "/nowhere/checkpoint"), "/nowhere/checkpoint: cannot be read"),
    ],
)
def test_what_cannot_be_read_is_told(
    home: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, str], said: str
) -> None:
    code, out, err = verify(capsys, home, *arguments)

    assert code in {2, 3}
    assert out == ""
    assert said in err


def test_store_and_folder_have_to_be_named(capsys: pytest.CaptureFixture[str], home: Path) -> None:
    pinned = ("--policy", str(home / "log.policy"), "--trust", str(home / "trust.json"))

    code, _, err = type_alone(capsys, "audit", "verify", *pinned)

    assert code == 2
    assert "REFERRAL_BUS_LOG_STORE" in err


def test_commands_of_what_is_installed_join_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [EntryPoint(name, "operator_commands.audit:add_to", installed.GROUP) for name in ("b", "a")]
    monkeypatch.setattr(installed, "entry_points", lambda group: points if group == installed.GROUP else [])
    app = typer.Typer()

    installed.add_to(app)

    group = group_of(app, "audit", "")
    assert [command.name for command in group.registered_commands] == ["verify"] * 2
    assert len(app.registered_groups) == 1


def test_without_the_services_there_is_no_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("operator_commands.audit.find_spec", lambda _: None)
    app = typer.Typer()

    add_to(app)

    assert app.registered_groups == []


def test_the_page_says_what_each_finding_is() -> None:
    page = (Path(__file__).parents[3] / "docs" / "audit-verify.md").read_text("utf-8")

    assert set(SAYS) == set(Fault)
    assert [fault for fault, what in SAYS.items() if f"| `{fault.value}` | {what} |" not in page] == []
