"""
The demonstration, run as a person runs it: `make demo` without the making.

Whatever it leaves in its home is what the tests look at; Kafka is started once more on the data that it left, so that
the ledger can be read after the demonstration has ended everything.
"""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kafka_node import KafkaNode
from referral_bus import TrustRoot, load_trust
from tests.kafka.ledger_check import Held, settled

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "examples" / "demo.py"
_TOO_LONG_S = 240.0
"""It takes forty seconds, on a busy machine a minute and a half; a test that hangs has to end all the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoRun:
    """A run that has ended, and what it left."""

    home: Path
    code: int
    told: str
    """What it wrote on the terminal."""
    complaints: str
    """And on standard error."""
    held: Held = field(repr=False)
    left: list[str]
    """Processes that are still there."""

    @property
    def trust(self) -> TrustRoot:
        return load_trust(self.home / "trust.json")


class Playing:
    """A run that is still going on."""

    def __init__(self, home: Path, environ: Mapping[str, str] | None = None) -> None:
        self.home = home
        mine = () if environ else ("KAFKA_BOOTSTRAP", "KAFKA_PKI")
        env = {name: value for name, value in os.environ.items() if name not in mine}
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM), "--home", str(home)],
            cwd=ROOT,
            env={**env, **(environ or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._alarm = threading.Timer(_TOO_LONG_S, self.process.send_signal, [signal.SIGKILL])
        self._alarm.start()

    def until(self, words: str) -> None:
        """Return as soon as it has said *words*."""
        assert self.process.stdout is not None
        if not any(words in line for line in self.process.stdout):
            raise AssertionError(f"it never said {words!r}: {self.end()}")

    def end(self) -> tuple[int, str, str]:
        """Return its exit code and the rest of what it said, once it has ended."""
        told, complaints = self.process.communicate()
        self._alarm.cancel()
        return self.process.returncode, told, complaints


def run(home: Path) -> DemoRun:
    """Play the demonstration from beginning to end."""
    code, told, complaints = Playing(home).end()
    left = processes_of(home)
    with KafkaNode.start(data_dir=home / "kafka") as node:
        held = asyncio.run(settled(node.bootstrap))
    return DemoRun(home=home, code=code, told=told, complaints=complaints, held=held, left=left)


def processes_of(home: Path) -> list[str]:
    """Return every process that has *home* in its arguments, its settings or its place."""
    found, needle = [], os.fsencode(home)
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            arguments = (folder / "cmdline").read_bytes()
            place = os.fsencode((folder / "cwd").readlink())
            if needle in arguments or needle in place or needle in (folder / "environ").read_bytes():
                found.append(arguments.replace(b"\0", b" ").decode(errors="replace"))
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue  # it has ended in between, or is somebody else's
    return found
