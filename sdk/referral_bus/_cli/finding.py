"""What a person means by the beginning of an id: a case, a hand-off, a delivery that this agency knows."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Annotated, Final, TypeVar

import typer

from referral_bus._cli.faults import WrongUsage
from referral_bus.client import ReferralBus
from referral_bus.delivery import Delivery
from referral_bus.views import CaseView, HandoffView
from referral_contracts.codes import Code
from referral_contracts.envelope import HandoffKey

_T = TypeVar("_T")

CaseArgument = Annotated[str, typer.Argument(metavar="SUBJECT", help="The case; its beginning will do.")]
HandoffArgument = Annotated[
    str,
    typer.Argument(
        metavar="HANDOFF",
        help="The id of the event that opened it, or its beginning, and @RECIPIENT or @OPENER where there are several.",
    ),
]
DeliveryArgument = Annotated[
    str,
    typer.Argument(
        metavar="ID", help="The event's id, or its beginning, and @RECIPIENT or @SENDER where there are several."
    ),
]

_SHOWN: Final = 5


def find_case(bus: ReferralBus, text: str) -> CaseView:
    """Return the one case whose pseudonym begins with *text*, or raise WrongUsage."""
    found = [case for case in bus.cases() if case.subject.startswith(text.lower())]
    return _the_one(found, "case", lambda case: (case.subject, case.subject))


def find_handoff(bus: ReferralBus, text: str) -> HandoffView:
    """Return the one hand-off that ``opening[@recipient or opener]`` names, or raise WrongUsage."""
    opening, party = _parts(text)
    found = [
        handoff
        for case in bus.cases()
        for handoff in case.handoffs
        if handoff.key.opening.startswith(opening) and party in {None, handoff.key.recipient, handoff.opened_by}
    ]
    return _the_one(
        found, "hand-off", lambda handoff: (name_of(handoff.key), f"{handoff.key.opening}@{handoff.opened_by}")
    )


def find_delivery(bus: ReferralBus, text: str) -> Delivery:
    """Return the one delivery that ``id[@recipient or sender]`` names, or raise WrongUsage."""
    event, party = _parts(text)
    found = [
        delivery
        for delivery in bus.deliveries(acknowledged=None)
        if delivery.id.startswith(event) and party in {None, delivery.recipient, delivery.source}
    ]
    return _the_one(
        found, "delivery", lambda delivery: (f"{delivery.id}@{delivery.recipient}", f"{delivery.id}@{delivery.source}")
    )


def name_of(key: HandoffKey) -> str:
    """Return a hand-off as a person types it."""
    return f"{key.opening}@{key.recipient}"


def _parts(text: str) -> tuple[str, str | None]:
    begin, at, recipient = text.partition("@")
    return begin.lower(), recipient if at else None


def _the_one(found: Iterable[_T], what: str, names: Callable[[_T], tuple[str, str]]) -> _T:
    """Return the one thing found; *names* gives what a person can call it, and what else where two are called alike."""
    items = list(found)
    if not items:
        raise WrongUsage(f"this agency knows no such {what}", code=Code.NOT_FOUND)
    if len(items) > 1:
        alike = Counter(names(item)[0] for item in items)
        some = ", ".join(first if alike[first] == 1 else second for first, second in map(names, items[:_SHOWN]))
        more = f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
        raise WrongUsage(f"more than one {what} is meant by this", f"one of {some}{more}")
    return items[0]
