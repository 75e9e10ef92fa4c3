"""
Statistics: what an agency tells the statistics agency of a case, and what that one makes of all that it was told.

What is counted is opened anew each time: the store keeps it sealed.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final

from referral_bus._clocks import told_of_clocks
from referral_bus._drafts import Drafts
from referral_bus._home import Home
from referral_bus._kept import AtHand
from referral_bus._links import links
from referral_bus._open import open_own
from referral_bus._store import inbox, outbox
from referral_bus._times import clocks
from referral_bus.draft import Draft
from referral_bus.views import Rules
from referral_contracts.codes import Code
from referral_contracts.directory import Directory
from referral_contracts.directory_model import POLICY_KEY
from referral_contracts.envelope import Envelope
from referral_contracts.errors import LocalError
from referral_contracts.indicators import MEASURES, Ended, Indicators, Told, indicators
from referral_contracts.payloads.deadline import Standing
from referral_contracts.payloads.link import Relation
from referral_contracts.payloads.mau01 import Mau01
from referral_contracts.payloads.shown import VIET_NAM
from referral_contracts.payloads.stats import ROLE, Stats, Timeliness, stats_of
from referral_contracts.succession import speaker
from referral_contracts.verbs import Verb

UNOWNED: Final = "unowned"
"""The role of a clock that is nobody's so far."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Statistics:
    """What is counted, as one agency knows it."""

    def __init__(self, home: Home, drafts: Drafts, directory: Directory) -> None:
        """Look into the store of *home*, by *directory*."""
        self._home = home
        self._drafts = drafts
        self._directory = directory

    @property
    def bus(self) -> str:
        """Which bus it is counted on."""
        return self._home.bus

    def draft(self, subject: str, *, rules: Rules | None = None) -> Draft:
        """
        Return a draft that tells the statistics agency what is counted of a case, by the last Mẫu 01 known here.

        Of the clocks known here, with *rules* those of ours worked out, it tells whether a measure was taken in time.

        Raises:
            LocalError: UNKNOWN_RECIPIENT: the directory names no statistics agency. NOT_FOUND: no Mẫu 01 of the case
                is known here. WRONG_EXERCISE: what is only practised is counted nowhere.
        """
        agency = self._agency()
        if agency is None:
            raise LocalError(Code.UNKNOWN_RECIPIENT, "the directory names no statistics agency")
        forms = [*self._got(subject), *self._recorded(subject)]
        if not forms:
            raise LocalError(Code.NOT_FOUND, "no Mẫu 01 of the case is known here")
        counted = stats_of(forms[-1], _day(self._home.now_ms()), self._measure(subject, rules))
        draft = self._drafts.to_each(Verb.CASE_NOTED, subject, {agency: (counted,)})
        if draft.exercise:
            raise LocalError(Code.WRONG_EXERCISE, "an exercise is counted nowhere")
        return draft

    def indicators(self, since: date, until: date) -> Indicators:
        """Return what was told to us of the days from *since* to *until*, counted."""
        told: dict[str, Told] = {}
        for stored in inbox.listed(self._home.store.db, acknowledged=None):
            delivery = AtHand(stored.read_back, self._home.keys)
            if delivery.verified.envelope.verb is not Verb.CASE_NOTED or delivery.verified.envelope.exercise:
                continue
            for payload in delivery.opened.payloads:
                if isinstance(payload, Stats):
                    told[stored.subject] = Told(subject=stored.subject, stats=payload)
        same = [(one.subject, one.other) for one in links(self._home).standing if one.relation is Relation.SAME_CHILD]
        return indicators(told.values(), self._ended(), same_child=same, measures=MEASURES, since=since, until=until)

    def _ended(self) -> Iterator[Ended]:
        found: dict[str, Ended] = {}
        for told in told_of_clocks(self._home, self._directory):
            notice = told.notice
            if not told.exercise:
                found[notice.clock] = Ended(
                    clock=notice.clock,
                    subject=told.subject,
                    rule=notice.rule.id,
                    ground=notice.rule.ground,
                    role=self._role(notice.responsible),
                    standing=notice.standing,
                    started_on=notice.started_at.astimezone(VIET_NAM).date(),
                    done=notice.done_at is not None,
                )
        yield from found.values()

    def _role(self, agency: str | None) -> str:
        member = None if agency is None else self._directory.member(agency)
        return UNOWNED if member is None else "/".join(sorted(member.roles))

    def _agency(self) -> str | None:
        """Return who counts: of several, the first by name that speaks for itself or for who has ended."""
        now_ms = self._home.now_ms()
        for key in sorted(self._directory.entries.keys() - {POLICY_KEY}):
            member = self._directory.member(key)
            if member is not None and ROLE in member.roles:
                return speaker(self._directory, key, now_ms)
        return None

    def _measure(self, subject: str, rules: Rules | None) -> Timeliness | None:
        """Return the best that is known here of a measure for the child; None: nothing is."""
        found = [one for one in clocks(self._home, self._directory, rules, subject) if one.rule in MEASURES]
        if any(one.standing in {Standing.MET, Standing.MET_AS_CLAIMED} for one in found):
            return Timeliness.IN_TIME
        if any(one.done_ms is not None for one in found):
            return Timeliness.LATE
        return Timeliness.NOT_YET if found else None

    def _got(self, subject: str) -> Iterator[Mau01]:
        """Yield every Mẫu 01 of the case that others sent us, the first first."""
        for stored in inbox.listed(self._home.store.db, acknowledged=None):
            if stored.subject == subject:
                found = AtHand(stored.read_back, self._home.keys).opened.payloads
                yield from (payload for payload in found if isinstance(payload, Mau01))

    def _recorded(self, subject: str) -> Iterator[Mau01]:
        """Yield every Mẫu 01 of the case that we wrote, the first first."""
        for entry in outbox.entries(self._home.store.db):
            row = outbox.get(self._home.store.db, entry.id) if entry.subject == subject else None
            if row is None or entry.state.dead:
                continue
            attempt = outbox.in_force(self._home.store.db, entry.id)
            value = row.sealed if attempt is None else attempt.value
            if value is not None:
                found = open_own(Envelope.decode(value), self._home.agency, self._home.keys)
                yield from (payload for payload in found if isinstance(payload, Mau01))


def _day(ms: int) -> date:
    return (_EPOCH + timedelta(milliseconds=ms)).astimezone(VIET_NAM).date()
