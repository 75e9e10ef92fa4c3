"""A witness as an agency runs it: a process, asked over HTTP."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Self

from referral_bus.witness import WitnessKey, WitnessStore
from referral_contracts.log.policy import Policy
from referral_contracts.log.witnessing import ADD_CHECKPOINT
from tests.sdk.witness.histories import POLICY


@dataclass(frozen=True)
class Files:
    """What a witness is started with."""

    key: Path
    store: Path
    policy: Path

    @classmethod
    def made(cls, folder: Path, name: str = "witness.example/w", policy: str = POLICY) -> Self:
        """Make a witness' files in *folder*."""
        assert Policy.parse(policy.encode()).logs
        found = cls(folder / "witness.key", folder / "witness.db", folder / "log.policy")
        key = WitnessKey.generate(name)
        key.save(found.key)
        WitnessStore.create(found.store, key).close()
        found.policy.write_text(policy)
        return found


@dataclass(frozen=True)
class Answered:
    status: int
    content: str
    body: bytes


class Running:
    """A witness that runs."""

    def __init__(self, files: Files) -> None:
        command = [str(Path(sys.executable).with_name("referral-bus")), "witness", "run", "--json", "--port", "0"]
        command += ["--key", str(files.key), "--store", str(files.store), "--policy", str(files.policy)]
        environ = {**os.environ, "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.errors()
        self.told: dict[str, Any] = json.loads(line)
        self.url: str = self.told["url"]

    def ask(self, method: str, path: str, body: bytes | None = None) -> Answered:
        connection = HTTPConnection(self.url.removeprefix("http://"), timeout=30)
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            return Answered(response.status, response.headers["content-type"], response.read())
        finally:
            connection.close()

    def post(self, body: bytes) -> Answered:
        return self.ask("POST", ADD_CHECKPOINT, body)

    def kill(self) -> None:
        """Kill it at once, as a power failure does."""
        self.process.send_signal(signal.SIGKILL)
        self.errors()

    def errors(self) -> str:
        """End it, and return what it said on standard error."""
        self.process.terminate()
        return self.process.communicate(timeout=30)[1]


@contextmanager
def running(files: Files) -> Iterator[Running]:
    witness = Running(files)
    try:
        yield witness
    finally:
        if witness.process.poll() is None:
            witness.process.kill()
        witness.process.communicate(timeout=30)
