from collections.abc import Mapping
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_contracts.codes import Code
from referral_contracts.duties import Next, gives_back, passed_on, was_done
from referral_contracts.lifecycle import (
    BESIDE,
    CASES,
    CLOCK_VERBS,
    HANDOFFS,
    HEADLESS,
    LINKS,
    ON_NEXT_GIVEN_BACK,
    ON_NEXT_RECEIVED,
    ON_RECEIVED,
    OPEN_STATES,
    OPENINGS,
    RECEIPTS,
    TALK,
    CaseState,
    Part,
    Receipt,
    State,
    advance_case,
    advance_handoff,
    advance_receipt,
    check_held,
    may_ever,
    playing,
)
from referral_contracts.verbs import CLOCKS, DEADLINES, Verb
from tests.contracts.refusals import code_of

ON_THE_SIDE = {Verb.RECEIVED, Verb.UNREADABLE}
CASE_VERBS = {verb for verb in Verb if verb.of_case}
STEPS = {step for table in (*CASES.values(), *HANDOFFS.values()) for step in table}
ENDS = {
    State.RECEIVED,
    State.DECLINED,
    State.EXPIRED,
    State.WITHDRAWN,
    State.RELEASED,
    State.STOPPED,
    State.CLOSED,
    State.VOIDED,
    State.MISDIRECTED,
}
AFTER_THE_END = {Verb.RECALLED, Verb.MISDIRECTED}
"""What was sent by mistake is asked back, and answered for, also when it has ended."""


def reachable(table: Mapping[State, set[State]], start: set[State]) -> set[State]:
    found, new = set(start), set(start)
    while new:
        new = set().union(*(table[state] for state in new)) - found
        found |= new
    return found


NEXT: Mapping[State, set[State]] = {
    state: {
        *(after for (verb, _), after in rows.items() if verb not in TALK),
        *({ON_RECEIVED[state]} if state in ON_RECEIVED else ()),
        *({ON_NEXT_RECEIVED[state]} if state in ON_NEXT_RECEIVED else ()),
        *({ON_NEXT_GIVEN_BACK[state]} if state in ON_NEXT_GIVEN_BACK else ()),
    }
    for state, rows in HANDOFFS.items()
}


def test_every_state_is_in_its_table() -> None:
    assert set(HANDOFFS) == set(State)
    assert set(CASES) == set(CaseState)
    assert set(RECEIPTS) == set(Receipt)


def test_no_row_leads_out_of_the_states() -> None:
    assert all(isinstance(state, State) for rows in HANDOFFS.values() for state in rows.values())
    assert all(isinstance(state, CaseState) for rows in CASES.values() for state in rows.values())
    assert all(isinstance(receipt, Receipt) for rows in RECEIPTS.values() for receipt in rows.values())


def test_a_table_of_cases_holds_case_verbs_and_the_other_the_others() -> None:
    assert {verb for rows in CASES.values() for verb, _ in rows} == CASE_VERBS - {Verb.CASE_OPENED}
    assert {verb for rows in HANDOFFS.values() for verb, _ in rows} == set(Verb) - CASE_VERBS - set(
        OPENINGS
    ) - ON_THE_SIDE


def test_every_state_can_be_reached_from_an_opening() -> None:
    assert reachable(NEXT, set(OPENINGS.values())) == set(State)


def test_every_handoff_can_come_to_an_end() -> None:
    assert all(state in ENDS or reachable(NEXT, {state}) & ENDS for state in State)


def test_an_ended_handoff_moves_no_more() -> None:
    over = {*TALK, *AFTER_THE_END}
    assert {state for state, rows in HANDOFFS.items() if {verb for verb, _ in rows} <= over} == ENDS
    # But for a duty that comes back to the one who had passed it on.
    mistaken = {State.RECALLED, State.MISDIRECTED}
    assert {state: NEXT[state] - mistaken for state in ENDS if NEXT[state] - mistaken} == {
        State.RELEASED: {State.ASSIGNED}
    }


def test_a_case_waits_for_every_handoff_that_can_still_move() -> None:
    assert set(State) - ENDS == OPEN_STATES


@pytest.mark.parametrize("verb", list(Verb))
def test_each_verb_has_someone_who_may_say_it(verb: Verb) -> None:
    opens = verb is Verb.CASE_OPENED or verb in OPENINGS

    assert opens != any(may_ever(verb, part) for part in Part)


def test_what_opens_is_no_step_of_a_table() -> None:
    assert not {verb for verb, _ in STEPS} & {Verb.CASE_OPENED, *OPENINGS}


def test_a_duty_cannot_be_declined_and_a_request_not_be_forwarded() -> None:
    recipient = {verb for verb, part in HANDOFFS[State.ASSIGNED] if part is Part.RECIPIENT} - BESIDE
    assert recipient == {Verb.ACCEPTED, Verb.FORWARDED, Verb.MISDIRECTED}

    recipient = {verb for verb, part in HANDOFFS[State.OFFERED] if part is Part.RECIPIENT} - BESIDE
    assert recipient == {Verb.ACCEPTED, Verb.DECLINED, Verb.MISDIRECTED}


def test_what_is_passed_on_may_have_been_accepted() -> None:
    passing = {state for state, rows in HANDOFFS.items() if (Verb.FORWARDED, Part.RECIPIENT) in rows}

    assert passing == {State.ASSIGNED, State.ACCEPTED, State.SUSPENDED, State.FORWARDED}


def test_only_the_sender_takes_back_and_only_before_acceptance() -> None:
    before = {state for state, rows in HANDOFFS.items() for verb, _ in rows if verb is Verb.WITHDRAWN}
    parts = {part for rows in HANDOFFS.values() for verb, part in rows if verb is Verb.WITHDRAWN}

    assert (before, parts) == ({State.OFFERED, State.ASSIGNED, State.NOTIFIED}, {Part.SENDER})


def test_the_owner_alone_closes_and_hands_over_a_case() -> None:
    owned = {(verb, part) for rows in CASES.values() for verb, part in rows if part is Part.OWNER}

    assert {verb for verb, _ in owned} == {
        Verb.CASE_TRANSFER_OFFERED,
        Verb.CASE_TRANSFER_WITHDRAWN,
        Verb.CASE_CLOSED,
        Verb.CASE_REOPENED,
        Verb.CASE_VOIDED,
        *LINKS,
    }
    assert {verb for rows in CASES.values() for verb, part in rows if part is Part.PENDING} == {
        Verb.CASE_TRANSFER_ACCEPTED,
        Verb.CASE_TRANSFER_DECLINED,
    }


def test_what_moves_no_head_moves_no_state() -> None:
    for rows in (*CASES.items(), *HANDOFFS.items()):
        state, table = rows
        assert all(after is state for (verb, _), after in table.items() if verb in HEADLESS)
    assert ON_THE_SIDE <= HEADLESS


def test_a_receipt_is_given_once_and_a_repaired_key_may_give_it_late() -> None:
    assert advance_receipt(Receipt.NONE, Verb.RECEIVED) is Receipt.RECEIVED
    assert advance_receipt(advance_receipt(Receipt.NONE, Verb.UNREADABLE), Verb.RECEIVED) is Receipt.RECEIVED
    for receipt, verb in [
        (Receipt.RECEIVED, Verb.RECEIVED),
        (Receipt.RECEIVED, Verb.UNREADABLE),
        (Receipt.UNREADABLE, Verb.UNREADABLE),
    ]:
        assert code_of(lambda r=receipt, v=verb: advance_receipt(r, v)) is Code.ILLEGAL_TRANSITION  # type: ignore[misc]


@pytest.mark.parametrize("before", [State.FORWARDED, State.RELEASED])
def test_a_duty_is_the_next_ones_that_received_it_or_the_forwarders(before: State) -> None:
    assert passed_on(before, []) is State.ASSIGNED
    waiting, having = Next(Receipt.NONE, done=False), Next(Receipt.RECEIVED, done=False)
    assert passed_on(before, [waiting, Next(Receipt.UNREADABLE, done=False)]) is State.FORWARDED
    assert passed_on(before, [waiting, having]) is State.RELEASED
    assert passed_on(before, [Next(Receipt.NONE, done=True)]) is State.RELEASED


@pytest.mark.parametrize("state", sorted(set(State) - {State.FORWARDED, State.RELEASED}))
def test_what_was_not_passed_on_follows_nobody(state: State) -> None:
    assert passed_on(state, []) is passed_on(state, [Next(Receipt.RECEIVED, done=True)]) is state


def test_the_owner_can_end_every_handoff_that_somebody_else_has_to_move_and_so_close_its_case() -> None:
    moved_by_owner = {
        state for state, rows in HANDOFFS.items() for verb, part in rows if part is Part.OWNER and verb not in TALK
    }

    assert moved_by_owner == OPEN_STATES


def test_time_ends_a_request_and_closes_what_was_done_and_nothing_else() -> None:
    said = {(state, verb) for state, rows in HANDOFFS.items() for verb, part in rows if part is Part.WATCHER}

    assert said == {
        (State.OFFERED, Verb.EXPIRED),
        (State.COMPLETED, Verb.CLOSED),
    }


def test_whoever_plays_two_parts_speaks_as_the_one_that_may() -> None:
    both = [Part.SENDER, Part.OWNER]

    assert playing(State.ACCEPTED, Verb.CANCELLED, both) is Part.SENDER
    assert playing(State.FORWARDED, Verb.CANCELLED, both) is Part.OWNER
    assert playing(State.CLOSED, Verb.CANCELLED, both) is Part.SENDER
    assert playing(State.OFFERED, Verb.ACCEPTED, both) is None


def test_talk_is_for_the_two_sides_in_every_state() -> None:
    for state, rows in HANDOFFS.items():
        assert {step: after for step, after in rows.items() if step[0] in TALK} == {
            (verb, part): state for verb in TALK for part in (Part.SENDER, Part.RECIPIENT)
        }


def test_a_side_is_moved_while_somebody_still_has_to_act_and_that_changes_no_state() -> None:
    for state, rows in HANDOFFS.items():
        moves = {step: after for step, after in rows.items() if step[0] is Verb.MOVED}
        parts = (Part.SENDER, Part.RECIPIENT) if state in OPEN_STATES else ()
        assert moves == {(Verb.MOVED, part): state for part in parts}


def test_what_is_said_of_time_changes_no_case() -> None:
    for state, rows in CASES.items():
        said = {step: after for step, after in rows.items() if step[0] in CLOCKS | DEADLINES}
        by_watcher = set() if state is CaseState.VOIDED else {(verb, Part.WATCHER) for verb in DEADLINES}
        assert said == dict.fromkeys({(verb, Part.PARTY) for verb in CLOCKS} | by_watcher, state)


def test_what_can_start_or_stop_a_clock_tells_the_watcher() -> None:
    silent = set(Verb) - CLOCK_VERBS

    assert silent == {
        Verb.CASE_TRANSFER_OFFERED,
        Verb.CASE_TRANSFER_DECLINED,
        Verb.CASE_TRANSFER_WITHDRAWN,
        Verb.RECEIVED,
        Verb.UNREADABLE,
        Verb.WITHDRAWN,
        Verb.PROGRESSED,
        Verb.EXPIRED,
        Verb.SUSPENDED,
        Verb.RESUMED,
        Verb.CANCELLED,
        Verb.REOPENED,
        Verb.CLOSED,
        Verb.MOVED,
        Verb.ASKED,
        Verb.ANSWERED,
        Verb.VOIDED,
        Verb.RECALLED,
        *DEADLINES,
    }


class TestPuttingRight:
    def test_what_is_open_can_be_voided_by_its_sender_and_nothing_else(self) -> None:
        said = {(state, part) for state, rows in HANDOFFS.items() for verb, part in rows if verb is Verb.VOIDED}

        assert said == {(state, Part.SENDER) for state in OPEN_STATES}

    def test_whoever_got_what_was_not_for_it_can_always_say_so(self) -> None:
        said = {state for state, rows in HANDOFFS.items() if (Verb.MISDIRECTED, Part.RECIPIENT) in rows}

        assert said == set(State) - {State.MISDIRECTED}

    def test_what_was_sent_is_recalled_once_until_it_is_answered_for(self) -> None:
        said = {(state, part) for state, rows in HANDOFFS.items() for verb, part in rows if verb is Verb.RECALLED}

        assert said == {(state, Part.SENDER) for state in set(State) - {State.RECALLED, State.MISDIRECTED}}

    def test_who_was_asked_can_do_nothing_but_answer(self) -> None:
        rows = {step for step in HANDOFFS[State.RECALLED] if step[0] not in BESIDE}

        assert rows == {
            (Verb.MISDIRECTED, Part.RECIPIENT),
            (Verb.CANCELLED, Part.OWNER),
            (Verb.VOIDED, Part.SENDER),
        }

    @pytest.mark.parametrize("state", sorted(set(State)))
    def test_what_nobody_is_known_to_hold_is_not_recalled_after_its_end(self, state: State) -> None:
        unsure = {State.WITHDRAWN, State.EXPIRED, State.STOPPED, State.VOIDED}
        expected = Code.ILLEGAL_TRANSITION if state in unsure else None

        assert code_of(lambda: check_held(state, Verb.RECALLED, Receipt.NONE)) is expected
        assert code_of(lambda: check_held(state, Verb.MISDIRECTED, Receipt.NONE)) is None
        for receipt in (Receipt.UNREADABLE, Receipt.RECEIVED):
            assert code_of(lambda held=receipt: check_held(state, Verb.RECALLED, held)) is None  # type: ignore[misc]

    @pytest.mark.parametrize("after", [State.VOIDED, State.RECALLED, State.MISDIRECTED])
    def test_a_duty_that_was_passed_on_by_mistake_is_the_forwarders_again_unless_it_was_done(
        self, after: State
    ) -> None:
        assert gives_back(State.ACCEPTED, after, done=False)
        assert gives_back(State.COMPLETED, after, done=False)
        assert gives_back(State.RELEASED, after, done=False)
        assert not gives_back(State.RELEASED, after, done=True)
        assert was_done(State.CLOSED)
        assert not was_done(State.RELEASED)
        # It was given back, or was done, before: the answer to a recall changes nothing of that.
        assert not gives_back(State.RECALLED, after, done=False)

    def test_a_case_that_was_entered_in_error_is_never_opened_again(self) -> None:
        assert {CASES[CaseState.VOIDED][step] for step in CASES[CaseState.VOIDED]} == {CaseState.VOIDED}
        assert {state for state in CaseState if (Verb.CASE_VOIDED, Part.OWNER) in CASES[state]} == {
            CaseState.OPEN,
            CaseState.CLOSED,
        }


@given(st.sampled_from(State), st.sampled_from(Verb), st.sampled_from(Part))
def test_a_handoff_moves_by_its_table_or_not_at_all(state: State, verb: Verb, part: Part) -> None:
    expected = HANDOFFS[state].get((verb, part))
    code = code_of(lambda: advance_handoff(state, verb, part))

    if expected is not None:
        assert (code, advance_handoff(state, verb, part)) == (None, expected)
    else:
        assert code is (Code.ILLEGAL_TRANSITION if may_ever(verb, part) else Code.WRONG_PARTY)


@given(st.sampled_from(CaseState), st.sampled_from(Verb), st.sampled_from(Part))
def test_a_case_moves_by_its_table_or_not_at_all(state: CaseState, verb: Verb, part: Part) -> None:
    expected = CASES[state].get((verb, part))
    code = code_of(lambda: advance_case(state, verb, part))

    if expected is not None:
        assert (code, advance_case(state, verb, part)) == (None, expected)
    else:
        assert code is (Code.ILLEGAL_TRANSITION if may_ever(verb, part) else Code.WRONG_PARTY)


@pytest.mark.parametrize("enum", [Part, CaseState, State, Receipt, Verb])
def test_a_name_on_the_wire_has_no_capital_and_no_space(enum: type[StrEnum]) -> None:
    assert all(set(member.value) <= set("abcdefghijklmnopqrstuvwxyz-.") for member in enum)
