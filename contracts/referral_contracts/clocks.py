"""
Which happenings an event tells the deadline watcher: small tables from verb and body to triggers.

A trigger says what happened, never which rule that concerns: rules, limits and calendars are dated data in the
watcher's packs. The names in the comments are those of the rules that wait for the trigger. A trigger may be told
twice (by telephone and then on the bus, in two sections of one event); the earlier one counts.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from referral_contracts.paper_clocks import LEGAL_AID_REGISTERED, TELLING_PAPERS, happenings
from referral_contracts.payloads.actor import Actor, Channel, Happening, Role
from referral_contracts.payloads.clock import ClockSection, Trigger
from referral_contracts.payloads.handoff import Acceptance, Outcome, Progress
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
INFORMATION_FORWARDED: Final = "information-forwarded"
FORM_RECEIVED: Final = "form-received"
"""A Mẫu 01 reached another receiving place; which kind of place, the directory knows from whose clock it is."""
DATA_MISDIRECTED: Final = "data-misdirected"
"""Starts breach-notice-72h, for whoever sent it."""

_OPENINGS: Final = (Verb.OFFERED, Verb.ASSIGNED, Verb.NOTIFIED)

# A Mẫu 01, by the verb of the event that it is in.
_BY_FORM: Final[Mapping[Verb, str]] = {
    # record-intake, emergency-measures-12h, emergency-protection-asap-12h, separation-decision-12h
    Verb.CASE_OPENED: INFORMATION_RECEIVED,
    # The same when the paper follows the act.
    Verb.CASE_NOTED: INFORMATION_RECEIVED,
    # Stops forward-to-commune and dv-hotline-forward.
    **dict.fromkeys(_OPENINGS, INFORMATION_FORWARDED),
}

# What was asked for, by the verb that asks for it or answers.
_BY_SERVICE: Final[Mapping[tuple[Verb, Service], str]] = {
    **{(verb, Service.COMMUNE_CASE): INFORMATION_FORWARDED for verb in _OPENINGS},
    # initial-risk-assessment; and the second stamp of the 12 hours, receipt at the commune
    (Verb.RECEIVED, Service.COMMUNE_CASE): "commune-informed",
    # police-alert-investigators, police-transfer-24h, commune-police-transfer-24h, commune-police-remote-48h,
    # report-resolution-20d and its extensions, notify-procuracy-intake-3d
    (Verb.RECEIVED, Service.CRIME_REPORT): "report-received",
    # forensic-injury-9d, forensic-sexual-9d, forensic-dna-20d, forensic-mental-3m, forensic-police-5d
    (Verb.RECEIVED, Service.FORENSIC_EXAMINATION): "forensic-order-received",
    (Verb.COMPLETED, Service.FORENSIC_EXAMINATION): "forensic-conclusion-given",
    # provide-info-on-request
    (Verb.RECEIVED, Service.INFORMATION): "information-requested",
    (Verb.COMPLETED, Service.INFORMATION): "information-provided",
    # legalaid-check-answer; a refusal is an answer too (legalaid-refusal-written)
    (Verb.RECEIVED, Service.LEGAL_AID): "legal-aid-requested",
    (Verb.ACCEPTED, Service.LEGAL_AID): "legal-aid-answered",
    (Verb.DECLINED, Service.LEGAL_AID): "legal-aid-answered",
}

# What was done, whoever asked for it.
_BY_MEASURE: Final[Mapping[MeasureKind, str]] = {
    # Stops initial-risk-assessment.
    MeasureKind.INITIAL_RISK_ASSESSED: "initial-risk-assessed",
    # Stops emergency-measures-12h and emergency-protection-asap-12h.
    MeasureKind.EMERGENCY_MEASURES_APPLIED: "emergency-measures-applied",
    # Stops separation-decision-12h, starts separation-max-15d.
    MeasureKind.CHILD_SEPARATED: "separation-in-force",
    # Stops police-alert-investigators.
    MeasureKind.INVESTIGATORS_ALERTED: "investigators-alerted",
    # Stops police-transfer-24h, commune-police-transfer-24h, commune-police-remote-48h.
    MeasureKind.REPORT_TRANSFERRED: "report-transferred",
    # Stops joint-evidence-at-detection.
    MeasureKind.EVIDENCE_TAKEN: "evidence-taken",
    # Stops forensic-order-prompt, starts forensic-order-dispatch-24h.
    MeasureKind.FORENSIC_ORDER_ISSUED: "forensic-order-issued",
}
# A paper passed on with the case says nothing new.
_FILINGS: Final = tuple(
    verb for verb, models in USES.items() if verb is not Verb.CASE_TRANSFER_OFFERED and TELLING_PAPERS & set(models)
)
_REPORTS: Final = tuple(verb for verb, models in USES.items() if {Progress, Outcome, Failure} & set(models))

TELLING_VERBS: Final = frozenset(
    {*_BY_FORM, *(verb for verb, _ in _BY_SERVICE), *_FILINGS, *_REPORTS, Verb.MISDIRECTED}
)
"""The verbs for which a body can hold a trigger. `lifecycle.CLOCK_VERBS` are those that must have a clock section."""


def derive_clock(
    verb: Verb, payload: Payload, *, sender: str, answering: Payload | None = None, told: str | None = None
) -> ClockSection:
    """
    Return what an event of *verb* that says *payload* tells the watcher.

    Args:
        sender: The agency that sends the event; the clock of an answer is its own.
        answering: A body of the hand-off's opening event, for the verbs that answer one.
        told: The one agency that the event goes to, if it is one.
    """
    triggers = (
        *_of_form(verb, payload, sender, answering),
        *_of_service(verb, payload, sender, answering),
        *_of_paper(verb, payload, sender, answering),
        *_of_measures(payload, sender, answering),
        *_of_mistake(payload, told),
    )
    return _section(triggers, _links(payload), payload.actor.acting_for)


def join_clocks(clocks: Iterable[ClockSection]) -> ClockSection:
    """Return the one clock section of an event whose sections each told *clocks*."""
    told = tuple(clocks)
    acting_for = next((clock.actor.acting_for for clock in told), None)
    triggers = (trigger for clock in told for trigger in clock.listed)
    return _section(triggers, (link for clock in told for link in clock.links), acting_for)


def _section(triggers: Iterable[Trigger], links: Iterable[LinkedCase], acting_for: str | None) -> ClockSection:
    # The system is the actor: it derived this, and the watcher has no need of anybody's staff number.
    actor = Actor(role=Role.SYSTEM, acting_for=acting_for)
    told, linked = tuple(dict.fromkeys(triggers)), tuple(dict.fromkeys(links))
    return ClockSection(actor=actor, triggers=told or "none", links=linked)


def _of_form(verb: Verb, payload: Payload, sender: str, answering: Payload | None) -> Iterator[Trigger]:
    if verb is Verb.RECEIVED and isinstance(answering, Mau01):
        yield _trigger(FORM_RECEIVED, payload.happened, answering.incident_place, whose=sender)
    if not isinstance(payload, Mau01) or verb not in _BY_FORM:
        return
    # `happened` in the form is about the incident. The information came in at `received_at`, and whose 12 hours run
    # from there follows from the place, which may be another commune's; a copy is forwarded by this very event.
    first = _BY_FORM[verb] == INFORMATION_RECEIVED
    happened = Happening(
        occurred_at=payload.received_at if first else None,
        recorded_at=payload.happened.recorded_at if payload.happened is not None else None,
        channel=_channel(payload.channel) if first else None,
    )
    yield _trigger(_BY_FORM[verb], happened, payload.incident_place, whose=None if first else sender)


def _of_service(verb: Verb, payload: Payload, sender: str, answering: Payload | None) -> Iterator[Trigger]:
    request = payload if verb in _OPENINGS else answering
    if not isinstance(request, HandoffRequest):
        return
    if (verb, request.service) in _BY_SERVICE:
        yield _trigger(_BY_SERVICE[verb, request.service], payload.happened, request.place, whose=sender)
    if request.service is Service.LEGAL_AID and isinstance(payload, Acceptance) and payload.registered_at is not None:
        # legalaid-clock-start: a case counts as accepted when it is written in the register (TT 12/2018 Đ.5 k.2).
        registered = Happening(occurred_at=payload.registered_at)
        yield _trigger(LEGAL_AID_REGISTERED, registered, request.place, whose=sender)


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
        if measure.kind in _BY_MEASURE:
            happened = Happening(occurred_at=measure.done_at, recorded_at=recorded_at, channel=channel)
            yield _trigger(_BY_MEASURE[measure.kind], happened, place, whose=sender)


def _of_mistake(payload: Payload, told: str | None) -> Iterator[Trigger]:
    if isinstance(payload, Misdirection):
        # It is known from the moment on when its recipient saw that it was not for it.
        yield _trigger(DATA_MISDIRECTED, payload.happened, None, whose=told)


def _links(payload: Payload) -> Iterator[LinkedCase]:
    # What the relation is in words stays in the form. Which of the two it is, a link or its end, the verb tells.
    if isinstance(payload, Link | Unlinking):
        relation = payload.relation if isinstance(payload, Link) else None
        for other in payload.others:
            yield LinkedCase(other=other, relation=relation)


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
        case IntakeChannel.THIRD_PARTY | IntakeChannel.OTHER:
            return Channel.UNKNOWN
