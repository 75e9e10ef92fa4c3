"""
What the deadline watcher has told us of clocks, and whether it is for us to say something of one.

Opened from its notices each time somebody looks: the store keeps them sealed. The watcher judges anew what is said of
a clock; what is checked here spares a person to hear nothing of it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from referral_bus._home import Home
from referral_bus._kept import AtHand
from referral_bus._store import inbox
from referral_bus.draft import Draft
from referral_contracts.codes import Code
from referral_contracts.directory import ROLE_WATCHER, Directory
from referral_contracts.errors import LocalError
from referral_contracts.payloads.clock_answer import ClockConfirmation, ClockDispute, ClockExtension
from referral_contracts.payloads.deadline import DeadlineNotice
from referral_contracts.payloads.payload import Payload
from referral_contracts.succession import speaker, superiors
from referral_contracts.verbs import CLOCKS, Verb

_BODIES: Final[Mapping[Verb, type[Payload]]] = {
    Verb.CLOCK_DISPUTED: ClockDispute,
    Verb.CLOCK_EXTENDED: ClockExtension,
    Verb.CLOCK_CONFIRMED: ClockConfirmation,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldOfClock:
    """One notice of the deadline watcher, as we got it."""

    event: str
    """Its id."""
    verb: Verb
    subject: str
    exercise: bool
    admitted_ms: int
    notice: DeadlineNotice


def told_of_clocks(home: Home, directory: Directory, subject: str | None = None) -> Iterator[ToldOfClock]:
    """Yield what the watcher told us of clocks, in the case *subject* or in all, oldest first."""
    for stored in inbox.said_by(home.store.db, directory.service(ROLE_WATCHER) or "", subject):
        delivery = AtHand(stored.read_back, home.keys)
        envelope = delivery.verified.envelope
        for payload in delivery.opened.payloads:
            if isinstance(payload, DeadlineNotice):
                yield ToldOfClock(
                    event=envelope.id,
                    verb=envelope.verb,
                    subject=envelope.subject,
                    exercise=envelope.exercise,
                    admitted_ms=delivery.verified.admitted_ms,
                    notice=payload,
                )


def check_said_of_clock(home: Home, directory: Directory, draft: Draft) -> None:
    """
    Check what *draft* says of a clock, if it does.

    Raises:
        LocalError: INCOMPLETE_INPUT: it names no clock. NOT_PERMITTED: as the watcher told us of the clock, it is not
            for us to say.
    """
    if draft.verb not in CLOCKS:
        return
    named = _named(draft)
    if named is None:
        raise LocalError(Code.INCOMPLETE_INPUT, f"no clock is named: {_BODIES[draft.verb].schema_id()}")
    told = [one.notice for one in told_of_clocks(home, directory, draft.subject) if one.notice.clock == named]
    if told:
        _check_speaker(home, directory, draft.verb, told[-1].responsible)


def _named(draft: Draft) -> str | None:
    payloads = [*draft.own, *(payload for told in draft.parts.values() for payload in told)]
    bodies = (payload for payload in payloads if isinstance(payload, ClockDispute | ClockExtension | ClockConfirmation))
    return next((body.clock for body in bodies if isinstance(body, _BODIES[draft.verb])), None)


def _check_speaker(home: Home, directory: Directory, verb: Verb, responsible: str | None) -> None:
    if responsible is None:
        raise LocalError(Code.NOT_PERMITTED, "the clock is nobody's so far: correct the place that the form tells")
    now_ms = home.now_ms()
    ours = speaker(directory, responsible, now_ms) == home.agency
    above = home.agency in superiors(directory, responsible, now_ms)
    if verb is Verb.CLOCK_DISPUTED and not ours:
        raise LocalError(Code.NOT_PERMITTED, f"the clock is of {responsible}: only that agency can dispute it")
    if verb is Verb.CLOCK_EXTENDED and not (ours or above):
        raise LocalError(Code.NOT_PERMITTED, f"the clock is of {responsible}: that agency or one above it extends it")
    if verb is Verb.CLOCK_CONFIRMED and not above:
        raise LocalError(Code.NOT_PERMITTED, f"the clock is of {responsible}: only an agency above it can confirm")
