"""
Whose a duty is that was passed on: what a next hand-off's end and receipt make of the one that was forwarded.

The states are those of `lifecycle`, and so are the steps. Here is what one hand-off's step does to another.
"""

from collections.abc import Collection
from typing import NamedTuple

from referral_contracts.lifecycle import GIVEN_BACK, ON_NEXT_GIVEN_BACK, ON_NEXT_RECEIVED, Receipt, State


class Next(NamedTuple):
    """A hand-off that passes a duty on, as far as it relieves whoever forwarded it."""

    receipt: Receipt
    done: bool
    """Whether the duty was done, in it or in one that it was passed on to."""


def was_done(state: State) -> bool:
    """Whether a next hand-off in *state*, which did not give the duty back, shows that it was done."""
    return state is State.CLOSED or state in GIVEN_BACK


def gives_back(before: State, after: State, *, done: bool) -> bool:
    """
    Whether a next hand-off that was in *before* gives the duty back by going to *after*.

    What was done, in it or further down, was done: that its papers were sent by mistake undoes nothing.
    """
    return after in GIVEN_BACK and before not in GIVEN_BACK and not done


def passed_on(state: State, following: Collection[Next]) -> State:
    """
    Return the state of a hand-off that was forwarded, by those next ones that are still on.

    A duty is always somebody's: the next one's that has received it, or else the forwarder's.
    """
    if state not in ON_NEXT_GIVEN_BACK:
        return state
    if any(one.done or one.receipt is Receipt.RECEIVED for one in following):
        return ON_NEXT_RECEIVED.get(state, state)
    return State.FORWARDED if following else ON_NEXT_GIVEN_BACK[state]
