"""What the rules do not come to is told; what they cannot know is believed."""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.encoding import jcs
from referral_contracts.records import Record
from referral_contracts.topics import LEDGER
from referral_contracts.verbs import Verb
from referral_router.core.replay import Rejudge
from tests.stories.rejudged import entry_of, judged_otherwise
from tests.stories.world import HOTLINE, WARD, Said, World


@pytest.fixture
def world() -> World:
    return World(partitions=1)


@pytest.fixture
def said(world: World) -> Said:
    """Give a case with a hand-off that was accepted."""
    opened = world.say(HOTLINE, Verb.CASE_OPENED)
    offered = world.say(HOTLINE, Verb.OFFERED, case=opened.case, to=[WARD])
    world.reply(WARD, Verb.ACCEPTED, offered)
    return opened


def told_with(world: World, counter: int, **changed: object) -> list[tuple[int, int, str]]:
    """Return what is told when the decision number *counter* says something else."""

    def read(topic: str, partition: int) -> Sequence[Record]:
        return [_altered(record, counter, changed) for record in world.broker.records(topic, partition)]

    return judged_otherwise(read, world.simulator.root, 1)


def _altered(record: Record, counter: int, changed: dict[str, object]) -> Record:
    headers = dict(record.headers)
    told = json.loads(headers.get(topics.H_DECISION) or b"{}")
    if record.partition or told.get("counter") != counter:
        return record
    told = {name: value for name, value in (told | changed).items() if value is not None}
    return replace(record, headers=tuple((headers | {topics.H_DECISION: jcs(told)}).items()))


def test_the_ledger_of_a_story_is_judged_as_it_was(world: World, said: Said) -> None:
    assert said.case
    assert len(world.broker.records(LEDGER, 0)) >= 3
    assert told_with(world, 0) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"code": Code.NOT_PERMITTED.value, "case": None},
        {"code": Code.DUPLICATE.value},
        {"case": 7},
        {"size": 3},
        {"admitted": "2020-01-01T00:00:00.000Z"},
        {"stamp": "2020-01-01T00:00:00.000Z"},
        {"directory": 99},
        {"offset": 0},
    ],
    ids=str,
)
@pytest.mark.usefixtures("said")
def test_a_decision_that_the_rules_do_not_come_to(world: World, changed: dict[str, object]) -> None:
    found = told_with(world, 2, **changed)

    assert [(partition, counter) for partition, counter, _ in found][:1] == [(0, 2)]


@pytest.mark.usefixtures("said")
def test_that_a_topic_was_missing_is_believed_until_somebody_answers(world: World) -> None:
    found = told_with(world, 2, code=Code.TOPIC_MISSING.value, case=None)

    assert [(partition, counter) for partition, counter, _ in found] == [(0, 3)]


@pytest.mark.usefixtures("said")
def test_an_acceptance_of_what_nobody_said(world: World) -> None:
    judge = Rejudge(world.simulator.root, 1)
    for record in world.broker.records(LEDGER, 1):
        assert judge.change(entry_of(record))
    first = entry_of(world.broker.records(LEDGER, 0)[0])

    assert not judge.event(replace(first, value=b""))


@pytest.mark.usefixtures("said")
def test_a_change_of_the_directory_that_the_rules_do_not_come_to(world: World) -> None:
    judge = Rejudge(world.simulator.root, 1)
    first = entry_of(world.broker.records(LEDGER, 1)[0])

    assert not judge.change(replace(first, signature=first.signature[:-4] + b"AAAA"))
    assert judge.directory() is None


@pytest.mark.usefixtures("said")
@pytest.mark.parametrize("lost", [False, True])
def test_of_a_case_whose_opening_is_gone_nothing_is_said(world: World, lost: bool) -> None:
    judge = Rejudge(world.simulator.root, 1)
    for record in world.broker.records(LEDGER, 1):
        judge.change(entry_of(record))
    if lost:
        judge.lost(0)
    opening, *following = [entry_of(record) for record in world.broker.records(LEDGER, 0)]

    assert opening.value
    assert [judge.event(entry) for entry in following] == [lost] * len(following)
