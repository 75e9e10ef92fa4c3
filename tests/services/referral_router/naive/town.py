"""Who is on the bus, who goes on for whom, who may say what to whom: SPEC 10 and 15, and what an event is."""

from collections.abc import Iterable
from dataclasses import dataclass, field

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
    ends: dict[str, int] = field(default_factory=dict)
    """When an agency says its last."""
    heirs: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Its successors, the one who then speaks for it first."""

    def ended(self, name: str, now: int) -> bool:
        return name in self.ends and now >= self.ends[name]

    def voice(self, name: str, now: int) -> str | None:
        """Section 15, succession: who speaks for an agency, if anybody does."""
        before = set[str]()
        while self.ended(name, now):
            before.add(name)
            heirs = self.heirs[name]
            if not heirs or heirs[0] in before:
                return None
            name = heirs[0]
        return name

    def reached(self, address: str, now: int) -> str | None:
        """Where what is meant for an address goes, if anywhere."""
        voice = self.voice(agency(address), now)
        desk = f"{voice}{address[len(agency(address)) :]}"
        return next((one for one in (desk, voice) if one in self.addresses), None)

    def all_heirs(self, name: str) -> set[str]:
        """To whom what an agency has may be moved: its successors, and theirs."""
        found = set[str]()
        while more := {heir for one in found | {name} for heir in self.heirs.get(one, ())} - found:
            found |= more
        return found - {name}

    def known_to_each_other(self, to: Iterable[str]) -> tuple[set[str], bool] | None:
        roles = {self.roles[agency(address)] for address in to if agency(address) in self.roles}
        return next((rule for rule in self.may_know if roles <= rule[0]), None)

    def addressing(self, said: Event, now: int) -> set[str]:
        """Return what is wrong with recipients and readers, whatever the verb."""
        faults = set()
        if len(set(said.to)) < len(said.to):
            faults.add("repeated-recipient")
        if not set(said.to) <= self.addresses or any(self.ended(agency(address), now) for address in said.to):
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
