"""
A town for the SDK's tests: the simulator, its agencies' clients, and time that passes only when it is told to.

A client is opened again on the store it left, as after a crash: `Town.bus` gives as many as are asked for.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import referral_router.core
from referral_bus import AgencyKeys, Code, Delivery, LogAccess, ReferralBus
from referral_bus.registrar import Term, event_key_record, sealing_key_record
from referral_bus.testing import DEFAULT_POLICY, Simulator
from referral_bus.transport import Connect
from referral_contracts import topics
from referral_contracts.decisions import Decision, read_decision
from referral_contracts.directory_model import KeyRecord
from referral_contracts.encoding import format_time
from referral_contracts.envelope import Envelope
from referral_contracts.payloads.actor import Actor, Role
from referral_contracts.payloads.case import (
    CaseClosing,
    CaseOpening,
    ClosingReason,
    Note,
    TransferAnswer,
    TransferOffer,
    TransferReason,
)
from referral_contracts.payloads.handoff import (
    Acceptance,
    Closing,
    Decline,
    DeclineReason,
    Forwarding,
    Outcome,
    Progress,
    Result,
    Return,
    ReturnReason,
    Withdrawal,
    WithdrawalReason,
)
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.request import HandoffRequest, Service
from referral_contracts.verbs import Verb

T = TypeVar("T")

WINDOW_S: Final = DEFAULT_POLICY.window_ms / 1000
HOUR_S: Final = 3600

AGENCIES: Final = {
    "hotline-111": ["hotline"],
    "ward-a": ["commune"],
    "ward-z": ["commune"],
    "police-b": ["police"],
    "hospital-c": ["hospital"],
    "school-d": ["school"],
}
KEYS: Final = {name: AgencyKeys.generate(name) for name in (*AGENCIES, "registrar", "router", "watcher", "audit-log")}
"""Made once: making a key costs as much as a test."""

_WHO: Final = Actor(role=Role.DUTY_OFFICER)
OPENING: Final = CaseOpening(actor=_WHO, reason="Trẻ kể bị đánh ở nhà")
REQUEST: Final = HandoffRequest(actor=_WHO, service=Service.COMMUNE_CASE, reason="Cần đến nhà ngay")
MEDICAL: Final = HandoffRequest(actor=_WHO, service=Service.MEDICAL_CARE, medical="Vết bầm ở tay trái")
CRIME: Final = HandoffRequest(actor=_WHO, service=Service.CRIME_REPORT, suspect="Cha dượng")
SCHOOLING: Final = HandoffRequest(actor=_WHO, service=Service.SCHOOL_SUPPORT, reason="Nghỉ học từ thứ hai")
ACCEPTANCE: Final = Acceptance(actor=_WHO, contact="Chị Lan")
DECLINE: Final = Decline(actor=_WHO, reason=DeclineReason.NO_CAPACITY)
PROGRESS: Final = Progress(actor=_WHO, summary="Đã gặp trẻ")
OUTCOME: Final = Outcome(actor=_WHO, result=Result.ACHIEVED)
RETURN: Final = Return(actor=_WHO, reason=ReturnReason.CHILD_MOVED)
CLOSING: Final = Closing(actor=_WHO)
WITHDRAWAL: Final = Withdrawal(actor=_WHO, reason=WithdrawalReason.ANOTHER_ACCEPTED)
FORWARDING: Final = Forwarding(actor=_WHO, forwarded_to="ward-z")
NOTE: Final = Note(actor=_WHO, text="Gia đình đã chuyển đi")
TRANSFER: Final = TransferOffer(actor=_WHO, reason=TransferReason.INCIDENT_COMMUNE)
TAKEN: Final = TransferAnswer(actor=_WHO)
CASE_CLOSING: Final = CaseClosing(actor=_WHO, reason=ClosingReason.NO_LONGER_AT_RISK)

_TURNS: Final = 3000
"""Turns of the event loop that are given to what has nothing to wait for."""


class Town:
    """A bus and the folder with its agencies' stores."""

    def __init__(self, folder: Path, **told: Any) -> None:
        self.folder = folder
        self.sim = Simulator(core=referral_router.core, **{"agencies": AGENCIES, "keys": KEYS, **told})

    def bus(
        self,
        agency: str,
        keys: AgencyKeys | None = None,
        store: str | None = None,
        transport: Connect | None = None,
        log: LogAccess | None = None,
    ) -> ReferralBus:
        """Return a client of *agency*, on the store that its last one left."""
        return ReferralBus(
            agency,
            keys or self.sim.keys[agency],
            self.sim.root,
            store=self.folder / (store or f"{agency}.db"),
            transport=transport or self.sim.connect(agency),
            clock=self.sim.clock,
            log=log,
        )

    async def until(self, look: Callable[[], T | None]) -> T:
        """Return what *look* finds, without any time passing."""
        for _ in range(_TURNS):
            found = look()
            if found:
                return found
            await asyncio.sleep(0)
        msg = "it does not happen by itself"
        raise AssertionError(msg)

    async def settle(self) -> None:
        """Let everybody go on who can without time passing."""
        for _ in range(60):
            await asyncio.sleep(0)

    async def wind(self, seconds: float, steps: int = 10) -> None:
        """Let time pass, in steps."""
        for _ in range(steps):
            self.sim.clock.wind(seconds / steps)
            await self.settle()

    def decisions(self) -> list[tuple[Decision, bytes]]:
        """Return what the router decided on submissions, and the bytes of each."""
        return [
            (read_decision(dict(record.headers)["decision"] or b""), record.value or b"")
            for partition in range(self.sim.partitions)
            for record in self.sim.broker.records(topics.LEDGER, partition)
        ]

    def routed(self, verb: Verb | None = None) -> list[Envelope]:
        """Return the events that the router accepted."""
        found = [Envelope.decode(value) for decision, value in self.decisions() if decision.code is Code.ACCEPTED]
        return [envelope for envelope in found if verb in {None, envelope.verb}]

    def submitted(self) -> list[Envelope]:
        """Return what lies in the submissions, by the broker's order in each partition."""
        records = [
            record
            for number in range(self.sim.partitions)
            for record in self.sim.broker.records(topics.SUBMISSIONS, number)
        ]
        return [Envelope.decode(record.value or b"") for record in records]

    def codes(self) -> list[Code]:
        """Return the codes of all decisions on submissions."""
        return [decision.code for decision, _ in self.decisions()]


async def case_with(town: Town, hotline: ReferralBus, parts: dict[str, Sequence[Payload]]) -> str:
    """Open a case at the hotline, assign it to those in *parts*, and return its subject."""
    del town
    opened = hotline.open_case(OPENING)
    assert (await hotline.send(opened)).accepted
    assert (await hotline.send(hotline.assign(opened.subject, parts))).accepted
    return opened.subject


def change_sealing_key(town: Town, agency: str, keys: AgencyKeys) -> None:
    """Give *agency* a new sealing key in the directory, and end the old one's time."""
    secret = keys.sealing[agency][0]
    _replace_key(town, agency, sealing_key_record(town.sim.bus, agency, secret, _from_now(town), signer=keys.signing))


def change_signing_key(town: Town, agency: str, keys: AgencyKeys) -> None:
    """Give *agency* a new signing key in the directory, and take the old one away."""
    _replace_key(town, agency, event_key_record(town.sim.bus, agency, keys.signing, _from_now(town)))
    town.sim.step()


def _from_now(town: Town) -> Term:
    now_ms = town.sim.clock.now_ms()
    return Term(from_ms=now_ms, until_ms=now_ms + 10**10)


def _replace_key(town: Town, agency: str, new: KeyRecord) -> None:
    """Add *new* and revoke the keys of the same use."""
    found = town.sim.directory.member(agency)
    assert found is not None
    revoked = {"revoked_at": format_time(town.sim.clock.now_ms())}
    ended = [key.model_copy(update=revoked) if key.use == new.use else key for key in found.entry.keys]
    town.sim.change_directory(agencies=[found.entry.model_copy(update={"keys": (*ended, new)})])


async def heard(bus: ReferralBus, verb: Verb) -> Delivery:
    """Return the next delivery of *verb*; those before it are acknowledged."""
    while True:
        delivery = await bus.next(timeout_s=30)
        if delivery.verb is verb:
            return delivery
        await delivery.ack()
