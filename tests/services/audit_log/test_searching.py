"""What is found in the log of a told story, and its trail and bundle from the store alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, delete, update

from audit_log.core.growing import grow
from audit_log.core.places import NOWHERE, Place
from audit_log.core.reading import LedgerReader, Taken
from audit_log.core.searching import MOST, Query
from audit_log.core.trails import erased_in
from audit_log.showing import CaseShown, show_case
from audit_log.store import Signed, open_reader, open_store, schema
from referral_contracts.codes import Code
from referral_contracts.encoding import unb64
from referral_contracts.errors import Fatal, LocalError, RemoteError
from referral_contracts.log.checkpoint import Checkpoint, sign_checkpoint
from referral_contracts.log.growth import Frontier
from referral_contracts.sealing import random_salts
from referral_contracts.topics import LEDGER
from referral_contracts.trail import telling
from referral_contracts.trail.bundle import Bundle, read_bundle
from referral_contracts.verbs import Verb
from tests.stories.deadlines import Watched
from tests.stories.logged import LOG, LOG_KEY, ORIGIN, POLICY, LoggedBus
from tests.stories.story import Told, tell
from tests.stories.world import BUS, HOSPITAL, HOTLINE, POLICE, SCHOOL, STRANGER, WARD, World


class Logged:
    """A told story in a store."""

    told: Told

    def __init__(self, url: str, world: World | None = None) -> None:
        self.world = world or World()
        LoggedBus(self.world)
        if world is None:
            self.told = tell(self.world)
        self.url, self.size = url, 0
        taken = list(self._taken())
        batch = grow(Frontier.empty(), taken, {0: Place(1, 1, bytes(32))}, random_salts)
        store = open_store(url, bus=BUS, origin=ORIGIN)
        store.append(batch)
        self.size = batch.frontier.size
        found = Checkpoint(ORIGIN, self.size, batch.frontier.root())
        store.sign(Signed(found.size, found.root, sign_checkpoint(found, LOG_KEY)), self.world.clock.now_ms())
        store.close()
        self.reader = open_reader(url)

    def _taken(self) -> Iterator[Taken]:
        simulator = self.world.simulator
        for partition in range(simulator.partitions + 1):
            reader, place = LedgerReader(BUS, partition), NOWHERE
            for record in simulator.broker.records(LEDGER, partition):
                one = reader.read(record, place, simulator.directory)
                if one is not None:
                    place = Place(record.offset + 1, one.counter, one.chain)
                    yield one

    @property
    def case(self) -> str:
        return self.told.opened.case

    def verbs(self, **asked: Any) -> list[str | None]:
        return [found.verb for found in self.reader.search(Query(**asked), self.size)]

    def shown(self) -> CaseShown:
        return show_case(self.reader, self.case, self.world.simulator.directory, LOG)

    def bundle(self) -> Bundle:
        """Make the bundle of the case, and read it as a stranger."""
        return read_bundle(self.shown().bundle(self.reader), POLICY, self.world.simulator.root)

    def spoil(self, statement: Any) -> None:
        """Change the store behind the log's back."""
        engine = create_engine(self.url)
        with engine.begin() as connection:
            connection.execute(statement)
        engine.dispose()


@pytest.fixture(params=["sqlite", "postgres"])
def logged(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Logged]:
    """Give a told story in a store of each kind."""
    own = f"sqlite:///{tmp_path / 'log.db'}"
    found = Logged(own if request.param == "sqlite" else request.getfixturevalue("database"))
    yield found
    found.reader.close()


class TestSearching:
    def test_by_case(self, logged: Logged) -> None:
        found = logged.reader.search(Query(case=logged.case), logged.size)

        assert [one.leaf for one in found] == logged.reader.case(logged.case, logged.size)
        assert found[0].event == unb64(logged.told.opened.ref.sha256)
        assert len(found) == 40

    def test_by_referral_its_opening_and_all_that_was_said_of_it(self, logged: Logged) -> None:
        asked = logged.told.asked_school.envelope.id

        assert logged.verbs(referral=asked, accepted=True) == [
            one.value
            for one in (
                Verb.OFFERED,
                Verb.RECEIVED,
                Verb.ACCEPTED,
                Verb.PROGRESSED,
                Verb.COMPLETED,
                Verb.CLOSED,
            )
        ]

    def test_by_agency_what_it_said_and_what_it_was_told(self, logged: Logged) -> None:
        found = logged.reader.search(Query(agency=SCHOOL), logged.size)

        assert {one.source for one in found} == {SCHOOL, WARD}
        assert logged.verbs(agency=STRANGER) == []
        assert {one.source for one in logged.reader.search(Query(agency=HOTLINE), logged.size)} == {HOTLINE, WARD}

    def test_by_verb_and_more_than_one_thing_at_a_time(self, logged: Logged) -> None:
        assert set(logged.verbs(verb=Verb.DECLINED.value)) == {"handoff.declined"}
        assert logged.verbs(verb=Verb.DECLINED.value, agency=POLICE) == []
        assert logged.verbs(case=logged.case, agency=HOSPITAL, verb=Verb.ACCEPTED.value) == ["handoff.accepted"]

    def test_by_period(self, logged: Logged) -> None:
        now = logged.world.clock.now_ms()

        assert logged.verbs(case=logged.case, since_ms=now + 1) == []
        assert len(logged.verbs(until_ms=now + 1)) == logged.size
        assert logged.verbs(until_ms=now) == []

    def test_refusals_apart(self, logged: Logged) -> None:
        refused = logged.reader.search(Query(case=logged.case, accepted=False), logged.size)

        assert {one.code for one in refused} == {"stale-head", "duplicate", "id-reused", "open-handoffs"}

    def test_overdue_where_a_deadline_was_missed(self, logged: Logged, tmp_path: Path) -> None:
        world = Watched()
        late, timely = world.opened(), world.say(HOTLINE, Verb.CASE_OPENED)
        world.assigned(late)
        world.wind(13)
        watched = Logged(f"sqlite:///{tmp_path / 'watched.db'}", world)
        found = watched.reader.search(Query(overdue=True), watched.size)

        assert logged.verbs(overdue=True) == []
        assert {(one.subject, one.verb) for one in found} == {(late.case, Verb.DEADLINE_MISSED.value)}
        assert watched.verbs(overdue=True, case=timely.case) == []
        watched.reader.close()

    def test_page_by_page_nothing_is_left_out_or_told_twice(self, logged: Logged) -> None:
        found: list[int] = []
        while page := logged.reader.search(
            Query(case=logged.case, after=found[-1] if found else -1, most=7), logged.size
        ):
            assert len(page) <= 7
            found += [one.leaf for one in page]

        assert found == logged.reader.case(logged.case, logged.size)

    def test_an_answer_has_a_limit(self) -> None:
        assert Query().most == MOST

    def test_what_is_behind_the_checkpoint_is_not_told(self, logged: Logged) -> None:
        assert logged.reader.case(logged.case, 3) == [0, 1, 2]
        assert [one.leaf for one in logged.reader.search(Query(case=logged.case), 3)] == [0, 1, 2]


class TestATrailFromTheStore:
    def test_it_is_proven_whole(self, logged: Logged) -> None:
        trail = logged.bundle().trail

        assert telling.fields(logged.shown().trail()) == telling.fields(trail)

        assert trail.faults == ()
        assert (trail.events, trail.refused) == (36, 4)

    def test_a_byte_of_what_is_sealed_that_was_changed_is_found(self, logged: Logged) -> None:
        (one,) = logged.reader.kept([4])
        table = schema.RECORDS
        logged.spoil(update(table).where(table.c.idx == 4).values(value=(one.value or b"")[:-1] + b" "))

        assert {fault.index for fault in logged.bundle().trail.faults} == {4}

    def test_salts_that_were_changed_are_found(self, logged: Logged) -> None:
        logged.spoil(update(schema.RECORDS).where(schema.RECORDS.c.idx == 4).values(salt=bytes(32)))

        assert [fault.code for fault in logged.bundle().trail.faults] == [Code.BAD_PROOF]

    def test_an_index_that_was_changed_leaves_a_gap(self, logged: Logged) -> None:
        logged.spoil(update(schema.SEARCH).where(schema.SEARCH.c.idx == 4).values(subject="0" * 32))

        assert [fault.code for fault in logged.bundle().trail.faults] == [Code.COUNTER_GAP]

    def test_bytes_that_are_gone_are_found(self, logged: Logged) -> None:
        logged.spoil(delete(schema.RECORDS).where(schema.RECORDS.c.idx == 4))

        assert [(one.code, one.index) for one in logged.bundle().trail.faults] == [(Code.MISSING_ERASURE, 4)]

    def test_a_leaf_that_was_changed_is_not_of_this_tree(self, logged: Logged) -> None:
        logged.spoil(update(schema.ENTRIES).where(schema.ENTRIES.c.idx == 4).values(entry=bytes(32)))

        with pytest.raises(RemoteError) as caught:
            logged.bundle()
        assert caught.value.code is Code.BAD_TILE

    def test_a_leaf_that_is_gone_stops_it(self, logged: Logged) -> None:
        logged.spoil(delete(schema.ENTRIES).where(schema.ENTRIES.c.idx == 4))

        with pytest.raises(Fatal) as caught:
            logged.bundle()
        assert caught.value.code is Code.LOG_FORK


def test_a_case_that_nobody_named_is_not_found(logged: Logged) -> None:
    with pytest.raises(LocalError) as caught:
        show_case(logged.reader, "0" * 32, logged.world.simulator.directory, LOG)

    assert caught.value.code is Code.NOT_FOUND


def test_a_directory_that_the_log_has_not_come_to_is_waited_for(logged: Logged) -> None:
    logged.world.simulator.change_directory()
    logged.world.simulator.run()

    with pytest.raises(LocalError) as caught:
        logged.bundle()
    assert caught.value.code is Code.DIRECTORY_MISSING


def test_what_was_erased_is_told_by_statements_alone(logged: Logged) -> None:
    kept = logged.reader.kept([0, 1])
    statement = kept[0]._replace(value=b'{"kind":"erased","leaves":[7,9]}', decision=b"")

    assert erased_in(kept) == set()
    assert erased_in([statement]) == {7, 9}
    assert erased_in([statement._replace(value=b"no JSON")]) == set()
