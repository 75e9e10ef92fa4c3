"""
The SDK's types, as an agency's own code meets them. Checked by mypy, never run.

What is promised here is what `referral_bus` exports; a change that breaks this file breaks somebody's build.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import assert_type

from referral_bus import (
    AgencyKeys,
    Alarm,
    CaseView,
    Code,
    Delivery,
    Draft,
    Entry,
    EntryState,
    HandoffKey,
    HandoffView,
    OpenedSection,
    Plan,
    ReferralBus,
    Refused,
    Sent,
    Status,
    TimedOut,
    Tls,
    TrustRoot,
    Verdict,
    kafka,
    load_trust,
)
from referral_contracts.payloads.handoff import Acceptance, Decline
from referral_contracts.payloads.mau01 import Mau01
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.request import HandoffRequest


async def hotline(keys: Path, trust: Path, form: Mau01, request: HandoffRequest) -> None:
    """Open a case and ask for help."""
    connect = kafka("localhost:9092", tls=Tls(certificate="tls.pem", authority=Path("ca.crt")))
    own = assert_type(AgencyKeys.load(keys), AgencyKeys)
    root = assert_type(load_trust(trust), TrustRoot)
    async with ReferralBus("hotline-111", own, root, store="hotline.db", transport=connect) as bus:
        opened = assert_type(bus.open_case(form, exercise=True), Draft)
        parts: dict[str, Sequence[Payload]] = {"ward-a": [form, request], "police-b": [request]}
        assert_type(bus.plan(opened), Plan)
        sent = assert_type(await bus.send(opened, wait="ack", timeout_s=5), Sent)
        try:
            sent = assert_type((await bus.wait(sent)).check(), Sent)
        except Refused as refused:
            assert_type(refused.sent, Sent)
            assert_type(refused.code, Code)
        except TimedOut as over:
            assert_type(over.sent, Sent)
            assert_type(over.cause, Code | None)
        assert_type(sent.verdict, Verdict | None)
        assert_type(sent.handoffs, tuple[HandoffKey, ...])
        assert_type(sent.entries[0], Entry)
        assert_type(sent.entries[0].state, EntryState)
        await bus.send(bus.assign(sent.subject, parts), wait=False)
        assert_type(bus.case(sent.subject), CaseView | None)
        assert_type(bus.handoff(sent.handoffs[0]), HandoffView | None)
        assert_type(bus.alarms(), tuple[Alarm, ...])
        assert_type(bus.status(), Status)
        assert_type(await bus.answers(timeout_s=1), bool)


async def ward(bus: ReferralBus, yes: Acceptance, no: Decline) -> None:
    """Answer what comes."""
    async for delivery in bus.inbox():
        assert_type(delivery, Delivery)
        async with delivery:
            request = assert_type(delivery.payload(HandoffRequest), HandoffRequest | None)
            assert_type(delivery.sections, tuple[OpenedSection, ...])
            assert_type(await delivery.decline(no) if request is None else await delivery.accept(yes), Sent)
    assert_type(await bus.next(timeout_s=1), Delivery)
