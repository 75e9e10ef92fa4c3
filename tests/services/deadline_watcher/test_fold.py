"""One partition of the ledger, folded: what is taken, what is not, and what stops it."""

from dataclasses import replace

import pytest

from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.errors import Fatal, LocalError
from referral_contracts.records import Record
from referral_contracts.verbs import Verb
from tests.contracts.rules.packs import rule
from tests.stories.deadlines import Watched
from tests.stories.world import HOSPITAL, HOTLINE, WARD


@pytest.fixture
def world() -> Watched:
    """Give a bus on which something has happened and the watcher has been away."""
    found = Watched(partitions=1)
    found.watching.away = True
    for _ in range(3):
        found.opened()
    return found


def ledger(world: Watched) -> list[Record]:
    fold = world.watching.folds[0]
    return world.broker.records(topics.LEDGER, 0, fold.position() or 0)


def ticks(world: Watched) -> list[Record]:
    return [
        record
        for partition in range(world.simulator.partitions)
        for record in world.broker.records(topics.SUBMISSIONS, partition)
        if record.key is None
    ]


def said_in_rounds(world: Watched) -> list[int]:
    """Return how much the watcher says in each of its rounds from now on, tick included."""
    rounds: list[int] = []
    say = world.watching._say

    def counted(number: int) -> int:
        rounds.append(say(number))
        return rounds[-1]

    world.watching._say = counted  # type: ignore[method-assign]
    return rounds


class TestHearing:
    def test_it_is_as_before_until_it_is_merged(self, world: Watched) -> None:
        fold = world.watching.folds[0]
        step = fold.step(ledger(world), world.simulator.directory, world.clock.now_ms())

        assert len(fold) == 0
        assert fold.position() != step.position

        fold.merge(step)

        assert len(fold) == 3
        assert fold.position() == step.position

    def test_a_restart_from_the_state_topic_knows_the_same(self, world: Watched) -> None:
        world.watching.away = False
        world.wind(13)
        before = world.watching.folds[0]
        world.watching.restart()
        after = world.watching.folds[0]

        assert after.after == before.after
        assert after._cases == before._cases
        assert +after.shown == +before.shown
        assert after.size() == before.size()

    def test_a_copy_of_a_decision_is_passed_over(self, world: Watched) -> None:
        fold, records = world.watching.folds[0], ledger(world)
        again = [replace(record, offset=records[-1].offset + 1 + nth) for nth, record in enumerate(records)]
        step = fold.step([*records, *again], world.simulator.directory, world.clock.now_ms())

        assert step.tally.strange == len(records)
        assert len(step.changes) == 3

    def test_what_the_router_did_not_write_is_passed_over(self, world: Watched) -> None:
        fold, records = world.watching.folds[0], ledger(world)
        strange = [
            replace(records[0], headers=()),
            replace(records[0], headers=(("kind", b"event"),)),
            replace(records[0], headers=(("kind", b"tick"), ("admitted", b"2999-01-01T00:00:00.000Z"))),
            replace(records[0], value=None, headers=(("kind", b"delivery"),)),
            replace(records[0], headers=(*records[0].headers[:-1], ("root", b"no"))),
            replace(records[0], fault=Code.MALFORMED_RECORD),
        ]
        step = fold.step(strange, world.simulator.directory, world.clock.now_ms())

        assert step.tally.strange == len(strange)
        assert step.changes == {}

    def test_what_cannot_be_stored_is_passed_over_and_the_rest_is_heard(self, world: Watched) -> None:
        fold, records = world.watching.folds[0], ledger(world)
        full = [replace(records[0], fault=Code.UNDELIVERABLE), *records[1:]]
        step = fold.step(full, world.simulator.directory, world.clock.now_ms())

        assert step.tally.strange == 1
        assert len(step.changes) == 2

    def test_decisions_that_are_missing_stop_it(self, world: Watched) -> None:
        fold, records = world.watching.folds[0], ledger(world)

        with pytest.raises(Fatal) as stopped:
            fold.step(records[1:], world.simulator.directory, world.clock.now_ms())

        assert stopped.value.code is Code.COUNTER_GAP

    def test_what_a_newer_directory_decided_waits_for_it(self, world: Watched) -> None:
        directory = world.simulator.directory
        older = replace(directory, head=directory.head.model_copy(update={"version": 0}))

        with pytest.raises(LocalError) as waits:
            world.watching.folds[0].step(ledger(world), older, world.clock.now_ms())

        assert waits.value.code is Code.DIRECTORY_BEHIND


class TestTime:
    def test_a_tick_counts_no_further_than_the_own_clock(self) -> None:
        world = Watched(partitions=1)
        world.opened()
        world.wind(11)
        fold = world.watching.folds[0]
        world.simulator.automatic = False
        world.clock.wind(3 * 3600)
        world.watching._say(0)
        world.simulator.step()
        found = world.broker.records(topics.LEDGER, 0, fold.position() or 0)
        (tick,) = [record for record in found if record.headers[0][1] == b"tick"]
        early_ms = world.clock.now_ms() - 2 * 3_600_000

        assert fold.step([tick], world.simulator.directory, early_ms).after.ticked_ms == early_ms

    def test_no_tick_while_nothing_is_due(self) -> None:
        world = Watched()
        world.opened()
        world.look()
        before = len(ticks(world))
        for _ in range(50):
            world.wind(0.1)

        assert len(ticks(world)) == before

    def test_a_router_that_is_away_finds_a_few_ticks_and_not_thousands(self) -> None:
        world = Watched(partitions=1)
        world.opened()
        world.look()
        before = len(ticks(world))
        world.simulator.automatic = False
        world.clock.wind(13 * 3600)
        for _ in range(3600):
            world.clock.wind(0.1)
            world.watching.step()

        assert 0 < len(ticks(world)) - before < 80

    def test_a_watcher_whose_clock_is_ahead_does_not_ask_without_end(self) -> None:
        world = Watched(partitions=1)
        world.opened()
        world.wind(11)
        world.watching.skew_s = 2 * 3600.0
        before = len(ticks(world))
        for _ in range(100):
            world.clock.wind(0.1)
            for _ in range(5):
                world.watching.step()
                world.simulator.step()

        assert 0 < len(ticks(world)) - before < 15


class TestFloods:
    def test_at_most_so_many_notices_a_round_and_all_of_them_in_due_order(self) -> None:
        world = Watched(partitions=1)
        for _ in range(120):
            world.opened()
            world.clock.wind(1)
        world.watching.away = True
        world.wind(13)
        world.watching.away = False
        rounds = said_in_rounds(world)
        world.look()
        due = [str(note.deadline.due_at) for note in world.notes(WARD) if note.verb is Verb.DEADLINE_MISSED]

        # Fifty, and what the last case had to say besides.
        assert max(rounds) <= 52
        assert len(due) == 120
        assert due == sorted(due)

    def test_one_case_that_has_much_to_say_says_it_by_and_by(self) -> None:
        answered = rule(
            id='"handoff-answered"',
            trigger='["handoff.offered"]',
            required='["handoff.accepted"]',
            role='"*"',
            whose='"named"',
            scope='"handoff"',
        )
        world = Watched(answered, partitions=1)
        case = world.opened()
        for _ in range(120):
            world.say(HOTLINE, Verb.OFFERED, case=case.case, to=[HOSPITAL])
        rounds = said_in_rounds(world)
        world.wind(13)

        assert max(rounds) <= 51
        assert world.verbs(HOSPITAL).count("missed") == 120


class TestForgetting:
    def test_a_case_that_ended_long_ago_is_put_away_and_one_that_goes_on_is_not(self) -> None:
        world = Watched(partitions=1)
        ended, open_ = world.opened(), world.opened()
        world.say(HOTLINE, Verb.CASE_CLOSED, case=ended.case, answers=ended)
        world.wind(24 * 399)
        world.opened()

        assert world.watching.case(ended.case) is not None

        world.wind(24 * 2)
        world.opened()
        world.opened()

        assert world.watching.case(ended.case) is None
        assert world.watching.case(open_.case) is not None

        world.watching.restart()

        assert world.watching.case(ended.case) is None
        assert world.watching.case(open_.case) is not None
