"""One of the bus's own services as a process: started with its settings, asked how it is, ended by pid."""

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
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

READY_S: Final = 60.0
_STOP_S: Final = 15.0
_POLL_S: Final = 0.1
_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h


def _ending_with_us() -> Callable[[], None] | None:
    """Return what has the kernel end a child when the process that started it is gone, however it went."""
    # The signal follows the thread that started the child: only a main thread lives as long as its process.
    if sys.platform != "linux" or threading.current_thread() is not threading.main_thread():
        return None
    libc = ctypes.CDLL(None)  # loaded here: between fork and exec there is no room for surprises
    return lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class NotReady(Exception):
    """A part of the bus did not come up; the text says which, and where its log is."""


class ServiceProcess:
    """A process of one service."""

    def __init__(self, home: Path, name: str, module: str, settings: Mapping[str, str], number: int = 1) -> None:
        """
        Prepare; `start` runs it.

        Args:
            home: Where its log goes.
            name: What people call it.
            module: What Python runs.
            settings: Its variables, beside those that this process has.
            number: Which of its kind it is.
        """
        self.name = name
        self._module = module
        self._settings = settings
        called = f"{name.replace(' ', '-')}-{number}"
        self.log = home / f"{called}.log"
        self._port_file = home / f"{called}.port"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process, its log behind what it wrote before."""
        self._port_file.unlink(missing_ok=True)
        env = {
            **os.environ,
            **self._settings,
            "REFERRAL_BUS_HTTP_PORT": "0",
            "REFERRAL_BUS_HTTP_PORT_FILE": str(self._port_file),
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=env,
                preexec_fn=_ending_with_us(),  # noqa: PLW1509 - one system call, no lock is taken
            )

    def command(self) -> Sequence[str]:
        """Return what is run."""
        return [sys.executable, "-m", self._module]

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

    def ready(self) -> tuple[bool, bytes]:
        """Tell whether it says that it is ready, and what it says."""
        status, body = self.get("/readyz")
        return status == 200, body

    def wait_ready(self, timeout_s: float = READY_S) -> None:
        """Return once it is ready, or raise NotReady."""
        deadline = time.monotonic() + timeout_s
        while True:
            ready, body = self.ready()
            if ready:
                return
            if self.process is not None and self.process.poll() is not None:
                raise NotReady(f"the {self.name} ended with {self.process.returncode}; its log: {self.log}")
            if time.monotonic() > deadline:
                troubles = json.loads(body).get("troubles") if body else "no answer"
                raise NotReady(f"the {self.name} is not ready: {troubles}; its log: {self.log}")
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
