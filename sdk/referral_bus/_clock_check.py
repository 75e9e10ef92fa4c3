"""
Whether what an event tells the deadline watcher is what its forms say, as far as both are for us to read.

Who is to answer for a clock is given the section that starts it, and holds it against the form. A sender that tells the
watcher one thing and us another is found out here, before anybody is accused.
"""

from collections.abc import Iterable
from typing import Final

from referral_bus._contents import asked_by_us, asked_of_us
from referral_bus._home import Home
from referral_bus._kept import AtHand
from referral_bus._store import views
from referral_contracts.clocks import TRIGGERS, derive_clock, join_clocks
from referral_contracts.lifecycle import CORRECTIONS
from referral_contracts.payloads.clock import ClockSection, Trigger
from referral_contracts.payloads.payload import Payload
from referral_contracts.topics import agency_of
from referral_contracts.verbs import Verb

_BY_ANOTHER_VERB: Final = frozenset({*CORRECTIONS, Verb.FORWARDED})
"""What these tell follows from another event as well."""


def clock_differences(home: Home, delivery: AtHand) -> tuple[str, ...]:
    """Return the happenings of which the `clock` section of a delivery says other than its forms; mostly none."""
    envelope = delivery.verified.envelope
    if envelope.verb in _BY_ANOTHER_VERB or not _may_be_read(delivery):
        return ()
    told = _told(delivery)
    if told is None:
        return ()
    try:
        derived = _derived(home, delivery).listed
    except Exception:  # noqa: BLE001 - its sender chose every byte: a mistake of ours here must not end the inbox
        return ()
    return differing(told, derived, whole=envelope.data.handoff is None and not delivery.opened.sealed)


def differing(told: Iterable[Trigger], derived: Iterable[Trigger], *, whole: bool) -> tuple[str, ...]:
    """Return the happenings that are *told* otherwise than *derived* of the forms; *whole*: of all that was said."""
    if whole:
        # Each happening has to be told exactly so, and no other.
        apart = {*told} ^ {*derived}
        return tuple(sorted({one.trigger for one in apart if one.trigger in TRIGGERS}))
    known = {*map(_whose, told)}
    return tuple(sorted({one.trigger for one in derived if _whose(one) not in known}))


def _may_be_read(delivery: AtHand) -> bool:
    """Whether somebody who is neither told nor the sender, as the watcher is, reads a section with us."""
    envelope, ours = delivery.verified.envelope, delivery.verified.recipient
    told = {*envelope.data.recipients}
    for section in envelope.data.sections:
        readers = {reader.address for reader in section.readers}
        if ours in readers and any(agency_of(one) != envelope.source for one in readers - told):
            return True
    return False


def _told(delivery: AtHand) -> tuple[Trigger, ...] | None:
    read = (section.read for section in delivery.opened.sections if section.read is not None)
    clock = next((one.payload for one in read if isinstance(one.payload, ClockSection)), None)
    return None if clock is None else clock.listed


def _whose(trigger: Trigger) -> tuple[str, str | None]:
    return trigger.trigger, trigger.whose


def _derived(home: Home, delivery: AtHand) -> ClockSection:
    envelope = delivery.verified.envelope
    asked, opened_by = _asked(home, delivery)
    return join_clocks(
        derive_clock(envelope.verb, payload, sender=envelope.source, answering=answered, opened_by=opened_by)
        for payload in delivery.opened.payloads
        for answered in (asked or (None,))
    )


def _asked(home: Home, delivery: AtHand) -> tuple[Iterable[Payload], str | None]:
    envelope = delivery.verified.envelope
    key = envelope.data.handoff
    known = None if key is None else views.handoff(home.store.db, envelope.subject, key)
    if known is None:
        return (), None
    ours = agency_of(known.holder) == home.agency
    return (asked_of_us(home, known) if ours else asked_by_us(home, known)), known.opened_by
