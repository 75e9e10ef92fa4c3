"""
What the stage manager of the demonstration and an agency's process say to each other: one JSON object a line.

This is not the bus. It stands for the people at their desks, who tell their agency's system what to send and read
what has come; so it carries what they read. It goes through a pipe and into no log.
"""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from referral_contracts.codes import Code
from referral_contracts.envelope import HandoffKey
from referral_contracts.lifecycle import CaseState, State
from referral_contracts.payloads.deadline import Delivered, Found, Standing
from referral_contracts.verbs import Verb


class Line(BaseModel):
    """One line, either way."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def encode(self) -> bytes:
        """Return the line's bytes."""
        return self.model_dump_json(exclude_none=True).encode() + b"\n"


class Order(Line):
    """A person wants something sent: *verb*, with files of ``examples/``."""

    number: int
    verb: Verb
    subject: str | None = None
    handoff: HandoffKey | None = None
    files: tuple[str, ...] = ()
    parts: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """By recipient."""
    hurry: bool = False
    """Come back as soon as the broker has it, before the verdict."""


class Recall(Line):
    """A person wants to know what became of an order that was in a hurry."""

    number: int
    of: int


class Look(Line):
    """A person wants to see where a case stands."""

    number: int
    look: str


class FormField(Line):
    """One line of a form."""

    path: str
    vi: str
    en: str
    value: str = Field(repr=False)


class Part(Line):
    """A section that could be opened, or will be able to."""

    name: str
    form: str
    readers: tuple[str, ...] = ()
    fields: tuple[FormField, ...]


class Said(Line):
    """What became of an order."""

    kind: Literal["said"] = "said"
    number: int
    code: Code | None = None
    """The first refusal, or accepted; None while there is no verdict."""
    id: str = ""
    subject: str = ""
    handoffs: tuple[HandoffKey, ...] = ()
    state: State | None = None
    """Of the hand-off, as the verdict tells it."""
    still_open: tuple[HandoffKey, ...] = ()
    events: int = 0
    planned: tuple[Part, ...] = ()
    """Who will read what, as the SDK said before it sealed anything."""


class Deadline(Line):
    """What the deadline watcher says of a clock."""

    vi: str
    en: str
    """What its rule is called."""
    responsible: str | None = None
    due_at: datetime | None = None
    standing: Standing
    delivery: Delivered | None = None
    level: int | None = None
    found: Found | None = None


class Heard(Line):
    """What another agency said, as far as this one can read it."""

    kind: Literal["heard"] = "heard"
    id: str
    verb: Verb
    source: str
    subject: str
    recipients: tuple[str, ...]
    handoff: HandoffKey | None = None
    counter: int
    parts: tuple[Part, ...]
    sealed: tuple[str, ...]
    """Sections that are for others."""
    deadline: Deadline | None = None
    named: tuple[str, ...]
    """Every agency of the directory whose id is anywhere in the event's bytes."""


class Seen(Line):
    """Where a case stands, and how the SDK is doing."""

    kind: Literal["seen"] = "seen"
    number: int
    owned: bool
    state: CaseState | None = None
    handoffs: dict[str, State]
    waiting: int
    unacknowledged: int
    alarms: tuple[Code, ...]


class Ready(Line):
    """The agency has its directory and listens."""

    kind: Literal["ready"] = "ready"
    version: int


Wish: TypeAlias = Order | Recall | Look
Report: TypeAlias = Annotated[Said | Heard | Seen | Ready, Field(discriminator="kind")]

_WISHES: TypeAdapter[Wish] = TypeAdapter(Wish)
_REPORTS: TypeAdapter[Said | Heard | Seen | Ready] = TypeAdapter(Report)


def read_wish(line: bytes) -> Wish:
    """Return what a person wants."""
    return _WISHES.validate_json(line)


def read_report(line: bytes) -> Said | Heard | Seen | Ready:
    """Return what an agency's process tells."""
    return _REPORTS.validate_json(line)
