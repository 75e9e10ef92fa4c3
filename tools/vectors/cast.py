"""
Who plays in the vectors: agencies with keys that anybody can make again, and when it all happens.

The keys come from their labels: they are no secrets and belong to nobody.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from referral_contracts.directory_model import Delivery, Entry, KeyRecord, MayKnow, MaySend, Names, Policy
from referral_contracts.encoding import parse_time
from referral_contracts.keys import SealingKey, SigningKey
from referral_contracts.sealing import Reader
from tools.vectors.registrar import Term, key_record, trust_root

BUS: Final = "training"
START: Final = parse_time("2026-03-14T02:20:00.000Z")
TERM: Final = Term(from_ms=parse_time("2026-01-01T00:00:00.000Z"), until_ms=parse_time("2026-07-01T00:00:00.000Z"))


def secret(label: str, size: int) -> bytes:
    """Return the bytes that *label* stands for."""
    return hashlib.shake_256(f"referral-bus vectors: {label}".encode()).digest(size)


def event_id(number: int, at_ms: int = START) -> str:
    """Return the id of the event that bears this *number* in the vectors."""
    digits = at_ms.to_bytes(6, "big").hex()
    return f"{digits[:8]}-{digits[8:]}-7000-8000-{number:012x}"


@dataclass(frozen=True)
class Agency:
    """One agency and its keys."""

    id: str
    role: str
    vi: str
    en: str

    @cached_property
    def signing(self) -> SigningKey:
        return SigningKey.from_seed(secret(f"{self.id} signs", 32))

    @cached_property
    def http(self) -> SigningKey:
        return SigningKey.from_seed(secret(f"{self.id} asks", 32))

    @cached_property
    def sealing(self) -> SealingKey:
        return SealingKey.from_bytes(secret(f"{self.id} opens", 96))

    @property
    def reader(self) -> Reader:
        return Reader(address=self.id, kid=self.sealing.kid, public=self.sealing.public)

    @cached_property
    def event_key(self) -> KeyRecord:
        return key_record(BUS, self.id, self.signing, TERM, self.signing)

    @cached_property
    def sealing_key(self) -> KeyRecord:
        return key_record(BUS, self.id, self.sealing, TERM, self.signing)

    @cached_property
    def entry(self) -> Entry:
        return self.with_keys(self.event_key, self.sealing_key)

    @cached_property
    def small_entry(self) -> Entry:
        """The same without the sealing key, which takes two thousand characters."""
        return self.with_keys(self.event_key)

    def with_keys(self, *keys: KeyRecord) -> Entry:
        return Entry(
            delivery=Delivery(kind="bus"),
            id=self.id,
            keys=keys,
            names=Names(en=self.en, vi=self.vi),
            roles=(self.role,),
        )


REGISTRAR: Final = Agency("registrar", "registrar", "Cơ quan đăng ký", "registrar")
ROUTER: Final = Agency("router", "router", "Bộ định tuyến", "router")
WATCHER: Final = Agency("watcher", "deadline-watcher", "Theo dõi thời hạn", "deadline watcher")
LOG: Final = Agency("audit-log", "audit-log", "Nhật ký kiểm toán", "audit log")
HOTLINE: Final = Agency("hotline-111", "hotline", "Tổng đài 111", "Hotline 111")
HOSPITAL: Final = Agency("hospital-c", "hospital", "Bệnh viện C", "Hospital C")
AUDITOR: Final = Agency("inspectors", "auditor", "Đoàn thanh tra", "inspectors")
EVERYBODY: Final = (REGISTRAR, ROUTER, WATCHER, HOTLINE, HOSPITAL)

ROOT_KEYS: Final = tuple(SigningKey.from_seed(secret(f"root key {number}", 32)) for number in (1, 2))
TRUST_ROOT: Final = trust_root(BUS, ROOT_KEYS[:1])

POLICY: Final = Policy(
    may_know=(MayKnow(roles=("police", "hospital", "social-work", "legal-aid")),),
    may_open=("hotline",),
    may_send=(MaySend(recipients=("hospital",), senders=("hotline",), verbs=("handoff.*",)),),
)
