"""
From drafts to entries of the outbox: composing needs the directory, entering needs one transaction.

What is composed is sealed and nothing else; it is lost without a trace when it is not entered.
"""

import sqlite3
from collections.abc import Iterable, Sequence

from referral_bus._answers import resolve
from referral_bus._clocks import check_said_of_clock
from referral_bus._compose import NO_OPENING, Composer, Opening
from referral_bus._contents import asked_of_us
from referral_bus._directory import DirectoryFollower
from referral_bus._home import Home
from referral_bus._store import outbox, views
from referral_bus._store.outbox import Row
from referral_bus.draft import Draft, Plan
from referral_bus.sent import Entry, Sent
from referral_contracts.codes import Code
from referral_contracts.errors import LocalError
from referral_contracts.sealing import new_event_id


class Speaker:
    """Puts what the agency says into its outbox."""

    def __init__(self, home: Home, follower: DirectoryFollower) -> None:
        self._home = home
        self._follower = follower

    def plan(self, draft: Draft) -> Plan:
        """Return who would see which field."""
        composer = self._composer()
        check_said_of_clock(self._home, composer.directory, draft)
        shapes = composer.shapes(draft, self._opening(draft))
        events = tuple(composer.plan(draft, shape) for shape in shapes)
        return Plan(subject=draft.subject, exercise=draft.exercise, events=events)

    def compose(self, draft: Draft) -> list[Row]:
        """
        Return the entries that *draft* becomes, sealed.

        Raises:
            LocalError: It cannot be said, by the directory at hand.
        """
        composer = self._composer()
        check_said_of_clock(self._home, composer.directory, draft)
        rows = []
        for index, shape in enumerate(composer.shapes(draft, self._opening(draft))):
            event_id = draft.id if index == 0 else new_event_id(self._home.now_ms())
            rows.append(
                Row(
                    id=event_id,
                    draft=draft.id,
                    subject=draft.subject,
                    verb=draft.verb,
                    recipients=shape.recipients,
                    handoff=draft.handoff,
                    followed=draft.follows,
                    exercise=draft.exercise,
                    sealed=composer.seal(draft, shape, event_id),
                )
            )
        return rows

    def enter(self, db: sqlite3.Connection, rows: Iterable[Row]) -> None:
        """
        Put entries into the outbox, in the caller's transaction.

        Raises:
            LocalError: NOT_FOUND: one answers what is not known here.
        """
        for row in rows:
            if outbox.get(db, row.id) is None:
                resolved, needs = resolve(db, row)
                outbox.insert(db, resolved, needs)

    def say(self, draft: Draft, *, durable: bool = True) -> Sent:
        """Seal *draft* and put it into the outbox; if not *durable*, it is on the disk before Kafka sees it."""
        rows = self.compose(draft)
        with self._home.store.write(durable=durable) as db:
            self.enter(db, rows)
        self._home.outbox.ring()
        return self.sent([row.id for row in rows])

    def known(self, draft: Draft) -> Sent | None:
        """Return what became of a draft that was sent before."""
        ids = outbox.of_draft(self._home.store.db, draft.id)
        return self.sent(ids) if ids else None

    def sent(self, ids: Sequence[str]) -> Sent:
        """Return what became of these entries so far."""
        return Sent(entries=tuple(self.entry(event_id) for event_id in ids))

    def entry(self, event_id: str) -> Entry:
        """Return what became of one entry."""
        found = outbox.entry(self._home.store.db, event_id)
        if found is None:
            raise LocalError(Code.NOT_FOUND, "no such entry in the outbox")
        return found

    def _composer(self) -> Composer:
        home = self._home
        return Composer(agency=home.agency, keys=home.keys, directory=self._follower.usable(), now_ms=home.now_ms())

    def _opening(self, draft: Draft) -> Opening:
        # Only the recipient of a hand-off tells the watcher something that depends on what was asked of it.
        if draft.handoff is None:
            return NO_OPENING
        known = views.handoff(self._home.store.db, draft.subject, draft.handoff)
        return NO_OPENING if known is None else Opening(asked_of_us(self._home, known), known.opened_by)
