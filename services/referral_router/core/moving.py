"""
Who stands on the two sides of a hand-off, whatever becomes of agencies: as it was opened, moved, or succeeded.

A side is moved by who stands there, or speaks for who did, to a successor that the directory names; one by one, for
with several successors nobody can guess which of them has which case.
"""

from referral_contracts.codes import Code
from referral_contracts.directory import ROLE_WATCHER
from referral_contracts.envelope import HandoffKey
from referral_contracts.errors import RemoteError
from referral_contracts.lifecycle import Part
from referral_contracts.succession import takers
from referral_contracts.topics import agency_of
from referral_router.core import addressing
from referral_router.core.addressing import Ask, goes_to, speaks_for
from referral_router.core.case import Case, Handoff


def holder_of(key: HandoffKey, handoff: Handoff) -> str:
    """Return the address that stands on the recipient's side, ended or not."""
    return handoff.holder or key.recipient


def parts_of(case: Case, key: HandoffKey, handoff: Handoff, ask: Ask) -> list[Part]:
    """Return as what the event's source may speak of a hand-off: none, where it is nothing to it."""
    plays = {
        Part.RECIPIENT: speaks_for(ask, agency_of(holder_of(key, handoff))),
        Part.SENDER: speaks_for(ask, handoff.sender),
        Part.OWNER: speaks_for(ask, case.owner),
        Part.WATCHER: is_watcher(ask),
    }
    return [part for part, does in plays.items() if does]


def is_party(case: Case, ask: Ask) -> bool:
    """Whether the event's source is a party of the case, or speaks for one that has ended."""
    if ask.envelope.source in case.parties:
        return True
    ended = ask.directory.ending & case.parties
    return any(speaks_for(ask, agency) for agency in ended)


def is_watcher(ask: Ask) -> bool:
    """Whether the event's source is the bus's deadline watcher."""
    return ask.envelope.source == ask.directory.service(ROLE_WATCHER)


def hand_on(key: HandoffKey, handoff: Handoff, ask: Ask) -> str:
    """
    Move a side of the hand-off to the successor that the event goes to; return who stood there.

    Raises:
        RemoteError: WRONG_RECIPIENTS: it does not go to one successor and to the other side.
    """
    holder, sender = holder_of(key, handoff), handoff.sender
    for stands, other in ((holder, sender), (sender, holder)):
        agency, told = agency_of(stands), goes_to(ask, other)
        taker = _taker(ask, agency, told)
        if taker is None:
            continue
        addressing.check_answer(ask, must={*told, taker}, may=())
        if stands == holder:
            handoff.holder = taker
        elif taker == agency_of(taker):
            handoff.sender, handoff.opener = taker, handoff.opener or handoff.sender
        else:
            break
        return agency
    raise RemoteError(Code.WRONG_RECIPIENTS)


def _taker(ask: Ask, agency: str, told: set[str]) -> str | None:
    recipients = ask.envelope.data.recipients
    # The successor is named last. It may be the other side already: then that one alone is told, and stands on both.
    if not recipients or {*recipients[:-1]} != told - {recipients[-1]} or not speaks_for(ask, agency):
        return None
    return recipients[-1] if agency_of(recipients[-1]) in takers(ask.directory, agency) else None
