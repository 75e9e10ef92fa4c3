"""
Whose a duty is that was passed on, along the whole chain.

A next hand-off that gave the duty back forgets what it was a forwarding of; what it leads to relieves nobody above.
"""

from collections import defaultdict

from referral_contracts.duties import Next, passed_on, was_done
from referral_router.core.case import Case, Handoff


def done(case: Case) -> set[str]:
    """Return the keys of the hand-offs whose duty was done: in them, or in one that it was passed on to."""
    found: set[str] = set()
    for key, one in case.handoffs.items():
        up: str | None = key if one.forwarded_from is not None and was_done(one.state) else None
        while up is not None and up in case.handoffs and up not in found:
            found.add(up)
            up = case.handoffs[up].forwarded_from
    return found


def settle(case: Case, forwarded: str | None) -> None:
    """Work out anew whose a duty is that was *forwarded*, by it and by everybody before it."""
    if forwarded is None:
        return
    found, following = done(case), defaultdict[str, list[tuple[str, Handoff]]](list)
    for key, one in case.handoffs.items():
        if one.forwarded_from is not None:
            following[one.forwarded_from].append((key, one))
    while forwarded is not None and (first := case.handoffs.get(forwarded)) is not None:
        nexts = [Next(one.receipt, key in found) for key, one in following[forwarded]]
        first.state = passed_on(first.state, nexts)
        forwarded = first.forwarded_from
