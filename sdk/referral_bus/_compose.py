"""
From a draft to sealed events: who shares an event, which section goes to whom, what the deadline watcher is told.

One body is one section, sealed to all who are to read it and to the sender. Recipients that policy does not let know
of each other get an event each. Pure but for the randomness that sealing draws.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from pydantic import ValidationError

from referral_bus.draft import Draft, PlannedEvent, PlannedSection
from referral_bus.keys import AgencyKeys
from referral_contracts import lifecycle
from referral_contracts.clocks import TELLING_VERBS, derive_clock, join_clocks
from referral_contracts.codes import Code
from referral_contracts.directory import ROLE_WATCHER, Directory, Member
from referral_contracts.encoding import format_time
from referral_contracts.envelope import MAX_RECIPIENTS, Envelope, EventData, seal_context
from referral_contracts.errors import LocalError
from referral_contracts.lifecycle import CORRECTIONS, LINKS, OPENINGS
from referral_contracts.payloads.mistake import Correction
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.registry import USES, may_carry
from referral_contracts.payloads.relay import Relay, on_behalf_of, relayed_to
from referral_contracts.payloads.shown import completeness, describe
from referral_contracts.sealing import Reader, seal
from referral_contracts.sections import encode_section
from referral_contracts.succession import has_ended, reached
from referral_contracts.topics import ENVELOPE_MAX, agency_of
from referral_contracts.verbs import CLOCKS, Verb
from referral_contracts.wire import MAX_SECTIONS

CLOCKED: Final = lifecycle.CLOCK_VERBS | TELLING_VERBS
"""Verbs that carry a section for the watcher: those that the router demands it of, and those that can fill it."""

_APART: Final = frozenset({*OPENINGS, Verb.CASE_NOTED, Verb.CASE_CORRECTED, *LINKS, *CLOCKS})
"""Verbs whose recipients may be given an event each. An answer's recipients know of each other already."""
_JUDGED: Final = frozenset({*_APART, Verb.CASE_TRANSFER_OFFERED})
"""Verbs that policy has to allow."""
_ANSWERS: Final = frozenset(
    {verb for verb in Verb if not verb.of_case and verb not in OPENINGS}
    | {Verb.CASE_TRANSFER_ACCEPTED, Verb.CASE_TRANSFER_DECLINED, Verb.CASE_TRANSFER_WITHDRAWN}
)
"""Verbs that go to whom the hand-off or case says."""
_NAMING: Final = frozenset({Verb.FORWARDED, Verb.MOVED})
_BY_SYSTEM: Final = frozenset({Verb.RECEIVED, Verb.UNREADABLE, Verb.MOVED})
"""Verbs in which nobody's word is passed on: that we have it, we say ourselves."""
_CARRYING: Final = {
    Verb.FORWARDED: USES[Verb.ASSIGNED],
    Verb.MOVED: (*(form for verb in OPENINGS for form in USES[verb]), *USES[Verb.FORWARDED]),
}
"""What else these may carry: a forwarding opens the same duty for the next, a moving hands on what was asked."""
_ANSWERS_SIZE: Final = 256
"""What the reference to the answered event adds, at most, when the event is signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One section before it is sealed."""

    payload: Payload = field(repr=False)
    readers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One event before it is sealed."""

    recipients: tuple[str, ...]
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Opening:
    """How a hand-off was opened, as far as this agency knows."""

    payloads: Sequence[Payload] = field(default=(), repr=False)
    """What was asked of us, where we can open it."""
    by: str | None = None
    """Who asked, whoever stands there now."""


NO_OPENING: Final = Opening()


@dataclass(frozen=True, slots=True, kw_only=True)
class Composer:
    """Makes the events of one agency by one directory, at one moment."""

    agency: str
    keys: AgencyKeys
    directory: Directory
    now_ms: int

    def shapes(self, draft: Draft, opening: Opening = NO_OPENING) -> tuple[Shape, ...]:
        """
        Return the events that *draft* becomes.

        Args:
            draft: What to say.
            opening: How the hand-off was opened, for verbs that answer one.

        Raises:
            LocalError: It cannot be said.
        """
        drafts = self._relayed(self._claimed(self._readdressed(draft), opening.payloads))
        found: list[Shape] = []
        for each in drafts:
            _check(each)
            self._check_policy(each)
            to = tuple(each.parts)
            groups = self._groups(to) if to and each.verb in _APART else [to]
            found += (self._shape(each, group, opening) for group in groups)
        return tuple(found)

    def _readdressed(self, draft: Draft) -> Draft:
        """Return *draft* to whom it goes now: to the successors of those who have ended, past those who have left."""
        if draft.verb not in _ANSWERS or not draft.parts:
            return draft
        told = list(draft.parts.items())
        # A forwarding and a moving name last who is new to it.
        fixed = dict(told[-1:]) if draft.verb in _NAMING else {}
        parts: dict[str, tuple[Payload, ...]] = {}
        for address, payloads in told:
            to = address if address in fixed else reached(self.directory, address, self.now_ms)
            if to is not None and agency_of(to) != self.agency:
                parts[to] = tuple(dict.fromkeys((*parts.get(to, ()), *payloads)))
        own = () if parts else tuple(dict.fromkeys(payload for _, payloads in told for payload in payloads))
        return replace(draft, parts=parts, own=(*draft.own, *own))

    def _relayed(self, draft: Draft) -> list[Draft]:
        """Return *draft* as it goes to agencies that are reached through others: each in an event of its own."""
        through = {address: via for address in draft.parts if (via := self._through(address)) is not None}
        parts = {
            address: (*payloads, relayed_to(agency_of(address))) if address in through else payloads
            for address, payloads in draft.parts.items()
        }
        if not through:
            return [draft]
        if draft.verb not in _APART:
            if len({through.get(address, address) for address in parts}) < len(parts):
                raise LocalError(Code.REPEATED_RECIPIENT, "one agency would be told twice, for itself and for another")
            return [replace(draft, parts={through.get(address, address): told for address, told in parts.items()})]
        direct = {address: told for address, told in parts.items() if address not in through}
        each = [replace(draft, parts={via: parts[address]}) for address, via in through.items()]
        return [*([replace(draft, parts=direct)] if direct else ()), *each]

    def _through(self, address: str) -> str | None:
        member = self.directory.member(agency_of(address))
        via = None if member is None else member.entry.delivery.agency
        return None if via is None else reached(self.directory, via, self.now_ms) or via

    def _claimed(self, draft: Draft, answering: Sequence[Payload]) -> Draft:
        """Return *draft* as said for the agency that the hand-off is meant for, where that is reached through us."""
        relay = next((payload for payload in answering if isinstance(payload, Relay)), None)
        # The directory says for whom we answer, not whoever asks us.
        through = None if relay is None else self._through(relay.for_agency)
        ours = through is not None and agency_of(through) == self.agency
        if relay is None or not ours or draft.verb in _BY_SYSTEM:
            return draft
        parts = {
            # What was asked is passed on as it was said.
            address: tuple(p if p in answering else on_behalf_of(p, relay.for_agency) for p in told)
            for address, told in draft.parts.items()
        }
        return replace(draft, parts=parts)

    def _member(self, address: str) -> Member:
        member = self.directory.member(agency_of(address))
        if member is None or address not in member.addresses:
            raise LocalError(Code.UNKNOWN_RECIPIENT, f"no such address in the directory: {address}")
        if has_ended(self.directory, member.id, self.now_ms):
            following = ", ".join(member.entry.successors) or "nobody"
            raise LocalError(Code.UNKNOWN_RECIPIENT, f"{member.id} has ended; who follows it: {following}")
        if not member.on_bus:
            duty = member.entry.duty
            phone = "" if duty is None or duty.phone is None else f"; its phone: {duty.phone}"
            raise LocalError(Code.UNKNOWN_RECIPIENT, f"a recipient that is not on the bus: {address}{phone}")
        return member

    def _check_policy(self, draft: Draft) -> None:
        members = [self._member(address) for address in draft.parts]
        if has_ended(self.directory, self.agency, self.now_ms):
            raise LocalError(Code.AGENCY_ENDED, "this agency has ended; its successor speaks for it")
        sender = self._member(self.agency)
        if any(member.entry.id == self.agency for member in members):
            raise LocalError(Code.WRONG_RECIPIENTS, "an agency does not write to itself")
        if draft.verb is Verb.CASE_OPENED and not self.directory.may_open(sender):
            raise LocalError(Code.NOT_PERMITTED, "policy does not let this agency open a case")
        for member in members if draft.verb in _JUDGED else ():
            if not self.directory.may_send(sender, draft.verb.judged_as, member):
                told = f"policy does not let this agency say {draft.verb.value} to {member.entry.id}"
                raise LocalError(Code.NOT_PERMITTED, told)

    def _groups(self, recipients: Sequence[str]) -> list[tuple[str, ...]]:
        # Each goes to the first group that may know of it: few events, and the same ones for the same draft.
        groups: list[list[str]] = []
        for address in recipients:
            for group in groups:
                if self.directory.team_rule([self._member(one) for one in (*group, address)]) is not None:
                    group.append(address)
                    break
            else:
                groups.append([address])
        return [tuple(group) for group in groups]

    def _shape(self, draft: Draft, recipients: tuple[str, ...], opening: Opening) -> Shape:
        readers: dict[Payload, list[str]] = {payload: [] for payload in draft.own}
        for address in recipients:
            for payload in draft.parts[address]:
                readers.setdefault(payload, []).append(address)
        parts = [Part(payload=payload, readers=(*given, self.agency)) for payload, given in readers.items()]
        if draft.verb in CLOCKED:
            # What a correction tells stands in the place of what was told at first.
            verb = draft.verb if draft.corrects is None else draft.corrects.verb
            parts.append(self._clock(verb, tuple(readers), opening, recipients))
        if len(parts) > MAX_SECTIONS or len(recipients) > MAX_RECIPIENTS:
            raise LocalError(Code.OVERSIZE, "too many sections or recipients for one event")
        return Shape(recipients=recipients, parts=tuple(parts))

    def _clock(self, verb: Verb, payloads: Iterable[Payload], opening: Opening, recipients: tuple[str, ...]) -> Part:
        watcher = self.directory.service(ROLE_WATCHER)
        if watcher is None:
            raise LocalError(Code.UNKNOWN_RECIPIENT, "the directory names no deadline watcher")
        clock = join_clocks(
            derive_clock(verb, payload, sender=self.agency, answering=answered, opened_by=opening.by)
            for payload in payloads
            for answered in (opening.payloads or (None,))
        )
        # Whose clock it is may check it.
        concerned = {trigger.whose for trigger in clock.listed}
        checking = (address for address in recipients if address in concerned)
        return Part(payload=clock, readers=(*checking, watcher, self.agency))

    def plan(self, draft: Draft, shape: Shape) -> PlannedEvent:
        """Return who will see which field of *shape*."""
        sections = tuple(
            PlannedSection(
                name=f"s{index}",
                schema=part.payload.schema_id(),
                readers=part.readers,
                rows=tuple(describe(part.payload)),
                missing=completeness(part.payload),
            )
            for index, part in enumerate(shape.parts)
        )
        for part in shape.parts:
            self._readers(part)
        return PlannedEvent(verb=draft.verb, recipients=shape.recipients, sections=sections)

    def seal(self, draft: Draft, shape: Shape, event_id: str) -> bytes:
        """
        Return the event, sealed; its time, and what it answers, are set when it is signed.

        Raises:
            LocalError: A reader has no valid key, or it is too large.
        """
        bus = self.directory.head.bus
        sections = tuple(
            seal(
                encode_section(part.payload),
                seal_context(bus, event_id, self.agency, draft.subject, draft.handoff, index),
                self._readers(part),
            ).section
            for index, part in enumerate(shape.parts)
        )
        try:
            envelope = Envelope(
                bus=bus,
                data=EventData(
                    handoff=draft.handoff,
                    recipients=shape.recipients,
                    sections=sections,
                    supersedes=None if draft.corrects is None else draft.corrects.ref,
                ),
                exercise=draft.exercise,
                id=event_id,
                source=self.agency,
                subject=draft.subject,
                time=format_time(self.now_ms),
                type=draft.verb.type,
            )
        except ValidationError as error:
            raise LocalError(Code.MALFORMED_VALUE, "not an event that the wire allows") from error
        value = envelope.encode()
        if len(value) > ENVELOPE_MAX - _ANSWERS_SIZE:
            raise LocalError(Code.OVERSIZE, "the sealed event is over the limit of 256 KiB")
        return value

    def _readers(self, part: Part) -> list[Reader]:
        found = [self.directory.reader(address, self.now_ms) for address in part.readers]
        own = next((reader for reader in found if reader.address == self.agency), None)
        if own is not None and self.keys.opener(own.address, own.kid) is None:
            raise LocalError(Code.UNKNOWN_KEY, "the key file lacks the sealing key that the directory has for us")
        return found


def _check(draft: Draft) -> None:
    payloads = [*draft.own, *(payload for told in draft.parts.values() for payload in told)]
    if not all(told for told in draft.parts.values()) or not payloads:
        raise LocalError(Code.WRONG_READERS, "a recipient with nothing to read")
    if draft.own and draft.parts:
        # The router wants every section to have a recipient among its readers.
        raise LocalError(Code.WRONG_READERS, "a section for nobody but the sender, in an event that has recipients")
    if draft.verb in CORRECTIONS and not any(isinstance(payload, Correction) for payload in payloads):
        raise LocalError(Code.INCOMPLETE_INPUT, f"a correction says what was wrong: {Correction.schema_id()}")
    said = {draft.verb} if draft.corrects is None else {draft.verb, draft.corrects.verb}
    forms = [model for verb in said for model in (*USES[verb], *_CARRYING.get(verb, ()))]
    for payload in payloads:
        if not may_carry(draft.verb, type(payload)) and type(payload) not in forms:
            able = ", ".join(model.schema_id() for model in forms)
            raise LocalError(Code.UNKNOWN_SCHEMA, f"{draft.verb.value} carries no {payload.schema_id()}, only {able}")
