"""
One case of the demonstration as it is played: who says what, whom it reaches, and each step checked.

Nothing here waits by the clock: an order returns with the router's verdict, a delivery when it has come. What each
reader opened is compared with what the SDK had announced before it sealed anything.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from office import NotAsTold, Office
from outsider import Outsider
from referral_bus import Code, HandoffKey
from referral_contracts.lifecycle import OPENINGS
from referral_contracts.payloads.clock import ClockSection
from referral_contracts.verbs import Verb
from talk import Heard, Part, Said
from telling import Teller

CLOCK: Final = ClockSection.schema_id()


class Stage:
    """One case, as far as it has come."""

    def __init__(self, teller: Teller, offices: Mapping[str, Office], outsider: Outsider) -> None:
        """Play with *offices*, and look at the ledger with *outsider*."""
        self.teller = teller
        self.offices = offices
        self.outsider = outsider
        self.subject = ""
        """The case; empty until it is opened."""
        self.accepted = 0
        """Events that the router has accepted, as far as the story knows."""
        self.handoffs = 0
        """Those that were opened."""
        self.copies: dict[str, list[Heard]] = {name: [] for name in offices}

    async def say(
        self,
        who: str,
        verb: Verb,
        *,
        to: Sequence[str] = (),
        files: Sequence[str] = (),
        parts: Mapping[str, Sequence[str]] | None = None,
        handoff: HandoffKey | None = None,
        wanted: Code = Code.ACCEPTED,
    ) -> Said:
        """Let *who* say something, which the bus has to answer with *wanted*."""
        _, said = await self.offices[who].say(
            verb, subject=self.subject or None, handoff=handoff, files=files, parts=parts
        )
        self.judge(who, verb, to or tuple(parts or ()), said, wanted)
        return said

    def judge(self, who: str, verb: Verb, to: Sequence[str], said: Said, wanted: Code) -> None:
        """Show what became of what *who* said, which has to be *wanted*."""
        told = "không có trả lời của trục / no verdict" if said.code is None else said.code.value
        expect(said.code is wanted, f"{who} says {verb.value}: {told}, not {wanted.value}")
        accepted = wanted is Code.ACCEPTED
        self.teller.said(who, verb.value, to, told, good=accepted)
        expect(not accepted or said.events == 1, f"{verb.value} of {who} became {said.events} events, not one")
        self.accepted += accepted
        self.handoffs += len(said.handoffs) if accepted and verb in OPENINGS else 0

    async def reaches(self, who: str, verb: Verb, source: str, said: Said | None = None) -> Heard:
        """Return once *who* has a delivery; with *said* it has to be able to read just what was announced."""

        def wanted(heard: Heard) -> bool:
            return (heard.verb, heard.source, heard.subject) == (verb, source, self.subject)

        heard = await self.offices[who].hear(wanted, f"{verb.value} of {source}")
        self.copies[who].append(heard)
        if said is not None:
            announced = [part for part in said.planned if who in part.readers]
            expect(readable(heard.parts) == readable(announced), f"{who} reads {verb.value} as it was announced")
            closed = {part.name for part in said.planned if who not in part.readers}
            expect(closed <= set(heard.sealed), f"what is for others in {verb.value} is sealed to {who}")
            forms = [f"{part.form.partition('/')[0]} ({len(part.fields)})" for part in announced]
            self.teller.heard(who, forms, heard.sealed)
        return heard

    async def received(self, opener: str, *recipients: str) -> None:
        """Wait for the receipts that the recipients' SDKs send by themselves."""
        for recipient in recipients:
            await self.reaches(opener, Verb.RECEIVED, recipient)
            self.accepted += 1
        names = ", ".join(map(self.teller.short, recipients))
        self.teller.remark(f"đã nhận, máy tự ký / received, signed by the SDK: {names}")


def expect(holds: bool, what: str) -> None:  # noqa: FBT001 - reads like a sentence
    """Stop the story unless it *holds*."""
    if not holds:
        raise NotAsTold(f"not as told: {what}")


def readable(parts: Sequence[Part]) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Return what of *parts* a person reads: the section for the watcher is no form."""
    return [
        (part.name, part.form, [(field.path, field.value) for field in part.fields])
        for part in parts
        if part.form != CLOCK
    ]
