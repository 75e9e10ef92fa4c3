"""A broker's process, held through its supervisor: start, signal, wait. Knows nothing of Kafka."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from kafka_node.errors import KafkaFailed

_SUPERVISE = Path(__file__).with_name("supervise.py")
_KILLED = "the broker's supervisor was killed, and the broker with it"
POLL_S = 0.05


class Broker:
    """
    One supervised process.

    Every signal goes by the supervisor, the only one who knows that the id is still this process's: it is the
    parent, and an id is not given away before its parent has taken notice of the end.
    """

    def __init__(
        self, command: Sequence[str], *, folder: Path, log: Path, scratch: Path | None, keep_open: Sequence[int] = ()
    ) -> None:
        """
        Start the supervisor, not yet the process.

        Args:
            command: What it shall run, in *folder*, with its output appended to *log*.
            scratch: A folder that goes with the supervisor.
            keep_open: Descriptors that the supervisor inherits: a lock is then held until everything has ended.
        """
        self._asking = threading.Lock()
        self._requests = 0
        self._scratch = scratch
        # -I and -S: nothing of the environment, no site-packages. A session of its own: Ctrl-C is for the launcher.
        self._supervisor = subprocess.Popen(
            [sys.executable, "-I", "-S", _SUPERVISE, str(os.getpid()), str(scratch or ""), log, *command],
            cwd=folder,
            bufsize=0,  # nothing left to flush into a pipe that broke
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=keep_open,
            start_new_session=True,
        )
        self.pid = 0

    @property
    def supervisor_pid(self) -> int:
        return self._supervisor.pid

    def start(self) -> None:
        self.pid = int(self._ask("start").removeprefix("started "))

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, unless the process has ended."""
        self._ask(f"signal {number.value}")

    def exit_code(self) -> int | None:
        """Return how the process ended (the negative signal's number if killed), or None while it runs."""
        answer = self._ask("poll")
        return None if answer == "running" else int(answer.removeprefix("exited "))

    def wait(self, timeout_s: float) -> bool:
        """Return whether the process has ended within *timeout_s*."""
        deadline = time.monotonic() + timeout_s
        while self.exit_code() is None:
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_S)
        return True

    def close(self) -> None:
        """End the supervisor, and with it whatever still runs and the scratch folder."""
        if self._supervisor.stdin is None or self._supervisor.stdout is None:
            return
        self._supervisor.stdin.close()
        self._supervisor.wait()
        self._supervisor.stdout.close()
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)  # left over only if the supervisor was killed

    def _ask(self, line: str) -> str:
        stdin, stdout = self._supervisor.stdin, self._supervisor.stdout
        if stdin is None or stdout is None or stdin.closed:
            raise KafkaFailed("this node has been closed")
        with self._asking:
            self._requests += 1
            number = f"{self._requests} ".encode()
            try:
                stdin.write(number + f"{line}\n".encode())
            except BrokenPipeError as cause:
                raise KafkaFailed(_KILLED) from cause
            # What a Ctrl-C left unread, whole or in part, is an answer to an older request.
            while answer := stdout.readline():
                if answer.startswith(number):
                    return answer.removeprefix(number).decode().strip()
        raise KafkaFailed(_KILLED)
