"""
One delivery: a verified event of another agency, with the sections that are for us.

Inside ``async with delivery:`` replies are collected; leaving the block puts them into the outbox and acknowledges
the delivery in one transaction of the store. An exception leaves both undone, and the delivery comes again.
"""

from functools import cached_property
from types import TracebackType
from typing import Self, TypeVar

from referral_bus._clock_check import clock_differences
from referral_bus._corrections import corrections, original
from referral_bus._drafts import Drafts
from referral_bus._home import Home
from referral_bus._open import OpenedSection
from referral_bus._speaker import Speaker
from referral_bus._store import inbox, views
from referral_bus._store.inbox import Stored
from referral_bus._store.outbox import Row
from referral_bus.draft import Draft
from referral_bus.sent import Sent
from referral_bus.views import Corrects
from referral_contracts import decisions
from referral_contracts.codes import Code
from referral_contracts.encoding import parse_time
from referral_contracts.envelope import Envelope, HandoffKey
from referral_contracts.errors import LocalError
from referral_contracts.lifecycle import OPENINGS
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.relay import Claim, Relay, claim_of
from referral_contracts.verbs import Verb

__all__ = ["Delivery", "OpenedSection"]

P = TypeVar("P", bound=Payload)


class Delivery:
    """What another agency said to us. `ReferralBus.inbox` hands it out."""

    def __init__(self, stored: Stored, home: Home, speaker: Speaker) -> None:
        """Show a stored delivery; sections are opened when they are first looked at."""
        self._stored = stored
        self._at_hand = home.kept.take(stored)
        self._home = home
        self._speaker = speaker
        self._drafts = Drafts(home)
        self._replies: list[Row] | None = None

    def __repr__(self) -> str:
        """Name the event and nothing in it."""
        return f"Delivery({self.verb.value} {self.id} from {self.source} to {self.recipient})"

    @property
    def envelope(self) -> Envelope:
        """The event in the clear."""
        return self._at_hand.verified.envelope

    @property
    def value(self) -> bytes:
        """The event's bytes as they were signed."""
        return self._stored.value

    @property
    def id(self) -> str:
        """The event's id."""
        return self._stored.id

    @property
    def source(self) -> str:
        """Who said it."""
        return self._stored.source

    @property
    def subject(self) -> str:
        """The case."""
        return self._stored.subject

    @property
    def recipient(self) -> str:
        """Which of our addresses it is for."""
        return self._stored.recipient

    @property
    def verb(self) -> Verb:
        """What it says happened."""
        return self.envelope.verb

    @property
    def exercise(self) -> bool:
        """Whether it is only an exercise."""
        return self.envelope.exercise

    @cached_property
    def handoff(self) -> HandoffKey | None:
        """The hand-off it is about: ours, where the event opens one for us. None for verbs of the case."""
        opened = HandoffKey(opening=self.id, recipient=self.recipient)
        if self.verb in OPENINGS or (
            self.verb is Verb.FORWARDED and views.handoff(self._home.store.db, self.subject, opened) is not None
        ):
            return opened
        return self.envelope.data.handoff

    @property
    def _leaf(self) -> decisions.Delivery:
        return self._at_hand.verified.delivery

    @property
    def counter(self) -> int:
        """How many deliveries of this case that address has had since it was last restored, this one included."""
        return self._leaf.counter

    @property
    def admitted_ms(self) -> int:
        """When the bus took it in."""
        return parse_time(self._leaf.admitted)

    @property
    def redelivered(self) -> bool:
        """Whether it was handed out before and never acknowledged."""
        return self._stored.handed

    @property
    def acknowledged(self) -> bool:
        """Whether it is dealt with."""
        return inbox.is_acknowledged(self._home.store.db, self._stored.seq)

    @cached_property
    def _corrected(self) -> tuple[Corrects | None, Stored | None]:
        if self.envelope.data.supersedes is None:
            return None, None
        return original(self._home.store.db, self.envelope, self.recipient)

    @property
    def corrects(self) -> Corrects | None:
        """What a correction is to us: whether we hold what it names, and whether that is its sender's. Else None."""
        return self._corrected[0]

    @property
    def original(self) -> "Delivery | None":
        """The delivery that this one corrects; None where we do not hold it, or it is not its sender's to correct."""
        held = self._corrected[1]
        return None if held is None else Delivery(held, self._home, self._speaker)

    @property
    def corrections(self) -> tuple["Delivery", ...]:
        """What its sender has said since to correct it, oldest first: the last one counts."""
        found = corrections(self._home.store.db, self._stored)
        return tuple(Delivery(stored, self._home, self._speaker) for stored in found)

    @property
    def sections(self) -> tuple[OpenedSection, ...]:
        """The sections that are for us, in the event's order."""
        return self._at_hand.opened.sections

    @property
    def sealed(self) -> tuple[str, ...]:
        """The names of the sections that are for others."""
        return self._at_hand.opened.sealed

    @property
    def unreadable(self) -> OpenedSection | None:
        """The first section of ours that could not be opened or understood."""
        return self._at_hand.opened.unreadable

    @property
    def payloads(self) -> tuple[Payload, ...]:
        """Every body that was understood, but the one for the deadline watcher."""
        return self._at_hand.opened.payloads

    @property
    def claims(self) -> tuple[Claim, ...]:
        """What it tells as the word of agencies that are not on the bus: claims of its source, never their own."""
        found = (claim_of(payload, self.source) for payload in self.payloads)
        return tuple(dict.fromkeys(claim for claim in found if claim is not None))

    @property
    def for_agency(self) -> str | None:
        """For whom it is meant, where that is an agency which is reached through us. Our answers are for it, too."""
        relay = self.payload(Relay)
        return None if relay is None else relay.for_agency

    def payload(self, model: type[P]) -> P | None:
        """Return the first body of this form, or None."""
        return next((payload for payload in self.payloads if isinstance(payload, model)), None)

    @property
    def clock_differs(self) -> tuple[str, ...]:
        """The happenings of which it tells the deadline watcher other than its forms say; None that we can see: ()."""
        return clock_differences(self._home, self._at_hand)

    async def ack(self) -> None:
        """Say that the delivery is dealt with: it does not come again."""
        with self._home.store.write() as db:
            inbox.acknowledge(db, self._stored.seq)

    async def __aenter__(self) -> Self:
        """Collect replies from here on."""
        self._replies = []
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """
        Enter the replies and acknowledge the delivery, in one transaction; nothing of it after an exception.

        Raises:
            LocalError: DUPLICATE: it was acknowledged before, and the replies with it. Nothing is entered twice.
        """
        replies, self._replies = self._replies or [], None
        if kind is not None:
            return
        with self._home.store.write() as db:
            if not inbox.acknowledge(db, self._stored.seq):
                raise LocalError(Code.DUPLICATE, "this delivery was acknowledged before")
            self._speaker.enter(db, replies)
        self._home.outbox.ring()

    async def accept(self, payload: Payload, *more: Payload) -> Sent:
        """Put an acceptance into the outbox. As all replies it waits for nothing; `ReferralBus.wait` does."""
        return self._about_handoff(Verb.ACCEPTED, payload, *more)

    async def decline(self, payload: Payload, *more: Payload) -> Sent:
        """Say no, with the reason."""
        return self._about_handoff(Verb.DECLINED, payload, *more)

    async def progress(self, payload: Payload, *more: Payload) -> Sent:
        """Tell how it goes."""
        return self._about_handoff(Verb.PROGRESSED, payload, *more)

    async def complete(self, payload: Payload, *more: Payload) -> Sent:
        """Tell the outcome."""
        return self._about_handoff(Verb.COMPLETED, payload, *more)

    async def return_(self, payload: Payload, *more: Payload) -> Sent:
        """Give back what was accepted."""
        return self._about_handoff(Verb.RETURNED, payload, *more)

    async def forward(self, following: str, payload: Payload, *more: Payload) -> Sent:
        """Pass a duty on to *following*; both the assigner and it read what is said."""
        return self._about_handoff(Verb.FORWARDED, payload, *more, following=following)

    async def withdraw(self, payload: Payload, *more: Payload) -> Sent:
        """Take back what we asked for."""
        return self._about_handoff(Verb.WITHDRAWN, payload, *more)

    async def close(self, payload: Payload, *more: Payload) -> Sent:
        """Close what was completed or returned."""
        return self._about_handoff(Verb.CLOSED, payload, *more)

    async def suspend(self, payload: Payload, *more: Payload) -> Sent:
        """Let accepted work rest."""
        return self._about_handoff(Verb.SUSPENDED, payload, *more)

    async def resume(self, payload: Payload, *more: Payload) -> Sent:
        """Go on with work that rested."""
        return self._about_handoff(Verb.RESUMED, payload, *more)

    async def fail(self, payload: Payload, *more: Payload) -> Sent:
        """Tell that it could not be done."""
        return self._about_handoff(Verb.FAILED, payload, *more)

    async def cancel(self, payload: Payload, *more: Payload) -> Sent:
        """End what has begun."""
        return self._about_handoff(Verb.CANCELLED, payload, *more)

    async def reopen(self, payload: Payload, *more: Payload) -> Sent:
        """Give completed work back, to go on with it."""
        return self._about_handoff(Verb.REOPENED, payload, *more)

    async def ask(self, payload: Payload, *more: Payload) -> Sent:
        """Ask the other side something."""
        return self._about_handoff(Verb.ASKED, payload, *more)

    async def answer(self, payload: Payload, *more: Payload) -> Sent:
        """Answer what the other side asked."""
        return self._about_handoff(Verb.ANSWERED, payload, *more)

    async def void(self, payload: Payload, *more: Payload) -> Sent:
        """Say that what we asked for was entered in error."""
        return self._about_handoff(Verb.VOIDED, payload, *more)

    async def recall(self, payload: Payload, *more: Payload) -> Sent:
        """Ask back what we sent by mistake."""
        return self._about_handoff(Verb.RECALLED, payload, *more)

    async def report_misdirected(self, payload: Payload, *more: Payload) -> Sent:
        """Tell that it was not for us, and what became of it."""
        return self._about_handoff(Verb.MISDIRECTED, payload, *more)

    async def accept_transfer(self, payload: Payload, *more: Payload) -> Sent:
        """Take over the case."""
        return self._reply(self._drafts.about_case(Verb.CASE_TRANSFER_ACCEPTED, self.subject, (payload, *more)))

    async def decline_transfer(self, payload: Payload, *more: Payload) -> Sent:
        """Leave the case with its owner."""
        return self._reply(self._drafts.about_case(Verb.CASE_TRANSFER_DECLINED, self.subject, (payload, *more)))

    def _about_handoff(self, verb: Verb, *payloads: Payload, following: str | None = None) -> Sent:
        if self.handoff is None:
            raise LocalError(Code.NOT_FOUND, "this delivery is about no hand-off")
        draft = self._drafts.about_handoff(verb, self.handoff, payloads, subject=self.subject, following=following)
        return self._reply(draft)

    def _reply(self, draft: Draft) -> Sent:
        if self._replies is None:
            return self._speaker.say(draft)
        # Sealed now all the same: what cannot be said is told where it was said.
        rows = self._speaker.compose(draft)
        self._replies += rows
        return Sent(entries=tuple(row.entry() for row in rows))
