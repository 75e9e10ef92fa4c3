"""
A bus that is played on, a real Prometheus that scrapes it, and what the dashboard's queries return of that.

``python -m tests.interop.dashboard_run`` writes the answers down: the picture of docs/dashboard.md is drawn from them.
"""

import asyncio
import http
import json
import math
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import yaml

from referral_bus import Delivery, ReferralBus
from referral_contracts.payloads.actor import Actor, Role
from referral_contracts.payloads.case import CaseOpening
from referral_contracts.payloads.handoff import Acceptance, Progress
from referral_contracts.payloads.measure import Measure, MeasureKind
from referral_contracts.payloads.place import Place
from referral_contracts.payloads.request import HandoffRequest, Service
from referral_contracts.payloads.school import SchoolReport
from referral_contracts.verbs import Verb
from running import PACKS, RunningBus
from tests.house.tree import ROOT
from tests.interop.readers import found
from tools.dashboard.answers import TAKEN, Answers, Series, asked
from tools.dashboard.panels import PANELS, Look

SCHOOL: Final = "th-thi-du"
COMMUNE: Final = "ubnd-xa-thi-du"
LATE_S: Final = 27.0
"""By then both deadlines of the demonstration's rules, 12 and 10 seconds, are past and told."""
_PATIENCE_S: Final = 60.0
_STEP_S: Final = 1
_TEACHER: Final = Actor(role=Role.SCHOOL_STAFF, staff_number="THTD-07")
_WORKER: Final = Actor(role=Role.CHILD_PROTECTION_WORKER, staff_number="XTD-0012")


class Prometheus:
    """A real one, on a free port of loopback."""

    def __init__(self, folder: Path, targets: dict[str, str]) -> None:
        """Have it scrape *targets*, by job, with the rules and the configuration of a deployment."""
        config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yaml").read_text())
        config["global"] = {"scrape_interval": f"{_STEP_S}s", "evaluation_interval": f"{_STEP_S}s"}
        config["rule_files"] = [str(ROOT / "deploy/prometheus/alerts.yaml")]
        for job in config["scrape_configs"]:
            job["static_configs"] = [{"targets": [targets[job["job_name"]]]}]
        (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
        with socket.create_server(("127.0.0.1", 0)) as free:
            place = f"127.0.0.1:{free.getsockname()[1]}"
        self.url = f"http://{place}"
        self.began = time.time()
        command = [
            found("prometheus", "Prometheus (on Debian and Ubuntu: apt install prometheus)"),
            f"--config.file={folder / 'prometheus.yaml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={place}",
        ]
        self.log = folder / "prometheus.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def ask(self, path: str, **told: object) -> list[dict[str, Any]]:
        """Return what it answers to a query; nothing while it does not answer."""
        url = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(told)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                told_ = json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                if error.code == http.HTTPStatus.SERVICE_UNAVAILABLE:  # it listens, and is still starting
                    return []
                raise AssertionError(error.read().decode()) from None
        except OSError:
            assert self.process.poll() is None, self.log.read_text()
            return []
        result: list[dict[str, Any]] = told_["data"]["result"]
        return result

    def until(self, query: str) -> None:
        """Return once *query* returns something."""
        deadline = time.monotonic() + _PATIENCE_S
        while not self.ask("query", query=query):
            assert time.monotonic() < deadline, query
            time.sleep(0.3)

    def answers(self) -> Answers:
        """Return what it answers to every query of the dashboard, for as long as it has run."""
        end = time.time()
        span_s = max(1, math.ceil(end - self.began))
        panels = {}
        for panel in PANELS:
            panels[panel.id] = {
                name: self._series(asked(query, span_s), end, lines=panel.look is Look.LINES)
                for name, query in panel.queries.items()
            }
        return Answers(panels=panels)

    def _series(self, query: str, end: float, *, lines: bool) -> tuple[Series, ...]:
        if lines:
            rows = self.ask("query_range", query=query, start=self.began, end=end, step=_STEP_S)
        else:
            rows = self.ask("query", query=query, time=end)
        answered = []
        for row in rows:
            values = row["values"] if lines else [row["value"]]
            points = tuple((round(at - self.began, 1), float(value)) for at, value in values)
            labels = {name: value for name, value in row["metric"].items() if name not in {"__name__", "instance"}}
            if all(math.isfinite(value) for _, value in points):
                answered.append(Series(labels=labels, points=points))
        return tuple(answered)

    def close(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(20)


@contextmanager
def scraped(bus: RunningBus, folder: Path) -> Iterator[Prometheus]:
    """Have a Prometheus scrape router, watcher and log of *bus* for as long as the block lasts."""
    (router,), (watcher,), (log,) = bus.routers, bus.watchers, bus.logs
    places = {"referral-router": router.http, "deadline-watcher": watcher.http, "audit-log": log.http}
    prometheus = Prometheus(folder, {job: str(place).removeprefix("http://") for job, place in places.items()})
    try:
        prometheus.until('referral_bus_clocks_armed_total{rule="demo-emergency-measures"}')
        yield prometheus
    finally:
        prometheus.close()


async def play(bus: RunningBus, folder: Path) -> None:
    """Give the commune four duties: one is done in time, one late, one in time and told late, one never."""
    async with AsyncExitStack() as stack:
        school, commune = [await stack.enter_async_context(_client(bus, name, folder)) for name in (SCHOOL, COMMUNE)]
        await school.ready(timeout_s=30)
        await commune.ready(timeout_s=30)
        began = datetime.now(UTC)
        claimed, prompt, late, _ = [await _duty(school, commune) for _ in range(4)]
        await prompt.accept(Acceptance(actor=_WORKER))
        await _acted(commune, prompt, datetime.now(UTC))
        await claimed.accept(Acceptance(actor=_WORKER))
        await asyncio.sleep(LATE_S)
        await _acted(commune, claimed, began + timedelta(seconds=1))
        await late.accept(Acceptance(actor=_WORKER))
        await _acted(commune, late, datetime.now(UTC))


async def _acted(commune: ReferralBus, duty: Delivery, done_at: datetime) -> None:
    done = Measure(kind=MeasureKind.EMERGENCY_MEASURES_APPLIED, done_at=done_at)
    told = Progress(actor=_WORKER, summary="Đã đưa trẻ đến nơi an toàn", measures=(done,))
    assert duty.handoff is not None
    (await commune.send(commune.progress(duty.handoff, told))).check()


def _client(bus: RunningBus, agency: str, folder: Path) -> ReferralBus:
    founding = bus.founding
    told = (agency, founding.keys(agency), founding.trust)
    return ReferralBus(
        *told, store=folder / f"{agency}.db", transport=lambda: founding.transport(bus.bootstrap, agency)
    )


async def _duty(school: ReferralBus, commune: ReferralBus) -> Delivery:
    place = Place(address="Thôn Ví Dụ", province="99", commune="99001")
    report = SchoolReport(actor=_TEACHER, school="Trường Tiểu học Thí Dụ", place=place)
    request = HandoffRequest(actor=_TEACHER, service=Service.COMMUNE_CASE, reason="Cần đến nhà ngay")
    opened = school.open_case(CaseOpening(actor=_TEACHER, reason="Trẻ kể bị đánh ở nhà"), report)
    (await school.send(opened)).check()
    (await school.send(school.assign(opened.subject, {COMMUNE: [request, report]}))).check()
    while True:
        delivery = await commune.next(timeout_s=_PATIENCE_S)
        if delivery.verb is Verb.ASSIGNED and delivery.subject == opened.subject:
            return delivery
        await delivery.ack()


def run(folder: Path) -> Answers:
    """Play, and return what the dashboard shows then."""
    with (
        RunningBus(folder / "bus", say=print, rules=[PACKS / "demo.toml"], log=True) as bus,
        scraped(bus, folder) as prometheus,
    ):
        asyncio.run(play(bus, folder))
        prometheus.until('referral_bus_clocks_overdue{rule="demo-emergency-measures"} == 1')
        prometheus.until("sum(referral_bus_clock_lateness_seconds_count) > 0")
        prometheus.until('sum(referral_bus_clocks_met_total{how="claimed"}) > 0')
        time.sleep(3 * _STEP_S)
        return prometheus.answers()


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        answers = run(Path(folder))
    (ROOT / TAKEN).write_text(answers.model_dump_json(indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
