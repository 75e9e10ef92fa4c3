"""`docs/adopt.md` is true: every command on it is typed on a bus in memory, every file saved and run."""

import asyncio
import os
import re
import runpy
import shlex
import ssl
import subprocess
import sys
import tomllib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import referral_bus
import referral_bus.client
import referral_router.core
from founding import ROOT_FILES, Founding
from kafka_node import Authority
from referral_bus import AgencyKeys, Tls
from referral_bus._cli import run
from referral_bus._cli.world import World
from referral_bus.testing import Simulator
from referral_bus.testing.memory import MemoryTransport
from referral_contracts.topics import topic_specs
from tests.docs.page import Reader
from tests.sdk.cli.terminal import winding

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "adopt.md"
BOOTSTRAP = "127.0.0.1:9092"


@dataclass(slots=True)
class Shell:
    """What types on a bus in memory: our commands in this process, all others in a shell."""

    simulator: Simulator
    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch
    environ: dict[str, str] = field(default_factory=lambda: dict(os.environ))

    def type(self, command: str) -> tuple[int, str]:
        """Carry out one command line."""
        words = shlex.split(command) if "\n" not in command else []
        match words:
            case ["export", *settings]:
                # The PATH is the test's own already.
                parted = [setting.partition("=") for setting in settings if "$" not in setting]
                self.environ.update({name: value for name, _, value in parted})
                return 0, ""
            case ["referral-bus", *arguments, ">", file]:
                ended, written = self._own(arguments)
                Path(file).write_text(written, "utf-8")
                return ended, ""
            case ["referral-bus", *arguments]:
                return self._own(arguments)
            case ["python", "deploy/provision.py", *_, agency]:
                specs = topic_specs(self.simulator.partitions, [agency])
                self.simulator.broker.create(specs)
                return 0, f"+ inbox.{agency}: 1 partitions\nand its rights\n"
            case ["python", file]:
                return self._program(file)
            case _:
                return self._other(command)

    def _other(self, command: str) -> tuple[int, str]:
        done = subprocess.run(
            ["/bin/sh", "-c", re.sub("^python ", f"{sys.executable} ", command)],
            env={**self.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        return done.returncode, done.stdout

    def _own(self, arguments: list[str]) -> tuple[int, str]:
        world = World(
            environ=self.environ,
            connect=lambda where, _: self.simulator.connect(where),
            clock=self.simulator.clock,
            run=self._in_loop,
        )
        ended = run(arguments, world)
        written = self.capsys.readouterr()
        return ended, written.out + written.err

    def _program(self, file: str) -> tuple[int, str]:
        """Run a program as it is, on this bus and in its time."""
        with self.monkeypatch.context() as patched:
            patched.setattr(asyncio, "run", self._in_loop)
            patched.setattr(referral_bus, "kafka", self._kafka)
            patched.setattr(referral_bus.client, "SystemClock", lambda: self.simulator.clock)
            runpy.run_path(file, run_name="__main__")
        return 0, self.capsys.readouterr().out

    def _kafka(self, where: str, *, tls: Tls) -> Callable[[], MemoryTransport]:
        assert tls.context().minimum_version is ssl.TLSVersion.TLSv1_3
        return self.simulator.connect(where)

    def _in_loop(self, work: Coroutine[Any, Any, Any]) -> Any:
        with asyncio.Runner() as runner:
            return runner.run(winding(self.simulator.clock, work, lambda: None))


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Give a clone in which `make up` was typed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "deploy").symlink_to(ROOT / "deploy")
    bus = tmp_path / ".run" / "bus"
    founding = Founding.open(bus, ROOT / "deploy" / "agencies.toml", Authority.open(bus / "pki"))
    founding.tell_addresses(BOOTSTRAP)
    (bus / "bootstrap").write_text(BOOTSTRAP)
    plan = tomllib.loads((ROOT / "deploy" / "agencies.toml").read_text("utf-8"))["agency"]
    agencies = {agency["id"]: agency["roles"] for agency in plan if agency["roles"] != [agency["id"]]}
    keys = {name: founding.keys(name) for name in (*agencies, "registrar")}
    keys |= {Path(name).stem: AgencyKeys.load(founding.folder("registrar") / name) for name in ROOT_FILES}
    simulator = Simulator(core=referral_router.core, agencies=agencies, keys=keys, policy=founding._policy(), hands=3)
    return Shell(simulator, capsys, monkeypatch)


def test_the_page_can_be_followed_to_its_end(shell: Shell) -> None:
    assert Reader(Path.cwd(), shell.type).follow(PAGE.read_text("utf-8")) > 40
