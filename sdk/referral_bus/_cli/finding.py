"""What a person means by the beginning of an id: a case, a hand-off, a delivery that this agency knows."""

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
        help="The id of the event that opened it, or its beginning, and @RECIPIENT where there are several.",
    ),
]
DeliveryArgument = Annotated[
    str, typer.Argument(metavar="ID", help="The event's id, or its beginning, and @RECIPIENT where there are several.")
]

_SHOWN: Final = 5


def find_case(bus: ReferralBus, text: str) -> CaseView:
    """Return the one case whose pseudonym begins with *text*, or raise WrongUsage."""
    found = [case for case in bus.cases() if case.subject.startswith(text.lower())]
    return _the_one(found, "case", lambda case: case.subject)


def find_handoff(bus: ReferralBus, text: str) -> HandoffView:
    """Return the one hand-off that ``opening[@recipient]`` names, or raise WrongUsage."""
    opening, recipient = _parts(text)
    found = [
        handoff
        for case in bus.cases()
        for handoff in case.handoffs
        if handoff.key.opening.startswith(opening) and recipient in {None, handoff.key.recipient}
    ]
    return _the_one(found, "hand-off", lambda handoff: name_of(handoff.key))


def find_delivery(bus: ReferralBus, text: str) -> Delivery:
    """Return the one delivery that ``id[@recipient]`` names, or raise WrongUsage."""
    event, recipient = _parts(text)
    found = [
        delivery
        for delivery in bus.deliveries(acknowledged=None)
        if delivery.id.startswith(event) and recipient in {None, delivery.recipient}
    ]
    return _the_one(found, "delivery", lambda delivery: f"{delivery.id}@{delivery.recipient}")


def name_of(key: HandoffKey) -> str:
    """Return a hand-off as a person types it."""
    return f"{key.opening}@{key.recipient}"


def _parts(text: str) -> tuple[str, str | None]:
    begin, at, recipient = text.partition("@")
    return begin.lower(), recipient if at else None


def _the_one(found: Iterable[_T], what: str, name: Callable[[_T], str]) -> _T:
    items = list(found)
    if not items:
        raise WrongUsage(f"this agency knows no such {what}", code=Code.NOT_FOUND)
    if len(items) > 1:
        some = ", ".join(name(item) for item in items[:_SHOWN])
        more = f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
        raise WrongUsage(f"more than one {what} is meant by this", f"one of {some}{more}")
    return items[0]
