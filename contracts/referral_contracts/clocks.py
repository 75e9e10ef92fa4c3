"""
Which happenings an event tells the deadline watcher: small tables from verb and body to triggers.

A trigger says what happened, never which rule that concerns: rules, limits and calendars are dated data in the
watcher's packs, and so is what starts, stops or cancels each. A trigger may be told twice (by telephone and then on the
bus, in two sections of one event); the earlier one counts.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Final

from referral_contracts.paper_clocks import (
    LEGAL_AID_REGISTERED,
    PAPER_TRIGGERS,
    TELLING_PAPERS,
    happenings,
    order_received,
)
from referral_contracts.payloads.actor import Actor, Channel, Happening, Role
from referral_contracts.payloads.case import CaseOpening
from referral_contracts.payloads.clock import AboutClock, ClockSection, Said, Trigger
from referral_contracts.payloads.clock_answer import ClockConfirmation, ClockDispute, ClockExtension
from referral_contracts.payloads.forensic import ForensicRequest
from referral_contracts.payloads.handoff import Acceptance, Outcome, Progress
from referral_contracts.payloads.legal_aid import LegalAidRequest
from referral_contracts.payloads.link import Link, LinkedCase, Unlinking
from referral_contracts.payloads.mau01 import IntakeChannel, Mau01
from referral_contracts.payloads.measure import MeasureKind
from referral_contracts.payloads.mistake import Misdirection
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.place import Place
from referral_contracts.payloads.prosecution import ProsecutionRequest
from referral_contracts.payloads.registry import USES
from referral_contracts.payloads.request import HandoffRequest, Service
from referral_contracts.payloads.school import SchoolReport
from referral_contracts.payloads.serious_case import SeriousCaseReport
from referral_contracts.payloads.turn import Failure
from referral_contracts.verbs import Verb

INFORMATION_RECEIVED: Final = "information-received"
"""First receipt anywhere. The strict reading of NĐ 56 Đ.26 k.3 counts the 12 hours from it."""
INTAKE_RECORDED: Final = "intake-recorded"
INFORMATION_FORWARDED: Final = "information-forwarded"
FORM_RECEIVED: Final = "form-received"
"""A Mẫu 01 reached another receiving place; which kind of place, the directory knows from whose clock it is."""
DATA_MISDIRECTED: Final = "data-misdirected"
"""For whoever sent it, a breach of personal data unless it did no harm."""

_OPENINGS: Final = (Verb.OFFERED, Verb.ASSIGNED, Verb.NOTIFIED)
_PASSINGS: Final = (*_OPENINGS, Verb.FORWARDED)
"""What brings a request or a form to another agency: a forwarding brings the next one what was asked."""
_FIRST_WORDS: Final = (Verb.CASE_OPENED, Verb.CASE_NOTED, *_OPENINGS)
_NOWHERE: Final = {"province": None, "commune": None}

BY_FORM: Final[Mapping[Verb, tuple[str, ...]]] = {
    Verb.CASE_OPENED: (INFORMATION_RECEIVED, INTAKE_RECORDED),
    # The same when the paper follows the act.
    Verb.CASE_NOTED: (INFORMATION_RECEIVED, INTAKE_RECORDED),
    **dict.fromkeys(_PASSINGS, (INFORMATION_FORWARDED,)),
    Verb.RECEIVED: (FORM_RECEIVED,),
}
"""What a Mẫu 01 tells, by the verb of the event that it is in or that answers it."""

BY_SERVICE: Final[Mapping[tuple[Verb, Service], str]] = {
    **{(verb, Service.COMMUNE_CASE): INFORMATION_FORWARDED for verb in _PASSINGS},
    # The second stamp of the 12 hours: receipt at the commune.
    (Verb.RECEIVED, Service.COMMUNE_CASE): "commune-informed",
    **{(verb, Service.CRIME_REPORT): "crime-reported" for verb in _PASSINGS},
    (Verb.RECEIVED, Service.CRIME_REPORT): "report-received",
    **{(verb, Service.FORENSIC_EXAMINATION): "forensic-order-sent" for verb in _PASSINGS},
    (Verb.RECEIVED, Service.FORENSIC_EXAMINATION): "forensic-order-received",
    (Verb.COMPLETED, Service.FORENSIC_EXAMINATION): "forensic-conclusion-given",
    (Verb.RECEIVED, Service.EVIDENCE): "evidence-requested",
    (Verb.RECEIVED, Service.INFORMATION): "information-requested",
    (Verb.COMPLETED, Service.INFORMATION): "information-provided",
    # A decline is no decision: only a ban, or its refusal in writing, answers this one.
    (Verb.RECEIVED, Service.CONTACT_BAN): "contact-ban-requested",
    **{(verb, Service.LEGAL_AID): "legal-aid-notified" for verb in _PASSINGS},
    (Verb.RECEIVED, Service.LEGAL_AID): "legal-aid-requested",
    (Verb.ACCEPTED, Service.LEGAL_AID): "legal-aid-answered",
    # A refusal is an answer too.
    (Verb.DECLINED, Service.LEGAL_AID): "legal-aid-answered",
}
"""What a request tells, by the verb that asks for the service or answers."""
ASKING_PAPERS: Final[Mapping[type[Payload], Service]] = {
    ProsecutionRequest: Service.CRIME_REPORT,
    ForensicRequest: Service.FORENSIC_EXAMINATION,
    LegalAidRequest: Service.LEGAL_AID,
}
"""Papers that ask for a service by themselves, with no request beside them."""

BY_MEASURE: Final[Mapping[MeasureKind, str]] = {
    **{
        kind: kind.value.replace("_", "-")
        for kind in MeasureKind
        if kind not in {MeasureKind.OTHER, MeasureKind.UNKNOWN}
    },
    MeasureKind.CHILD_SEPARATED: "separation-in-force",
}
"""What was done, whoever asked for it."""

TRIGGERS: Final = frozenset(
    {
        *(name for names in BY_FORM.values() for name in names),
        *BY_SERVICE.values(),
        *BY_MEASURE.values(),
        *PAPER_TRIGGERS,
        DATA_MISDIRECTED,
    }
)
"""Every trigger there is."""

# A paper passed on with the case says nothing new.
_FILINGS: Final = tuple(
    verb for verb, models in USES.items() if verb is not Verb.CASE_TRANSFER_OFFERED and TELLING_PAPERS & set(models)
)
_REPORTS: Final = tuple(verb for verb, models in USES.items() if {Progress, Outcome, Failure} & set(models))

TELLING_VERBS: Final = frozenset({*BY_FORM, *(verb for verb, _ in BY_SERVICE), *_FILINGS, *_REPORTS, Verb.MISDIRECTED})
"""The verbs for which a body can hold a trigger. `lifecycle.CLOCK_VERBS` are those that must have a clock section."""


def derive_clock(
    verb: Verb, payload: Payload, *, sender: str, answering: Payload | None = None, opened_by: str | None = None
) -> ClockSection:
    """
    Return what an event of *verb* that says *payload* tells the watcher.

    Args:
        sender: The agency that sends the event; the clock of an answer is its own.
        answering: A body of the hand-off's opening event, for the verbs that answer one.
        opened_by: Who opened the hand-off that it is about: who sent what was misdirected.
    """
    triggers = (
        *_of_opening(verb, payload),
        *_of_form(verb, payload, sender, answering),
        *_of_service(verb, payload, sender, answering),
        *_of_paper(verb, payload, sender, answering),
        *_of_measures(payload, sender, answering),
        *_of_mistake(payload, opened_by),
    )
    return _section(triggers, _links(payload), payload.actor.acting_for, _about_clock(payload))


def join_clocks(clocks: Iterable[ClockSection]) -> ClockSection:
    """Return the one clock section of an event whose sections each told *clocks*."""
    told = tuple(clocks)
    acting_for = next((clock.actor.acting_for for clock in told), None)
    triggers = _placed(tuple(_received_once([trigger for clock in told for trigger in clock.listed])))
    about = next((clock.about_clock for clock in told if clock.about_clock is not None), None)
    return _section(triggers, (link for clock in told for link in clock.links), acting_for, about)


def _received_once(triggers: Sequence[Trigger]) -> Iterable[Trigger]:
    """Return *triggers* with the first receipt told once: the earliest that one dates, at the place that one names."""
    received = [trigger for trigger in triggers if trigger.trigger == INFORMATION_RECEIVED]
    dated = [(trigger.occurred_at, trigger) for trigger in received if trigger.occurred_at is not None]
    for first in [min(dated, key=itemgetter(0))[1]] if dated else received[:1]:
        placed = next((trigger for trigger in (first, *received) if _has_place(trigger)), first)
        yield first.model_copy(update={"province": placed.province, "commune": placed.commune})
    yield from (trigger for trigger in triggers if trigger.trigger != INFORMATION_RECEIVED)


def _placed(triggers: Sequence[Trigger]) -> Iterable[Trigger]:
    """Return *triggers* without those that another one tells with its place."""
    bare = {trigger.model_copy(update=_NOWHERE) for trigger in triggers if _has_place(trigger)}
    return (trigger for trigger in triggers if trigger not in bare)


def _has_place(trigger: Trigger) -> bool:
    return trigger.province is not None or trigger.commune is not None


def _section(
    triggers: Iterable[Trigger], links: Iterable[LinkedCase], acting_for: str | None, about: AboutClock | None
) -> ClockSection:
    # The system is the actor: it derived this, and the watcher has no need of anybody's staff number.
    actor = Actor(role=Role.SYSTEM, acting_for=acting_for)
    told, linked = tuple(dict.fromkeys(triggers)), tuple(dict.fromkeys(links))
    return ClockSection(actor=actor, triggers=told or "none", links=linked, about_clock=about)


def _of_opening(verb: Verb, payload: Payload) -> Iterator[Trigger]:
    # No case without information: where no form says when it came in, it was there when it was written down.
    if isinstance(payload, CaseOpening):
        yield _trigger(INFORMATION_RECEIVED, _written(payload), payload.place, whose=None)
    if isinstance(payload, SchoolReport) and verb in _FIRST_WORDS:
        noticed = _written(payload) if payload.noticed_at is None else Happening(occurred_at=payload.noticed_at)
        if noticed is not None or verb is Verb.CASE_OPENED:
            yield _trigger(INFORMATION_RECEIVED, noticed, payload.place, whose=None)


def _of_form(verb: Verb, payload: Payload, sender: str, answering: Payload | None) -> Iterator[Trigger]:
    form = answering if verb is Verb.RECEIVED else payload
    if not isinstance(form, Mau01):
        return
    # `happened` in the form is about the incident. The information came in at `received_at`, and whose 12 hours run
    # from there follows from the place, which may be another commune's; a copy is forwarded by this very event.
    recorded_at = None if form.happened is None else form.happened.recorded_at
    came = Happening(occurred_at=form.received_at, recorded_at=recorded_at, channel=_channel(form.channel))
    when: Mapping[str, Happening | None] = {
        INFORMATION_RECEIVED: came,
        INTAKE_RECORDED: Happening(occurred_at=recorded_at),
        INFORMATION_FORWARDED: None if verb is Verb.FORWARDED else Happening(recorded_at=recorded_at),
        FORM_RECEIVED: payload.happened,
    }
    for name in BY_FORM.get(verb, ()):
        whose = None if name == INFORMATION_RECEIVED else sender
        yield _trigger(name, when[name], form.incident_place, whose=whose)


def _of_service(verb: Verb, payload: Payload, sender: str, answering: Payload | None) -> Iterator[Trigger]:
    request = payload if verb in _PASSINGS else answering
    service, place = _asked(request)
    if service is None:
        return
    if (verb, service) in BY_SERVICE:
        # What is passed on says when it was asked at first, and not when that was.
        told_of = verb in _PASSINGS and (verb is Verb.FORWARDED or not isinstance(payload, HandoffRequest))
        happened = None if told_of else payload.happened
        yield _trigger(BY_SERVICE[verb, service], happened, place, whose=sender)
    if verb is Verb.RECEIVED and request is not None:
        for name in order_received(request):
            yield _trigger(name, payload.happened, place, whose=sender)
    if service is Service.LEGAL_AID and isinstance(payload, Acceptance) and payload.registered_at is not None:
        # A case counts as accepted when it is written in the register (TT 12/2018 Đ.5 k.2).
        registered = Happening(occurred_at=payload.registered_at)
        yield _trigger(LEGAL_AID_REGISTERED, registered, place, whose=sender)


def _written(payload: Payload) -> Happening | None:
    happened = payload.happened
    if happened is None or happened.recorded_at is None:
        return None
    return Happening(occurred_at=happened.recorded_at, channel=happened.channel)


def _asked(request: Payload | None) -> tuple[Service | None, Place | None]:
    if isinstance(request, HandoffRequest):
        return request.service, request.place
    place = request.place if isinstance(request, ProsecutionRequest) else None
    return (None, None) if request is None else (ASKING_PAPERS.get(type(request)), place)


def _of_paper(verb: Verb, payload: Payload, sender: str, answering: Payload | None) -> Iterator[Trigger]:
    if verb not in _FILINGS:
        return
    place = answering.place if isinstance(answering, HandoffRequest) else None
    if isinstance(payload, ProsecutionRequest | SchoolReport | SeriousCaseReport):
        place = payload.place or place
    recorded_at = payload.happened.recorded_at if payload.happened is not None else None
    for trigger, occurred_at in happenings(payload):
        yield _trigger(trigger, Happening(occurred_at=occurred_at, recorded_at=recorded_at), place, whose=sender)


def _of_measures(payload: Payload, sender: str, answering: Payload | None) -> Iterator[Trigger]:
    if not isinstance(payload, Progress | Outcome | Failure):
        return
    place = answering.place if isinstance(answering, HandoffRequest) else None
    recorded_at = payload.happened.recorded_at if payload.happened is not None else None
    channel = payload.happened.channel if payload.happened is not None else None
    for measure in payload.measures:
        if measure.kind in BY_MEASURE:
            happened = Happening(occurred_at=measure.done_at, recorded_at=recorded_at, channel=channel)
            yield _trigger(BY_MEASURE[measure.kind], happened, place, whose=sender)


def _of_mistake(payload: Payload, opened_by: str | None) -> Iterator[Trigger]:
    if isinstance(payload, Misdirection):
        # It is known from the moment on when its recipient saw that it was not for it.
        yield _trigger(DATA_MISDIRECTED, payload.happened, None, whose=opened_by)


def _links(payload: Payload) -> Iterator[LinkedCase]:
    # What the relation is in words stays in the form. Which of the two it is, a link or its end, the verb tells.
    if isinstance(payload, Link | Unlinking):
        relation = payload.relation if isinstance(payload, Link) else None
        for other in payload.others:
            yield LinkedCase(other=other, relation=relation)


def _about_clock(payload: Payload) -> AboutClock | None:
    match payload:
        case ClockDispute():
            return AboutClock(clock=payload.clock, said=Said.DISPUTED)
        case ClockExtension(clock=clock, until=until, authority=authority, document=document):
            return AboutClock(clock=clock, said=Said.EXTENDED, until=until, authority=authority, document=document)
        case ClockConfirmation():
            return AboutClock(clock=payload.clock, said=Said.CONFIRMED)
        case _:
            return None


def _trigger(name: str, happened: Happening | None, place: Place | None, *, whose: str | None) -> Trigger:
    # The words of an `other` channel and the address stay in the form: they may be about a person.
    return Trigger(
        trigger=name,
        occurred_at=happened.occurred_at if happened is not None else None,
        recorded_at=happened.recorded_at if happened is not None else None,
        channel=happened.channel if happened is not None else None,
        province=place.province if place is not None else None,
        commune=place.commune if place is not None else None,
        whose=whose,
    )


def _channel(channel: IntakeChannel | None) -> Channel | None:
    match channel:
        case None:
            return None
        case IntakeChannel.PHONE:
            return Channel.PHONE
        case IntakeChannel.IN_PERSON:
            return Channel.IN_PERSON
        case IntakeChannel.THIRD_PARTY | IntakeChannel.OTHER | IntakeChannel.UNKNOWN:
            return Channel.UNKNOWN
