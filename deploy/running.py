"""
A bus that runs on this machine: Kafka, topics, a founded directory, the router, and the head renewed in time.

Used alike by ``make up``, the demonstration, the benchmarks and the tests. What it starts it also ends, by pid, and a
router that dies is started again.
"""

import asyncio
import contextlib
import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from aiokafka.errors import KafkaError

from founding import Founding
from kafka_node import KafkaNode
from provision import provision
from referral_bus._kafka import KafkaTransport
from referral_bus.transport import Submission
from referral_contracts import topics
from referral_contracts.directory import Directory
from referral_contracts.directory_shelf import Shelf
from referral_contracts.topics import H_SIGNATURE, topic_specs

AGENCIES: Final = Path(__file__).parent / "agencies.toml"
PARTITIONS: Final = 4
RENEW_S: Final = 900.0
_READY_S: Final = 60.0
_STOP_S: Final = 15.0
_POLL_S: Final = 0.1
_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h

Say = Callable[[str], None]


def _ending_with_us() -> Callable[[], None] | None:
    """Return what has the kernel end a child when the process that started it is gone, however it went."""
    # The signal follows the thread that started the child: only a main thread lives as long as its process.
    if sys.platform != "linux" or threading.current_thread() is not threading.main_thread():
        return None
    libc = ctypes.CDLL(None)  # loaded here: between fork and exec there is no room for surprises
    return lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class NotReady(Exception):
    """A part of the bus did not come up; the text says which, and where its log is."""


def not_answering(bootstrap: str, error: KafkaError) -> NotReady:
    """Return what to raise when *bootstrap* is no broker, or one that does not do what is asked."""
    return NotReady(f"Kafka at {bootstrap} does not answer ({type(error).__name__}): is KAFKA_BOOTSTRAP right?")


class Router:
    """One router process."""

    def __init__(self, founding: Founding, bootstrap: str, number: int = 1) -> None:
        """Prepare; `start` runs it."""
        self._founding = founding
        self._bootstrap = bootstrap
        self.log = founding.home / f"router-{number}.log"
        self._port_file = founding.home / f"router-{number}.port"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process, its log behind what it wrote before."""
        self._port_file.unlink(missing_ok=True)
        env = {
            **os.environ,
            "REFERRAL_BUS_BOOTSTRAP": self._bootstrap,
            "REFERRAL_BUS_TRUST": str(self._founding.home / "trust.json"),
            "REFERRAL_BUS_ROUTER_KEY": str(self._founding.folder("router") / "keys.json"),
            "REFERRAL_BUS_HTTP_PORT": "0",
            "REFERRAL_BUS_HTTP_PORT_FILE": str(self._port_file),
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "referral_router"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=env,
                preexec_fn=_ending_with_us(),  # noqa: PLW1509 - one system call, no lock is taken
            )

    @property
    def http(self) -> str | None:
        """Where health and metrics are, once the process listens."""
        try:
            return f"http://127.0.0.1:{int(self._port_file.read_text('ascii'))}"
        except (FileNotFoundError, ValueError):
            return None

    def get(self, path: str) -> tuple[int, bytes]:
        """Return the status and body of one of its pages; status 0 while it does not answer."""
        if self.http is None:
            return 0, b""
        try:
            with urllib.request.urlopen(self.http + path, timeout=5) as answer:  # noqa: S310 - our own address
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError:
            return 0, b""

    def wait_ready(self, timeout_s: float = _READY_S) -> None:
        """Return once it is ready, or raise NotReady."""
        deadline = time.monotonic() + timeout_s
        while True:
            status, body = self.get("/readyz")
            if status == 200:
                return
            if self.process is not None and self.process.poll() is not None:
                raise NotReady(f"the router ended with {self.process.returncode}; its log: {self.log}")
            if time.monotonic() > deadline:
                troubles = json.loads(body).get("troubles") if body else "no answer"
                raise NotReady(f"the router is not ready: {troubles}; its log: {self.log}")
            time.sleep(_POLL_S)

    def stop(self) -> int | None:
        """End it in order, by force if it takes too long; return its exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(_STOP_S)
        if self.process.poll() is None:
            self.process.kill()
        return self.process.wait()

    def kill(self) -> None:
        """End it as a power cut would."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()


class RunningBus:
    """A founded bus with its broker and router, for as long as it is held."""

    def __init__(self, home: Path, *, say: Say, bootstrap: str | None = None, agencies: Path = AGENCIES) -> None:
        """
        Start it and wait until it is ready.

        Args:
            home: Where keys, logs and Kafka's data lie. What is there is used again.
            say: Is told what is going on.
            bootstrap: A broker to use; none is started then.
            agencies: Who is on the bus.

        Raises:
            NotReady: The router does not come up.
            NotInstalled, KafkaFailed: The broker does not.
        """
        self._say = say
        self._node: KafkaNode | None = None
        self.routers: list[Router] = []
        try:
            if bootstrap is None:
                say("starting Kafka")
                self._node = KafkaNode.start(data_dir=home / "kafka", say=say)
                bootstrap = self._node.bootstrap
            self.bootstrap = bootstrap
            self.founding = Founding.open(home, agencies)
            try:
                differences = asyncio.run(provision(bootstrap, topic_specs(PARTITIONS, self.founding.agencies)))
            except KafkaError as error:
                raise not_answering(bootstrap, error) from error
            for line in differences:
                say(f"differs: {line}")
            asyncio.run(refuse_another_bus(self.founding, bootstrap))
            self.founding.tell_bootstrap(bootstrap)
            say("starting the router")
            self.start_router()
            version = asyncio.run(bring_up_to_date(self.founding, bootstrap))
            self.routers[0].wait_ready()
            say(f"ready: Kafka at {bootstrap}, directory version {version}")
        except BaseException:
            self.close()
            raise

    @property
    def node(self) -> KafkaNode | None:
        """The broker, when it is ours."""
        return self._node

    def start_router(self) -> Router:
        """Start one more router process."""
        router = Router(self.founding, self.bootstrap, len(self.routers) + 1)
        router.start()
        self.routers.append(router)
        return router

    def look_after(self) -> None:
        """Start again what has died."""
        for router in self.routers:
            if router.process is not None and router.process.poll() is not None:
                self._say(f"a router ended with {router.process.returncode}; starting it again")
                router.start()

    def renew(self) -> int:
        """Renew the directory's head and return its version."""
        return asyncio.run(bring_up_to_date(self.founding, self.bootstrap))

    def close(self) -> None:
        """End everything that was started."""
        for router in self.routers:
            router.stop()
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
    transport = KafkaTransport(bootstrap)
    shelf = Shelf(founding.trust)
    try:
        await _read_on(transport, shelf, 0)
    finally:
        await transport.close()
    if shelf.current is None and shelf.fault is not None:
        raise NotReady(f"the broker at {bootstrap} carries another bus than {founding.home}")


async def bring_up_to_date(founding: Founding, bootstrap: str, timeout_s: float = _READY_S) -> int:
    """Found the directory, or renew its head; return the version once the bus has taken it."""
    transport = KafkaTransport(bootstrap)
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
