"""What one accepted event makes of its case: happenings, words about clocks, links, receipts."""

from collections.abc import Container, Iterator
from dataclasses import dataclass, replace
from typing import Final

from deadline_watcher.core.case import Case, Unread
from deadline_watcher.core.opening import Opened, Result
from deadline_watcher.core.reading import Event
from referral_contracts.codes import Code
from referral_contracts.errors import RemoteError
from referral_contracts.payloads.clock import AboutClock, ClockSection
from referral_contracts.payloads.link import Relation
from referral_contracts.rules.docket import Docket
from referral_contracts.rules.heard import Say, Saying, World
from referral_contracts.rules.hearing import happenings, moment_ms
from referral_contracts.rules.owners import Owners
from referral_contracts.topics import agency_of
from referral_contracts.verbs import Verb

MAX_HEARD: Final = 1024
"""Happenings that one agency tells of one case: its record has to fit into the state topic, and nobody fills it up."""
MAX_TRIGGERS: Final = 256
"""How many of them may be triggers of clock sections. Who tells more is told that it is not heard."""
MAX_SAYINGS: Final = 64
"""What is said of one clock."""
MAX_LINKS: Final = 512
MAX_UNREAD: Final = 16
"""Unreadable sections of one sender in one case that are answered for: who sends more hears of the first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What an event is heard by."""

    world: World
    owners: Owners
    by: str = ""
    """Names the calendar and the outages."""

    def current(self, case: Case) -> Case:
        """Return *case*, its clocks worked out anew if days off or outages are known that it does not know."""
        return case if case.by == self.by else replace(case, docket=case.docket.again(self.world), by=self.by)


def hear(case: Case, event: Event, opened: Opened | None, admitted_ms: int, around: Surroundings) -> Case:
    """Return *case* after an accepted *event* whose clock section is *opened*."""
    opened = _with_room(case, event, opened)
    section = opened.section if opened is not None else None
    new = list(happenings(event, section, admitted_ms))
    if sum(one.sender == event.source for one in case.docket.heard) + len(new) > MAX_HEARD:
        new = []
    docket = case.docket.hear(around.world, new, superseded=event.supersedes)
    about = section.about_clock if section is not None else None
    if about is not None:
        saying = _saying(replace(case, docket=docket), event, about, admitted_ms, around.owners)
        docket = docket if saying is None else docket.say(around.world, saying)
    after = _beside(case, event, section, admitted_ms)
    if docket is not case.docket:
        readers = {event.source, *(opened.readers if opened is not None else ())}
        untold = {clock: case.armings(clock) for clock in _untold(case.docket, docket, event.source, readers)}
        after = replace(after, docket=docket, untold={**after.untold, **untold})
    unread = sum(one.recipient == event.source for one in after.unread)
    if opened is not None and opened.result is not Result.READ and unread < MAX_UNREAD:
        code = "" if opened.code is None else opened.code.value
        after = replace(after, unread=(*after.unread, Unread(event.id, event.sha256, event.source, code)))
    return after


def _untold(before: Docket, docket: Docket, source: str, readers: Container[str]) -> Iterator[str]:
    """Yield the clocks of *docket* of whose start their agency, which is neither *source* nor of *readers*, is told."""
    known = {clock.id: clock for clock in before.clocks}
    for clock in docket.clocks:
        old = known.get(clock.id)
        if old is None:
            # What the envelope alone starts, its recipients can see.
            seen = clock.scope and clock.rule.rule.trigger[0].startswith("handoff.")
            told = clock.responsible in readers or seen
        else:
            # It was told of another start: that it can open this one is its sender's word alone.
            told = clock.due_ms == old.due_ms or clock.started.event == old.started.event
        if not told and clock.responsible not in {None, source}:
            yield clock.id


def _with_room(case: Case, event: Event, opened: Opened | None) -> Opened | None:
    """Return *opened*, or that it tells more than its sender has room for."""
    if opened is None or opened.section is None:
        return opened
    told = sum(one.sender == event.source and "." not in one.name for one in case.docket.heard)
    try:
        check_triggers(told, len(opened.section.listed))
    except RemoteError as error:
        return Opened(Result.MALFORMED, readers=opened.readers, code=error.code)
    return opened


def check_triggers(told: int, more: int) -> None:
    """
    Check that so many triggers *more* are heard of somebody who *told* so many of the case before.

    Raises:
        RemoteError: TOO_MANY.
    """
    if told + more > MAX_TRIGGERS:
        raise RemoteError(Code.TOO_MANY)


def _saying(case: Case, event: Event, about: AboutClock, admitted_ms: int, owners: Owners) -> Saying | None:
    clock = case.docket.clock(about.clock)
    if clock is None or sum(one.clock == clock.id for one in case.docket.sayings) >= MAX_SAYINGS:
        return None
    say = Say(about.said.value)
    if say is Say.EXTENDED and about.document is None:
        # What extends it has to be named, or nobody could look it up.
        return None
    superior = owners.may_say(clock, say, agency_of(event.source), admitted_ms)
    if superior is None:
        return None
    return Saying(clock.id, say, event.id, admitted_ms, moment_ms(about.until), superior)


def _beside(case: Case, event: Event, section: ClockSection | None, admitted_ms: int) -> Case:
    """Return *case* with what is kept beside the docket: receipts, links, its end."""
    if event.verb is Verb.RECEIVED:
        return replace(case, received=case.received | {event.scope})
    if event.verb is Verb.CASE_LINKED and section is not None:
        same = {link.other for link in section.links if link.relation is Relation.SAME_CHILD}
        return case if len(case.links | same) > MAX_LINKS else replace(case, links=case.links | same)
    if event.verb is Verb.CASE_UNLINKED and section is not None:
        return replace(case, links=case.links - {link.other for link in section.links})
    if event.verb in {Verb.CASE_CLOSED, Verb.CASE_VOIDED}:
        return replace(case, ended_ms=admitted_ms)
    if event.verb is Verb.CASE_REOPENED:
        return replace(case, ended_ms=None)
    return case
