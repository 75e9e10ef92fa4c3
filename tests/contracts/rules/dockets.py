"""A world with a few rules, and a case in it, for the tests of clocks."""

from collections.abc import Iterable
from datetime import date
from typing import Any, Final

from referral_contracts.rules.book import RuleBook
from referral_contracts.rules.calendar import Calendar, Interval, number_of
from referral_contracts.rules.clock import Clock
from referral_contracts.rules.docket import Docket
from referral_contracts.rules.heard import Happening, World
from referral_contracts.rules.loading import load_packs
from tests.contracts.rules.packs import head, rule

SUBJECT: Final = "0" * 32
HOUR: Final = 3_600_000
DAY: Final = 24 * HOUR
START: Final = (number_of(date(2026, 3, 2)) * 24 + 2) * HOUR
"""Nine o'clock on a Monday, in Viet Nam."""
CALENDAR: Final = Calendar("none", frozenset(range(2020, 2040)))


def world(*rows: str, outages: tuple[Interval, ...] = (), settle: str = "PT1H") -> World:
    texts = {"national": head() + "".join(rows or (rule(),)), "policy": head("policy", settle=f'"{settle}"')}
    return World("training", RuleBook(load_packs(texts)), CALENDAR, lambda _rule, start: start.whose, outages)


def told(name: str, hours: float, *, late: float = 0, **more: Any) -> Happening:
    """Return what happened so many hours after the start, and was told so many hours later still."""
    occurred = START + round(hours * HOUR)
    event = more.pop("event", f"{name}@{hours}+{late}")
    return Happening(
        name=name,
        event=event,
        sha256=f"sha256 of {event}",
        admitted_ms=occurred + round(late * HOUR),
        occurred_ms=occurred if late else None,
        **{"whose": "ubnd", **more},
    )


def heard(world: World, *happenings: Happening) -> Docket:
    """Return the docket after *happenings*, each in a record of its own."""
    docket = Docket(SUBJECT)
    for one in happenings:
        docket = docket.hear(world, [one])
    return docket


def only(clocks: Iterable[Clock]) -> Clock:
    (clock,) = clocks
    return clock
