"""
A node that survives the shell which started it, and the folder by which it is found again.

    lock         locked as long as anything of the node runs, however it ended
    pid          the process that holds the node; it wrote this while it held the lock
    bootstrap    where it listens; there only while it answers
    launcher.log, broker.log, server.properties, data/

Whether it runs is asked of the lock, never of the pid: an id may belong to another process by now.
"""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from kafka_node.errors import KafkaFailed
from kafka_node.progress import Say

_HOLD_S = 2.0  # longer than any look of `held`
_STOP_S = 40.0  # longer than a node takes to stop by itself, kill included
_POLL_S = 0.05


class StateFolder:
    """The folder of one background node."""

    def __init__(self, path: Path) -> None:
        """Take *path*, made when it is first needed."""
        self.path = path.absolute()

    def bootstrap(self) -> str | None:
        """Return where the node listens, or None while it does not answer."""
        return _read(self.path / "bootstrap") if self.held() else None

    def pid(self) -> int | None:
        """Return the process that holds the node; true only while the lock is held."""
        pid = _read(self.path / "pid")
        return None if pid is None else int(pid)

    @contextmanager
    def hold(self) -> Iterator[int]:
        """
        Be the one process that runs a node here, and give the descriptor of the lock.

        Raises:
            KafkaFailed: Another one is.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.path / "lock").open("w") as lock:
            if not _locked_within(lock.fileno(), _HOLD_S):
                raise KafkaFailed(f"a node runs in {self.path} already")
            self._forget()
            (self.path / "pid").write_text(str(os.getpid()), "ascii")
            try:
                yield lock.fileno()
            finally:
                self._forget()

    def announce(self, bootstrap: str) -> None:
        part = self.path / "bootstrap.part"
        part.write_text(f"{bootstrap}\n", "ascii")
        part.rename(self.path / "bootstrap")

    def held(self) -> bool:
        try:
            lock = os.open(self.path / "lock", os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            # Shared: two who look do not take each other for a node.
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False

    def down(self) -> bool:
        """
        End the node, and return whether there was one.

        Raises:
            KafkaFailed: Something of it is still there.
        """
        if not self.held():
            return False
        for number, timeout_s in ((signal.SIGTERM, _STOP_S), (signal.SIGKILL, _HOLD_S * 5)):
            pid = self.pid()
            if pid is not None:
                _signal(pid, number)
            if self._free_within(timeout_s):
                return True
        raise KafkaFailed(f"the node in {self.path} does not end")

    def _free_within(self, timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        while self.held():
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_S)
        return True

    def _forget(self) -> None:
        for name in ("pid", "bootstrap"):
            (self.path / name).unlink(missing_ok=True)


def up(folder: StateFolder, run: Sequence[str], say: Say, *, what: str = "a broker") -> int:
    """
    Start *run*, a command that holds *folder*, in a session of its own, and return 0 when its node answers.

    A node that runs already is left alone. When the command ends instead, its exit code is returned and what it
    said is passed on.
    """
    if folder.bootstrap() is not None:
        return 0
    folder.path.mkdir(mode=0o700, parents=True, exist_ok=True)
    say(f"starting {what} in {folder.path}")
    log_path = folder.path / "launcher.log"
    with log_path.open("w") as log:
        launcher = subprocess.Popen(
            [sys.executable, *run], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    leave = False
    try:
        while folder.bootstrap() is None:
            code = launcher.poll()
            # It may have ended because another `up` was first: then that one's node is waited for.
            if code is not None and not folder.held():
                sys.stderr.write(log_path.read_text("utf-8", "replace"))
                return code or 1
            time.sleep(_POLL_S)
        leave = folder.pid() == launcher.pid
    except KeyboardInterrupt:
        say("ending what was started")
        raise
    finally:
        if not leave:  # nor may one that came second wait for its turn
            launcher.terminate()
            launcher.wait()
    return 0


def _locked_within(descriptor: int, timeout_s: float) -> bool:
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_S)
        else:
            return True


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # it has ended, and its supervisor is still cleaning up
        os.kill(pid, number)


def _read(path: Path) -> str | None:
    try:
        return path.read_text("ascii").strip() or None
    except FileNotFoundError:
        return None
