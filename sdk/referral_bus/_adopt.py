"""
Taking up what an agency that has ended left open: its successor reads that agency's own store.

Only what the store knows is taken: which hand-offs and cases there are, how they stood, and that cases were tied to
others. What is said there stays where it is, sealed to that agency's keys. If the view was behind, the first verdict
puts it right.
"""

import sqlite3
from dataclasses import replace
from pathlib import Path

from referral_bus._home import Home
from referral_bus._receipts import say_for
from referral_bus._store import Store, outbox, views
from referral_bus._store.views import Case, Handoff
from referral_contracts.codes import Code
from referral_contracts.directory import Directory
from referral_contracts.errors import LocalError
from referral_contracts.lifecycle import Receipt
from referral_contracts.succession import speaker
from referral_contracts.topics import agency_of


def adopt(home: Home, directory: Directory, agency: str, path: str | Path) -> int:
    """
    Take up what is open in the store of *agency* at *path*; return how many hand-offs and cases were new to us.

    Raises:
        LocalError: NOT_PERMITTED: by the directory we do not speak for it. Or what `Store.open` raises.
    """
    if agency == home.agency or speaker(directory, agency, home.now_ms()) != home.agency:
        raise LocalError(Code.NOT_PERMITTED, f"by the directory this agency does not speak for {agency} now")
    if not Path(path).is_file():
        raise LocalError(Code.NO_SUCH_FILE, "no store there")
    theirs = Store.open(path, bus=home.bus, agency=agency)
    try:
        cases = views.open_cases(theirs.db)
        handoffs = [
            (handoff, views.case(theirs.db, handoff.subject), outbox.receipt(theirs.db, handoff.subject, handoff.key))
            for handoff in views.open_handoffs(theirs.db)
        ]
        links = views.link_events(theirs.db)
    finally:
        theirs.close()
    with home.store.write() as db:
        taken = sum(_take_case(db, case) for case in cases)
        for handoff, case, receipt in handoffs:
            new = _take_handoff(db, handoff, case, home.agency, agency)
            if new and receipt is not None and handoff.receipt is Receipt.NONE:
                # It arrived there, and there it was seen whether it opens; nobody but us can say so any more.
                say_for(db, receipt, home.now_ms())
            taken += new
        for event in links:
            if views.case(db, event.subject) is not None:
                # Not our own event, though that agency may have said it: our outbox does not have it.
                views.put_link(db, event.subject, event.hash, own=False, admitted_ms=event.admitted_ms)
    home.outbox.ring()
    return taken


def _take_case(db: sqlite3.Connection, case: Case) -> bool:
    known = views.case(db, case.subject)
    if known is not None and (known.owned or (known.offered_by is not None and not case.owned)):
        return False
    # What was offered to us by the one that we follow is ours by now, and still offered to us.
    views.put_case(db, case if known is None else replace(case, offered_by=case.offered_by or known.offered_by))
    return True


def _take_handoff(db: sqlite3.Connection, handoff: Handoff, case: Case | None, us: str, agency: str) -> bool:
    holds, sends = agency_of(handoff.holder) == agency, handoff.sender == agency
    if not (holds or sends) or views.handoff(db, handoff.subject, handoff.key) is not None:
        return False
    holder, sender = us if holds else handoff.holder, us if sends else handoff.sender
    # What came with it when it was moved to that agency lies in its inbox.
    views.put_handoff(db, replace(handoff, holder=holder, sender=sender, moved_in=None))
    if views.case(db, handoff.subject) is None:
        exercise = case is not None and case.exercise
        views.put_case(db, Case(subject=handoff.subject, exercise=exercise))
    return True
