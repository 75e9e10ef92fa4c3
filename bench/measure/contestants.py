"""Processes that drain the input topic: the router itself, and what it is measured against."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Final, Protocol

from measure.broker import Cluster
from measure.machine import ROOT
from measure.outputs import LEDGER, PARTITIONS
from measure.world import SENDERS, TEAM, World
from referral_contracts import topics
from referral_contracts.encoding import b64

PYTHONPATH: Final = os.pathsep.join(str(ROOT / part) for part in ("bench", "deploy", "deploy/kafka"))
_STOP_S: Final = 10.0
_POLL_S: Final = 0.05
_WAITING: Final = frozenset({"directory-missing", "directory-behind"})
"""What keeps a router from deciding before the directory's head is there."""
_ACCEPTED: Final = re.compile(rb'^referral_bus_records_total\{outcome="accepted"\} ([0-9.e+]+)$', re.MULTILINE)


class Contestant(Protocol):
    """One way to drain the input topic."""

    name: str
    progress: tuple[str, int]
    """The topic whose growth shows how far it has come, with its partitions: one record for each event."""

    async def start(self, cluster: Cluster) -> None:
        """Start its processes, and return when they drain."""

    @property
    def pids(self) -> Sequence[int]:
        """Its processes."""

    def check(self, count: int) -> None:
        """Raise unless it has done all of *count* events, as far as it can tell."""

    def stop(self) -> None:
        """End its processes."""


class Service:
    """One process of a service, as a deployment runs it."""

    def __init__(self, world: World, bootstrap: str, name: str, module: str, settings: Mapping[str, str]) -> None:
        """Prepare; `start` runs it."""
        self.log = world.trust.with_name(f"{name}.log")
        self._port = world.trust.with_name(f"{name}.port")
        self._name = name
        self._module = module
        self._settings = {
            "REFERRAL_BUS_BOOTSTRAP": bootstrap,
            "REFERRAL_BUS_TRUST": str(world.trust),
            "REFERRAL_BUS_HTTP_PORT": "0",
            "REFERRAL_BUS_HTTP_PORT_FILE": str(self._port),
            **settings,
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process."""
        if self._process is None:
            raise RuntimeError(f"the {self._name} was not started")
        return self._process.pid

    def start(self) -> None:
        """Start it, its log behind what was there."""
        self._port.unlink(missing_ok=True)
        env = {**os.environ, **self._settings}
        command = [sys.executable, "-m", self._module]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env)

    def get(self, path: str) -> tuple[int, bytes]:
        """Return the status and body of one of its pages; status 0 while it does not answer."""
        try:
            url = f"http://127.0.0.1:{int(self._port.read_text('ascii'))}{path}"
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except (OSError, ValueError):
            return 0, b""

    def wait_ready(self, timeout_s: float = 120.0, *, but: Collection[str] = ()) -> None:
        """Return once it says that it is ready, *but* for troubles with these codes."""
        deadline = time.monotonic() + timeout_s
        while True:
            status, body = self.get("/readyz")
            troubles = {trouble["code"] for trouble in json.loads(body)["troubles"]} if body else {"no answer"}
            if status and troubles <= set(but):
                return
            if time.monotonic() > deadline or (self._process is not None and self._process.poll() is not None):
                raise RuntimeError(f"the {self._name} did not get ready: {sorted(troubles)}; see {self.log}")
            time.sleep(_POLL_S)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait(_STOP_S)

    def stop(self) -> None:
        """End it in order, or by force when it takes too long."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()


class Router(Service):
    """One process of the router."""

    def __init__(self, world: World, bootstrap: str, number: int = 1) -> None:
        """Prepare; `start` runs it."""
        settings = {"REFERRAL_BUS_ROUTER_KEY": str(world.router_key)}
        super().__init__(world, bootstrap, f"router-{number}", "referral_router", settings)

    def accepted(self) -> int:
        """Return how many submissions it has accepted."""
        found = _ACCEPTED.search(self.get("/metrics")[1])
        return round(float(found[1])) if found else 0


class Routers:
    """The secured router, in one or more processes."""

    def __init__(self, world: World, bootstrap: str, processes: int = 1) -> None:
        """Prepare to run so many *processes*."""
        self.name = "router" if processes == 1 else f"{processes} routers"
        self.progress = (topics.LEDGER, PARTITIONS)
        self._head = world.head
        self._routers = [Router(world, bootstrap, number + 1) for number in range(processes)]

    async def start(self, cluster: Cluster) -> None:
        """
        Start them, wait until each has its partitions, and let them go: only then does the directory get its head.

        Without one referrals wait; so neither the start nor the group's coming together is measured.
        """
        for router in self._routers:
            router.start()
        for router in self._routers:
            await asyncio.to_thread(router.wait_ready, but=_WAITING)
        await cluster.fill([self._head])

    @property
    def pids(self) -> Sequence[int]:
        return [router.pid for router in self._routers]

    def check(self, count: int) -> None:
        accepted = sum(router.accepted() for router in self._routers)
        if accepted != count:
            raise RuntimeError(f"the router accepted {accepted} of {count} events; see {self._routers[0].log}")

    def stop(self) -> None:
        for router in self._routers:
            router.stop()


class Script:
    """A module of this package, run as a process of its own."""

    def __init__(self, name: str, module: str, arguments: Sequence[str], log: Path, progress: tuple[str, int]) -> None:
        """Prepare to run *module* with *arguments*."""
        self.name = name
        self.progress = progress
        self._command = [sys.executable, "-m", module, *arguments]
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self, cluster: Cluster) -> None:
        del cluster
        self._launch()

    def _launch(self) -> None:
        env = {**os.environ, "PYTHONPATH": PYTHONPATH}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env)

    @property
    def pids(self) -> Sequence[int]:
        return [] if self._process is None else [self._process.pid]

    def check(self, count: int) -> None:
        del count
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError(f"{self.name} has ended; see {self._log}")

    def stop(self) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        # It has nothing to finish: what it holds is gone with it.
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(_STOP_S)


def forwarder(cluster: Cluster, outputs: Path, *, large: bool = False, copies_only: bool = False) -> Script:
    """
    Return the bare forwarder.

    Args:
        large: With batches as large as the router's, not aiokafka's 16 KB.
        copies_only: Of the recipients' copies only; progress shows in the inbox that every event goes to.
    """
    name = "forwarder" + (", large batches" if large else "") + (", copies only" if copies_only else "")
    arguments = [cluster.bootstrap, str(outputs), *(["large"] if large else []), *(["copies"] if copies_only else [])]
    progress = (topics.inbox(TEAM[0]), 1) if copies_only else (LEDGER, PARTITIONS)
    return Script(name, "measure.forwarder", arguments, outputs.with_name("forwarder.log"), progress)


def floor(world: World, cluster: Cluster, outputs: Path, *, kept: bool = True) -> Script:
    """Return the unavoidable floor; *kept*: with the memory settings of the router's process."""
    keys = [world.keys[sender].signing for sender in SENDERS]
    told = ",".join(f"{key.kid}={b64(key.public)}" for key in keys)
    arguments = [cluster.bootstrap, str(outputs), told, *(["kept"] if kept else [])]
    name = "floor" if kept else "floor, default memory"
    return Script(name, "measure.floor", arguments, outputs.with_name("floor.log"), (LEDGER, PARTITIONS))
