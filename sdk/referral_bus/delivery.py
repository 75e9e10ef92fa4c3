"""
One delivery: a verified event of another agency, with the sections that are for us opened.

Inside ``async with delivery:`` replies are collected; leaving the block puts them into the outbox and acknowledges
the delivery in one transaction of the store. An exception leaves both undone, and the delivery comes again.
"""

from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, Self, TypeVar

from referral_bus.sent import Sent
from referral_contracts.codes import Code
from referral_contracts.envelope import Envelope, HandoffKey
from referral_contracts.payloads.payload import Payload
from referral_contracts.sections import ReadSection
from referral_contracts.verbs import Verb

P = TypeVar("P", bound=Payload)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedSection:
    """A section that is for us."""

    name: str
    """``s0``, ``s1``: its place in the event."""
    read: ReadSection | None = field(default=None, repr=False)
    """What it says; None when it does not open or has no body to show."""
    code: Code | None = None
    """Why it could not be opened or understood, for the answer ``unreadable``."""


class Replier(Protocol):
    """What a delivery needs of the client."""


class Delivery:
    """What another agency said to us."""

    envelope: Envelope
    value: bytes
    """The event's bytes as they were signed."""
    recipient: str
    """Which of our addresses it was for."""
    handoff: HandoffKey | None
    """The hand-off it is about: ours, where the event opens one for us. None for verbs of the case."""
    counter: int
    """How many deliveries of this case that address has had, this one included."""
    admitted_ms: int
    redelivered: bool
    """Whether it was handed out before and never acknowledged."""
    sections: tuple[OpenedSection, ...]
    """The sections that are for us, in the event's order."""
    sealed: tuple[str, ...]
    """The names of the sections that are for others."""

    @property
    def id(self) -> str:
        raise NotImplementedError

    @property
    def source(self) -> str:
        raise NotImplementedError

    @property
    def subject(self) -> str:
        raise NotImplementedError

    @property
    def verb(self) -> Verb:
        raise NotImplementedError

    @property
    def exercise(self) -> bool:
        raise NotImplementedError

    @property
    def unreadable(self) -> OpenedSection | None:
        """The first section of ours that could not be opened or understood."""
        raise NotImplementedError

    def payload(self, model: type[P]) -> P | None:
        """Return the first body of this form, or None."""
        raise NotImplementedError

    @property
    def payloads(self) -> tuple[Payload, ...]:
        """Every body that was understood."""
        raise NotImplementedError

    async def ack(self) -> None:
        """Say that the delivery is dealt with: it does not come again."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        raise NotImplementedError

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        raise NotImplementedError

    async def accept(self, payload: Payload, *more: Payload) -> Sent:
        """Put an acceptance into the outbox. As all replies: it waits for nothing; `ReferralBus.wait` does."""
        raise NotImplementedError

    async def decline(self, payload: Payload, *more: Payload) -> Sent:
        raise NotImplementedError

    async def progress(self, payload: Payload, *more: Payload) -> Sent:
        raise NotImplementedError

    async def complete(self, payload: Payload, *more: Payload) -> Sent:
        raise NotImplementedError

    async def return_(self, payload: Payload, *more: Payload) -> Sent:
        raise NotImplementedError

    async def forward(self, following: str, payload: Payload, *more: Payload) -> Sent:
        raise NotImplementedError

    async def withdraw(self, payload: Payload, *more: Payload) -> Sent:
        raise NotImplementedError

    async def close(self, payload: Payload, *more: Payload) -> Sent:
        raise NotImplementedError

    async def accept_transfer(self, payload: Payload, *more: Payload) -> Sent:
        raise NotImplementedError

    async def decline_transfer(self, payload: Payload, *more: Payload) -> Sent:
        raise NotImplementedError
