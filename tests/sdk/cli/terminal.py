"""
Scripts that read like a terminal: commands, what they end with, what they write.

    as hotline-111                     speak as that agency from here on
    referral-bus check mau01.json      has to end with 0
    ! 2 referral-bus check nothing     has to end with 2
    stdout 'regex'                     the last command wrote this; `! stdout` that it did not; stderr alike
    silent stdout                      it wrote nothing
    let CASE stdout '([0-9a-f]{32})'   remember the first group; ${CASE} later
    bus away · bus back                nobody reaches the broker; router stops · router works alike

Below the commands come files, each under a line ``-- name --``. `${examples}` is the folder of the case file.
The bus is the simulator; its clock is wound whenever everybody waits.
"""

import asyncio
import io
import re
import shlex
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from referral_bus._cli import run
from referral_bus._cli.world import Exit, Identity, World
from referral_bus.keys import AgencyKeys
from referral_bus.log import OpenLog
from referral_bus.testing import Clock, Simulator
from referral_bus.transport import Connect
from referral_contracts.payloads.shown import personal_strings
from referral_contracts.sections import read_draft
from referral_router import core

EXAMPLES = Path(__file__).parents[3] / "examples"
AGENCIES: Mapping[str, Sequence[str]] = {
    "hotline-111": ["hotline"],
    "xa-thi-du": ["commune"],
    "xa-vi-du": ["commune"],
    "cong-an": ["police"],
    "benh-vien": ["hospital"],
    "ctxh": ["social-work"],
    "tgpl": ["legal-aid"],
    "truong": ["school"],
    "so-lieu": ["statistics"],
}
KEYS: dict[str, AgencyKeys] = {}
"""Made once: making them takes longer than most scripts."""
PERSONAL = frozenset(
    text for path in EXAMPLES.glob("*.json") for text in personal_strings(read_draft(path.read_bytes()))
)
TURNS = 50
"""How often the loop turns before everybody is taken to be waiting."""


async def winding(clock: Clock, work: Coroutine[Any, Any, Exit], meanwhile: Callable[[], None]) -> Exit:
    """Return what *work* returns, winding the clock to the next sleeper whenever nobody does anything."""
    task = asyncio.ensure_future(work)
    while not task.done():
        for _ in range(TURNS):
            await asyncio.sleep(0)
        meanwhile()
        if not task.done() and clock.sleepers:
            clock.wind(min(until_ms for until_ms, _ in clock._sleepers) / 1000 - clock.now_ms() / 1000)
    return task.result()


def nowhere(_bootstrap: str, _identity: Identity) -> Connect:
    pytest.fail("this command needs no broker")


def type_alone(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run a command that needs no bus and no agency; return what it ends with and what it writes."""
    capsys.readouterr()
    code = run(
        arguments,
        World(environ={"REFERRAL_BUS_UNSAFE_PLAINTEXT": "1"}, connect=nowhere, clock=Clock(), run=asyncio.run),
    )
    written = capsys.readouterr()
    return code, written.out, written.err


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """A bus in memory, the folders of its agencies, and somebody who types."""

    folder: Path
    capsys: pytest.CaptureFixture[str]
    simulator: Simulator = field(default_factory=lambda: Simulator(core=core, agencies=AGENCIES, keys=KEYS))
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        KEYS.update(self.simulator.keys)
        for agency in (*AGENCIES, "registrar"):
            self._settle(agency)
        self.simulator.keys["root"].save(self.folder / "registrar" / "root.json")

    def _settle(self, agency: str) -> None:
        home = self.folder / agency
        home.mkdir()
        self.simulator.keys[agency].save(home / "keys.json")
        (home / "trust.json").write_bytes(self.simulator.root.encode())
        (home / "bus.toml").write_text(f'agency = "{agency}"\nbootstrap = "{agency}:9092"\n')

    def type(self, *arguments: str, meanwhile: Callable[[], None] = lambda: None) -> tuple[int, str, str]:
        """Run one command; return what it ends with and what it writes. *meanwhile* is called while it waits."""
        self.capsys.readouterr()
        code = run(arguments, self.world(meanwhile))
        written = self.capsys.readouterr()
        return code, written.out, written.err

    def world(self, meanwhile: Callable[[], None] = lambda: None) -> World:
        """Return the world that a command runs in."""
        clock = self.simulator.clock

        def connect(bootstrap: str, _identity: Identity) -> Connect:
            # Each agency has an address of its own, so that the bus can be away for one alone.
            return self.simulator.connect(bootstrap.partition(":")[0])

        def run_in_loop(work: Coroutine[Any, Any, Exit]) -> Exit:
            return asyncio.run(winding(clock, work, meanwhile))

        def open_log(_url: str) -> OpenLog:
            return self.simulator.log.open

        return World(environ=self.environ, connect=connect, clock=clock, open_log=open_log, run=run_in_loop)


@dataclass(slots=True)
class Script:
    """A script, and where it is."""

    terminal: Terminal
    monkeypatch: pytest.MonkeyPatch
    words: dict[str, str] = field(default_factory=lambda: {"examples": str(EXAMPLES)})
    ended: int = 0
    out: str = ""
    err: str = ""

    def play(self, text: str) -> None:
        """Play *text* to its end."""
        commands, *files = re.split(r"^-- (\S+) --\n", text, flags=re.MULTILINE)
        for name, content in zip(files[::2], files[1::2], strict=True):
            (self.terminal.folder / name).write_text(content, "utf-8")
        for number, line in enumerate(commands.splitlines(), 1):
            filled = re.sub(r"\$\{(\w+)\}", lambda found: self.words[found[1]], line)
            parts = shlex.split(filled, comments=True)
            if parts:
                try:
                    self._step(parts)
                except AssertionError as error:
                    shown = f"line {number}: {line}\nended {self.ended}\n{self.out}{self.err}"
                    raise AssertionError(f"{shown}\n{error}") from None

    def _step(self, parts: list[str]) -> None:
        match parts:
            case ["referral-bus", *arguments]:
                self._type(arguments, 0)
            case ["!", code, "referral-bus", *arguments]:
                self._type(arguments, int(code))
            case ["stdout" | "stderr" as stream, pattern]:
                assert re.search(pattern, self._written(stream), re.MULTILINE), f"no {pattern!r} in {stream}"
            case ["!", "stdout" | "stderr" as stream, pattern]:
                assert not re.search(pattern, self._written(stream), re.MULTILINE), f"{pattern!r} in {stream}"
            case ["silent", "stdout" | "stderr" as stream]:
                assert not self._written(stream)
            case ["let", name, "stdout" | "stderr" as stream, pattern]:
                found = re.search(pattern, self._written(stream))
                assert found, f"no {pattern!r} in {stream}"
                self.words[name] = found[1]
            case _:
                self._world_step(parts)

    def _world_step(self, parts: list[str]) -> None:
        simulator = self.terminal.simulator
        match parts:
            case ["as", "nobody"]:
                self.terminal.environ.pop("REFERRAL_BUS_HOME", None)
            case ["as", agency]:
                self.terminal.environ["REFERRAL_BUS_HOME"] = str(self.terminal.folder / agency)
            case ["set", name, value]:
                self.terminal.environ[name] = value
            case ["bus", "away" | "back" as where]:
                simulator.broker.away = where == "away"
            case ["router", "stops" | "works" as what]:
                simulator.automatic = what == "works"
            case ["wind", seconds]:
                simulator.clock.wind(float(seconds))
            case ["chmod", mode, name]:
                (self.terminal.folder / name).chmod(int(mode, 8))
            case ["stdin", name]:
                content = io.BytesIO((self.terminal.folder / name).read_bytes())
                self.monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(content))
            case _:
                raise AssertionError("not a step of a script")

    def _type(self, arguments: Sequence[str], expected: int) -> None:
        self.ended, self.out, self.err = self.terminal.type(*arguments)
        assert expected == self.ended
        # Opened or read, what a form says about a person is never in an error or a hint.
        assert [text for text in PERSONAL if text in self.err] == []

    def _written(self, stream: str) -> str:
        return self.out if stream == "stdout" else self.err
