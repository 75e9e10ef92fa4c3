"""The store: one process at a time, nothing lost, nothing readable in it."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from referral_bus import Code, LocalError
from referral_bus._store import Store, StoreFailed, notes
from referral_contracts.errors import ReferralBusError
from referral_contracts.payloads.shown import personal_strings
from tests.sdk.town import ACCEPTANCE, OPENING, REQUEST, Town, case_with

HOLD = """
import sys
from referral_bus._store import Store, notes
store = Store.open(sys.argv[1], bus="training", agency="ward-a")
for number in range(int(sys.argv[2])):
    with store.write() as db:
        notes.move(db, "topic", number + 1)
    print(number + 1, flush=True)
with store._db:
    store._db.execute("BEGIN IMMEDIATE")
    notes.move(store.db, "topic", 999)
    print("inside", flush=True)
    sys.stdin.read()
"""


def opened(path: Path, *, bus: str = "training", agency: str = "ward-a") -> Store:
    return Store.open(path, bus=bus, agency=agency)


def refused(path: Path, **told: str) -> Code:
    with pytest.raises(LocalError) as refusal:
        opened(path, **told)
    return refusal.value.code


class TestOneAtATime:
    def test_a_second_process_is_told_that_the_store_is_busy(self, tmp_path: Path) -> None:
        store = opened(tmp_path / "store.db")
        second = subprocess.run(
            [sys.executable, "-c", HOLD, str(tmp_path / "store.db"), "1"], capture_output=True, text=True, check=False
        )
        store.close()

        assert second.returncode == 1
        assert "store-busy" in second.stderr

    def test_a_second_client_in_the_same_process_is_told_so_too(self, tmp_path: Path) -> None:
        store = opened(tmp_path / "store.db")

        assert refused(tmp_path / "store.db") is Code.STORE_BUSY

        store.close()
        opened(tmp_path / "store.db").close()

    def test_a_killed_process_leaves_what_it_committed_and_no_lock(self, tmp_path: Path) -> None:
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLD, str(tmp_path / "store.db"), "5"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with holder:
            assert holder.stdout is not None
            lines = [holder.stdout.readline().strip() for _ in range(6)]
            holder.send_signal(signal.SIGKILL)
        store = opened(tmp_path / "store.db")

        assert lines[-1] == "inside"
        assert notes.position(store.db, "topic") == 5

        store.close()


class TestFile:
    def test_only_its_owner_can_read_it(self, tmp_path: Path) -> None:
        before = os.umask(0)
        try:
            store = opened(tmp_path / "store.db")
            with store.write() as db:
                notes.move(db, "topic", 1)
        finally:
            os.umask(before)
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        store.close()

        assert set(modes.values()) == {0o600}

    @pytest.mark.parametrize("told", [{"bus": "production"}, {"agency": "ward-b"}])
    def test_the_store_of_another_bus_or_agency_is_refused(self, tmp_path: Path, told: dict[str, str]) -> None:
        opened(tmp_path / "store.db").close()

        assert refused(tmp_path / "store.db", **told) is Code.STATE_FORMAT

    def test_a_store_of_another_format_is_refused(self, tmp_path: Path) -> None:
        opened(tmp_path / "store.db").close()
        with sqlite3.connect(tmp_path / "store.db") as db:
            db.execute("UPDATE meta SET value = '1' WHERE key = 'format'")
        db.close()

        assert refused(tmp_path / "store.db") is Code.STATE_FORMAT

    @pytest.mark.parametrize("content", [b"not a database at all, whatever its name says" * 100, b"SQLite format 3\0"])
    def test_what_is_no_store_is_refused(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "store.db").write_bytes(content)

        assert refused(tmp_path / "store.db") is Code.STATE_FORMAT

    def test_no_folder_is_told(self, tmp_path: Path) -> None:
        assert refused(tmp_path / "nowhere" / "store.db") is Code.NO_SUCH_FILE

    def test_a_transaction_that_fails_leaves_nothing(self, tmp_path: Path) -> None:
        store = opened(tmp_path / "store.db")

        def fail() -> None:
            with store.write() as db:
                notes.move(db, "topic", 7)
                raise LocalError(Code.NOT_FOUND)

        with pytest.raises(ReferralBusError):
            fail()

        assert notes.position(store.db, "topic") is None

        store.close()

    def test_a_disk_that_takes_no_more_is_told_by_a_code(self, tmp_path: Path) -> None:
        store = opened(tmp_path / "store.db")
        store.db.execute("PRAGMA query_only = 1")
        with pytest.raises(StoreFailed) as failure, store.write() as db:
            notes.move(db, "topic", 7)

        assert failure.value.code is Code.INTERNAL

        store.close()


def everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


@pytest.mark.asyncio
async def test_nothing_that_a_section_says_lies_open_in_a_store(tmp_path: Path) -> None:
    town = Town(tmp_path)
    async with town.bus("hotline-111") as hotline, town.bus("ward-a") as ward:
        await case_with(town, hotline, {"ward-a": [REQUEST]})
        delivery = await ward.next(timeout_s=30)
        async with delivery:
            await delivery.accept(ACCEPTANCE)
        town.sim.faults["hotline-111"].away = True
        await hotline.send(hotline.open_case(OPENING), wait=False)
        on_disk = everything_in(tmp_path)
    words = [word for payload in (OPENING, REQUEST, ACCEPTANCE) for word in personal_strings(payload)]

    assert words
    assert [word for word in words if word.encode() in on_disk] == []
    assert b"commune_case" not in on_disk
    assert b"commune-informed" not in on_disk
