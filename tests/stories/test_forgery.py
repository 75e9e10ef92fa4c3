"""What was never said, or was said before, or not like that: refused, in the ledger, and the stream goes on."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.decisions import Decision, read_decision
from referral_contracts.records import Headers
from referral_contracts.topics import H_DECISION, H_SIGNATURE, SUBMISSIONS, partition_for
from referral_contracts.verbs import Verb
from tests.stories.world import HOTLINE, NEXT_WARD, POLICE, ROLES, WARD, Said, World, altered, keys

H = 3_600_000


@pytest.fixture
def world() -> World:
    return World(partitions=2)


@pytest.fixture
def opened(world: World) -> Said:
    return world.say(HOTLINE, Verb.CASE_OPENED)


def last_decision(world: World, case: str) -> Decision:
    record = world.broker.records(topics.LEDGER, partition_for(case, 2))[-1]
    return read_decision(dict(record.headers)[H_DECISION] or b"")


def put(world: World, said: Said, value: bytes | None, headers: Headers, fault: Code | None = None) -> None:
    place = partition_for(said.case, 2)
    world.broker.append(SUBMISSIONS, place, said.case.encode(), value, headers, fault=fault)


def goes_on(world: World, opened: Said) -> None:
    """Check that nobody was disturbed: nobody got anything, and the next event is judged."""
    assert not any(world.inbox(name) for name in ROLES)

    world.say(HOTLINE, Verb.ASSIGNED, case=opened.case, to=[WARD])

    assert [copy.verb for copy in world.inbox(WARD)] == [Verb.ASSIGNED]
    world.audit()


UNANSWERED: dict[str, tuple[Callable[[Said], tuple[bytes | None, Headers]], Code]] = {
    "no value": (lambda said: (None, ((H_SIGNATURE, said.signature),)), Code.NULL_VALUE),
    "no header": (lambda said: (said.value, ()), Code.MISSING_HEADER),
    "two signatures": (lambda said: (said.value, ((H_SIGNATURE, said.signature),) * 2), Code.UNEXPECTED_HEADER),
    "another header": (lambda said: (said.value, (("x", said.signature),)), Code.UNEXPECTED_HEADER),
    "null signature": (lambda said: (said.value, ((H_SIGNATURE, None),)), Code.MISSING_HEADER),
    "truncated": (lambda said: (said.value, ((H_SIGNATURE, said.signature[:-2]),)), Code.MALFORMED_SIGNATURE),
    "another's signature": (
        lambda said: (said.value, ((H_SIGNATURE, altered(said, keys()[POLICE].signing).signature),)),
        Code.UNKNOWN_KEY,
    ),
    "altered bytes": (
        lambda said: (altered(said, exercise=True).value, ((H_SIGNATURE, said.signature),)),
        Code.BAD_SIGNATURE,
    ),
    "not JSON": (lambda said: (b"\xff\xfe", ((H_SIGNATURE, said.signature),)), Code.MALFORMED_JSON),
}


@pytest.mark.parametrize("name", UNANSWERED)
def test_what_nobody_is_known_to_have_said_is_refused_without_an_answer(world: World, opened: Said, name: str) -> None:
    forge, code = UNANSWERED[name]
    said = world.write(HOTLINE, Verb.ASSIGNED, case=opened.case, to=[WARD])
    value, headers = forge(said)
    put(world, said, value, headers)
    decision = last_decision(world, opened.case)

    assert code is decision.code
    assert len(value or b"") == decision.size
    assert world.broker.records(topics.LEDGER, partition_for(opened.case, 2))[-1].value == b""
    assert world.verdicts(said) == []
    goes_on(world, opened)


def test_a_record_that_cannot_be_decoded_is_refused_and_passed(world: World, opened: Said) -> None:
    put(world, opened, b"whatever", (("\\xff", b""),), fault=Code.MALFORMED_RECORD)

    assert last_decision(world, opened.case).code is Code.MALFORMED_RECORD
    goes_on(world, opened)


def test_an_event_of_another_bus_is_refused(world: World, opened: Said) -> None:
    said = world.write(HOTLINE, Verb.ASSIGNED, case=opened.case, to=[WARD])
    elsewhere = altered(said, keys()[HOTLINE].signing, bus="production")

    assert world.answer(elsewhere).code is Code.WRONG_BUS
    goes_on(world, opened)


def test_a_type_or_version_that_nobody_knows_is_refused_with_an_answer(world: World, opened: Said) -> None:
    said = world.write(HOTLINE, Verb.ASSIGNED, case=opened.case, to=[WARD])
    unknown = altered(said, keys()[HOTLINE].signing, type="vn.referral-bus.handoff.imagined.v1")
    newer = altered(said, keys()[HOTLINE].signing, type="vn.referral-bus.handoff.assigned.v2")

    assert world.answer(unknown).code is Code.UNKNOWN_TYPE
    assert world.answer(newer).code is Code.UNKNOWN_VERSION
    assert world.answer(said).code is Code.ACCEPTED


def test_a_key_or_partition_that_does_not_fit_the_case_is_refused(world: World) -> None:
    one, other = (world.write(HOTLINE, Verb.CASE_OPENED) for _ in range(2))
    place = partition_for(one.case, 2)
    world.submit(one, partition=1 - place)
    world.submit(other, key=one.case.encode())

    assert world.told(one) is Code.WRONG_PARTITION
    assert world.told(other) is Code.WRONG_PARTITION

    world.submit(one)

    assert world.told(one) is Code.ACCEPTED


def test_a_replay_by_anyone_gives_the_first_verdict_again_and_no_second_copy(world: World, opened: Said) -> None:
    assigned = world.say(HOTLINE, Verb.ASSIGNED, case=opened.case, to=[WARD])
    again = world.answer(assigned)
    first = world.verdicts(assigned)[0]

    assert again.code is Code.DUPLICATE
    assert again.first is not None
    assert (first.code, first.decision, first.counter) == (again.first.code, again.first.decision, again.first.counter)
    assert [copy.counter for copy in world.inbox(WARD)] == [1]


def test_other_bytes_under_a_used_id_are_refused_and_the_first_hash_is_named(world: World, opened: Said) -> None:
    assigned = world.say(HOTLINE, Verb.ASSIGNED, case=opened.case, to=[WARD])
    other = world.answer(altered(assigned, keys()[HOTLINE].signing, exercise=True))

    assert other.code is Code.ID_REUSED
    assert other.first is not None
    assert other.first.event == assigned.ref.sha256


def test_a_refused_event_has_used_its_id_up_too(world: World, opened: Said) -> None:
    refused = world.write(HOTLINE, Verb.OFFERED, case=opened.case, parts={POLICE: b"", NEXT_WARD: b""})

    assert world.answer(refused).code is Code.RECIPIENTS_APART

    again = world.answer(refused)

    assert again.code is Code.DUPLICATE
    assert not again.accepted


@pytest.mark.parametrize("late_ms", [2 * H + 1, -2 * H - 1])
def test_an_event_outside_the_window_is_refused_and_told_by_how_much(world: World, opened: Said, late_ms: int) -> None:
    said = world.write(HOTLINE, Verb.ASSIGNED, case=opened.case, to=[WARD], late_ms=late_ms)
    verdict = world.answer(said)

    assert (Code.OUTSIDE_WINDOW, -late_ms) == (verdict.code, verdict.clock_offset_ms)

    # Its id is still free: signed afresh, it is what was meant from the beginning.
    fresh = world.write(HOTLINE, Verb.ASSIGNED, case=opened.case, to=[WARD], event_id=said.envelope.id)

    assert world.answer(fresh).code is Code.ACCEPTED


def test_a_replay_after_everything_was_forgotten_is_outside_the_window(world: World, opened: Said) -> None:
    closed = world.say(HOTLINE, Verb.CASE_CLOSED, case=opened.case, answers=opened)
    world.clock.wind(25 * 3600)
    world.say(HOTLINE, Verb.CASE_OPENED)
    for _ in range(4):
        # Both partitions have to decide something before they let go of anything.
        world.say(HOTLINE, Verb.CASE_OPENED)

    assert world.answer(closed).code is Code.OUTSIDE_WINDOW
    assert world.answer(opened).code is Code.OUTSIDE_WINDOW


def test_a_section_moved_to_another_event_opens_for_nobody(world: World, opened: Said) -> None:
    first = world.say(HOTLINE, Verb.ASSIGNED, case=opened.case, parts={WARD: b"what was meant"})
    second = world.write(HOTLINE, Verb.ASSIGNED, case=opened.case, parts={WARD: b"something else"})
    moved = second.envelope.data.model_copy(update={"sections": first.envelope.data.sections})
    swapped = altered(second, keys()[HOTLINE].signing, data=moved)

    assert world.answer(swapped).code is Code.ACCEPTED
    with pytest.raises(Exception, match="wrong-commitment"):
        world.inbox(WARD)


def test_a_key_that_was_revoked_signs_nothing_more(world: World, opened: Said) -> None:
    entry = world.simulator.directory.member(WARD)
    assert entry is not None
    now = world.simulator.directory.head.issued
    revoked = [
        key.model_copy(update={"revoked_at": now}) if key.use.value == "event" else key for key in entry.entry.keys
    ]
    world.simulator.change_directory(agencies=[entry.entry.model_copy(update={"keys": tuple(revoked)})])
    said = world.write(WARD, Verb.CASE_OPENED)
    world.submit(said)

    assert world.told(said) is None
    assert last_decision(world, said.case).code is Code.KEY_NOT_VALID
    goes_on(world, opened)


def test_a_signature_of_one_event_does_not_fit_another(world: World, opened: Said) -> None:
    one = world.write(HOTLINE, Verb.ASSIGNED, case=opened.case, to=[WARD])
    other = world.write(HOTLINE, Verb.ASSIGNED, case=opened.case, to=[WARD])
    world.submit(replace(one, signature=other.signature))

    assert last_decision(world, opened.case).code is Code.BAD_SIGNATURE
    goes_on(world, opened)
