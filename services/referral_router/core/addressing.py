"""
To whom an event may go: known addresses, policy, who may know of whom, and readers that match.

Each function raises RemoteError with the refusal's code, or returns.
"""

from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Final

from referral_contracts.codes import Code
from referral_contracts.directory import ROLE_WATCHER, Directory, Member
from referral_contracts.envelope import Envelope
from referral_contracts.errors import RemoteError
from referral_contracts.lifecycle import CLOCK_VERBS
from referral_contracts.succession import has_ended, reached, speaker
from referral_contracts.topics import agency_of
from referral_contracts.verbs import DEADLINES, Verb
from referral_router.core.refs import Ref

_ONE: Final = 1
_TO_ONE: Final = frozenset({Verb.CASE_TRANSFER_OFFERED, *DEADLINES})
TRANSFER_ANSWERS: Final = frozenset(
    {Verb.CASE_TRANSFER_ACCEPTED, Verb.CASE_TRANSFER_DECLINED, Verb.CASE_TRANSFER_WITHDRAWN}
)
"""Verbs that end the offer of a case, and go to its other side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One event before the referee, and what it is judged by."""

    envelope: Envelope
    event: str
    directory: Directory
    inboxes: Container[str]
    """Agencies whose inbox topic exists: nothing can be delivered to the others."""
    admitted_ms: int

    @property
    def ref(self) -> Ref:
        """The event, as a head."""
        return Ref.of(self.envelope.id, self.event)


def check_opening_of_case(ask: Ask) -> None:
    """Check a ``case.opened``: it has no recipients, and its sender may open cases."""
    if ask.envelope.data.recipients:
        raise RemoteError(Code.WRONG_RECIPIENTS)
    if not ask.directory.may_open(_sender(ask)):
        raise RemoteError(Code.NOT_PERMITTED)
    _check_readers(ask)


def speaks_for(ask: Ask, agency: str) -> bool:
    """Whether the event's source speaks for *agency*: is it, or has succeeded it."""
    return speaker(ask.directory, agency, ask.admitted_ms) == ask.envelope.source


def goes_to(ask: Ask, *addresses: str) -> set[str]:
    """Return where what is meant for *addresses* goes: not to those that nobody answers for, nor to the source."""
    found = {reached(ask.directory, address, ask.admitted_ms) for address in addresses}
    return {address for address in found if address is not None and agency_of(address) != ask.envelope.source}


def check_case_verb(ask: Ask, *, owner: str, pending: str) -> None:
    """Check the recipients of a case verb other than ``case.opened``."""
    recipients, verb = ask.envelope.data.recipients, ask.envelope.verb
    members = _members(recipients, ask)
    if verb in TRANSFER_ANSWERS:
        if set(recipients) != goes_to(ask, pending if verb is Verb.CASE_TRANSFER_WITHDRAWN else owner):
            raise RemoteError(Code.WRONG_RECIPIENTS)
    elif verb in _TO_ONE and len(recipients) != _ONE:
        raise RemoteError(Code.WRONG_RECIPIENTS)
    elif verb in DEADLINES:
        # Whom a deadline concerns follows from the law and the directory, not from who may speak to whom.
        if any(member.id == ask.envelope.source for member in members):
            raise RemoteError(Code.WRONG_RECIPIENTS)
    else:
        # Who may be told of something may be told what was wrong in it, and what it belongs to.
        _check_policy(ask, verb.judged_as, members)
    _check_readers(ask)


def check_opening(ask: Ask) -> bool:
    """Check an event that opens hand-offs; return whether answers may go to all of its recipients."""
    if not ask.envelope.data.recipients:
        raise RemoteError(Code.WRONG_RECIPIENTS)
    members = _members(ask.envelope.data.recipients, ask)
    team = _check_policy(ask, ask.envelope.verb, members)
    _check_readers(ask)
    return team


def check_answer(ask: Ask, *, must: Iterable[str], may: Iterable[str]) -> None:
    """
    Check an event whose recipients follow from its hand-off: all of *must*, perhaps some of *may*, no other.

    Who has ended is answered at its successor's; who has left the bus is told nothing, and holds up nobody.
    """
    recipients, needed = set(ask.envelope.data.recipients), goes_to(ask, *must)
    if not needed <= recipients or not recipients <= needed | goes_to(ask, *may):
        raise RemoteError(Code.WRONG_RECIPIENTS)
    _members(ask.envelope.data.recipients, ask)
    _check_readers(ask)


def check_forwarding(ask: Ask, *, assigner: str) -> str:
    """Check a ``forwarded``: it goes to the one who assigned and, named last, to the next; return the next."""
    told, recipients = goes_to(ask, assigner), ask.envelope.data.recipients
    # By its place each of the two knows which it is: who assigned may have been succeeded, or have a desk that is next.
    if not recipients or sorted(recipients[:-1]) != sorted(told):
        raise RemoteError(Code.WRONG_RECIPIENTS)
    _members(recipients, ask)
    # Both learn of each other, whatever the team policy says: a duty is handed on in the open.
    _check_policy(ask, Verb.ASSIGNED, _members(recipients[-1:], ask))
    _check_readers(ask)
    return recipients[-1]


def _sender(ask: Ask) -> Member:
    sender = ask.directory.member(ask.envelope.source)
    if sender is None:
        raise RemoteError(Code.UNKNOWN_SENDER)
    return sender


def _members(recipients: Iterable[str], ask: Ask) -> list[Member]:
    found = []
    seen = set()
    for address in recipients:
        if address in seen:
            raise RemoteError(Code.REPEATED_RECIPIENT)
        seen.add(address)
        member = ask.directory.member(agency_of(address))
        ended = has_ended(ask.directory, agency_of(address), ask.admitted_ms)
        if member is None or ended or not member.on_bus or address not in member.addresses:
            raise RemoteError(Code.UNKNOWN_RECIPIENT)
        if member.id not in ask.inboxes:
            raise RemoteError(Code.TOPIC_MISSING)
        found.append(member)
    return found


def _check_policy(ask: Ask, verb: Verb, members: list[Member]) -> bool:
    sender, source = _sender(ask), ask.envelope.source
    if any(member.id == source for member in members):
        raise RemoteError(Code.WRONG_RECIPIENTS)
    if not all(ask.directory.may_send(sender, verb, member) for member in members):
        raise RemoteError(Code.NOT_PERMITTED)
    if len(members) <= _ONE:
        return False
    rule = ask.directory.team_rule(members)
    if rule is None:
        raise RemoteError(Code.RECIPIENTS_APART)
    return rule.answers == "team"


def _check_readers(ask: Ask) -> None:
    envelope, directory = ask.envelope, ask.directory
    recipients, source = set(envelope.data.recipients), envelope.source
    watcher = directory.service(ROLE_WATCHER)
    clocks = 0
    served: set[str] = set()
    for section in envelope.data.sections:
        addresses = [reader.address for reader in section.readers]
        if len(set(addresses)) != len(addresses):
            raise RemoteError(Code.WRONG_READERS)
        # What the watcher says itself it may read like any sender; it need not tell itself of clocks.
        timed = watcher in addresses and watcher != source
        clocks += timed
        readers = recipients.intersection(addresses)
        served |= readers
        if recipients and not readers and not timed:
            raise RemoteError(Code.WRONG_READERS)
        for reader in section.readers:
            known = reader.address in recipients or agency_of(reader.address) == source or reader.address == watcher
            if not known or not directory.may_seal_to(reader.address, reader.kid, ask.admitted_ms):
                raise RemoteError(Code.WRONG_READERS)
    if clocks > _ONE:
        raise RemoteError(Code.WRONG_READERS)
    if envelope.verb in CLOCK_VERBS and not clocks and source != watcher:
        raise RemoteError(Code.CLOCK_MISSING)
    if recipients - served and envelope.verb is not Verb.RECEIVED:
        raise RemoteError(Code.WRONG_READERS)
