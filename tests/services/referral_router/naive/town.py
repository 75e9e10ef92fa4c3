"""Who is on the bus and who may say what to whom: SPEC section 10, and what an event is."""

from collections.abc import Iterable
from dataclasses import dataclass

from tests.services.referral_router.naive.tables import VERBS, WATCHER

Ref = tuple[str, str]
"""An event: its id and its hash."""
Key = tuple[str, str]
"""A hand-off: the id of the event that opened it, and the recipient's address."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """What somebody says."""

    source: str
    verb: str
    to: tuple[str, ...]
    case: str
    id: str
    hash: str
    time: int
    about: Key | None = None
    answers: Ref | None = None
    supersedes: Ref | None = None
    follows: Ref | None = None
    readers: frozenset[str]
    """Who of the recipients can read something in it."""
    clock: bool
    """Whether the watcher has a section in it."""
    exercise: bool = False


def agency(address: str) -> str:
    return address.split("/", maxsplit=1)[0]


@dataclass(kw_only=True)
class Town:
    """Who is on the bus and may say what to whom: section 10, as far as the directory decides it."""

    bus: str
    roles: dict[str, str]
    """By agency in the directory."""
    addresses: set[str]
    """Those with delivery by the bus, and their desks."""
    inboxes: set[str]
    may_open: set[str]
    """These and what follows are roles."""
    may_say_all: set[str]
    may_say: set[str]
    """Verbs that everybody may say to everybody."""
    may_know: list[tuple[set[str], bool]]
    """Who may know of each other, and whether answers may go to the team."""

    def known_to_each_other(self, to: Iterable[str]) -> tuple[set[str], bool] | None:
        roles = {self.roles[agency(address)] for address in to if agency(address) in self.roles}
        return next((rule for rule in self.may_know if roles <= rule[0]), None)

    def addressing(self, said: Event) -> set[str]:
        """Return what is wrong with recipients and readers, whatever the verb."""
        faults = set()
        if len(set(said.to)) < len(said.to):
            faults.add("repeated-recipient")
        if not set(said.to) <= self.addresses:
            faults.add("unknown-recipient")
        if not {agency(address) for address in said.to} <= self.inboxes:
            faults.add("topic-missing")
        if not set(said.to) <= said.readers and said.verb != "handoff.received":
            faults.add("wrong-readers")
        if VERBS[said.verb].clock and not said.clock and said.source != WATCHER:
            faults.add("clock-missing")
        return faults

    def policy(self, source: str, verb: str, to: Iterable[str]) -> set[str]:
        faults, to = set(), list(to)
        if source in map(agency, to):
            faults.add("wrong-recipients")
        if to and self.roles[source] not in self.may_say_all and verb not in self.may_say:
            faults.add("not-permitted")
        if len(to) > 1 and not self.known_to_each_other(to):
            faults.add("recipients-apart")
        return faults
