"""What is asked of the log, and whether a leaf answers it."""

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

from audit_log.core.growing import Term, signed_key, term_key
from audit_log.core.reading import about
from referral_contracts.encoding import AGENCY, EVENT_ID, SUBJECT, b64, format_time, parse_time
from referral_contracts.trail.answers import MOST_FOUND, FoundLeaf, Search
from referral_contracts.verbs import Verb

MOST: Final = MOST_FOUND
"""Leaves of one answer; who wants more asks for those behind the last."""
_SUBJECT: Final = re.compile(SUBJECT)
_EVENT_ID: Final = re.compile(EVENT_ID)
_AGENCY: Final = re.compile(AGENCY)


class Found(NamedTuple):
    """A leaf, by what it can be found by."""

    leaf: int
    event: bytes
    subject: str | None
    referral: str | None
    verb: str | None
    source: str | None
    admitted_ms: int
    code: str
    accepted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """All that is said here holds for a leaf that is found."""

    event: bytes | None = None
    """The hash of what was said."""
    case: str | None = None
    referral: str | None = None
    """The event that opened a hand-off: it, and all that was said of the hand-off."""
    agency: str | None = None
    """Said by it, or to it."""
    verb: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    """Admitted before this."""
    overdue: bool = False
    """That a deadline was missed."""
    accepted: bool | None = None
    after: int = -1
    """Behind this leaf."""
    most: int = MOST

    def terms(self) -> list[tuple[Term, int]]:
        """Return what to look up, the rarest first."""
        verb = Verb.DEADLINE_MISSED.value if self.overdue else self.verb
        asked = ((Term.CASE, self.case), (Term.REFERRAL, self.referral), (Term.PARTY, self.agency), (Term.VERB, verb))
        known = [] if self.event is None else [(Term.EVENT, signed_key(self.event))]
        return [*known, *((term, term_key(text)) for term, text in asked if text is not None)]

    def holds(self, found: Found, value: bytes) -> bool:
        """Whether *found*, whose bytes are *value*, is what is asked for: a term's number may be another's too."""
        told = about(value)
        parties = (found.source,) if told is None else told.parties
        return (
            self.event in {None, found.event}
            and self.case in {None, found.subject}
            and self.referral in {None, found.referral}
            and (self.agency is None or self.agency in parties)
            and self.verb in {None, found.verb}
            and (not self.overdue or (found.verb == Verb.DEADLINE_MISSED.value and found.accepted))
        )


def query_of(search: Search) -> Query:
    """Return what *search* asks for."""
    return Query(
        case=search.case,
        referral=search.referral,
        agency=search.agency,
        verb=search.verb,
        since_ms=None if search.since is None else parse_time(search.since),
        until_ms=None if search.until is None else parse_time(search.until),
        overdue=search.overdue,
        after=-1 if search.after is None else search.after,
        most=search.limit,
    )


def told(found: Found) -> FoundLeaf | None:
    """Return *found* as it is answered; None: it is of no case. What was refused may say anything in these places."""
    if found.subject is None or not _SUBJECT.fullmatch(found.subject):
        return None
    return FoundLeaf(
        accepted=found.accepted,
        admitted=format_time(found.admitted_ms),
        code=found.code,
        event=b64(found.event),
        leaf=found.leaf,
        referral=_formed(_EVENT_ID, found.referral),
        source=_formed(_AGENCY, found.source),
        subject=found.subject,
        verb=found.verb,
    )


def _formed(pattern: re.Pattern[str], text: str | None) -> str | None:
    return text if text is not None and pattern.fullmatch(text) else None
