"""
A bus that runs on this machine: Kafka, topics, a founded directory, router, deadline watcher, audit log, witnesses.

Used alike by ``make up``, the demonstration, the benchmarks and the tests. It renews the directory's head. What it
starts it also ends, by pid, and a service that dies is started again.
"""

import asyncio
import os
import socket
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from aiokafka.errors import KafkaError

from founding import Founding
from kafka_node import Authority, KafkaNode, authority_of
from provision import apply, look
from reaching import as_operator
from referral_bus._kafka import KafkaTransport
from referral_bus.transport import Submission
from referral_contracts import topics
from referral_contracts.directory import Directory
from referral_contracts.directory_shelf import Shelf
from referral_contracts.topics import H_SIGNATURE
from service_chassis.kafka import Kafka
from service_process import READY_S, NotReady, ServiceProcess
from witnessing import WitnessProcess

AGENCIES: Final = Path(__file__).parent / "agencies.toml"
PARTITIONS: Final = 4
RENEW_S: Final = 900.0
PACKS: Final = Path(__file__).parents[1] / "contracts" / "packs"
LAW: Final = (PACKS / "national.toml", PACKS / "policy.toml")
"""The rules that a deadline watcher usually watches by."""
DEMONSTRATION: Final = (PACKS / "demo.toml",)
"""The same in seconds."""
_CALENDAR: Final = PACKS / "calendar" / "vn.toml"
_POLL_S: Final = 0.1

Say = Callable[[str], None]


def rules_from(environ: Mapping[str, str]) -> Sequence[Path]:
    """
    Return the packs that REFERRAL_BUS_PACKS lists, with a colon between them; those of the law where it does not.

    Raises:
        NotReady: One of them is not there.
    """
    paths = [Path(name) for name in environ.get("REFERRAL_BUS_PACKS", "").split(":") if name] or LAW
    for path in paths:
        if not path.is_file():
            raise NotReady(f"there is no pack of rules {path}: is REFERRAL_BUS_PACKS right?")
    return paths


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def not_answering(bootstrap: str, error: KafkaError) -> NotReady:
    """Return what to raise when *bootstrap* is no broker, or one that does not do what is asked."""
    return NotReady(
        f"Kafka at {bootstrap} does not answer ({type(error).__name__}): is KAFKA_BOOTSTRAP right, and KAFKA_PKI?"
    )


class RunningBus:
    """A founded bus with its broker and services, for as long as it is held."""

    def __init__(
        self,
        home: Path,
        *,
        say: Say,
        bootstrap: str | None = None,
        agencies: Path = AGENCIES,
        rules: Sequence[Path] = (),
        log: bool = False,
        witnessed: bool = False,
    ) -> None:
        """
        Start it and wait until it is ready.

        Args:
            home: Where keys, logs and Kafka's data lie. What is there is used again.
            say: Is told what is going on.
            bootstrap: A broker to use; none is started then.
            agencies: Who is on the bus.
            rules: The packs that a deadline watcher watches by; without any there is none.
            log: Whether there is an audit log.
            witnessed: Whether the agencies that witness it by the plan do so.

        Raises:
            NotReady: A service does not come up.
            NotInstalled, KafkaFailed: The broker does not.
        """
        self._say = say
        self._node: KafkaNode | None = None
        self.routers: list[ServiceProcess] = []
        self.watchers: list[ServiceProcess] = []
        self.logs: list[ServiceProcess] = []
        self.witnesses: list[WitnessProcess] = []
        self._rules: Sequence[Path] = ()
        try:
            self.bootstrap, authority = self._broker(bootstrap, home, agencies)
            self.founding = Founding.open(home, agencies, authority)
            self._provision()
            asyncio.run(refuse_another_bus(self.founding, self.bootstrap))
            self.founding.tell_addresses(self.bootstrap)
            self._start_services(rules, log=log, witnessed=witnessed)
            say(f"ready: Kafka at {self.bootstrap}, directory version {self._wait_ready()}")
        except BaseException:
            self.close()
            raise

    def _broker(self, bootstrap: str | None, home: Path, agencies: Path) -> tuple[str, Authority | None]:
        """Return where the broker is, *bootstrap* or one that is started, and whose certificates it believes."""
        organisation = tomllib.loads(agencies.read_text("utf-8"))["bus"]
        if bootstrap is not None:
            return bootstrap, authority_of(os.environ, home / "pki", organisation)
        self._say("starting Kafka")
        self._node = KafkaNode.start(
            data_dir=home / "kafka", pki=home / "pki", organisation=organisation, say=self._say
        )
        return self._node.bootstrap, self._node.authority

    def _provision(self) -> None:
        try:
            left = asyncio.run(self._make_right())
        except (KafkaError, OSError) as error:
            raise not_answering(self.bootstrap, error) from error
        for line in left:
            self._say(f"differs: {line}")

    def _wait_ready(self) -> int:
        """Return the directory's version once everything is ready."""
        version = self.renew()
        for process in self._processes:
            process.wait_ready()
        return version

    async def _make_right(self) -> Sequence[str]:
        # Rights are put right without asking. A topic that is there is left as it is: somebody may have meant it.
        wanted, kafka = self.founding.wanted(PARTITIONS), self.kafka
        found = await look(kafka, wanted, closed=kafka.tls is not None)
        await apply(kafka, replace(found, drifted=()))
        return [*found.drift, *found.miscounted]

    @property
    def kafka(self) -> Kafka:
        """The operator's way to the broker."""
        return as_operator(self.bootstrap, self.founding.authority)

    @property
    def node(self) -> KafkaNode | None:
        """The broker, when it is ours."""
        return self._node

    def _start_services(self, rules: Sequence[Path], *, log: bool, witnessed: bool) -> None:
        places = self.founding.witnesses() if witnessed else []
        named = ["the router", *(["the deadline watcher"] if rules else []), *(["the audit log"] if log else [])]
        named += [f"{len(places)} witnesses"] if places else []
        self._say("starting " + " and ".join(filter(None, (", ".join(named[:-1]), named[-1]))))
        self.start_router()
        if rules:
            self.start_watcher(rules)
        if log:
            self.founding.tell_policy(places)
            for place in places:
                witness = WitnessProcess(self.founding.home, place, len(self.witnesses) + 1)
                self.witnesses.append(witness)
                witness.start()
            self.start_log()

    @property
    def services(self) -> Sequence[ServiceProcess]:
        """Every service that was started, in the order in which they end."""
        return (*self.logs, *self.watchers, *self.routers)

    @property
    def _processes(self) -> Sequence[ServiceProcess]:
        # The log first: what it has appended last is to be witnessed too.
        return (*self.logs, *self.witnesses, *self.watchers, *self.routers)

    def start_router(self) -> ServiceProcess:
        """Start one more router process."""
        return self._start(self.routers, "router", "referral_router", self.founding.router_settings())

    def start_watcher(self, rules: Sequence[Path]) -> ServiceProcess:
        """Start one more deadline watcher, which watches by *rules*."""
        self._rules = rules
        return self._start(self.watchers, "watcher", "deadline_watcher", self.watcher_settings())

    def watcher_settings(self) -> dict[str, str]:
        """Return the deadline watcher's variables, but for the broker."""
        listed = ":".join(str(path.resolve()) for path in self._rules)
        rules = {"REFERRAL_BUS_PACKS": listed, "REFERRAL_BUS_CALENDAR": str(_CALENDAR)}
        return self.founding.watcher_settings() | rules

    def start_log(self) -> ServiceProcess:
        """Start the audit log; a second one finds that it is not alone."""
        port = _free_port()
        log = self._start(self.logs, "audit log", "audit_log", self.founding.log_settings(port))
        if log is self.logs[0]:
            # Whoever starts it again finds it where it was.
            self.founding.tell_addresses(self.bootstrap, f"http://127.0.0.1:{port}")
        return log

    def _start(
        self, processes: list[ServiceProcess], name: str, module: str, settings: dict[str, str]
    ) -> ServiceProcess:
        settings["REFERRAL_BUS_BOOTSTRAP"] = self.bootstrap
        process = ServiceProcess(self.founding.home, name, module, settings, len(processes) + 1)
        process.start()
        processes.append(process)
        return process

    def look_after(self) -> None:
        """Start again what has died."""
        if self._node is not None and not self._node.running:
            self._say("Kafka ended; starting it again")
            self._node.restart()
        for one in self._processes:
            if one.process is not None and one.process.poll() is not None:
                self._say(f"a {one.name} ended with {one.process.returncode}; starting it again")
                one.start()

    def renew(self) -> int:
        """Renew the directory's head, and certificates; return the head's version."""
        self.founding.certify()
        return asyncio.run(bring_up_to_date(self.founding, self.bootstrap))

    def close(self) -> None:
        """End everything that was started."""
        for process in self._processes:
            process.stop()
        if self._node is not None:
            self._node.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


async def refuse_another_bus(founding: Founding, bootstrap: str) -> None:
    """
    Return if the broker carries this bus, or none yet: two routers of two buses would judge each other's events.

    Raises:
        NotReady: It carries another.
    """
    transport = founding.transport(bootstrap, "registrar")
    shelf = Shelf(founding.trust)
    try:
        await _read_on(transport, shelf, 0)
    finally:
        await transport.close()
    if shelf.current is None and shelf.fault is not None:
        raise NotReady(f"the broker at {bootstrap} carries another bus than {founding.home}")


async def bring_up_to_date(founding: Founding, bootstrap: str, timeout_s: float = READY_S) -> int:
    """Found the directory, or renew its head; return the version once the bus has taken it."""
    transport = founding.transport(bootstrap, "registrar")
    try:
        shelf = Shelf(founding.trust)
        offset = await _read_on(transport, shelf, 0)
        now_ms = time.time_ns() // 1_000_000
        previous: Directory | None = shelf.current
        value, signature = founding.first_change(now_ms) if previous is None else founding.renewal(previous, now_ms)
        wanted = 1 if previous is None else previous.version + 1
        await transport.submit(topics.DIRECTORY_SUBMISSIONS, [Submission(0, None, value, [(H_SIGNATURE, signature)])])
        deadline = time.monotonic() + timeout_s
        while shelf.current is None or shelf.current.version < wanted:
            if time.monotonic() > deadline:
                raise NotReady(f"the directory's version {wanted} was not taken")
            offset = await _read_on(transport, shelf, offset)
    finally:
        await transport.close()
    return shelf.current.version


async def _read_on(transport: KafkaTransport, shelf: Shelf, offset: int) -> int:
    _, end = await transport.bounds(topics.DIRECTORY, 0)
    while offset < end:
        records = await transport.read(topics.DIRECTORY, 0, offset, 1.0)
        for record in records:
            shelf.take(record.key, record.value)
        # Behind the last record may lie only a transaction's marker, which no reader is given.
        offset = records[-1].offset + 1 if records else end
    shelf.settle()
    if not shelf.current:
        await asyncio.sleep(_POLL_S)
    return offset
