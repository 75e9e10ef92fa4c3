"""
Whose a duty is that was passed on, as far as this agency was told of the chain.

It is told of its own hand-offs alone. What was done further down it does not see: where that keeps a duty from coming
back to it, the verdict on the first thing that it says of that duty tells it so.
"""

import sqlite3
from dataclasses import replace

from referral_bus._store import views
from referral_contracts.duties import Next, passed_on, was_done
from referral_contracts.envelope import HandoffKey


def done(db: sqlite3.Connection, subject: str) -> set[HandoffKey]:
    """Return the hand-offs of a case whose duty was done: in them, or in one that it was passed on to."""
    known = {one.key: one for one in views.passing_on(db, subject)}
    found: set[HandoffKey] = set()
    for key, one in known.items():
        up: HandoffKey | None = key if was_done(one.state) else None
        while up is not None and up not in found:
            found.add(up)
            up = known[up].forwarded_from if up in known else None
    return found


def settle(db: sqlite3.Connection, subject: str, forwarded: HandoffKey | None) -> None:
    """Work out anew whose a duty is that was *forwarded*, by it and by everybody before it."""
    if forwarded is None:
        return
    found, following = done(db, subject), views.passing_on(db, subject)
    while forwarded is not None and (first := views.handoff(db, subject, forwarded)) is not None:
        nexts = [Next(one.receipt, one.key in found) for one in following if one.forwarded_from == forwarded]
        views.put_handoff(db, replace(first, state=passed_on(first.state, nexts)))
        forwarded = first.forwarded_from
