"""
Cases whose clocks run, as the watcher's own core leaves them, and its process.

One rule, 12 hours from the receipt of information. Whose clock it is the trigger says: the first of the communes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from deadline_watcher.core import Desk
from deadline_watcher.core import Watcher as Core
from deadline_watcher.core.case import Case, encode
from deadline_watcher.core.hearing import hear
from deadline_watcher.core.opening import Opened, Result
from deadline_watcher.core.position import Position
from deadline_watcher.core.reading import Event
from deadline_watcher.core.saying import summary
from deadline_watcher.core.vault import Vault
from measure.contestants import Service
from measure.outputs import PARTITIONS
from measure.world import BUS, SENDERS, WATCHER, World
from referral_contracts import topics
from referral_contracts.encoding import event_hash
from referral_contracts.payloads.actor import Actor, Role
from referral_contracts.payloads.clock import ClockSection, Trigger
from referral_contracts.records import Write
from referral_contracts.rules.book import RuleBook
from referral_contracts.rules.days import read_calendar
from referral_contracts.rules.docket import Docket
from referral_contracts.rules.loading import load_packs
from referral_contracts.sealing import random_salts
from referral_contracts.topics import partition_for
from referral_contracts.verbs import Verb
from service_chassis.keyfile import state_key_file

COMMUNE: Final = SENDERS[0]
LIMIT_MS: Final = 12 * 3_600_000
TRIGGER: Final = "information-received"
_STATE_KEY: Final = bytes(range(32))
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CALENDAR: Final = Path(__file__).resolve().parents[2] / "contracts/packs/calendar/vn.toml"
_HEAD: Final = """
[pack]
id = "{kind}"
kind = "{kind}"
version = 1
issued = 2026-11-22
vi = "Đo kiểm"
en = "benchmark"
"""
_RULE: Final = """
[[rule]]
id = "emergency-measures-12h"
vi = "Áp dụng biện pháp can thiệp khẩn cấp"
en = "emergency measures"
trigger = ["information-received"]
role = "commune"
whose = "named"
required = ["emergency-measures-applied"]
kind = "elapsed"
limit = "PT12H"
confidence = "T"
source = "NĐ 56/2017/NĐ-CP Đ.26 k.3"
valid_from = 2017-07-01
"""
_PACKS: Final = {
    "national.toml": _HEAD.format(kind="national") + _RULE,
    "policy.toml": _HEAD.format(kind="policy") + 'settle = "PT1S"\n',
}


def section(triggers: Sequence[str], at_ms: int) -> ClockSection:
    """Return a clock section that tells *triggers* of *at_ms*; none is told as ``none``."""
    moment = _EPOCH + timedelta(milliseconds=at_ms)
    listed = tuple(Trigger(trigger=name, occurred_at=moment, whose=COMMUNE) for name in triggers)
    return ClockSection(actor=Actor(role=Role.SYSTEM), triggers=listed or "none")


def desk(world: World) -> Desk:
    """Return what the watcher of *world* works with."""
    return Desk(
        bus=BUS,
        state_key=_STATE_KEY,
        opening_keys=tuple(world.keys[WATCHER].sealing[WATCHER]),
        book=RuleBook(load_packs(_PACKS)),
        calendar=read_calendar(_CALENDAR.name, _CALENDAR.read_text("utf-8")),
        nonces=random_salts,
    )


class Watcher(Service):
    """One process of the deadline watcher."""

    def __init__(self, world: World, bootstrap: str) -> None:
        """Prepare; `start` runs it."""
        home = world.trust.parent
        keys, state_key = home / "watcher.json", home / "watcher-state.json"
        world.keys[WATCHER].save(keys, replace=True)
        state_key.unlink(missing_ok=True)
        state_key.touch(mode=0o600)
        state_key.write_bytes(state_key_file(_STATE_KEY))
        packs = [home / name for name in _PACKS]
        for path in packs:
            path.write_text(_PACKS[path.name], "utf-8")
        settings = {
            "REFERRAL_BUS_WATCHER_KEY": str(keys),
            "REFERRAL_BUS_WATCHER_STATE_KEY": str(state_key),
            "REFERRAL_BUS_PACKS": ":".join(map(str, packs)),
            "REFERRAL_BUS_CALENDAR": str(_CALENDAR),
        }
        super().__init__(world, bootstrap, "watcher", "deadline_watcher", settings)

    def missed(self) -> int:
        """Return how many misses it has read back on the ledger."""
        lines = self.get("/metrics")[1].decode("ascii").splitlines()
        return round(
            sum(float(line.split()[-1]) for line in lines if line.startswith("referral_bus_clocks_missed_total{"))
        )


@dataclass(frozen=True, slots=True)
class Armed:
    """A case with one clock that runs."""

    subject: str
    opening: str
    record: bytes
    """What the watcher keeps of it, before it is encrypted."""


class Clocks:
    """Makes cases whose clocks run, and the watcher's state of them."""

    def __init__(self, world: World) -> None:
        """Arm by the core's own functions."""
        self._desk = desk(world)
        # By the very calendar that the watcher has: nothing has to be worked out anew when a case is read.
        self._around = Core(self._desk, 0).around(world.directory)
        self._vaults = [
            Vault(_STATE_KEY, bus=BUS, partition=number, nonces=random_salts) for number in range(PARTITIONS)
        ]

    def armed(self, subject: str, opening: str, due_ms: int) -> Armed:
        """Return a case whose clock is due at *due_ms*."""
        started_ms = due_ms - LIMIT_MS
        event = Event(
            id=opening,
            sha256=event_hash(opening.encode("ascii")),
            source=COMMUNE,
            subject=subject,
            verb=Verb.CASE_OPENED,
            exercise=False,
            recipients=(),
            scope="",
            supersedes=None,
            sections=(),
            handoff=None,
        )
        opened = Opened(Result.READ, section((TRIGGER,), started_ms), frozenset((COMMUNE, WATCHER)))
        case = hear(Case(Docket(subject), by=self._around.by), event, opened, started_ms, self._around)
        if len(case.docket.clocks) != 1:
            raise RuntimeError("the clock of the benchmark was not armed")
        return Armed(subject, opening, encode(case, summary(case, started_ms)))

    def write(self, subject: str, record: bytes, partition: int | None = None) -> Write:
        """Return *record* as the watcher's state holds it."""
        number, key = partition_for(subject, PARTITIONS) if partition is None else partition, subject.encode("ascii")
        return Write(topics.WATCHER_STATE, number, key, self._vaults[number].close(key, record))

    def positions(self, at_ms: int) -> Iterator[Write]:
        """Yield the reserved record of each partition of referrals: nothing has been read yet."""
        value = Position(admitted_ms=at_ms, directory=1).encode()
        for number, vault in enumerate(self._vaults):
            sealed = vault.close(topics.POSITION_KEY, value)
            yield Write(topics.WATCHER_STATE, number, topics.POSITION_KEY, sealed)
