"""What the deadline watcher has counted, read off its metrics page as Prometheus reads it."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from office import NotAsTold
from service_process import ServiceProcess
from telling import Teller
from timed import ANSWERED, MEASURES, RECEIVED

_PREFIX: Final = "referral_bus_"
_WAIT_S: Final = 20.0
_POLL_S: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Became:
    """What the clocks of one rule have come to."""

    armed: int
    met: int
    missed: int
    overdue: int
    """Missed, and still not done."""


class Counted:
    """One look at the page."""

    def __init__(self, page: bytes) -> None:
        """Read *page*."""
        self._values: dict[tuple[str, str], float] = {}
        for family in text_string_to_metric_families(page.decode()):
            for sample in family.samples:
                if sample.name.startswith(_PREFIX) and "le" not in sample.labels:
                    key = (sample.name.removeprefix(_PREFIX), sample.labels.get("rule", ""))
                    self._values[key] = self._values.get(key, 0.0) + sample.value

    def of(self, rule: str) -> Became:
        """Return what became of the clocks of *rule*."""
        return Became(
            armed=self._whole("clocks_armed_total", rule),
            met=self._whole("clocks_met_total", rule),
            missed=self._whole("clocks_missed_total", rule),
            overdue=self._whole("clocks_overdue", rule),
        )

    def mean_s(self, histogram: str, rule: str = "") -> float | None:
        """Return the mean of what a histogram has seen; None: it has seen nothing."""
        count = self._values.get((f"{histogram}_count", rule), 0.0)
        return self._values[f"{histogram}_sum", rule] / count if count else None

    def _whole(self, name: str, rule: str) -> int:
        return round(self._values.get((name, rule), 0.0))


async def show_clocks(watcher: ServiceProcess, handoffs: int, teller: Teller, *, restarted: bool) -> None:
    """
    Show what *watcher* has counted of both cases, or raise NotAsTold.

    Args:
        handoffs: How many were opened: each has a clock until its receipt is there.
        restarted: Its process has ended on the way: the counters began at nothing, and only what stands is compared.
    """
    expected = {
        MEASURES: Became(armed=1, met=0, missed=1, overdue=1),
        ANSWERED: Became(armed=2, met=1, missed=1, overdue=0),
        RECEIVED: Became(armed=handoffs, met=handoffs, missed=0, overdue=0),
    }
    found = await _counted(watcher, expected, restarted=restarted)
    teller.table(
        "Bộ theo dõi đã đếm / what the watcher has counted",
        ("quy tắc\nrule", "bắt đầu\narmed", "đúng hạn\nmet", "quá hạn\nmissed", "còn quá hạn\noverdue", "trễ\nlate"),
        [_row(rule, found) for rule in expected],
    )
    delay_s = found.mean_s("watcher_firing_delay_seconds")
    fired = "—" if delay_s is None else f"{delay_s * 1000:.0f} ms"
    teller.tell(
        f"Từ lúc quá hạn đến khi ghi vào sổ cái, trung bình: {fired}. Số đo theo quy tắc, không theo vụ việc.",
        f"From being late to the miss on the ledger, on average: {fired}. Counted by rule, never by case.",
    )
    if restarted:
        teller.remark("bộ theo dõi đã khởi động lại / it was started again: its counters began at nothing")


def _row(rule: str, found: Counted) -> Sequence[str]:
    became, late_s = found.of(rule), found.mean_s("clock_lateness_seconds", rule)
    late = "—" if late_s is None else f"{late_s:.1f} s"
    return rule, str(became.armed), str(became.met), str(became.missed), str(became.overdue), late


async def _counted(watcher: ServiceProcess, expected: Mapping[str, Became], *, restarted: bool) -> Counted:
    deadline = time.monotonic() + _WAIT_S
    while True:
        _, page = await asyncio.to_thread(watcher.get, "/metrics")
        found = Counted(page)
        differing = [
            rule
            for rule, wanted in expected.items()
            if (found.of(rule).overdue != wanted.overdue if restarted else found.of(rule) != wanted)
        ]
        if not differing:
            return found
        if time.monotonic() > deadline:
            told = ", ".join(f"{rule}: {found.of(rule)}, not {expected[rule]}" for rule in differing)
            raise NotAsTold(f"the watcher has counted {told}")
        await asyncio.sleep(_POLL_S)
