"""What is due to be erased: cases that ended so long ago that a rule says so, for their owners to ask for."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from audit_log.cases import Cases
from audit_log.core.searching import Query
from referral_contracts.errors import RemoteError
from referral_contracts.lifecycle import CaseState
from referral_contracts.log.retaining import Due, RetentionRule, due
from referral_contracts.verbs import Verb


class DueCase(NamedTuple):
    """A case of which something could be erased, and nobody has asked."""

    subject: str
    owner: str
    ended_ms: int
    leaves: int
    """How many would go."""
    by: Sequence[Due]
    """The rules by which it is due, those too that are only shown."""


def due_cases(cases: Cases, rules: Sequence[RetentionRule], now_ms: int) -> Iterator[DueCase]:
    """
    Go through the cases that are due by *rules*; held ones, and those that were asked for, are not among them.

    Raises:
        LocalError: As `Cases` says.
    """
    shortest = min((rule.days for rule in rules if rule.days is not None), default=None)
    if shortest is None:
        return
    before_ms = now_ms - shortest * 86_400_000
    ends = (Verb.CASE_CLOSED, Verb.CASE_VOIDED)
    ended = [one for verb in ends for one in cases.found(Query(verb=verb.value, accepted=True, until_ms=before_ms + 1))]
    for subject in dict.fromkeys(one.subject or "" for one in sorted(ended)):
        try:
            case = cases.case(subject)
            case.check_ended()
        except RemoteError:
            # It was reopened, somebody has to act in it, or it is held.
            continue
        end = Verb.CASE_VOIDED if case.state is CaseState.VOIDED else Verb.CASE_CLOSED
        by = due(rules, end.value, case.ended_ms, now_ms)
        if by and case.erasable and not case.requests:
            yield DueCase(subject, case.owner, case.ended_ms, len(case.erasable), by)
