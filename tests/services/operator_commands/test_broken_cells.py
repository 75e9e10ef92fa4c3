"""
Any cell of the log's store set to anything that SQLite takes: found and named, or harmless and said why; no trace.

The store is of a case that was told, held back, let go and erased in part: leaves and rows of each kind.
"""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from audit_log.folder import Folder
from audit_log.log import Log
from audit_log.receipts import Receipts
from audit_log.store import open_reader, open_store, schema
from audit_log.store.cells import MOST_BYTES
from referral_contracts.codes import Code
from referral_contracts.encoding import sha256
from referral_contracts.errors import Fatal, ReferralBusError
from referral_contracts.log.policy import Log as LoggedBy
from referral_contracts.log.policy import Policy
from tests.sdk.cli.terminal import type_alone
from tests.services.audit_log.erased import REGISTRAR, WAIT_DAYS, Erasing
from tests.stories.logged import ORIGIN
from tests.stories.world import BUS

HARMLESS: Final = {
    ("tree", "id"): "there is one row, and nobody asks for it by its number",
    (
        "tree",
        "epoch",
    ): "how often a writer opened the store: another number stops who writes, and no reader looks at it",
    ("checkpoints", "kept_ms"): "only chooses which checkpoint of an hour is kept: what is kept is checked itself",
    (
        "entries",
        "ledger_offset",
    ): "of an erased leaf, between those beside it: the ledger has lost that record too",
    ("places", "next_offset"): "ticks move it on by themselves: beside the ledger it is held against what was not read",
    ("search", "admitted_ms"): "when the log took a statement is the log's word, within what the statement allows",
    ("meta", "value"): "of what is owed to be overwritten, only a number of the log's own",
}
"""What a sound value of the right kind cannot be told from the true one by, and what it can do."""
values = (
    st.none()
    | st.integers(-(2**63), 2**63 - 1)
    | st.integers(-2, 40)
    | st.floats(allow_nan=False)
    | st.binary(max_size=40)
    | st.text(max_size=20)
    | st.sampled_from([b"", "", "\x00", b"\xff" * 32, bytes(32), 2**62, "9" * 70_000])
)


class Cell(NamedTuple):
    """A cell, by its column and the how-many-th row it is in."""

    table: str
    column: str
    row: int


def names() -> list[tuple[str, str]]:
    return [(table.name, column.name) for table in schema.METADATA.sorted_tables for column in table.columns]


cells = st.builds(lambda name, row: Cell(name[0], name[1], row), st.sampled_from(names()), st.integers(0, 1000))


class Host:
    """The machine of a log whose store can be spoilt and put right."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.case = Erasing(home)
        hold = self.case.state("hold", REGISTRAR)
        self.case.state("hold-lifted", REGISTRAR, hold=hold)
        self.case.ask(events=[self.case.told.opened.ref.sha256])
        self.case.wait(WAIT_DAYS)
        self.case.run()
        self._capsys, self.home, self._db = capsys, home, home / "log.db"
        (home / "log.policy").write_bytes(Policy(logs=(LoggedBy(self.case.desk.note_key),)).format())
        (home / "trust.json").write_bytes(self.case.world.simulator.root.encode())
        with closing(sqlite3.connect(self._db)) as connection:
            # Who has the file is not held back by what its tables say.
            connection.execute("pragma writable_schema = on")
            connection.execute("update sqlite_master set sql = replace(sql, ' NOT NULL', '') where type = 'table'")
            connection.commit()
            connection.execute("pragma wal_checkpoint(truncate)")
        shutil.copy(self._db, home / "whole.db")

    def spoil(self, cell: Cell, value: Any) -> bool:
        """Set a cell; return whether SQLite did, and it is another one now."""
        for left in self.home.glob("log.db-*"):
            left.unlink()
        shutil.copy(self.home / "whole.db", self._db)
        table = schema.METADATA.tables[cell.table]
        keys = [f'"{column.name}"' for column in table.primary_key.columns]
        told = ", ".join(keys)
        with closing(sqlite3.connect(self._db)) as connection:
            rows = connection.execute(f'select {told}, "{cell.column}" from {cell.table} order by {told}').fetchall()
            if not rows:
                return False
            key = rows[cell.row % len(rows)][:-1]
            where = " and ".join(f"{name} = ?" for name in keys)
            try:
                connection.execute(f'update {cell.table} set "{cell.column}" = ? where {where}', (value, *key))
            except sqlite3.DatabaseError:
                return False
            connection.commit()
            # A column may make another thing of what is put into it, and perhaps the same that was there.
            return (
                connection.execute(f'select {told}, "{cell.column}" from {cell.table} order by {told}').fetchall()
                != rows
            )

    def type(self, verb: str, *more: str) -> tuple[int, str, str]:
        pinned = ("--policy", str(self.home / "log.policy"), "--trust", str(self.home / "trust.json"))
        return type_alone(self._capsys, "audit", verb, "--store", self.case.url, *pinned, *more)

    def verify(self) -> tuple[int, str, str]:
        return self.type("verify", "--tiles", str(self.home / "tiles"), "--json")

    def serve(self) -> None:
        """Start the log, and ask it for a receipt, as its service does."""
        event = sha256(b"nothing")
        store, folder = open_store(self.case.url, bus=BUS, origin=ORIGIN), Folder(self.home / "tiles")
        try:
            log = Log(store, folder, self.case.desk)
            log.append([], {})
            Receipts(folder, lambda: store.reader, self.case.desk.note_key).receipt(event, None)
        finally:
            folder.close()
            store.close()


@pytest.fixture
def host(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Host:
    """Give the machine of a log."""
    return Host(tmp_path, capsys)


def test_a_store_that_nobody_touched_is_whole(host: Host) -> None:
    code, out, err = host.verify()

    assert (code, err) == (0, "")
    assert json.loads(out)["findings"] == []


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cell=cells, value=values)
@example(cell=Cell("records", "value", 3), value="x" * (MOST_BYTES + 1))
@example(cell=Cell("records", "value", 3), value=b"x" * (MOST_BYTES + 1))
@example(cell=Cell("search", "code", 3), value="x" * (MOST_BYTES + 1))
@example(cell=Cell("tree", "size", 0), value=2**62)
@example(cell=Cell("entries", "idx", 5), value=2**62)
@example(cell=Cell("entries", "idx", 5), value=-7)
@example(cell=Cell("entries", "kind", 1), value=0)
@example(cell=Cell("entries", "kind", 5), value=0)
@example(cell=Cell("terms", "segment", 5), value=2**31)
@example(cell=Cell("checkpoints", "size", 0), value=2**62)
def test_any_cell_set_to_anything_is_named(host: Host, cell: Cell, value: object) -> None:
    assume(host.spoil(cell, value))

    code, out, err = host.verify()

    assert code in {0, 2, 4}, err
    assert "Traceback" not in err
    if code == 0:
        assert (cell.table, cell.column) in HARMLESS, out
    elif code == 4:
        assert all(one["code"] and one["place"] for one in json.loads(out)["findings"])
    else:
        # Of another bus or origin than what was pinned: there is nothing to check it against.
        assert (cell.table, "state-format" in err or "another log" in err) == ("meta", True)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cell=cells, value=values)
@example(cell=Cell("checkpoints", "size", 0), value=2**62)
@example(cell=Cell("checkpoints", "note", 0), value=None)
@example(cell=Cell("records", "value", 3), value="text")
def test_whatever_is_in_a_cell_a_trail_and_a_bundle_end_as_they_should(host: Host, cell: Cell, value: object) -> None:
    assume(host.spoil(cell, value))

    for verb, *more in (("trail",), ("bundle", "--out", str(host.home / "bundle.zip"))):
        code, _, err = host.type(verb, host.case.case, *more)

        assert code in {0, 2, 3, 4}, err
        assert "Traceback" not in err


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cell=cells, value=values)
@example(cell=Cell("places", "chain", 0), value=None)
@example(cell=Cell("tree", "frontier", 0), value="text")
@example(cell=Cell("entries", "entry", 0), value=None)
def test_whatever_is_in_a_cell_the_service_goes_on_or_stops_with_a_code(host: Host, cell: Cell, value: object) -> None:
    assume(host.spoil(cell, value))

    try:
        host.serve()
    except ReferralBusError as error:
        assert isinstance(error.code, Code)


def test_what_a_column_never_holds_is_told_by_a_code_to_who_reads_it(host: Host) -> None:
    host.spoil(Cell("entries", "entry", 0), "text")

    with closing(open_reader(host.case.url)) as reader, pytest.raises(Fatal) as told:
        reader.kept([0])
    assert told.value.code is Code.STATE_FORMAT
