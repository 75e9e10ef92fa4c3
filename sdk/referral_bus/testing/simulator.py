"""
A whole bus in one process: the router's own rules over a broker in memory, under a clock that is wound by hand.

It runs what the real router runs, as the real one runs it: records in order, outputs, state and position in one
transaction, a restart from the state topic alone. Only Kafka and the network are not real.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from typing import Any, Final, Protocol

from referral_bus import registrar
from referral_bus.keys import AgencyKeys
from referral_bus.registrar import Term, event_key_record, sealing_key_record
from referral_bus.testing.clock import Clock
from referral_bus.testing.log import MemoryLog
from referral_bus.testing.memory import Faults, MemoryBroker, MemoryTransport
from referral_bus.testing.watching import Rules, Watching
from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.directory import (
    ROLE_REGISTRAR,
    ROLE_ROUTER,
    ROLE_WATCHER,
    Directory,
    TrustRoot,
)
from referral_contracts.directory_model import ROLE_LOG, Delivery, Entry, MayKnow, MaySend, Names, Policy
from referral_contracts.errors import LocalError
from referral_contracts.keys import SigningKey
from referral_contracts.records import Record, Write
from referral_contracts.sealing import random_salts
from referral_contracts.topics import H_SIGNATURE, topic_specs

SERVICES: Final[Mapping[str, tuple[str, ...]]] = {
    "registrar": (ROLE_REGISTRAR,),
    "router": (ROLE_ROUTER,),
    "watcher": (ROLE_WATCHER,),
    "audit-log": (ROLE_LOG,),
}
"""The bus's own services, as the simulator names them."""

DEFAULT_POLICY: Final = Policy(
    may_know=(MayKnow(roles=("police", "hospital", "social-work", "legal-aid")),),
    may_open=("hotline", "commune"),
    may_send=(MaySend(recipients=("*",), senders=("*",), verbs=("*",)),),
)
"""The on-scene team knows of each other; hotlines and communes open cases; who is a party may speak to anyone."""

ROOTS: Final = ("root", "root-2", "root-3")
"""Whose keys are the registrars' root keys."""
_LIFETIME_S: Final = 7 * 24 * 3600
_KEY_TERM_MS: Final = 10 * 365 * 24 * 3_600_000


class Core(Protocol):
    """``referral_router.core``, handed in: this package does not know what a bus runs."""

    Lane: Any
    Registrar: Any
    Router: Any
    examine: Any
    verify_signature: Any


class Loss(Enum):
    """What becomes of a transaction whose outcome its owner does not learn."""

    BEFORE = "before"
    """It did not take effect."""
    AFTER = "after"
    """It took effect."""


class Simulator:
    """A bus that was just founded: its services and agencies are in version 1 of the directory."""

    def __init__(
        self,
        *,
        core: Core,
        agencies: Mapping[str, Sequence[str]],
        clock: Clock | None = None,
        bus: str = "training",
        partitions: int = 2,
        policy: Policy = DEFAULT_POLICY,
        keys: Mapping[str, AgencyKeys] | None = None,
        salts: Callable[[int, int], Sequence[bytes]] = random_salts,
        automatic: bool = True,
        rules: Rules | None = None,
        hands: int = 1,
    ) -> None:
        """
        Found a bus.

        Args:
            core: ``referral_router.core``.
            agencies: The roles of each agency, by id.
            clock: What time it is; by default a clock of its own.
            bus: Its name.
            partitions: Of submissions.
            policy: Who may speak to whom.
            keys: Of agencies and services, by id, and of `ROOTS`; what is missing is made. With those of another, and a
                `salts` that always gives the same, the same submissions lead to the same bytes. They tell the desks.
            salts: Where the router's salts come from.
            automatic: Whether the router goes to work at each submission; else only at `step` and `run`.
            rules: The deadline watcher's, if there is to be one.
            hands: Up to three registrars, each with a root key; more than half of them have to sign.
        """
        self.clock = clock or Clock()
        self.bus, self.partitions = bus, partitions
        self.broker = MemoryBroker(self.clock)
        self.keys = _complete(keys or {}, {*SERVICES, *agencies, *ROOTS[:hands]})
        self.faults: dict[str, Faults] = {}
        """What goes wrong between an agency and the broker; see `connect`."""
        self.root, self._registrar = _pinned(bus, [self.keys[name].signing for name in ROOTS[:hands]])
        self.broker.create(topic_specs(partitions, agencies={*SERVICES, *agencies}))
        self.watching: Watching | None = None
        """The deadline watcher."""
        self.log = MemoryLog(self.broker, self.keys["audit-log"], bus, partitions + 1)
        """The log of what its router decides."""
        self.losses: list[Loss] = []
        """What becomes of the next transactions, from the front."""
        self._automatic, self._running = automatic, False
        self._worker, self._lanes = self._wire(core, salts)
        self.broker.on_append = self._heard
        self._found({**SERVICES, **agencies}, policy, rules)

    def _found(self, roles: Mapping[str, Sequence[str]], policy: Policy, rules: Rules | None) -> None:
        self.change_directory(agencies=[self.entry(name, roles[name]) for name in roles], policy=policy)
        self.run()
        self.watching = None if rules is None else self._watch(rules)

    def _watch(self, rules: Rules) -> Watching:
        return Watching(
            rules,
            self.broker,
            bus=self.bus,
            partitions=self.partitions,
            keys=self.keys["watcher"],
            directory=lambda: self.directory,
        )

    def _wire(
        self, core: Core, salts: Callable[[int, int], Sequence[bytes]]
    ) -> tuple["_Worker", Mapping[int, "_Worker"]]:
        def lane(partition: int) -> Any:  # noqa: ANN401 - the core's own type
            return core.Lane(bus=self.bus, partition=partition, key=self.keys["router"].signing, salts=salts)

        def register(fold: Any, records: Sequence[Record]) -> Any:  # noqa: ANN401 - the core's own types
            return fold.step(records, self._inboxes())

        def route(fold: Any, records: Sequence[Record]) -> Any:  # noqa: ANN401 - the core's own types
            directory = self.directory
            found = [core.examine(record, directory, self.bus) for record in records]
            for item in found:
                core.verify_signature(item)
            return fold.step(found, directory, self._inboxes())

        def worker(number: int) -> _Worker:
            return _Worker(
                self.broker,
                (topics.SUBMISSIONS, number),
                number,
                lambda: core.Router(lane(number), self.partitions),
                route,
            )

        changes = _Worker(
            self.broker,
            (topics.DIRECTORY_SUBMISSIONS, 0),
            self.partitions,
            lambda: core.Registrar(lane(self.partitions), self.root),
            register,
        )
        return changes, {number: worker(number) for number in range(self.partitions)}

    def _inboxes(self) -> frozenset[str]:
        prefix = topics.inbox("")
        return frozenset(name.removeprefix(prefix) for name in self.broker.topics() if name.startswith(prefix))

    @property
    def directory(self) -> Directory:
        """The directory in force, expired or not."""
        directory: Directory | None = self._worker.fold.directory()
        if directory is None:
            raise LocalError(Code.DIRECTORY_MISSING, "the bus was not founded")
        return directory

    def entry(self, agency: str, roles: Sequence[str]) -> Entry:
        """Return a directory entry for *agency*, with keys that are made when it has none here."""
        if agency not in self.keys:
            self.keys[agency] = AgencyKeys.generate(agency)
        keys = self.keys[agency]
        now_ms = self.clock.now_ms()
        term = Term(from_ms=now_ms, until_ms=now_ms + _KEY_TERM_MS)
        desks = {address: address.partition("/")[2] or None for address in keys.sealing}
        return Entry(
            delivery=Delivery(kind="bus"),
            desks=tuple(desk for desk in desks.values() if desk is not None),
            id=agency,
            keys=(
                event_key_record(self.bus, agency, keys.signing, term),
                *(
                    sealing_key_record(self.bus, agency, key, term, signer=keys.signing, desk=desks[address])
                    for address, held in keys.sealing.items()
                    for key in held
                ),
            ),
            names=Names(en=agency, vi=agency),
            roles=tuple(roles),
        )

    def change_directory(
        self, *, agencies: Sequence[Entry] = (), policy: Policy | None = None, lifetime_s: float = _LIFETIME_S
    ) -> None:
        """Submit a change of the directory; without *agencies* and *policy* it renews the head."""
        previous = self._worker.fold.directory()
        self.broker.create(topic_specs(self.partitions, agencies=[entry.id for entry in agencies]))
        value, signature = self._registrar.change(
            previous, self.clock.now_ms(), round(lifetime_s * 1000), agencies=agencies, policy=policy
        )
        self.broker.append(topics.DIRECTORY_SUBMISSIONS, 0, None, value, ((H_SIGNATURE, signature),))

    def connect(self, agency: str) -> Callable[[], MemoryTransport]:
        """Return what makes *agency*'s connections; all of them have the faults in ``faults[agency]``."""
        faults = self.faults.setdefault(agency, Faults())
        return lambda: MemoryTransport(self.broker, faults)

    def step(self, most: int | None = None) -> int:
        """
        Let the router take one batch, of at most *most* records, from each partition; return how many it took.

        While the directory is expired referrals wait; a change of the directory never does.
        """
        taken = self._worker.step(most, self.losses)
        if self.clock.now_ms() < self.directory.expires_ms:
            taken += sum(worker.step(most, self.losses) for worker in self._lanes.values())
        return taken

    def run(self) -> None:
        """Let the router work, and the deadline watcher, until nothing is left to do."""
        self._running = True
        try:
            while self.step() or (self.watching is not None and self.watching.step()):
                pass
        finally:
            self._running = False

    def restart(self) -> None:
        """Kill the router and start another: it knows what the state topic holds, and nothing else."""
        for worker in (self._worker, *self._lanes.values()):
            worker.restart()

    @property
    def automatic(self) -> bool:
        """Whether the router goes to work at each submission; switched on, it first does what has been left."""
        return self._automatic

    @automatic.setter
    def automatic(self, automatic: bool) -> None:
        self._automatic = automatic
        self._heard()

    def _heard(self) -> None:
        if self._automatic and not self._running:
            self.run()


def _pinned(bus: str, keys: Sequence[SigningKey]) -> tuple[TrustRoot, registrar.Registrar]:
    root = registrar.trust_root(bus, keys, len(keys) // 2 + 1)
    return root, registrar.Registrar(agency="registrar", bus=bus, keys=keys)


def _complete(keys: Mapping[str, AgencyKeys], names: set[str]) -> dict[str, AgencyKeys]:
    return {**keys, **{name: AgencyKeys.generate(name) for name in names - keys.keys()}}


class _Worker:
    """One input partition, as the chassis runs it."""

    def __init__(
        self,
        broker: MemoryBroker,
        source: tuple[str, int],
        state_partition: int,
        make: Callable[[], Any],
        judge: Callable[[Any, Sequence[Record]], Any],
    ) -> None:
        self._broker = broker
        self._source = source
        self._state_partition = state_partition
        self._make = make
        self._judge = judge
        self.restart()

    def restart(self) -> None:
        self.fold = self._make()
        for record in self._broker.records(topics.STATE, self._state_partition):
            self.fold.restore(record.key, record.value)

    def step(self, most: int | None, losses: list[Loss]) -> int:
        records = self._broker.records(*self._source, self.fold.position() or 0)[:most]
        if not records:
            return 0
        step = self._judge(self.fold, records)
        loss = losses.pop(0) if losses else None
        if loss is not Loss.BEFORE:
            writes: Sequence[Write] = step.writes
            self._broker.transact(writes)
        if loss is None:
            self.fold.merge(step)
        else:
            # Whoever does not know what became of a transaction reads the state topic: that is what happened.
            self.restart()
        return len(records)
