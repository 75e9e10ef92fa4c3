"""Drafts of everything an agency can say: who it goes to follows from the case and the hand-off, as known here."""

import sqlite3
from collections.abc import Mapping, Sequence

from referral_bus._answers import parties, superseded
from referral_bus._contents import asked_by_us, asked_of_us, passed_on
from referral_bus._home import Home
from referral_bus._store import outbox, views
from referral_bus.draft import Draft
from referral_contracts.codes import Code
from referral_contracts.envelope import HandoffKey, case_pseudonym
from referral_contracts.errors import LocalError
from referral_contracts.lifecycle import Receipt
from referral_contracts.payloads.handoff import Return, ReturnReason
from referral_contracts.payloads.link import Link, Unlinking
from referral_contracts.payloads.moving import Moving, Side
from referral_contracts.payloads.payload import Payload
from referral_contracts.sealing import new_event_id
from referral_contracts.topics import agency_of
from referral_contracts.verbs import Verb


class Drafts:
    """Makes drafts."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def open_case(self, payloads: Sequence[Payload], *, exercise: bool) -> Draft:
        """Return a draft that opens a case."""
        event_id = self._new_id()
        return Draft(
            id=event_id,
            verb=Verb.CASE_OPENED,
            subject=case_pseudonym(self._home.bus, self._home.agency, event_id),
            own=tuple(payloads),
            exercise=exercise,
        )

    def to_each(
        self,
        verb: Verb,
        subject: str,
        parts: Mapping[str, Sequence[Payload]],
        *,
        own: Sequence[Payload] = (),
        follows: HandoffKey | None = None,
    ) -> Draft:
        """
        Return a draft that gives each recipient its part, and ourselves our *own*.

        What it opens *follows* a hand-off that ended.
        """
        if not parts and not own:
            raise LocalError(Code.WRONG_RECIPIENTS, "nobody to say it to")
        return Draft(
            id=self._new_id(),
            verb=verb,
            subject=subject,
            parts={address: tuple(told) for address, told in parts.items()},
            own=tuple(own),
            follows=follows,
            exercise=self._exercise(subject),
        )

    def about_case(
        self,
        verb: Verb,
        subject: str,
        payloads: Sequence[Payload],
        *,
        to: Sequence[str] = (),
        supersedes: str | None = None,
    ) -> Draft:
        """Return a draft of the owner, of the one who was offered the case, or of any party *to* some others."""
        db = self._home.store.db
        case = views.case(db, subject)
        answers_offer = verb in {Verb.CASE_TRANSFER_ACCEPTED, Verb.CASE_TRANSFER_DECLINED}
        if answers_offer and (case is None or case.offered_by is None):
            raise LocalError(Code.NOT_FOUND, "this case was not offered to us")
        told = (case.offered_by,) if answers_offer and case is not None and case.offered_by is not None else tuple(to)
        if verb is Verb.CASE_TRANSFER_WITHDRAWN:
            told = (_offered_to(db, subject, case),)
        return Draft(
            id=self._new_id(),
            verb=verb,
            subject=subject,
            parts=dict.fromkeys(told, tuple(payloads)),
            own=() if told else tuple(payloads),
            exercise=self._exercise(subject),
            corrects=None if supersedes is None else superseded(db, supersedes, subject, None),
        )

    def link(self, verb: Verb, subject: str, payloads: Sequence[Payload], to: Sequence[str]) -> Draft:
        """
        Return a draft of the owner that ties the case to others, or takes that back; told to those of *to* alone.

        Raises:
            LocalError: INCOMPLETE_INPUT: no other case is named. MALFORMED_VALUE: the case is tied to itself.
        """
        others = [other for payload in payloads if isinstance(payload, Link | Unlinking) for other in payload.others]
        if not others:
            raise LocalError(Code.INCOMPLETE_INPUT, "no other case is named")
        if subject in others:
            raise LocalError(Code.MALFORMED_VALUE, "a case is not tied to itself")
        return self.about_case(verb, subject, payloads, to=to)

    def about_handoff(
        self,
        verb: Verb,
        key: HandoffKey,
        payloads: Sequence[Payload],
        *,
        subject: str | None = None,
        following: str | None = None,
        supersedes: str | None = None,
    ) -> Draft:
        """
        Return a draft about a hand-off, of the case *subject* if that is told, to its other side.

        Who is *following* is given what was asked of us as well, alone.

        Raises:
            LocalError: ILLEGAL_TRANSITION: a duty is given back for want of competence.
        """
        db = self._home.store.db
        known = parties(db, key, self._home.agency, subject)
        _check_duty(views.only_handoff(db, key, known.subject), verb, payloads)
        case = views.case(db, known.subject)
        told = known.answered_by(self._home.agency, owner=case is not None and case.owned)
        parts = dict.fromkeys(told, tuple(payloads))
        if following is not None:
            view = views.only_handoff(db, key, known.subject)
            asked = () if view is None else passed_on(self._home, view)
            parts[following] = tuple(dict.fromkeys((*payloads, *asked)))
        return Draft(
            id=self._new_id(),
            verb=verb,
            subject=known.subject,
            parts=parts,
            handoff=key,
            exercise=self._exercise(known.subject),
            corrects=None if supersedes is None else superseded(db, supersedes, known.subject, key),
        )

    def move(self, key: HandoffKey, taker: str, payloads: Sequence[Payload], *, subject: str | None) -> Draft:
        """
        Return a draft that moves our side of a hand-off to *taker*, which is given what it rests on as well.

        Raises:
            LocalError: NOT_FOUND: not known here, or not ours.
        """
        known = views.only_handoff(self._home.store.db, key, subject)
        if known is not None and agency_of(known.holder) == self._home.agency:
            side, other, contents = Side.RECIPIENT, known.sender, asked_of_us
        elif known is not None and known.sender == self._home.agency:
            side, other, contents = Side.SENDER, known.holder, asked_by_us
        else:
            raise LocalError(Code.NOT_FOUND, "no hand-off of ours is known here under that key")
        told = tuple(_stands(payload, known, side) for payload in payloads)
        return Draft(
            id=self._new_id(),
            verb=Verb.MOVED,
            subject=known.subject,
            parts={other: told, taker: (*told, *contents(self._home, known))},
            handoff=key,
            exercise=self._exercise(known.subject),
        )

    def _exercise(self, subject: str) -> bool:
        # What belongs to an exercise stays one, whoever speaks.
        case = views.case(self._home.store.db, subject)
        if case is not None:
            return case.exercise
        opening = outbox.opening_of_case(self._home.store.db, subject)
        return opening is not None and opening.exercise

    def _new_id(self) -> str:
        return new_event_id(self._home.now_ms())


def _stands(payload: Payload, known: views.Handoff, side: Side) -> Payload:
    if not isinstance(payload, Moving):
        return payload
    stands = {
        "side": side,
        "opened_by": known.opened_by,
        "opened_in": known.opened_in,
        "opened_with": None if known.opened_with is None else known.opened_with.value,
        "state": known.state.value,
        "received": known.receipt is Receipt.RECEIVED,
        "forwarded_from": None if known.forwarded_from is None else str(known.forwarded_from),
    }
    return payload.model_copy(update=stands)


def _check_duty(known: views.Handoff | None, verb: Verb, payloads: Sequence[Payload]) -> None:
    # Why is sealed, so the bus cannot ask for it. To a forwarder it may go back: to it, it cannot be forwarded.
    back = verb is Verb.RETURNED and known is not None and known.opened_with is Verb.ASSIGNED
    reasons = [payload.reason for payload in payloads if isinstance(payload, Return)]
    if back and ReturnReason.NOT_COMPETENT in reasons:
        raise LocalError(Code.ILLEGAL_TRANSITION, "a duty is not given back: forward it to the competent body")


def _offered_to(db: sqlite3.Connection, subject: str, case: views.Case | None) -> str:
    offer = outbox.offer_of_case(db, subject)
    offered = agency_of(offer.recipients[0]) if offer is not None else None if case is None else case.offered_to
    if offered is None:
        raise LocalError(Code.NOT_FOUND, "this case is offered to nobody by us")
    return offered
