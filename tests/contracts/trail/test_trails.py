from dataclasses import replace
from typing import Final

import pytest

from referral_contracts.codes import Code
from referral_contracts.decisions import read_decision, sign_batch
from referral_contracts.encoding import b64, format_time
from referral_contracts.envelope import Envelope
from referral_contracts.keys import SigningKey
from referral_contracts.lifecycle import CaseState, State
from referral_contracts.log.access import ACCESSED
from referral_contracts.merkle import leaf_hash
from referral_contracts.sealing import disclose
from referral_contracts.signing import Typ
from referral_contracts.trail.bundle import Sealed
from referral_contracts.trail.checking import NO_DISCLOSURE, make_trail
from referral_contracts.trail.leaves import Disclosed, SectionKey
from referral_contracts.trail.model import Kind, Trail
from referral_contracts.verbs import Verb
from tests.contracts.trail.conftest import Case, told_case
from tests.stories.logged import spoiled
from tests.stories.world import BUS, HOSPITAL, HOTLINE, POLICE, WARD, WATCHER, keys


def trail_of(case: Case, leaves: list[Sealed] | None = None, disclosed: Disclosed = NO_DISCLOSURE) -> Trail:
    indexes = case.indexes(case.subject)
    leaves = case.sealed(indexes) if leaves is None else leaves
    grounds = case.grounds(case.checkpoint(), case.extract([*indexes, *(one.leaf.index for one in leaves)]))
    return make_trail(grounds, case.subject, [one.leaf for one in leaves], disclosed)


def codes(trail: Trail) -> set[Code]:
    return {fault.code for fault in trail.faults}


@pytest.fixture(scope="session")
def sealed(case: Case) -> list[Sealed]:
    return case.sealed(case.indexes(case.subject))


class TestATrailOfWhatHappened:
    def test_every_step_is_proven(self, case: Case) -> None:
        trail = trail_of(case)

        assert trail.faults == ()
        assert trail.sound
        assert (trail.state, trail.owner) == (CaseState.CLOSED, WARD)
        assert trail.checked.quorum

    def test_it_tells_who_handed_what_to_whom(self, case: Case) -> None:
        trail = trail_of(case)
        opened, assigned = trail.rows[:2]
        (team,) = (row for row in trail.rows if row.event == case.told.team.ref.sha256 and row.accepted)

        assert (opened.source, opened.verb, opened.case) == (HOTLINE, Verb.CASE_OPENED, 1)
        assert [(move.before, move.after) for move in opened.moves] == [(None, "open")]
        assert (assigned.source, assigned.recipients, assigned.verb) == (HOTLINE, (WARD,), Verb.ASSIGNED)
        assert [(str(move.handoff), move.after) for move in team.moves] == [
            (f"{case.told.team.envelope.id} {name}", State.OFFERED.value) for name in team.recipients
        ]

    def test_refusals_are_in_it_with_their_codes_and_move_nothing(self, case: Case) -> None:
        refused = [row for row in trail_of(case).rows if not row.accepted]

        assert {Code.STALE_HEAD, Code.DUPLICATE, Code.ID_REUSED, Code.OPEN_HANDOFFS} == {row.code for row in refused}
        assert {row.moves for row in refused} == {()}

    def test_what_was_forged_is_no_part_of_it(self, case: Case) -> None:
        assert case.told.forged.ref.sha256 not in {row.event for row in trail_of(case).rows}

    def test_what_is_sealed_is_shown_as_sealed(self, case: Case) -> None:
        opened, assigned, *_ = trail_of(case).rows

        assert all(section.schema is None for row in trail_of(case).rows for section in row.sections)
        assert [section.readers for section in opened.sections] == [(HOTLINE,), (HOTLINE, WATCHER)]
        assert assigned.sections[0].readers == (HOTLINE, WARD)

    def test_the_number_of_events_is_that_of_the_router(self, case: Case) -> None:
        trail = trail_of(case)

        assert [row.case for row in trail.rows if row.accepted] == list(range(1, trail.events + 1))


class TestDisclosing:
    def key(self, case: Case, index: int, section: int, reader: str) -> bytes:
        envelope = Envelope.decode(case.event(index).value)
        held = keys()[reader].sealing[reader][0]
        return disclose(envelope.data.sections[section], envelope.seal_context(section), reader, held)

    def test_what_a_reader_disclosed_is_opened_under_its_commitment(self, case: Case) -> None:
        assigned = case.index_of(case.told.assigned.value)
        key = self.key(case, assigned, 1, WATCHER)
        trail = trail_of(case, disclosed={SectionKey(assigned, 1): key})
        section = next(row for row in trail.rows if row.index == assigned).sections[1]

        assert trail.faults == ()
        assert section.schema == "clock/1.0"
        assert [row.path for row in section.rows] == ["actor.role", "triggers"]
        assert section.body == {"actor": {"role": "system"}, "triggers": "none"}

    def test_another_key_opens_nothing_and_is_named(self, case: Case) -> None:
        assigned = case.index_of(case.told.assigned.value)
        trail = trail_of(case, disclosed={SectionKey(assigned, 1): bytes(32)})

        assert [(fault.code, fault.index) for fault in trail.faults] == [(Code.WRONG_COMMITMENT, assigned)]
        assert next(row for row in trail.rows if row.index == assigned).sections[1].schema is None

    def test_a_key_for_no_section_is_named(self, case: Case) -> None:
        trail = trail_of(case, disclosed={SectionKey(0, 9): bytes(32)})

        assert [(fault.code, fault.detail) for fault in trail.faults] == [
            (Code.WRONG_COMMITMENT, "there is no section s9")
        ]


class TestTampering:
    def test_each_event_that_is_left_out_is_missed(self, case: Case, sealed: list[Sealed]) -> None:
        stands = [at for at, row in enumerate(trail_of(case).rows) if row.accepted]
        for at in stands[:-1]:
            trail = trail_of(case, [*sealed[:at], *sealed[at + 1 :]])

            assert Code.COUNTER_GAP in codes(trail), at

    def test_leaves_in_another_order_are_found(self, case: Case, sealed: list[Sealed]) -> None:
        for at in range(1, len(sealed)):
            swapped = [*sealed[: at - 1], sealed[at], sealed[at - 1], *sealed[at + 1 :]]

            assert {Code.BAD_TRAIL, Code.COUNTER_GAP} & codes(trail_of(case, swapped))

    def test_a_leaf_twice_is_found(self, case: Case, sealed: list[Sealed]) -> None:
        assert Code.BAD_TRAIL in codes(trail_of(case, [sealed[0], *sealed]))

    def test_a_leaf_at_another_place_is_not_in_the_tree(self, case: Case, sealed: list[Sealed]) -> None:
        one = sealed[3]
        moved = replace(one, leaf=replace(one.leaf, index=one.leaf.index + 1))

        assert Code.BAD_PROOF in codes(trail_of(case, [*sealed[:3], moved, *sealed[4:]]))

    @pytest.mark.parametrize(
        ("part", "code"),
        [
            ("value", Code.BAD_TRAIL),
            ("decision", Code.BAD_DECISION),
            ("path", Code.BAD_DECISION),
            ("root", Code.BAD_DECISION),
            ("signature", Code.MALFORMED_SIGNATURE),
        ],
    )
    def test_each_part_of_another_event_is_found(self, case: Case, sealed: list[Sealed], part: str, code: Code) -> None:
        """Even where the tree was made to fit: the router and the sender have signed."""
        other = getattr(sealed[5].leaf.record, part) if part != "signature" else b"nothing"
        trail = trail_of(case, [*sealed[:2], spoiled(sealed[2], **{part: other}), *sealed[3:]])

        assert code in {fault.code for fault in trail.faults if fault.index == sealed[2].leaf.index}

    def test_an_event_signed_by_another_is_found(self, case: Case, sealed: list[Sealed]) -> None:
        trail = trail_of(case, [spoiled(sealed[0], signature=case.event(sealed[6].leaf.index).signature), *sealed[1:]])

        assert Code.UNKNOWN_KEY in codes(trail)

    def test_a_decision_signed_again_by_another_key_is_found(self, case: Case, sealed: list[Sealed]) -> None:
        """By a stranger's, and by one that the directory has, of another agency."""
        record = case.event(sealed[0].leaf.index)
        place = read_decision(record.decision).partition
        for key in (SigningKey.generate(), keys()[WARD].signing):
            batch = sign_batch([leaf_hash(record.decision)], bus=BUS, partition=place, key=key)
            trail = trail_of(case, [spoiled(sealed[0], path=batch.paths[0], root=batch.root), *sealed[1:]])

            assert Code.BAD_DECISION in codes(trail)

    def test_an_event_signed_again_by_another_key_is_found(self, case: Case, sealed: list[Sealed]) -> None:
        value = case.event(sealed[0].leaf.index).value
        for key in (SigningKey.generate(), keys()[WARD].signing):
            trail = trail_of(case, [spoiled(sealed[0], signature=key.sign(Typ.EVENT, value).encode()), *sealed[1:]])

            assert Code.UNKNOWN_KEY in codes(trail)

    def test_an_event_of_another_case_is_found(self, case: Case) -> None:
        fresh = told_case()
        other = fresh.world.say(HOTLINE, Verb.CASE_OPENED)
        fresh.take()
        foreign = fresh.sealed([fresh.index_of(other.value)])
        own = fresh.sealed(fresh.indexes(fresh.subject))

        assert Code.WRONG_SUBJECT in codes(trail_of(fresh, [*own, *foreign]))

    def test_a_trail_of_nothing_is_not_sound(self, case: Case) -> None:
        assert Code.BAD_TRAIL in codes(trail_of(case, []))

    def test_a_smaller_tree_does_not_prove_what_came_later(self, case: Case, sealed: list[Sealed]) -> None:
        early = case.checkpoint(size=10)
        grounds = case.grounds(early, case.extract(case.indexes(case.subject)))
        trail = make_trail(grounds, case.subject, [one.leaf for one in sealed])

        assert {one.leaf.index for one in sealed} == {
            fault.index for fault in trail.faults if fault.code is Code.BAD_PROOF
        }


class TestKeys:
    def test_what_a_compromised_key_signed_is_disputed_and_stands(self) -> None:
        case = told_case()
        moment = case.world.clock.now_ms()
        self._mark(case, POLICE, compromised_since=format_time(moment - 1))
        disputed = {row.source for row in trail_of(case).rows if row.disputed}

        assert disputed == {POLICE}
        assert trail_of(case).sound

    def test_what_was_signed_before_a_key_was_compromised_is_not_disputed(self) -> None:
        case = told_case()
        self._mark(case, POLICE, compromised_since=format_time(case.world.clock.now_ms() + 1))

        assert not any(row.disputed for row in trail_of(case).rows)

    def test_a_key_that_was_revoked_before_is_not_taken(self) -> None:
        case = told_case()
        self._mark(case, HOSPITAL, revoked_at=format_time(case.world.clock.now_ms() - 1))

        assert codes(trail_of(case)) == {Code.KEY_NOT_VALID}

    def test_a_directory_older_than_the_decisions_is_not_taken(self) -> None:
        case = told_case()
        old = case.extract(case.indexes(case.subject))
        case.world.simulator.change_directory()
        case.world.simulator.run()
        opened = case.world.say(HOTLINE, Verb.CASE_OPENED)
        case.take()
        leaves = case.sealed(case.indexes(opened.case))
        trail = make_trail(case.grounds(case.checkpoint(), old), opened.case, [one.leaf for one in leaves])

        assert Code.BAD_DECISION in codes(trail)

    def _mark(self, case: Case, agency: str, **changes: str) -> None:
        member = case.world.simulator.directory.member(agency)
        assert member is not None
        marked = tuple(
            key.model_copy(update=changes) if key.kid == keys()[agency].signing.kid else key
            for key in member.entry.keys
        )
        case.world.simulator.change_directory(agencies=[member.entry.model_copy(update={"keys": marked})])
        case.world.simulator.run()


class TestErasing:
    def erased(self, *signers: str, leaves: list[int] | None = None, by: str = "audit-log") -> tuple[Case, int]:
        case = told_case()
        index = case.indexes(case.subject)[6]
        indexes = [*case.indexes(case.subject)]
        case.erase(index)
        self.statement = case.erasure(case.subject, leaves or [index], *signers, by=by)
        self.indexes = [*indexes, self.statement - 1, self.statement]
        return case, index

    def test_what_was_erased_is_named_with_the_statement_and_all_else_is_proven(self) -> None:
        case, index = self.erased()
        trail = trail_of(case, case.sealed(self.indexes))
        row = next(row for row in trail.rows if row.index == index)

        assert trail.faults == ()
        assert (row.kind, row.erased_by) == (Kind.ERASED, self.statement)
        assert trail.state is None

    def test_a_case_of_which_everything_was_erased_has_a_trail(self) -> None:
        case = told_case()
        leaves = case.indexes(case.subject)
        for index in leaves:
            case.erase(index)
        erased = case.erasure(case.subject, leaves)
        trail = trail_of(case, case.sealed([*leaves, erased - 1, erased]))

        assert trail.faults == ()
        assert trail.erased == len(leaves)

    def test_the_request_shows_by_itself_and_the_erasure_does_not_need_it_beside(self) -> None:
        case, index = self.erased()
        trail = trail_of(case, case.sealed([*self.indexes[:-2], self.statement]))

        assert trail.faults == ()
        assert {row.erased_by for row in trail.rows if row.index == index} == {self.statement}

    def test_bytes_that_are_gone_without_an_erasure_are_tampering(self) -> None:
        case, index = self.erased()
        trail = trail_of(case, case.sealed(self.indexes[:-1]))

        assert [(fault.code, fault.index) for fault in trail.faults] == [(Code.MISSING_ERASURE, index)]

    @pytest.mark.parametrize(
        ("signers", "by", "code"),
        [
            ((HOTLINE,), "audit-log", Code.NOT_ENOUGH_SIGNATURES),
            ((HOTLINE, WARD), "audit-log", Code.WRONG_PARTY),
            ((HOTLINE, "registrar"), WARD, Code.UNKNOWN_KEY),
        ],
    )
    def test_an_erasure_that_too_few_or_others_signed_is_none(
        self, signers: tuple[str, ...], by: str, code: Code
    ) -> None:
        case, _ = self.erased(*signers, by=by)

        assert {code, Code.MISSING_ERASURE} == codes(trail_of(case, case.sealed(self.indexes)))

    def test_an_erasure_of_other_leaves_is_none_of_this_one(self) -> None:
        case, _ = self.erased(leaves=[1])

        assert codes(trail_of(case, case.sealed(self.indexes))) == {Code.MISSING_ERASURE}


class TestReads:
    GRANT: Final = {
        "purpose": "review",
        "valid_from": "2026-11-22T00:00:00.000Z",
        "valid_until": "2026-12-22T00:00:00.000Z",
    }

    def read(self, case: Case, **over: object) -> Trail:
        told = {
            "asked": "trail",
            "at": "2026-11-23T00:00:00.000Z",
            "bus": BUS,
            "by": "inspectors",
            "directory": 1,
            "grant": self.GRANT,
            "kind": "audit.accessed",
            "request": b64(bytes(32)),
            "subject": case.subject,
        }
        case.state({**told, **over})
        return trail_of(case)

    def test_a_read_of_the_case_is_shown_in_it(self) -> None:
        row = self.read(told_case()).rows[-1]

        assert (row.kind, row.statement, row.at) == (Kind.STATEMENT, ACCESSED, "2026-11-23T00:00:00.000Z")
        assert row.told == {
            "asked": "trail",
            "by": "inspectors",
            "purpose": "review",
            "until": "2026-12-22T00:00:00.000Z",
        }

    def test_a_read_that_nobody_granted_is_a_fault(self) -> None:
        case = told_case()
        row = self.read(case, at="2026-12-22T00:00:00.000Z").rows[-1]

        assert (row.kind, row.statement) == (Kind.STATEMENT, None)
        assert codes(trail_of(case)) == {Code.NOT_PERMITTED}
