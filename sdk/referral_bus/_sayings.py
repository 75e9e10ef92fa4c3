"""
What an agency can say: a draft for each verb, which nothing has sealed or sent.

The verbs of `ReferralBus`, which plans and sends what they return; apart from it, so that both can be read whole.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from referral_bus._drafts import Drafts
from referral_bus.draft import Draft
from referral_bus.views import HandoffView
from referral_contracts.envelope import HandoffKey
from referral_contracts.payloads.payload import Payload
from referral_contracts.verbs import Verb

Handoff: TypeAlias = HandoffKey | HandoffView
"""Which hand-off is meant: its key, or itself, which tells the case as well."""


class Sayings(ABC):
    """A method for each verb."""

    @property
    @abstractmethod
    def _drafts(self) -> Drafts:
        """What makes drafts of what is known here."""

    def open_case(self, *payloads: Payload, exercise: bool = False) -> Draft:
        """Return a draft that opens a case; its forms are sealed to ourselves."""
        return self._drafts.open_case(payloads, exercise=exercise)

    def offer(self, subject: str, parts: Mapping[str, Sequence[Payload]], *, follows: Handoff | None = None) -> Draft:
        """
        Return a draft that asks each recipient, who may decline, with *parts*: what each is to read.

        Where somebody was asked before, and declined say, what it opens *follows* that hand-off.
        """
        return self._drafts.to_each(Verb.OFFERED, subject, parts, follows=_key(follows))

    def assign(self, subject: str, parts: Mapping[str, Sequence[Payload]], *, follows: Handoff | None = None) -> Draft:
        """Return a draft that gives each recipient a statutory duty."""
        return self._drafts.to_each(Verb.ASSIGNED, subject, parts, follows=_key(follows))

    def notify(self, subject: str, parts: Mapping[str, Sequence[Payload]], *, follows: Handoff | None = None) -> Draft:
        """Return a draft that informs each recipient."""
        return self._drafts.to_each(Verb.NOTIFIED, subject, parts, follows=_key(follows))

    def note(self, subject: str, parts: Mapping[str, Sequence[Payload]], *, own: Sequence[Payload] = ()) -> Draft:
        """
        Return a draft that files something in the case, to each recipient its part.

        Where nobody else has to know, there are no *parts*: *own* is sealed to ourselves, and the deadline watcher is
        told what it has to know.
        """
        return self._drafts.to_each(Verb.CASE_NOTED, subject, parts, own=own)

    def link_case(self, subject: str, payload: Payload, *more: Payload, to: Sequence[str] = ()) -> Draft:
        """
        Return a draft that ties a case of ours to others: the same child, the same incident.

        Only the addresses in *to* are told, and learn of the other cases; without any it is sealed to ourselves.
        """
        return self._drafts.link(Verb.CASE_LINKED, subject, (payload, *more), to)

    def unlink_case(self, subject: str, payload: Payload, *more: Payload, to: Sequence[str] = ()) -> Draft:
        """Return a draft that takes such a link back."""
        return self._drafts.link(Verb.CASE_UNLINKED, subject, (payload, *more), to)

    def transfer(self, subject: str, recipient: str, payload: Payload, *more: Payload) -> Draft:
        """Return a draft that offers the case itself to *recipient*."""
        return self._drafts.to_each(Verb.CASE_TRANSFER_OFFERED, subject, {recipient: (payload, *more)})

    def accept_transfer(self, subject: str, payload: Payload, *more: Payload) -> Draft:
        """Return a draft that takes the case over."""
        return self._drafts.about_case(Verb.CASE_TRANSFER_ACCEPTED, subject, (payload, *more))

    def decline_transfer(self, subject: str, payload: Payload, *more: Payload) -> Draft:
        """Return a draft that leaves the case with its owner."""
        return self._drafts.about_case(Verb.CASE_TRANSFER_DECLINED, subject, (payload, *more))

    def withdraw_transfer(self, subject: str, payload: Payload, *more: Payload) -> Draft:
        """Return a draft that takes back that a case of ours was offered to another."""
        return self._drafts.about_case(Verb.CASE_TRANSFER_WITHDRAWN, subject, (payload, *more))

    def close_case(self, subject: str, payload: Payload, *more: Payload) -> Draft:
        """Return a draft that closes the case; what it says is sealed to ourselves."""
        return self._drafts.about_case(Verb.CASE_CLOSED, subject, (payload, *more))

    def reopen_case(self, subject: str, payload: Payload, *more: Payload) -> Draft:
        """Return a draft that opens a closed case again; what it says is sealed to ourselves."""
        return self._drafts.about_case(Verb.CASE_REOPENED, subject, (payload, *more))

    def void_case(self, subject: str, payload: Payload, *more: Payload) -> Draft:
        """Return a draft that says that the whole case was entered in error; it is sealed to ourselves."""
        return self._drafts.about_case(Verb.CASE_VOIDED, subject, (payload, *more))

    def dispute_clock(self, subject: str, payload: Payload, *more: Payload, to: Sequence[str] = ()) -> Draft:
        """
        Return a draft that says that a clock of ours is wrong. It is never called missed then.

        It goes to the deadline watcher, and to those in *to*; what it says in words is sealed to ourselves else.
        """
        return self._drafts.about_case(Verb.CLOCK_DISPUTED, subject, (payload, *more), to=to)

    def extend_clock(self, subject: str, payload: Payload, *more: Payload, to: Sequence[str] = ()) -> Draft:
        """Return a draft that tells that more time was given, by whom and with which document."""
        return self._drafts.about_case(Verb.CLOCK_EXTENDED, subject, (payload, *more), to=to)

    def confirm_clock(self, subject: str, payload: Payload, *more: Payload, to: Sequence[str] = ()) -> Draft:
        """Return a draft by which a superior confirms that something was done in time."""
        return self._drafts.about_case(Verb.CLOCK_CONFIRMED, subject, (payload, *more), to=to)

    def accept(self, handoff: Handoff, payload: Payload, *more: Payload) -> Draft:
        """Return a draft that accepts what was offered or assigned to us."""
        return self._about(Verb.ACCEPTED, handoff, (payload, *more))

    def decline(self, handoff: Handoff, payload: Payload, *more: Payload) -> Draft:
        """Return a draft that says no to an offer."""
        return self._about(Verb.DECLINED, handoff, (payload, *more))

    def progress(self, handoff: Handoff, payload: Payload, *more: Payload) -> Draft:
        """Return a draft that tells how it goes."""
        return self._about(Verb.PROGRESSED, handoff, (payload, *more))

    def complete(self, handoff: Handoff, payload: Payload, *more: Payload) -> Draft:
        """Return a draft that tells the outcome."""
        return self._about(Verb.COMPLETED, handoff, (payload, *more))

    def return_(self, handoff: Handoff, payload: Payload, *more: Payload) -> Draft:
        """Return a draft that gives back what was accepted."""
        return self._about(Verb.RETURNED, handoff, (payload, *more))

    def forward(self, handoff: Handoff, following: str, payload: Payload, *more: Payload) -> Draft:
        """
        Return a draft that passes a duty on to *following*; both the assigner and it read *payload*.

        What was asked of us is sealed again, to *following* alone.
        """
        return self._about(Verb.FORWARDED, handoff, (payload, *more), following=following)

    def withdraw(self, handoff: Handoff, payload: Payload, *more: Payload) -> Draft:
        """Return a draft that takes back what we asked for."""
        return self._about(Verb.WITHDRAWN, handoff, (payload, *more))

    def close(self, handoff: Handoff, payload: Payload, *more: Payload) -> Draft:
        """Return a draft that closes a hand-off which was completed or returned."""
        return self._about(Verb.CLOSED, handoff, (payload, *more))

    def suspend(self, handoff: Handoff, payload: Payload, *more: Payload) -> Draft:
        """Return a draft that lets accepted work rest."""
        return self._about(Verb.SUSPENDED, handoff, (payload, *more))

    def resume(self, handoff: Handoff, payload: Payload, *more: Payload) -> Draft:
        """Return a draft that goes on with work that rested."""
        return self._about(Verb.RESUMED, handoff, (payload, *more))

    def fail(self, handoff: Handoff, payload: Payload, *more: Payload) -> Draft:
        """Return a draft that tells that accepted work could not be done."""
        return self._about(Verb.FAILED, handoff, (payload, *more))

    def cancel(self, handoff: Handoff, payload: Payload, *more: Payload) -> Draft:
        """Return a draft that ends work that has begun; the owner of the case may end any hand-off of it."""
        return self._about(Verb.CANCELLED, handoff, (payload, *more))

    def reopen(self, handoff: Handoff, payload: Payload, *more: Payload) -> Draft:
        """Return a draft that gives completed work back to its recipient, to go on with it."""
        return self._about(Verb.REOPENED, handoff, (payload, *more))

    def move(self, handoff: Handoff, taker: str, payload: Payload, *more: Payload) -> Draft:
        """
        Return a draft that moves our side of a hand-off to *taker*, a successor that the directory names for us.

        It is given what the hand-off rests on, sealed again to it alone; the other side is told who goes on.
        """
        key, subject = _named(handoff)
        return self._drafts.move(key, taker, (payload, *more), subject=subject)

    def ask(self, handoff: Handoff, payload: Payload, *more: Payload) -> Draft:
        """Return a draft that asks the other side something. It moves nothing."""
        return self._about(Verb.ASKED, handoff, (payload, *more))

    def answer(self, handoff: Handoff, payload: Payload, *more: Payload) -> Draft:
        """Return a draft that answers what the other side asked."""
        return self._about(Verb.ANSWERED, handoff, (payload, *more))

    def correct(self, handoff: Handoff, event_id: str, payload: Payload, *more: Payload) -> Draft:
        """Return a draft that corrects an event of ours in a hand-off: what was wrong, and the form as it is right."""
        return self._about(Verb.CORRECTED, handoff, (payload, *more), supersedes=event_id)

    def correct_case(
        self, subject: str, event_id: str, payload: Payload, *more: Payload, to: Sequence[str] = ()
    ) -> Draft:
        """Return a draft that corrects what we said of the case, to those in *to*; else sealed to ourselves."""
        return self._drafts.about_case(Verb.CASE_CORRECTED, subject, (payload, *more), to=to, supersedes=event_id)

    def void(self, handoff: Handoff, payload: Payload, *more: Payload) -> Draft:
        """Return a draft that says that a hand-off of ours was entered in error."""
        return self._about(Verb.VOIDED, handoff, (payload, *more))

    def recall(self, handoff: Handoff, payload: Payload, *more: Payload) -> Draft:
        """Return a draft that asks back what we sent by mistake, or asks to destroy it."""
        return self._about(Verb.RECALLED, handoff, (payload, *more))

    def report_misdirected(self, handoff: Handoff, payload: Payload, *more: Payload) -> Draft:
        """Return a draft that tells that we got what was not for us, and what became of it."""
        return self._about(Verb.MISDIRECTED, handoff, (payload, *more))

    def _about(self, verb: Verb, handoff: Handoff, payloads: Sequence[Payload], **more: str) -> Draft:
        key, subject = _named(handoff)
        return self._drafts.about_handoff(verb, key, payloads, subject=subject, **more)


def _named(handoff: Handoff) -> tuple[HandoffKey, str | None]:
    """Return its key, and its case if that is told."""
    return (handoff.key, handoff.subject) if isinstance(handoff, HandoffView) else (handoff, None)


def _key(handoff: Handoff | None) -> HandoffKey | None:
    return None if handoff is None else _named(handoff)[0]
