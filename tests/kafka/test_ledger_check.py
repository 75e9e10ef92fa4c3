"""The check itself can fail: whatever is lost, doubled, swapped or forged in what a broker holds, it sees."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from referral_contracts import topics
from referral_contracts.decisions import read_decision
from referral_contracts.errors import ReferralBusError
from referral_contracts.records import Record
from referral_contracts.topics import H_DECISION, H_KIND, H_ROOT, KIND_DELIVERY, KIND_EVENT, KIND_VERDICT, POSITION_KEY
from tests.kafka.demo_run import DemoRun
from tests.kafka.ledger_check import Held, check

pytestmark = pytest.mark.kafka

COMMUNE = topics.inbox("ubnd-xa-thi-du")


def kind(record: Record) -> bytes | None:
    return dict(record.headers).get(H_KIND)


def without(wanted: Callable[[Record], bool]) -> Callable[[Sequence[Record]], list[Record]]:
    def change(records: Sequence[Record]) -> list[Record]:
        gone = next(record for record in records if wanted(record))
        return [record for record in records if record is not gone]

    return change


def twice(wanted: Callable[[Record], bool]) -> Callable[[Sequence[Record]], list[Record]]:
    def change(records: Sequence[Record]) -> list[Record]:
        return [*records, next(record for record in records if wanted(record))]

    return change


def swapped(records: Sequence[Record]) -> list[Record]:
    first, second, *rest = records
    return [second, first, *rest]


def last_one_again(records: Sequence[Record]) -> list[Record]:
    """As after a restart that had forgotten its last batch."""
    return [*records, replace(last_decision(records), offset=records[-1].offset + 1)]


def under_another_root(records: Sequence[Record]) -> list[Record]:
    root = dict(last_decision(records).headers)[H_ROOT]
    return [with_header(records[0], H_ROOT, root), *records[1:]]


def last_decision(records: Sequence[Record]) -> Record:
    """Return the last record that is no tick: how a story ends is a matter of moments."""
    return [record for record in records if kind(record) == KIND_EVENT][-1]


def with_another_code(records: Sequence[Record]) -> list[Record]:
    leaf = dict(records[0].headers)[H_DECISION] or b""
    code = read_decision(leaf).code.value.encode()
    return [with_header(records[0], H_DECISION, leaf.replace(code, b"not-found")), *records[1:]]


def with_header(record: Record, name: str, value: bytes | None) -> Record:
    return replace(record, headers=tuple((key, value if key == name else old) for key, old in record.headers))


def without_the_last_state(records: Sequence[Record]) -> list[Record]:
    """The state of a case as it was before its last event: a lost write."""
    (*before, last) = [record for record in records if record.key != POSITION_KEY]
    assert any(record.key == last.key for record in before)
    return [record for record in records if record is not last]


def without_the_last_position(records: Sequence[Record]) -> list[Record]:
    last = [record for record in records if record.key == POSITION_KEY][-1]
    return [record for record in records if record is not last]


def is_delivery(record: Record) -> bool:
    return kind(record) == KIND_DELIVERY


def is_verdict(record: Record) -> bool:
    return kind(record) == KIND_VERDICT


@pytest.mark.parametrize(
    ("topic", "change"),
    [
        pytest.param(COMMUNE, without(is_delivery), id="a copy is lost"),
        pytest.param(COMMUNE, twice(is_delivery), id="a copy comes twice"),
        pytest.param(COMMUNE, without(is_verdict), id="a verdict is lost"),
        pytest.param(COMMUNE, twice(is_verdict), id="a verdict comes twice"),
        pytest.param(topics.LEDGER, without(lambda _: True), id="a decision is lost"),
        pytest.param(topics.LEDGER, swapped, id="two decisions are swapped"),
        pytest.param(topics.LEDGER, last_one_again, id="a decision comes twice"),
        pytest.param(topics.LEDGER, under_another_root, id="a root of another batch"),
        pytest.param(topics.LEDGER, with_another_code, id="another code than was signed"),
        pytest.param(topics.STATE, without_the_last_state, id="a write to the state is lost"),
        pytest.param(topics.STATE, without_the_last_position, id="a position is lost"),
        pytest.param(topics.SUBMISSIONS, without(lambda _: True), id="a decision about nothing"),
    ],
)
def test_it_sees_that(demo: DemoRun, topic: str, change: Callable[[Sequence[Record]], list[Record]]) -> None:
    # The partition that the case is in: the others are empty.
    place = max((key for key in demo.held.records if key[0] == topic), key=lambda key: len(demo.held.records[key]))
    broken = Held(records={**demo.held.records, place: change(demo.held.records[place])})

    with pytest.raises((AssertionError, ReferralBusError, KeyError)):
        check(broken, demo.trust)


def test_it_sees_nothing_in_what_is_whole(demo: DemoRun) -> None:
    assert check(demo.held, demo.trust).decisions
