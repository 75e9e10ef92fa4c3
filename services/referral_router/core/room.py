"""
How much room a case has, and whose it is: its record has to fit into the state topic, and nobody uses it up for others.

What an agency uses of its own share follows from what it did itself. So what is full tells it nothing of the others,
and what depends on them is asked last: who tries it out has been heard by those whom it tried.
"""

from collections.abc import Collection
from typing import Final

from referral_contracts.codes import Code
from referral_contracts.directory import ROLE_WATCHER
from referral_contracts.errors import RemoteError
from referral_router.core.addressing import Ask, speaks_for
from referral_router.core.case import Case

MAX_HANDOFFS: Final = 512
"""
Hand-offs of one case: keeps its state record under the limit of the state topic. A long case has some thirty. The last
`MAX_OPENED` are for its owner to open: parties that are in league use up no one's but each other's.
"""
MAX_OPENED: Final = 128
"""Hand-offs that one agency opens in one case: nobody uses up the case's for the others."""
MAX_ADDRESSES: Final = 512
"""Addresses that a case's events went to, after which they go to no new ones: it is in the same record. Half of them
are for its owner to bring in: no party uses up whom the owner can still ask."""
MAX_CHOSEN: Final = 64
"""Addresses to which one agency that is not the owner writes of its own choice, whoever else wrote to them."""


def check_handoffs(case: Case, ask: Ask, count: int) -> None:
    """
    Check that the source may open so many hand-offs more.

    Raises:
        RemoteError: TOO_MANY.
    """
    # Whoever stands there now: a side that was moved to a successor uses up nothing of that one's.
    opened = sum((one.opener or one.sender) == ask.envelope.source for one in case.handoffs.values())
    most = MAX_HANDOFFS if speaks_for(ask, case.owner) else MAX_HANDOFFS - MAX_OPENED
    if opened + count > MAX_OPENED or len(case.handoffs) + count > most:
        raise RemoteError(Code.TOO_MANY)


def check_addresses(case: Case, ask: Ask) -> None:
    """
    Check that the case has room for the recipients: those that are new to it. A party can always be answered.

    Raises:
        RemoteError: TOO_MANY.
    """
    watcher = ask.directory.service(ROLE_WATCHER) or ""
    if ask.envelope.source == watcher:
        # Its own share is beside everybody's: whom a deadline concerns, hears of it, and keeps no party from anybody.
        return
    recipients = ask.envelope.data.recipients
    added = sum(address not in case.deliveries and address not in case.parties for address in recipients)
    most = MAX_ADDRESSES if speaks_for(ask, case.owner) else MAX_ADDRESSES // 2
    held = len(case.deliveries.keys() - case.chosen.get(watcher, set()))
    if added and held + added > most:
        raise RemoteError(Code.TOO_MANY)


def check_chosen(case: Case, ask: Ask, recipients: Collection[str]) -> None:
    """
    Check that its own share allows the source to write to *recipients*, whom it chose itself.

    Raises:
        RemoteError: TOO_MANY.
    """
    before = case.chosen.get(ask.envelope.source, set())
    if not speaks_for(ask, case.owner) and len(before.union(recipients)) > MAX_CHOSEN:
        raise RemoteError(Code.TOO_MANY)


def choose(case: Case, ask: Ask, recipients: Collection[str]) -> None:
    """Remember whom the source chose to write to, unless the case is its own."""
    if recipients and not speaks_for(ask, case.owner):
        case.chosen.setdefault(ask.envelope.source, set()).update(recipients)
