"""
The bus, as an agency's system uses it.

    async with ReferralBus("ward-a", keys, trust, store="ward-a.db", transport=connect) as bus:
        async for delivery in bus.inbox():
            async with delivery:
                await delivery.accept(Acceptance(actor=...))
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from referral_bus.clock import Clock
from referral_bus.delivery import Delivery
from referral_bus.draft import Draft, Plan
from referral_bus.keys import AgencyKeys
from referral_bus.sent import Entry, Sent
from referral_bus.transport import Connect
from referral_bus.views import Alarm, CaseView, HandoffView, Status
from referral_contracts.directory import Directory, TrustRoot
from referral_contracts.envelope import HandoffKey
from referral_contracts.payloads.payload import Payload


class ReferralBus:
    """An agency's way to the bus: what it says, what it hears, what it knows."""

    def __init__(
        self,
        agency: str,
        keys: AgencyKeys,
        trust: TrustRoot,
        *,
        store: str | Path,
        transport: Connect,
        clock: Clock | None = None,
    ) -> None:
        """
        Prepare; `async with` opens the store and connects.

        Args:
            agency: This agency's id.
            keys: Its private keys.
            trust: What it pinned.
            store: The one file that holds outbox, inbox, positions and views. One process at a time.
            transport: Makes a connection to the broker, again whenever one fails.
            clock: Where time comes from; the machine's own by default.
        """
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        """
        Open the store and go to work. Needs no broker: what is said before it answers waits in the outbox.

        Raises:
            LocalError: STORE_BUSY: another process has the store. STATE_FORMAT: the store is another agency's or bus's.
        """
        raise NotImplementedError

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        raise NotImplementedError

    # What to say: drafts, which nothing has sealed or sent.

    def open_case(self, *payloads: Payload, exercise: bool = False) -> Draft:
        """Return a draft that opens a case; its forms are sealed to ourselves."""
        raise NotImplementedError

    def offer(self, subject: str, parts: Mapping[str, Sequence[Payload]]) -> Draft:
        """Return a draft that asks each recipient, who may decline, with *parts*: what each is to read."""
        raise NotImplementedError

    def assign(self, subject: str, parts: Mapping[str, Sequence[Payload]]) -> Draft:
        """Return a draft that gives each recipient a statutory duty."""
        raise NotImplementedError

    def notify(self, subject: str, parts: Mapping[str, Sequence[Payload]]) -> Draft:
        """Return a draft that informs each recipient."""
        raise NotImplementedError

    def note(self, subject: str, parts: Mapping[str, Sequence[Payload]]) -> Draft:
        """Return a draft that files something in the case, to each recipient its part."""
        raise NotImplementedError

    def transfer(self, subject: str, recipient: str, payload: Payload, *more: Payload) -> Draft:
        """Return a draft that offers the case itself to *recipient*."""
        raise NotImplementedError

    def accept_transfer(self, subject: str, payload: Payload, *more: Payload) -> Draft:
        raise NotImplementedError

    def decline_transfer(self, subject: str, payload: Payload, *more: Payload) -> Draft:
        raise NotImplementedError

    def close_case(self, subject: str, payload: Payload, *more: Payload) -> Draft:
        """Return a draft that closes the case; what it says is sealed to ourselves."""
        raise NotImplementedError

    def accept(self, handoff: HandoffKey, payload: Payload, *more: Payload) -> Draft:
        raise NotImplementedError

    def decline(self, handoff: HandoffKey, payload: Payload, *more: Payload) -> Draft:
        raise NotImplementedError

    def progress(self, handoff: HandoffKey, payload: Payload, *more: Payload) -> Draft:
        raise NotImplementedError

    def complete(self, handoff: HandoffKey, payload: Payload, *more: Payload) -> Draft:
        raise NotImplementedError

    def return_(self, handoff: HandoffKey, payload: Payload, *more: Payload) -> Draft:
        raise NotImplementedError

    def forward(self, handoff: HandoffKey, following: str, payload: Payload, *more: Payload) -> Draft:
        """Return a draft that passes a duty on to *following*; both the assigner and it read *payload*."""
        raise NotImplementedError

    def withdraw(self, handoff: HandoffKey, payload: Payload, *more: Payload) -> Draft:
        raise NotImplementedError

    def close(self, handoff: HandoffKey, payload: Payload, *more: Payload) -> Draft:
        """Return a draft that closes a hand-off which was completed or returned."""
        raise NotImplementedError

    # Saying it.

    def plan(self, draft: Draft) -> Plan:
        """
        Return who will see which field, without sealing or sending anything.

        Raises:
            LocalError: What `send` would raise.
        """
        raise NotImplementedError

    async def send(self, draft: Draft, *, wait: Literal["ack"] | bool = True, timeout_s: float = 30.0) -> Sent:
        """
        Seal the draft and put it into the outbox, from where it goes out in its turn, signed then.

        Args:
            wait: True: for the verdict. ``"ack"``: until the broker has it. False: until it is in the outbox.
            timeout_s: How long; it stays in the outbox whatever happens.

        Raises:
            TimedOut: The wait is over. What was said is in `TimedOut.sent`.
            LocalError: It cannot be said: the directory is missing or expired, a recipient has no key, a form may not
                be carried by this verb. Nothing was put into the outbox.
        """
        raise NotImplementedError

    async def wait(self, sent: Sent, *, timeout_s: float = 30.0) -> Sent:
        """Return what became of *sent* once every event of it has its verdict, or raise TimedOut."""
        raise NotImplementedError

    def entry(self, event_id: str) -> Entry | None:
        """Return what became of one event of ours."""
        raise NotImplementedError

    # Hearing.

    def inbox(self) -> AsyncIterator[Delivery]:
        """
        Yield deliveries, oldest first, for ever; first those that were never acknowledged.

        One iterator at a time: a delivery goes to one of them.
        """
        raise NotImplementedError

    async def next(self, *, timeout_s: float) -> Delivery:
        """Return the next delivery, or raise LocalError(TIMED_OUT)."""
        raise NotImplementedError

    # Knowing.

    @property
    def directory(self) -> Directory | None:
        """The last good directory."""
        raise NotImplementedError

    def handoff(self, key: HandoffKey) -> HandoffView | None:
        raise NotImplementedError

    def case(self, subject: str) -> CaseView | None:
        raise NotImplementedError

    def cases(self) -> tuple[CaseView, ...]:
        raise NotImplementedError

    def alarms(self) -> tuple[Alarm, ...]:
        """Return what a person should be told, oldest first."""
        raise NotImplementedError

    def clear_alarm(self, number: int) -> None:
        raise NotImplementedError

    def status(self) -> Status:
        raise NotImplementedError

    async def ready(self, *, timeout_s: float = 30.0) -> None:
        """Return once the directory is there and fresh, or raise LocalError with what is wrong."""
        raise NotImplementedError
