"""What is asked of the log, and whether a leaf answers it."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from audit_log.core.growing import Term, signed_key, term_key
from audit_log.core.reading import about
from referral_contracts.verbs import Verb

MOST: Final = 200
"""Leaves of one answer; who wants more asks for those behind the last."""


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
