"""
What a verdict does to the outbox: one function of the verdict and of every spelling that Kafka may have of an event.

The one hard case is "outside the window". Said of the spelling in force, with no acceptance before it in the inbox,
which holds the verdicts on one case in the order of the decisions, it proves that no copy of these bytes was accepted.
Only then is the event signed afresh, under the same id. What was signed too late never will be accepted, for time only
moves away from it; what was signed ahead of its time may be, and says nothing else (`_verify.signed_afresh`).

Whoever was sent our bytes can submit them again, anywhere and at any time. The router answers that to us, and its
signature is good; but such an answer is about the copy, and may neither end an entry nor turn our clock.
"""

import sqlite3

from referral_bus._fold import Happened, fold, take_standing
from referral_bus._home import CLOCK_OFFSET, Home
from referral_bus._receipts import enter_anew
from referral_bus._store import alarms, inbox, notes, outbox, receipts
from referral_bus._store.outbox import Attempt, Row
from referral_bus._store.receipts import FIRST_MS
from referral_bus._verify import VerifiedVerdict
from referral_bus.sent import EntryState
from referral_contracts.codes import Code
from referral_contracts.decisions import Verdict
from referral_contracts.encoding import parse_time
from referral_contracts.envelope import Envelope
from referral_contracts.topics import partition_for


def settle(db: sqlite3.Connection, home: Home, found: VerifiedVerdict, position: int) -> list[str]:
    """Take a verdict that lay at *position* in the inbox; return the entries to which something happened."""
    verdict = found.verdict
    attempt = outbox.attempt(db, verdict.event)
    row = None if attempt is None else outbox.get(db, attempt.id)
    news = attempt is not None and row is not None and not row.state.settled and _is_ours(home, row, attempt, verdict)
    late = row is not None and row.state is EntryState.REFUSED and verdict.code is Code.ACCEPTED
    if news or late or not inbox.has_verdict(db, verdict.event):
        # One on each event is evidence enough: anybody can ask the router for a thousand more.
        inbox.keep_verdict(db, position, verdict.event, found.leaf, found.path, found.root)
        if attempt is not None:
            receipts.promise(db, position, attempt.id, home.clock.now_ms() + FIRST_MS)
    if attempt is None or row is None:
        if verdict.subject is not None:
            detail = "a verdict on what this store never sent: is the signing key used elsewhere?"
            alarms.raise_alarm(
                db, Code.NOT_FOUND, home.now_ms(), detail=detail, subject=verdict.subject, position=position
            )
        return []
    if late:
        # Not every refusal uses up the id, and anybody may have said the same bytes again since. They stand.
        detail = "what was refused stands all the same: its bytes were submitted again"
        alarms.raise_alarm(
            db, row.code or Code.INTERNAL, home.now_ms(), detail=detail, subject=row.subject, position=position
        )
    elif not news:
        return []
    elif attempt.hash == row.attempt:
        _correct_clock(db, home, attempt, verdict)
    return _settle(db, home, row, attempt, verdict, position)


def _is_ours(home: Home, row: Row, attempt: Attempt, verdict: Verdict) -> bool:
    """Whether *verdict* is about what we submitted, and not about a copy that somebody laid elsewhere or later."""
    # We put an event where it belongs, and who has a copy has it from there: in that partition ours comes first.
    if home.partitions and verdict.partition != partition_for(attempt.subject, home.partitions):
        return False
    match verdict.code:
        case Code.WRONG_PARTITION:
            return False
        case Code.OUTSIDE_WINDOW | Code.TOO_MANY:
            # What the router does not remember it says as often as it is asked: it counts for the spelling in force.
            return attempt.hash == row.attempt
        case _:
            return True


def _settle(  # noqa: PLR0917 - what is settled, and by what
    db: sqlite3.Connection, home: Home, row: Row, attempt: Attempt, verdict: Verdict, position: int
) -> list[str]:
    code, first = verdict.code, verdict.first
    match code:
        case Code.OUTSIDE_WINDOW:
            outbox.postpone(db, row.id, _next_try(home, row), code)
            return [row.id]
        case Code.TOO_MANY:
            # Not remembered by the router: the id is free for later.
            outbox.postpone(db, row.id, home.clock.now_ms() + outbox.PAUSE_MS, code)
            return [row.id]
        case Code.DUPLICATE | Code.ID_REUSED if first is not None:
            known = outbox.attempt(db, first.event)
            if known is not None and known.id == row.id:
                attempt, code = known, first.code
        case _:
            pass
    if code is not Code.ACCEPTED:
        take_standing(db, verdict)
        failed = outbox.refuse(db, row.id, code, position)
        enter_anew(db, row, code, home.agency, home.now_ms())
        return [row.id, *failed]
    released = outbox.accept(db, row.id, attempt.hash, position)
    happened = Happened(
        envelope=Envelope.decode(attempt.value),
        event=attempt.hash,
        admitted_ms=parse_time(verdict.admitted),
        agency=home.agency,
        recipient=None,
    )
    fold(db, happened)
    take_standing(db, verdict)
    return [row.id, *released]


def _next_try(home: Home, row: Row) -> int:
    # The first time at once: the clock has just been corrected. If that did not help, slower and slower.
    pause_ms = 0 if row.tries <= 1 else min(1000 * 2**row.tries, outbox.PAUSE_MS)
    return home.clock.now_ms() + pause_ms


def _correct_clock(db: sqlite3.Connection, home: Home, attempt: Attempt, verdict: Verdict) -> None:
    # By this machine's clock the broker stamped the record between our handing it over and its answer. An offset that
    # fits into this interval is kept: how long the way took says nothing about clocks.
    stamp_ms = parse_time(Envelope.decode(attempt.value).time) - verdict.clock_offset_ms
    least = attempt.first_ms - stamp_ms
    most = (home.clock.now_ms() if attempt.acked_ms is None else attempt.acked_ms) - stamp_ms
    if least > most:
        # This machine's clock was set in between.
        return
    offset = max(least, min(home.clock_offset_ms, most))
    if offset != home.clock_offset_ms:
        notes.remember(db, CLOCK_OFFSET, offset)
        home.clock_offset_ms = offset
