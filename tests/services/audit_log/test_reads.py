"""Reads of a case in the store: its owner finds each of them, whichever way it was made; nobody is drowned in them."""

from typing import Any, Final

import pytest

import audit_log.store.reading as reading_side
from audit_log.core.granting import Asker, Granted
from audit_log.core.reads import accessed
from audit_log.core.searching import Query
from audit_log.log import Log
from audit_log.showing import CaseShown, show_case
from audit_log.store import open_reader
from referral_contracts.codes import Code
from referral_contracts.directory_model import Grant, Purpose
from referral_contracts.encoding import format_time
from referral_contracts.errors import LocalError
from referral_contracts.log.access import ACCESSED, Access, Way
from referral_contracts.log.checkpoint import sign_checkpoint
from referral_contracts.trail.bundle import read_bundle
from referral_contracts.trail.model import Kind
from tests.services.audit_log.erased import Erasing
from tests.stories.logged import LOG, LOG_KEY, POLICY
from tests.stories.world import HOTLINE, WARD

AUDITOR: Final = Asker(HOTLINE, "a key's id")
OTHER: Final = "ef" * 16


class Read(Erasing):
    """The log of a told case, which is read."""

    def read(self, log: Log, way: Way, subject: str | None, asker: Asker = AUDITOR) -> None:
        """Log a read."""
        now_ms = self.now_ms
        grant = Grant(
            purpose=Purpose.REVIEW, valid_from=format_time(now_ms), valid_until=format_time(now_ms + 86_400_000)
        )
        granted = Granted(None if way is Way.READS else grant)
        directory = self.world.simulator.directory
        taken = accessed(asker, way, subject, granted, request=b"base", directory=directory, key=LOG_KEY, now_ms=now_ms)
        log.append([taken], {})

    def shown(self, witnessed: bytes | None = None, case: str | None = None) -> CaseShown:
        reader = open_reader(self.url)
        try:
            return show_case(reader, case or self.case, self.world.simulator.directory, LOG, witnessed)
        finally:
            reader.close()

    def reads(self, **asked: Any) -> list[tuple[str | None, Way, str | None]]:
        """Return who reads what, by a search for reads."""
        reader = open_reader(self.url)
        newest = reader.newest()
        assert newest is not None
        found = reader.search(Query(verb=ACCESSED, **asked), newest.size)
        kept = reader.kept([one.leaf for one in found])
        reader.close()
        told = [Access.decode(one.value or b"") for one in kept]
        return [(one.by, one.asked, one.subject) for one in told]


@pytest.fixture(params=["sqlite", "postgres"])
def log(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Read:
    """Give a told case in a store of each kind."""
    own = None if request.param == "sqlite" else request.getfixturevalue("database")
    return Read(tmp_path_factory.mktemp("read"), own)


def test_the_owner_finds_every_read_of_its_case_and_no_other(log: Read) -> None:
    owner = Asker(WARD, "a key's id")
    with log.opened() as opened:
        for way in Way:
            log.read(opened, way, log.case)
            log.read(opened, way, OTHER)
        log.read(opened, Way.READS, log.case, owner)
        log.read(opened, Way.SEARCH, None)
        opened.publish()

    mine = [(HOTLINE, way, log.case) for way in Way] + [(WARD, Way.READS, log.case)]
    assert log.reads(case=log.case) == mine
    assert log.reads(agency=WARD) == [(WARD, Way.READS, log.case)]
    assert len(log.reads()) == 2 * len(Way) + 2


def test_reads_are_rows_of_the_trail_and_of_the_bundle(log: Read) -> None:
    with log.opened() as opened:
        log.read(opened, Way.TRAIL, log.case)
        opened.publish()
    shown = log.shown()
    row = shown.trail().rows[-1]
    reader = open_reader(log.url)
    bundle = read_bundle(shown.bundle(reader), POLICY, log.world.simulator.root)
    reader.close()

    assert shown.trail().sound
    assert (row.kind, row.statement) == (Kind.STATEMENT, ACCESSED)
    assert row.told is not None
    assert (row.told["by"], row.told["purpose"]) == (HOTLINE, "review")
    assert bundle.trail.rows[-1] == row


def test_a_read_that_no_witness_has_seen_keeps_no_trail_provisional(log: Read) -> None:
    with log.opened() as opened:
        newest = opened.newest
        assert newest is not None
        log.read(opened, Way.TRAIL, log.case)
        opened.publish()
    witnessed = sign_checkpoint(newest[0], LOG_KEY)

    assert log.shown(witnessed).checkpoint.size == newest[0].size
    assert log.shown(witnessed).trail().sound
    assert [row.statement for row in log.shown(witnessed).trail().rows][-1] is None
    assert log.shown().trail().rows[-1].statement == ACCESSED


def test_a_case_that_was_only_read_is_none(log: Read) -> None:
    with log.opened() as opened:
        log.read(opened, Way.SEARCH, OTHER)
        opened.publish()

    with pytest.raises(LocalError) as caught:
        log.shown(case=OTHER)
    assert caught.value.code is Code.NOT_FOUND


def test_of_many_reads_a_trail_has_the_newest(log: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading_side, "MOST_READS", 3)
    with log.opened() as opened:
        before = opened.size
        for _ in range(5):
            log.read(opened, Way.TRAIL, log.case)
        opened.publish()
    rows = log.shown().trail().rows

    assert [row.index for row in rows if row.statement == ACCESSED] == [before + number for number in (2, 3, 4)]
    assert len(log.reads(case=log.case)) == 5


def test_reads_take_no_room_that_events_need(log: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = len(log.shown().trail().rows)
    monkeypatch.setattr(reading_side, "MOST_LEAVES", rows)
    with log.opened() as opened:
        log.read(opened, Way.TRAIL, log.case)
        opened.publish()

    assert len(log.shown().trail().rows) == rows + 1
    monkeypatch.setattr(reading_side, "MOST_LEAVES", rows - 1)
    with pytest.raises(LocalError) as caught:
        log.shown()
    assert caught.value.code is Code.OVERSIZE
