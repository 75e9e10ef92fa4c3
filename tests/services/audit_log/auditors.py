"""The log's side for auditors, over a told case: who may ask, and how it is asked."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import httpx
from prometheus_client import CollectorRegistry

from audit_log.auditing import auditing
from audit_log.core.limiting import Allowance
from audit_log.core.nonces import Nonces
from audit_log.core.reading import Taken
from audit_log.folder import Folder
from audit_log.log import Log
from audit_log.metrics import ReadMetrics
from audit_log.reads import Reads
from audit_log.receipts import Receipts
from audit_log.signed import Askers
from audit_log.web import web
from referral_bus.asking import Signed
from referral_bus.keys import AgencyKeys
from referral_bus.registrar import Term, event_key_record
from referral_contracts.codes import Code
from referral_contracts.directory_model import (
    ROLE_AUDITOR,
    Entry,
    Grant,
    Jurisdiction,
    Purpose,
    Use,
    grant_case,
)
from referral_contracts.encoding import format_time
from referral_contracts.errors import LocalError
from referral_contracts.keys import SigningKey
from referral_contracts.log.policy import Log as LoggedBy
from referral_contracts.log.policy import Policy
from referral_contracts.sealing import random_salts
from service_chassis.health import Asgi
from tests.services.audit_log.erased import Erasing
from tests.stories.world import BUS, WARD, keys

AUDITOR: Final = "inspectors"
OTHER: Final = "other-inspectors"
PROVINCE: Final = "01"
DAY_MS: Final = 86_400_000
MANY: Final = Allowance(1000.0, 1000)
BASE: Final = "http://log.example:8083"
HTTP: Final = {
    name: SigningKey.from_seed(bytes([number]) * 32) for number, name in enumerate((AUDITOR, OTHER, WARD), 140)
}


class Audited:
    """A log that auditors ask: one with a grant for the ward's province, one with a grant for another case."""

    def __init__(self, home: Path) -> None:
        self.case = Erasing(home)
        self.subject = self.case.case
        self.home = home
        self.allowance, self.registry = MANY, CollectorRegistry()
        self.open, self.writes = True, True
        self.nonces, self.metrics = Nonces(0), ReadMetrics(self.registry)
        self.log: Log | None = None
        simulator = self.case.world.simulator
        ward = simulator.directory.member(WARD)
        assert ward is not None
        place = (Jurisdiction(province=PROVINCE),)
        self.publish(
            self.asking(ward.entry.model_copy(update={"jurisdiction": place})),
            self.auditor(AUDITOR, self.grant(province=PROVINCE)),
            self.auditor(OTHER, self.grant(case=grant_case("0" * 32))),
        )

    @property
    def now_ms(self) -> int:
        return self.case.now_ms

    def publish(self, *entries: Entry) -> None:
        """Let the directory have *entries*, and the log take that."""
        simulator = self.case.world.simulator
        simulator.change_directory(agencies=entries)
        simulator.run()
        with self.case.opened():
            pass

    def grant(self, **told: Any) -> Grant:
        moments = {"valid_from": format_time(self.now_ms - DAY_MS), "valid_until": format_time(self.now_ms + DAY_MS)}
        return Grant(**{"purpose": Purpose.INSPECTION, **moments, **told})

    def auditor(self, name: str, *grants: Grant) -> Entry:
        entry = self.asking(self.case.world.simulator.entry(name, [ROLE_AUDITOR]))
        return entry.model_copy(update={"grants": grants})

    def asking(self, entry: Entry) -> Entry:
        """Return *entry* with a key for HTTP."""
        term = Term(from_ms=self.now_ms - DAY_MS, until_ms=self.now_ms + 90 * DAY_MS)
        own = event_key_record(BUS, entry.id, HTTP[entry.id], term, use=Use.HTTP)
        return entry.model_copy(update={"keys": (*entry.keys, own)})

    @contextmanager
    def app(self) -> Iterator[Asgi]:
        """Give the application over the open log."""
        with self.case.opened() as log:
            cases, reader = self.case.cases(log), self.case.store.reader

            async def state(taken: Sequence[Taken]) -> list[int]:
                if not self.writes:
                    raise LocalError(Code.STORE_AWAY, "gone")
                first = log.append(taken, {})
                log.publish()
                return [*range(first, first + len(taken))]

            async def threaded(work: Callable[..., Any], *arguments: object) -> Any:
                return work(*arguments)

            folder = Folder(self.home / "tiles")
            reads = Reads(
                lambda: (reader, cases) if self.open else None,
                state,
                threaded,
                desk=self.case.desk,
                witnessed=lambda: None,
                clock=lambda: self.now_ms,
            )
            askers = Askers(BUS, self.nonces, lambda: self.now_ms)
            router = auditing(reads, askers, lambda: cases.directory, self.allowance, self.metrics)
            receipts = Receipts(folder, lambda: None, self.case.desk.note_key)
            try:
                yield web(folder, receipts, MANY, lambda _: None, [router])
            finally:
                folder.close()

    def signing(self, by: str | SigningKey, *, late_s: int = 0, bus: str = BUS) -> Signed:
        key = HTTP[by] if isinstance(by, str) else by
        at_ms = self.now_ms - late_s * 1000
        return Signed(bus, key, clock=lambda: at_ms, draw=lambda size: random_salts(1, size)[0])

    def ask(self, by: str | SigningKey | None, *paths: str, method: str = "GET", **how: Any) -> list[httpx.Response]:
        """Return what is answered to *by*, None: to who does not sign."""
        auth = None if by is None else self.signing(by, **how)
        return self.send(*(self.request(auth, path, method) for path in paths))

    def request(self, auth: Signed | None, path: str, method: str = "GET") -> httpx.Request:
        request = httpx.Request(method, f"{BASE}{path}")
        if auth is not None:
            auth.sign(request)
        return request

    def send(self, *requests: httpx.Request) -> list[httpx.Response]:
        async def asked(app: Asgi) -> list[httpx.Response]:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
                return [await client.send(request) for request in requests]

        with self.app() as app:
            return asyncio.run(asked(app))

    def one(self, by: str | SigningKey | None, path: str, **how: Any) -> httpx.Response:
        return self.ask(by, path, **how)[0]

    def trail(self, subject: str | None = None) -> str:
        return f"/v1/cases/{subject or self.subject}/trail"

    @property
    def policy(self) -> Policy:
        return Policy(logs=(LoggedBy(self.case.desk.note_key),))

    def keys_of(self, name: str) -> AgencyKeys:
        known = {**keys(), **self.case.world.simulator.keys}
        return replace(known[name], http=HTTP.get(name))
