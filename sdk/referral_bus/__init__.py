"""
What an agency's system installs to use the bus: say, hear, know.

    connect = kafka("…:9092", tls=Tls(certificate="tls.pem", authority="ca.crt"))
    async with ReferralBus("hotline-111", keys, trust, store="hotline.db", transport=connect) as bus:
        opened = bus.open_case(form)
        (await bus.send(opened)).check()
        (await bus.send(bus.assign(opened.subject, {"ward-a": [form, request]}))).check()

Everything public is listed here, but for `referral_bus.testing`. The forms are in `referral_contracts.payloads`.
"""

from referral_bus.client import ReferralBus
from referral_bus.clock import Clock, SystemClock
from referral_bus.delivery import Delivery, OpenedSection
from referral_bus.draft import Draft, Plan, PlannedEvent, PlannedSection
from referral_bus.keys import AgencyKeys, load_trust
from referral_bus.log import LogAccess, LogReceipt, http_log
from referral_bus.sent import Entry, EntryState, Refused, Sent, TimedOut
from referral_bus.transport import Connect, Transport, kafka
from referral_bus.views import Alarm, CaseView, Corrects, HandoffView, Status
from referral_contracts.codes import Code
from referral_contracts.decisions import Verdict
from referral_contracts.directory import TrustRoot
from referral_contracts.envelope import HandoffKey
from referral_contracts.errors import LocalError, NotForUs, ReferralBusError, RemoteError, Tampered
from referral_tls import Tls

__all__ = [
    "AgencyKeys",
    "Alarm",
    "CaseView",
    "Clock",
    "Code",
    "Connect",
    "Corrects",
    "Delivery",
    "Draft",
    "Entry",
    "EntryState",
    "HandoffKey",
    "HandoffView",
    "LocalError",
    "LogAccess",
    "LogReceipt",
    "NotForUs",
    "OpenedSection",
    "Plan",
    "PlannedEvent",
    "PlannedSection",
    "ReferralBus",
    "ReferralBusError",
    "Refused",
    "RemoteError",
    "Sent",
    "Status",
    "SystemClock",
    "Tampered",
    "TimedOut",
    "Tls",
    "Transport",
    "TrustRoot",
    "Verdict",
    "http_log",
    "kafka",
    "load_trust",
]
