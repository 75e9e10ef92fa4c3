"""What a partition remembers: records, stubs, the position; how it is restored, and how large it can become."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.encoding import AGENCY, b64, jcs
from referral_contracts.errors import Fatal
from referral_contracts.lifecycle import CaseState, Receipt, State
from referral_contracts.records import Record
from referral_contracts.topics import BATCH_MAX, POSITION_KEY
from referral_contracts.verbs import Verb
from referral_router.core import Router
from referral_router.core.case import Case, Handoff, ghost_key, ghost_of, kind_and_touched, stub
from referral_router.core.claims import SIZE, Claim
from referral_router.core.fold import MAX_CASE_CLAIMS, MAX_CLAIMS
from referral_router.core.position import Position
from referral_router.core.refs import Ref
from referral_router.core.room import MAX_ADDRESSES, MAX_CHOSEN, MAX_HANDOFFS, MAX_OPENED
from tests.services.referral_router.founding import (
    CLINIC,
    DAY,
    HOSPITAL,
    HOTLINE,
    LEGAL_AID,
    NEXT_WARD,
    POLICE,
    SCHOOL,
    WARD,
    WATCHER,
)
from tests.services.referral_router.test_succession import ending
from tests.services.referral_router.world import World, lane, new_id, section

HASH = b64(b"\xff" * 32)
LONGEST = "a" * 63
COUNTS = st.integers(0, 2**32 - 1)
LONGEST_ADDRESS = f"{LONGEST}/{LONGEST}"


def progressed() -> bytes:
    """Return the record of a case with a hand-off that came further, and with used ids of both sides."""
    head, opened = Ref.of(new_id(), HASH), new_id()
    case = Case(state=CaseState.OPEN, owner=HOTLINE, head=head, sequence=3, parties={HOTLINE, WARD})
    case.handoffs[f"{opened} {WARD}"] = Handoff(State.ACCEPTED, HOTLINE, head, bytes(32), Receipt.RECEIVED)
    case.deliveries = {WARD: 1, HOTLINE: 1}
    case.use_up(HOTLINE, opened, Claim(HASH, Code.ACCEPTED, 1, bytes(32), 1))
    case.use_up(WARD, head.id, Claim(HASH, Code.ACCEPTED, 2, bytes(32), 2))
    case.use_up(WARD, new_id(), Claim(HASH, Code.STALE_HEAD, 3, bytes(32), 3))
    return case.encode(3)


class TestCases:
    def test_a_case_is_read_as_it_was_written(self) -> None:
        world = World()
        case = world.open_case()
        world.accepted(world.say(HOTLINE, Verb.OFFERED, WARD, POLICE, case=case))
        world.accepted(world.say(HOTLINE, Verb.CASE_TRANSFER_OFFERED, WARD, case=case, answers=case))
        value = world.state[case.case.encode()]

        assert Case.decode(value).encode(kind_and_touched(value)[1]) == value

    @given(st.binary(max_size=150) | st.binary(max_size=150).map(lambda rest: b"s" + bytes(8) + rest))
    def test_any_bytes_are_a_case_or_stop_the_partition(self, value: bytes) -> None:
        try:
            Case.decode(value)
        except Fatal as fatal:
            assert fatal.code is Code.STATE_FORMAT

    @given(
        st.integers(0, 5),
        st.recursive(
            st.none() | st.integers() | st.text(max_size=4),
            lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
            max_leaves=9,
        ),
    )
    def test_any_record_of_the_right_kind_is_a_case_or_stops_the_partition(self, place: int, other: object) -> None:
        value = progressed()
        size = int.from_bytes(value[9:13], "big")
        body = json.loads(value[13 : 13 + size])
        body[place] = other
        told = json.dumps(body).encode()
        try:
            Case.decode(value[:9] + len(told).to_bytes(4, "big") + told + value[13 + size :])
        except Fatal as fatal:
            assert fatal.code is Code.STATE_FORMAT

    @given(st.integers(min_value=0), st.binary(max_size=97))
    def test_a_record_that_was_cut_or_goes_on_stops_the_partition(self, end: int, more: bytes) -> None:
        value = progressed()
        end %= len(value)

        with pytest.raises(Fatal, match=Code.STATE_FORMAT):
            Case.decode(value[:end])
        with pytest.raises(Fatal, match=Code.STATE_FORMAT):
            # Between two claims.
            Case.decode(value[:-SIZE])
        with pytest.raises(Fatal, match=Code.STATE_FORMAT):
            Case.decode(value + b"\0" + more)

    @given(st.from_regex(AGENCY, fullmatch=True), COUNTS, COUNTS, st.integers(0, 2**63))
    def test_a_stub_is_what_a_case_can_be_restored_from_in_128_bytes(
        self, owner: str, sequence: int, restored: int, touched: int
    ) -> None:
        head = Ref.of(new_id(), HASH)
        case = Case(state=CaseState.CLOSED, owner=owner, head=head, sequence=sequence, restored=restored)
        value = stub(case, touched)
        found = Case.decode(value)

        assert len(value) <= 128
        assert found == case.archive()
        assert found.encode(touched) == value

    def test_the_key_of_a_ghost_is_no_cases_and_no_position(self) -> None:
        assert ghost_of(ghost_key("0" * 32, LONGEST)) == LONGEST
        assert ghost_of(b"0" * 32) is None
        assert ghost_of(POSITION_KEY) is None

    def test_the_largest_case_that_the_limits_allow_fits_into_a_record(self) -> None:
        case = Case(state=CaseState.TRANSFER_OFFERED, owner=LONGEST, pending=LONGEST, head=Ref.of(new_id(), HASH))
        case.sequence = 2**32 - 1
        for _ in range(MAX_HANDOFFS):
            case.handoffs[f"{new_id()} {LONGEST_ADDRESS}"] = Handoff(
                state=max(State, key=len),
                sender=LONGEST,
                head=Ref.of(new_id(), HASH),
                opening_hash=bytes(32),
                receipt=max(Receipt, key=len),
                forwarded_from=f"{new_id()} {LONGEST_ADDRESS}",
            )
        # Every address brings in an agency at most, and every agency can be answered. The watcher has its own share.
        names = [f"{number:063}" for number in range(MAX_ADDRESSES + MAX_CHOSEN + 1)]
        case.parties = set(names)
        case.deliveries = dict.fromkeys(names, 10**6) | {f"{name}/{LONGEST}": 10**6 for name in names}
        case.chosen = {name: set(list(case.deliveries)[:MAX_CHOSEN]) for name in names}
        for number in range(MAX_CASE_CLAIMS + MAX_CLAIMS):
            claim = Claim(HASH, max(Code, key=len).value, 2**53, bytes(32), 2**43)
            case.use_up(names[number // MAX_CLAIMS], new_id(), claim)

        assert len(case.encode(2**63)) < BATCH_MAX


class TestLimits:
    def test_one_agency_opens_so_many_handoffs_and_leaves_room_for_others(self) -> None:
        world = World()
        case = world.open_case()
        world.accepted(world.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case))
        judged = world.submit(*(world.say(HOTLINE, Verb.OFFERED, POLICE, case=case) for _ in range(100)))
        assert {one.code for one in judged} == {Code.ACCEPTED}

        world.now += DAY
        judged = world.submit(*(world.say(HOTLINE, Verb.OFFERED, POLICE, case=case) for _ in range(40)))

        assert [one.code for one in judged].count(Code.ACCEPTED) == MAX_OPENED - 100
        assert {one.code for one in judged} == {Code.ACCEPTED, Code.TOO_MANY}
        assert world.code(world.say(WARD, Verb.OFFERED, POLICE, case=case)) is Code.ACCEPTED

    def test_parties_in_league_leave_room_for_the_owner(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("referral_router.core.room.MAX_OPENED", 2)
        monkeypatch.setattr("referral_router.core.room.MAX_HANDOFFS", 6)
        world = World()
        case = world.open_case()
        parties = (WARD, NEXT_WARD, POLICE)
        for agency in parties:
            world.accepted(world.say(HOTLINE, Verb.CASE_NOTED, agency, case=case))
        opened = [world.code(world.say(by, Verb.OFFERED, HOTLINE, case=case)) for by in parties for _ in range(2)]
        own = [world.code(world.say(HOTLINE, Verb.OFFERED, WARD, case=case)) for _ in range(3)]

        assert opened == [Code.ACCEPTED] * 4 + [Code.TOO_MANY] * 2
        assert own == [Code.ACCEPTED] * 2 + [Code.TOO_MANY]

    def test_a_case_that_went_to_many_goes_to_no_new_ones(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("referral_router.core.room.MAX_ADDRESSES", 2)
        world = World()
        case = world.open_case()
        offer = world.accepted(world.say(HOTLINE, Verb.OFFERED, WARD, POLICE, case=case))

        for verb in (Verb.OFFERED, Verb.CASE_NOTED):
            assert world.code(world.say(HOTLINE, verb, SCHOOL, case=case)) is Code.TOO_MANY
            assert world.code(world.say(HOTLINE, verb, WARD, case=case)) is Code.ACCEPTED
        # Its parties can always be answered.
        assert world.code(world.say(POLICE, Verb.CASE_NOTED, HOTLINE, case=case)) is Code.ACCEPTED
        answer = world.say(WARD, Verb.ACCEPTED, HOTLINE, case=case, about=offer.to(WARD), answers=offer)
        assert world.code(answer) is Code.ACCEPTED

    def test_a_side_that_was_moved_is_of_the_share_of_who_opened_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("referral_router.core.room.MAX_OPENED", 2)
        world = World(directory=ending(ward_a=(NEXT_WARD,)))
        case = world.open_case()
        world.accepted(world.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case))
        opened = [world.accepted(world.say(WARD, Verb.OFFERED, POLICE, case=case)) for _ in range(2)]
        for one in opened:
            moved = world.say(WARD, Verb.MOVED, POLICE, NEXT_WARD, case=case, about=one.to(POLICE), answers=one)
            world.accepted(moved)
        world = world.restored()

        # A party again, and no nearer to opening more; its successor has opened nothing.
        world.accepted(world.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case))
        assert world.code(world.say(WARD, Verb.OFFERED, POLICE, case=case)) is Code.TOO_MANY
        assert world.code(world.say(NEXT_WARD, Verb.OFFERED, POLICE, case=case)) is Code.ACCEPTED

    def test_one_party_writes_to_so_many_and_learns_nothing_by_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("referral_router.core.room.MAX_CHOSEN", 2)
        world = World()
        case = world.open_case()
        world.accepted(world.say(HOTLINE, Verb.CASE_NOTED, POLICE, case=case))
        world.accepted(world.say(HOTLINE, Verb.OFFERED, SCHOOL, case=case))
        for to in (HOSPITAL, LEGAL_AID, HOSPITAL):
            world.accepted(world.say(POLICE, Verb.CASE_NOTED, to, case=case))
        world = world.restored()

        # The school is in the case, the clinic is not: the police cannot tell.
        for verb in (Verb.CASE_NOTED, Verb.OFFERED):
            for to in (SCHOOL, CLINIC):
                assert world.code(world.say(POLICE, verb, to, case=case)) is Code.TOO_MANY
                # And it is asked last: what could not be delivered anyway is told for what it is.
                unread = world.say(POLICE, verb, to, case=case, sections=[section(POLICE, WATCHER)])
                assert world.code(unread) is Code.WRONG_READERS
            assert world.code(world.say(POLICE, verb, LEGAL_AID, case=case)) is Code.ACCEPTED
        # Others have their own share, and the owner needs none.
        assert world.code(world.say(LEGAL_AID, Verb.CASE_NOTED, CLINIC, case=case)) is Code.ACCEPTED
        for to in (WARD, NEXT_WARD, LEGAL_AID):
            assert world.code(world.say(HOTLINE, Verb.CASE_NOTED, to, case=case)) is Code.ACCEPTED

    @pytest.mark.parametrize("verb", [Verb.OFFERED, Verb.FORWARDED])
    def test_a_case_has_so_many_handoffs_and_no_more(self, monkeypatch: pytest.MonkeyPatch, verb: Verb) -> None:
        monkeypatch.setattr("referral_router.core.room.MAX_HANDOFFS", 2)
        world = World()
        case = world.open_case()
        duty, _ = (world.accepted(world.say(HOTLINE, Verb.ASSIGNED, WARD, case=case)) for _ in range(2))
        forwarding = verb is Verb.FORWARDED
        one_more = world.say(
            WARD,
            verb,
            *((HOTLINE, POLICE) if forwarding else (POLICE,)),
            case=case,
            about=duty.to(WARD) if forwarding else None,
            answers=duty if forwarding else None,
        )

        assert world.code(one_more) is Code.TOO_MANY
        # What there is goes on.
        accepted = world.say(WARD, Verb.ACCEPTED, HOTLINE, case=case, about=duty.to(WARD), answers=duty)
        assert world.code(accepted) is Code.ACCEPTED


class TestPositions:
    @given(
        st.builds(
            Position,
            position=st.integers(0, 2**53 - 1),
            admitted_ms=st.integers(0, 2**43),
            chain=st.binary(min_size=32, max_size=32),
            counter=st.integers(0, 2**53 - 1),
            directory=st.integers(0, 2**31),
            floor_ms=st.integers(0, 2**43),
        )
    )
    def test_a_position_is_read_as_it_was_written(self, position: Position) -> None:
        assert Position.decode(position.encode()) == position
        assert Router(lane(), 1).position_in(position.encode()) == position.position

    @pytest.mark.parametrize(
        "change",
        [
            {"format": 1},
            {"format": 6},
            {"format": None},
            {"position": "1"},
            {"position": -1},
            {"position": True},
            {"chain": "x"},
        ],
    )
    def test_a_position_of_another_format_stops_the_partition(self, change: dict[str, object]) -> None:
        told = {**json.loads(Position().encode()), **change}

        with pytest.raises(Fatal):
            Position.decode(jcs(told))

    @pytest.mark.parametrize(
        "name", ["format", "position", "chain", "counter", "directory", "admitted_ms", "floor_ms", "more"]
    )
    def test_a_position_that_lacks_or_has_more_stops_the_partition(self, name: str) -> None:
        told = json.loads(Position().encode())
        told.update({name: 0}) if name == "more" else told.pop(name)

        with pytest.raises(Fatal):
            Position.decode(jcs(told))

    @given(st.binary(max_size=100))
    def test_any_bytes_are_a_position_or_stop_the_partition(self, value: bytes) -> None:
        with pytest.raises(Fatal):
            Position.decode(value)


class TestRestoring:
    def test_an_empty_state_has_no_position(self) -> None:
        router = Router(lane(), 1)

        assert (router.position(), router.size(), len(router)) == (None, 0, 0)

    def test_size_counts_what_is_kept(self) -> None:
        world = World()
        case = world.open_case()
        world.accepted(world.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case))
        world.accepted(world.say(HOTLINE, Verb.CASE_CLOSED, case=case, answers=case))
        world.code(world.say(SCHOOL, Verb.CASE_NOTED, WARD, case=case))
        kept = {key: value for key, value in world.state.items() if key != POSITION_KEY}
        assert (world.router.size(), len(world.router)) == (sum(map(len, kept.values())), 2)

        # The stub of the case remains, and the new one; the ghost is gone, and nothing is left to look after.
        assert len(list(world.router.due())) == 2
        world.now += 2 * DAY
        world.open_case()
        assert list(world.router.due()) == []
        kept = {key: value for key, value in world.state.items() if key != POSITION_KEY}
        assert (world.router.size(), len(world.router)) == (sum(map(len, kept.values())), 2)

    def test_a_removed_record_is_forgotten(self) -> None:
        world = World()
        case = world.open_case()
        world.router.restore(case.case.encode(), None)

        assert (world.router.size(), len(world.router), world.router.value(case.case.encode())) == (0, 0, None)

    def test_a_removed_position_is_an_empty_state(self) -> None:
        world = World()
        world.open_case()
        world.router.restore(POSITION_KEY, None)

        assert world.router.position() is None

    def test_a_step_that_is_dropped_leaves_no_trace(self) -> None:
        world = World()
        case = world.open_case()
        before = (world.router.position(), world.router.size(), world.router.value(case.case.encode()))
        records = world.take(
            [world.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case), world.say(SCHOOL, Verb.CASE_OPENED)]
        )

        one, other = world.step(records), world.step(records)

        assert (world.router.position(), world.router.size(), world.router.value(case.case.encode())) == before
        assert one.writes == other.writes
        assert [judged.code for judged in world.commit(other)] == [Code.ACCEPTED, Code.NOT_PERMITTED]

    def test_the_tail_of_the_state_may_be_read_again(self) -> None:
        # After an unknown outcome: on top of what is there.
        world = World()
        case = world.open_case()
        world.accepted(world.say(HOTLINE, Verb.CASE_CLOSED, case=case, answers=case))
        for key, value in list(world.state.items()) * 2:
            world.router.restore(key, value)
        world.now += DAY
        world.open_case()

        assert world.code(world.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case)) is Code.ARCHIVED
        assert world.router.size() == world.restored().router.size()

    def test_an_empty_batch_of_ticks_moves_the_position(self) -> None:
        world = World()
        step = world.step(world.take([Record(0, 0, 0, None, None)]))

        assert step.position == 1
        assert world.commit(step)[0].code is Code.NULL_VALUE

    def test_every_write_names_its_partition(self) -> None:
        world = World(partitions=3, partition=2)
        said = (world.say(HOTLINE, Verb.CASE_OPENED) for _ in range(30))
        world.submit(*said)
        written = {(write.topic, write.partition) for write in world.steps[0].writes}

        assert written == {(topics.LEDGER, 2), (topics.STATE, 2), (topics.inbox(HOTLINE), 0)}
        assert replace(world.records[0], partition=2) == world.records[0]
