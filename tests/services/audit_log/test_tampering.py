"""
Each way to change the log behind its back is found by the whole check, and named by what was changed.

What is done to the store is done to it in SQLite and in PostgreSQL.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from referral_contracts.codes import Code
from referral_contracts.errors import Fatal
from referral_contracts.keys import SigningKey
from referral_contracts.log.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from referral_contracts.log.tiles import Tile
from tests.services.audit_log.conftest import new_database
from tests.services.audit_log.tampering import Believing, alter, cell, check, emptied, flip, named, told, twin
from tests.services.audit_log.world import KEY, ORIGIN, World

LEAF = 17
NEWEST = 320
OTHER_KEY = SigningKey.from_seed(bytes([78]) * 32)


def grow(made: World) -> World:
    """Grow a log of 320 leaves in three partitions: a full tile, and a part of one."""
    for counts in ([150, 100, 50], [10, 5, 5]):
        made.ledger.write(counts)
        made.ledger.partitions[0].tick()
        with made.opened() as log:
            made.catch_up(log)
    return made


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Return a log that was grown, in SQLite."""
    return grow(World.on_files(tmp_path_factory.mktemp("grown")))


@pytest.fixture(scope="module")
def grown_in_postgres(tmp_path_factory: pytest.TempPathFactory, postgres: str) -> World:
    """Return one in PostgreSQL."""
    return grow(World(tmp_path_factory.mktemp("grown"), new_database(postgres)))


@pytest.fixture
def world(grown: World, tmp_path: Path) -> World:
    """Give a copy of it, to be tampered with beside the store."""
    return twin(grown, tmp_path / "log")


@pytest.fixture(params=["grown", "grown_in_postgres"], ids=["sqlite", "postgres"])
def stored(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    """Give a copy of it in a store of each kind, to be tampered with."""
    return twin(request.getfixturevalue(request.param), tmp_path / "log")


def test_a_log_that_nobody_touched_has_nothing_to_find(stored: World) -> None:
    found = check(stored)

    assert (found.findings, found.faults, found.size) == ([], 0, NEWEST)
    assert found.checkpoint is not None
    assert found.checkpoint.size == NEWEST


def test_an_empty_log_has_nothing_to_find(tmp_path: Path) -> None:
    empty = World.on_files(tmp_path)
    with empty.opened():
        pass

    assert told(empty) == []


def test_it_is_checked_beside_the_one_that_writes_it(stored: World) -> None:
    with stored.opened() as log:
        stored.ledger.write([3])
        taken, places = stored.ledger.after(log.places)
        # Stored, and not published yet.
        log.append(taken, places)

        assert told(stored) == []


@pytest.mark.parametrize("column", ["value", "signature", "salt", "path", "root"])
def test_a_flipped_byte_of_what_is_sealed(stored: World, column: str) -> None:
    alter(stored, f"update records set {column} = {column} || :byte where idx = {LEAF}")

    assert ("leaf-changed", f"leaf {LEAF}") in told(stored)


def test_a_flipped_decision(stored: World) -> None:
    decision = cell(stored, f"select decision from records where idx = {LEAF}")
    other = decision.replace(b"accepted", b"too-many")
    alter(stored, f"update records set decision = :other where idx = {LEAF}", other=other)

    assert told(stored) == [
        ("leaf-changed", f"leaf {LEAF}"),
        ("decision-bad", f"leaf {LEAF}"),
        *ledger_has_other(stored),
    ]


def ledger_has_other(world: World) -> list[tuple[str, str]]:
    return [("ledger-changed", f"partition 0 offset {LEAF}")]


def test_a_salt_that_was_taken_away(stored: World) -> None:
    alter(stored, f"update records set salt = :empty where idx = {LEAF}", empty=b"")

    assert ("leaf-changed", f"leaf {LEAF}") in told(stored)


def test_sealed_bytes_put_in_the_place_of_others(stored: World) -> None:
    alter(stored, f"update records set value = (select value from records where idx = {LEAF + 1}) where idx = {LEAF}")

    assert told(stored)[:2] == [("leaf-changed", f"leaf {LEAF}"), ("decision-bad", f"leaf {LEAF}")]


def test_a_flipped_entry(stored: World) -> None:
    alter(stored, f"update entries set entry = :hash where idx = {LEAF}")

    found = told(stored)
    assert ("leaf-changed", f"leaf {LEAF}") in found
    assert ("tile-changed", Tile(0, 0).path) in found
    assert ("tile-changed", Tile(0, 0).entries_path) in found
    assert ("node-changed", "hash 0 of level 1") in found
    assert ("checkpoint-fork", f"published checkpoint of size {NEWEST}") in found


def test_a_flipped_hash_of_the_tree(stored: World) -> None:
    alter(stored, "update nodes set hash = :hash where level = 1 and idx = 0")

    assert told(stored) == [("node-changed", "hash 0 of level 1")]


def test_a_flipped_edge(stored: World) -> None:
    alter(stored, "update tree set frontier = :hash")

    assert told(stored) == [("edge-changed", f"hash {NEWEST} of level 0")]


@pytest.mark.parametrize("path", [Tile(0, 0).path, Tile(0, 1, 64).path, Tile(0, 0).entries_path, Tile(1, 0, 1).path])
def test_a_flipped_and_a_dropped_tile(world: World, path: str) -> None:
    flip(world.tiles / path)
    assert told(world) == [("tile-changed", path)]

    (world.tiles / path).unlink()
    assert told(world) == [("tile-missing", path)]


def test_a_tile_that_was_cut(world: World) -> None:
    path = world.tiles / Tile(0, 0).path
    path.write_bytes(path.read_bytes()[:-32])

    assert told(world) == [("tile-changed", Tile(0, 0).path)]


def test_a_dropped_leaf(stored: World) -> None:
    for table in ("entries", "records", "search", "terms"):
        alter(stored, f"delete from {table} where idx = {LEAF}")

    # What was published of it stands in: all else still verifies.
    assert told(stored) == [
        ("leaf-missing", f"leaf {LEAF}"),
        ("decision-gap", f"leaf {LEAF + 1}"),
        ("not-logged", f"partition 0 offset {LEAF}"),
    ]


def test_two_leaves_that_were_swapped(stored: World) -> None:
    for table in ("records", "entries"):
        for old, new in ((LEAF, -1), (LEAF + 1, LEAF), (-1, LEAF + 1)):
            alter(stored, f"update {table} set idx = {new} where idx = {old}")

    found = told(stored)
    assert ("decision-gap", f"leaf {LEAF}") in found
    assert ("tile-changed", Tile(0, 0).path) in found


def test_a_log_that_was_cut(stored: World) -> None:
    for table in ("entries", "records", "search", "terms"):
        alter(stored, f"delete from {table} where idx >= 310")

    found = told(stored)
    assert [place for fault, place in found if fault == "leaf-missing"] == [f"leaf {n}" for n in range(310, NEWEST)]
    assert ("position-changed", "partition 2") in found


def test_a_store_that_was_put_back(stored: World) -> None:
    old = twin(stored, stored.home.with_name("old"))
    stored.ledger.write([1, 1, 1])
    with stored.opened() as log:
        stored.catch_up(log)

    assert told(replace(stored, url=old.url)) == [("checkpoint-ahead", "published checkpoint of size 323")]


def test_a_log_that_was_made_anew(stored: World) -> None:
    seen = (stored.tiles / "checkpoint").read_bytes()
    stored = emptied(stored)
    stored.ledger.write([5])
    with stored.opened() as log:
        stored.catch_up(log)

    # Its own story is whole, with other salts: whoever kept a checkpoint has the proof.
    assert told(stored) == []
    assert told(stored, given=[("kept", seen)]) == [("checkpoint-fork", f"kept checkpoint of size {NEWEST}")]


def test_a_checkpoint_signed_by_another_key(world: World) -> None:
    path = world.tiles / "checkpoint"
    shown = open_checkpoint(path.read_bytes(), world.desk.note_key)
    path.write_bytes(sign_checkpoint(shown, OTHER_KEY))

    assert told(world) == [("checkpoint-unsigned", "published checkpoint")]


def test_a_stored_checkpoint_signed_by_another_key(stored: World) -> None:
    note = sign_checkpoint(Checkpoint(ORIGIN, NEWEST, bytes(32)), OTHER_KEY)
    alter(stored, "update checkpoints set note = :note where size = :size", note=note, size=NEWEST)

    assert told(stored) == [("checkpoint-unsigned", f"stored checkpoint of size {NEWEST}")]


def test_a_fork_that_the_logs_own_key_signed(world: World) -> None:
    forged = sign_checkpoint(Checkpoint(ORIGIN, 300, bytes(32)), KEY)

    assert told(world, given=[("forged", forged)]) == [("checkpoint-fork", "forged checkpoint of size 300")]
    (world.tiles / "checkpoint").write_bytes(forged)
    assert ("checkpoint-fork", "published checkpoint of size 300") in told(world)


def test_an_old_checkpoint_that_is_shown_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit_log.verifying._BEATS", 1)
    old = (world.tiles / "checkpoint").read_bytes()
    world.ledger.write([1])
    with world.opened() as log:
        world.catch_up(log)

    assert told(world, given=[("old", old)]) == []
    (world.tiles / "checkpoint").write_bytes(old)
    assert ("checkpoint-old", f"published checkpoint of size {NEWEST}") in told(world)


def test_a_checkpoint_that_was_taken_away(world: World) -> None:
    (world.tiles / "checkpoint").unlink()

    assert ("checkpoint-missing", "published checkpoint") in told(world)


@pytest.mark.parametrize(
    "changed",
    [
        f"update search set subject = '{'0' * 32}' where idx = {LEAF}",
        f"update search set accepted = 0, code = 'too-many' where idx = {LEAF}",
        f"update search set admitted_ms = 1 where idx = {LEAF}",
        f"delete from search where idx = {LEAF}",
        f"delete from terms where idx = {LEAF} and term = 2",
        f"update terms set key = 7 where idx = {LEAF} and term = 5",
        f"insert into terms values (0, 2, 99, {LEAF})",
    ],
)
def test_the_index_alone(stored: World, changed: str) -> None:
    alter(stored, changed)

    assert told(stored) == [("index-changed", f"leaf {LEAF}")]


@pytest.mark.parametrize(
    "changed",
    [
        "insert into terms values (7, 2, 99, 500)",
        "insert into search (idx, event, admitted_ms, code, accepted) values (500, :byte, 1, '', 1)",
    ],
)
def test_an_index_of_nothing(stored: World, changed: str) -> None:
    alter(stored, changed)

    assert told(stored) == [("record-stray", "leaf 500")]


@pytest.mark.parametrize(
    "changed",
    ["counter = counter - 1", "chain = :hash", "next_offset = next_offset - 3"],
)
def test_the_positions_alone(stored: World, changed: str) -> None:
    alter(stored, f"update places set {changed} where partition = 1")

    assert told(stored) == [("position-changed", "partition 1")]


def test_a_position_that_was_taken_away(stored: World) -> None:
    alter(stored, "delete from places where partition = 1")

    assert told(stored) == [("position-changed", "partition 1")]


def test_a_position_ahead_of_what_was_read(stored: World) -> None:
    stored.ledger.write([0, 2])
    alter(stored, "update places set next_offset = next_offset + 2 where partition = 1")

    assert told(stored) == [("not-logged", "partition 1 offset 107"), ("not-logged", "partition 1 offset 108")]


@pytest.mark.parametrize("changed", ["counter = 99", "partition = 1", "ledger_offset = 3"])
def test_a_leaf_put_to_another_place(stored: World, changed: str) -> None:
    alter(stored, f"update entries set {changed} where idx = {LEAF}")

    found = told(stored)
    assert found[0][0] in {"place-changed", "decision-bad"}
    assert found[0][1] == f"leaf {LEAF}"


def test_an_erasure_that_nobody_asked_for(stored: World) -> None:
    for table in ("records", "search", "terms"):
        alter(stored, f"delete from {table} where idx = {LEAF}")

    # The chain goes on behind it, and all else verifies.
    assert told(stored) == [("record-missing", f"leaf {LEAF}")]


def test_a_record_that_was_dropped_from_the_ledger(world: World) -> None:
    partition = world.ledger.partitions[0]
    partition.records[LEAF] = replace(partition.records[LEAF], headers=())

    assert told(world) == [("ledger-missing", f"partition 0 offset {LEAF}")]


def test_other_bytes_in_the_ledger(world: World) -> None:
    partition = world.ledger.partitions[0]
    partition.records[LEAF] = replace(partition.records[LEAF], value=b"{}")

    assert told(world) == [("ledger-changed", f"partition 0 offset {LEAF}")]


def test_a_ledger_that_was_cut(world: World) -> None:
    del world.ledger.partitions[2].records[-3:]

    found = told(world)
    assert ("ledger-missing", "partition 2 offset 55") in found
    assert ("ledger-ends", "partition 2") in found


def test_a_ledger_whose_old_records_were_deleted_by_age(world: World) -> None:
    world.ledger.partitions[0].start = 100

    assert told(world) == []


def test_a_decision_that_the_rules_do_not_come_to(world: World) -> None:
    class Doubting(Believing):
        seen = 0

        def event(self, logged: object) -> bool:
            self.seen += 1
            return self.seen != LEAF + 1

    assert named(check(world, judge=Doubting()).findings) == [("judged-otherwise", f"leaf {LEAF}")]


def test_who_changes_everything_fills_no_memory(stored: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit_log.verifying._MOST", 10)
    alter(stored, "delete from records")

    found = check(stored)
    assert (len(found.findings), found.faults >= NEWEST) == (10, True)


def test_a_log_whose_directory_is_gone(world: World) -> None:
    class Lost(Believing):
        def directory(self) -> Any:
            return None

    assert named(check(world, judge=Lost()).findings) == [("directory-lost", "partition 2")]


def test_a_file_that_is_no_database_any_more(world: World) -> None:
    path = world.home / "log.db"
    data = bytearray(path.read_bytes())
    data[4096:] = bytes(len(data) - 4096)
    path.write_bytes(data)

    with pytest.raises(Fatal) as stopped:
        check(world)
    assert stopped.value.code is Code.STATE_FORMAT
