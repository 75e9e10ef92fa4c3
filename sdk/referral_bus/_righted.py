"""What became of our own events after their verdicts: which were corrected since, and which were entered in error."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from referral_bus._store import outbox
from referral_bus._store.outbox import Row
from referral_bus.sent import Entry, EntryState
from referral_contracts.envelope import Envelope
from referral_contracts.lifecycle import CORRECTIONS
from referral_contracts.verbs import Verb


def righted(db: sqlite3.Connection, entries: Iterable[Entry]) -> Iterator[Entry]:
    """Yield *entries*, each with what we have said since to put it right."""
    known: dict[str, _Righted] = {}
    for entry in entries:
        if entry.subject not in known:
            known[entry.subject] = _Righted(db, entry.subject)
        yield known[entry.subject].mark(entry)


class _Righted:
    """What we have put right in one case."""

    def __init__(self, db: sqlite3.Connection, subject: str) -> None:
        self._corrected: defaultdict[str, list[str]] = defaultdict(list)
        self._voided: list[Row] = []
        for row, value in outbox.righted(db, subject):
            if row.verb not in CORRECTIONS:
                self._voided.append(row)
            elif (named := Envelope.decode(value).data.supersedes) is not None:
                self._corrected[named.id].append(row.id)

    def mark(self, entry: Entry) -> Entry:
        if entry.state is not EntryState.ACCEPTED or entry.verb in {Verb.VOIDED, Verb.CASE_VOIDED}:
            return entry
        voided = tuple(row.id for row in self._voided if row.handoff is None or row.handoff in entry.handoffs)
        return replace(entry, corrected_by=tuple(self._corrected.get(entry.id, ())), voided_by=voided)
