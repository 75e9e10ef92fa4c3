"""What a person means by the beginning of an id: a case, a hand-off, a delivery that this agency knows."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Final, TypeVar

import typer

from referral_bus._cli.faults import WrongUsage
from referral_bus.client import ReferralBus
from referral_bus.delivery import Delivery
from referral_bus.sent import Entry
from referral_bus.views import CaseView, HandoffView
from referral_contracts.codes import Code
from referral_contracts.encoding import event_hash
from referral_contracts.envelope import HandoffKey
from referral_contracts.lifecycle import OPENINGS
from referral_contracts.verbs import Verb

_T = TypeVar("_T")

CaseArgument = Annotated[str, typer.Argument(metavar="SUBJECT", help="The case; its beginning will do.")]
HandoffArgument = Annotated[
    str,
    typer.Argument(
        metavar="HANDOFF",
        help="The id of the opening event, or its beginning, and @RECIPIENT, @OPENER or @CASE where several have it.",
    ),
]
DeliveryArgument = Annotated[
    str,
    typer.Argument(
        metavar="ID", help="The event's id, or its beginning, and @RECIPIENT, @SENDER or @CASE where several have it."
    ),
]

CorrectedOption = Annotated[
    str, typer.Option("--event", metavar="ID", help="The event of this agency that was wrong; its beginning will do.")
]

_SHOWN: Final = 5
_WHERE: Final = {
    "case": "referral-bus case list tells those it knows",
    "hand-off": "referral-bus case show tells a case's hand-offs",
    "event": "referral-bus outbox list --all tells those it said",
    "delivery": "referral-bus inbox list --all tells those it got",
}


def find_case(bus: ReferralBus, text: str) -> CaseView:
    """Return the one case whose pseudonym begins with *text*, or raise WrongUsage."""
    found = [case for case in bus.cases() if case.subject.startswith(text.lower())]
    return _the_one(found, "case", lambda case: (case.subject,))


def find_subject(bus: ReferralBus, text: str) -> str:
    """Return the pseudonym that begins with *text*; that of a case which waits in the outbox to be opened, too."""
    waiting = (entry.subject for entry in _waiting(bus) if entry.verb is Verb.CASE_OPENED)
    known = dict.fromkeys([*(case.subject for case in bus.cases()), *waiting])
    found = [subject for subject in known if subject.startswith(text.lower())]
    return _the_one(found, "case", lambda subject: (subject,))


def find_handoff(bus: ReferralBus, text: str) -> HandoffView:
    """Return the one hand-off that ``opening[@recipient, opener or case]`` names, or raise WrongUsage."""
    return _the_one(_handoffs(bus, text), "hand-off", _names_of_handoff)


def find_answered(bus: ReferralBus, text: str) -> HandoffView | HandoffKey:
    """Return what `find_handoff` does, or the key of a hand-off that waits in the outbox to be opened."""
    opening, party = _parts(text)
    known = _handoffs(bus, text)
    keys = {handoff.key for handoff in known}
    waiting = [
        key
        for entry in _waiting(bus)
        if entry.verb in OPENINGS
        for key in entry.handoffs
        if key.opening.startswith(opening) and party in {None, key.recipient} and key not in keys
    ]
    found: list[HandoffView | HandoffKey] = [*known, *waiting]
    return _the_one(found, "hand-off", _names_of_handoff)


def find_delivery(bus: ReferralBus, text: str) -> Delivery:
    """Return the one delivery that ``id[@recipient, sender or case]`` names, or raise WrongUsage."""
    event, party = _parts(text)
    found = [
        delivery
        for delivery in bus.deliveries(acknowledged=None)
        if delivery.id.startswith(event) and party in {None, *_marks_of_delivery(delivery)}
    ]
    return _the_one(found, "delivery", lambda found: tuple(f"{found.id}@{mark}" for mark in _marks_of_delivery(found)))


def find_said(bus: ReferralBus, text: str) -> str:
    """Return the id of the one event of ours that begins with *text* and has its verdict, or raise WrongUsage."""
    found = [entry for entry in bus.outbox() if entry.id.startswith(text.lower())]
    said = _the_one(found, "event", lambda entry: (entry.id,))
    if not said.state.settled:
        raise WrongUsage(
            "this event waits for its verdict: until then it cannot be corrected",
            "referral-bus outbox wait stays until the verdict is there",
            code=Code.ILLEGAL_TRANSITION,
        )
    return said.id


def find_logged(bus: ReferralBus, text: str) -> str:
    """Return the id of the one event that begins with *text*, said by us or delivered to us, or raise WrongUsage."""
    known = (*(entry.id for entry in bus.outbox()), *(found.id for found in bus.deliveries()))
    found = [one for one in dict.fromkeys(known) if one.startswith(text.lower())]
    return _the_one(found, "event", lambda event: (event,))


def name_of(key: HandoffKey) -> str:
    """Return a hand-off as a person types it."""
    return f"{key.opening}@{key.recipient}"


def _handoffs(bus: ReferralBus, text: str) -> list[HandoffView]:
    opening, party = _parts(text)
    return [
        handoff
        for case in bus.cases()
        for handoff in case.handoffs
        if handoff.key.opening.startswith(opening) and party in {None, *_marks_of_handoff(handoff)}
    ]


def _waiting(bus: ReferralBus) -> Iterator[Entry]:
    return (entry for entry in bus.outbox() if not entry.state.settled)


def _marks_of_delivery(found: Delivery) -> tuple[str, ...]:
    # By its bytes at last: a sender may use an id again in the same case, when the router has forgotten it.
    return found.recipient, found.source, found.subject, event_hash(found.value)


def _marks_of_handoff(found: HandoffView) -> tuple[str, ...]:
    return found.key.recipient, found.opened_by, found.subject


def _names_of_handoff(found: HandoffView | HandoffKey) -> tuple[str, ...]:
    if isinstance(found, HandoffKey):
        return (name_of(found),)
    return tuple(f"{found.key.opening}@{mark}" for mark in _marks_of_handoff(found))


def _parts(text: str) -> tuple[str, str | None]:
    begin, at, recipient = text.partition("@")
    return begin.lower(), recipient if at else None


def _the_one(items: Sequence[_T], what: str, names: Callable[[_T], tuple[str, ...]]) -> _T:
    """Return the one thing found; *names* gives what a person can call it, and what else where two are called alike."""
    if not items:
        raise WrongUsage(f"this agency knows no such {what}", _WHERE[what], code=Code.NOT_FOUND)
    if len(items) > 1:
        alike = Counter(name for item in items for name in {*names(item)})
        told = (next((name for name in told if alike[name] == 1), told[-1]) for told in map(names, items[:_SHOWN]))
        some = ", ".join(told)
        more = f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
        raise WrongUsage(f"more than one {what} is meant by this", f"one of {some}{more}")
    return items[0]
