"""
The process between a launcher and its broker: when the launcher is gone, so are the broker and its scratch folder.

Run by path, alone in its session, with two pipes. It answers each line with one line; both begin with the number of
the request:

    1 start        1 started <pid>
    2 signal 15    2 signalled, or 2 gone
    3 poll         3 running, or 3 exited <code>

It ends when its input ends, and everything else ends with it. It watches its parent's id as well: a child that
the launcher forked may hold the pipe open after the launcher was killed. A broker that outlived even this process
would be an orphan for ever, so on Linux the kernel is asked to kill it then.

Standard library only, and nothing of this package: it is started without site-packages, in about 20 ms.
"""

import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from types import FrameType

PARENT_CHECK_S = 0.2
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


class Supervisor:
    """One broker, started as often as asked."""

    def __init__(self, *, log: str, command: list[str]) -> None:
        """Only remember; the process starts when it is asked for."""
        self._log = log
        self._command = command
        self._broker: subprocess.Popen[bytes] | None = None

    def answer(self, line: str) -> str:
        match line.split():
            case [request, "start"]:
                return f"{request} started {self._start()}"
            case [request, "signal", number]:
                if self._broker is None or self._broker.poll() is not None:
                    return f"{request} gone"
                self._broker.send_signal(int(number))
                if int(number) == signal.SIGSTOP and sys.platform != "darwin":  # which has no waitid
                    # Its threads stop one by one, milliseconds later. Leave the event: its end is Popen's to collect.
                    os.waitid(os.P_PID, self._broker.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
                return f"{request} signalled"
            case [request, "poll"]:
                code = 0 if self._broker is None else self._broker.poll()
                return f"{request} running" if code is None else f"{request} exited {code}"
            case _:
                raise ValueError(line)

    def end(self) -> None:
        """Kill the broker, if it runs, and wait until the kernel has let go of its files."""
        if self._broker is not None:
            self._broker.kill()
            self._broker.wait()

    def _start(self) -> int:
        self.end()
        log = os.open(self._log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            self._broker = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=_die_with_me(),  # noqa: PLW1509  this process has one thread
            )
        finally:
            os.close(log)
        return self._broker.pid


def _die_with_me() -> Callable[[], None] | None:
    if not sys.platform.startswith("linux"):
        return None
    supervisor = os.getpid()
    libc = ctypes.CDLL(None)  # loaded here: between fork and exec there is no room for surprises

    def ask_kernel() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != supervisor:  # died in between
            os._exit(1)

    return ask_kernel


def serve(supervisor: Supervisor, launcher: int) -> None:
    """Answer lines until the input or the launcher ends."""
    pending = b""
    while os.getppid() == launcher:
        if not select.select([0], [], [], PARENT_CHECK_S)[0]:
            continue
        received = os.read(0, 4096)
        if not received:
            return
        *lines, pending = (pending + received).split(b"\n")
        for line in lines:
            os.write(1, supervisor.answer(line.decode()).encode() + b"\n")


def _leave(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)  # through the `finally` below


def main(launcher: str, scratch: str, log: str, *command: str) -> None:
    """Serve, and clean up however it ends. *scratch* is the folder to remove then, or empty."""
    signal.signal(signal.SIGTERM, _leave)
    supervisor = Supervisor(log=log, command=list(command))
    try:
        serve(supervisor, int(launcher))
    except BrokenPipeError:
        pass  # the launcher went while it was being answered
    finally:
        supervisor.end()
        if scratch:
            shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
