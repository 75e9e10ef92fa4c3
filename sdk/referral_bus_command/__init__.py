"""
The program `referral-bus`, from its first moment: Ctrl-C ends it with 130 and never with a stack trace.

It is a package of its own because importing anything of `referral_bus` takes most of a second, and nobody can tell
Python to be quiet in there. It imports next to nothing, and programs that come with the bus begin with it as well.
"""

import os
import signal
from collections.abc import Callable

INTERRUPTED = 130
"""What a shell says of SIGINT."""


def main() -> int:
    """Run the command line of this process and return its exit code."""
    return interruptible(_command_line)


def interruptible(load: Callable[[], Callable[[], int]]) -> int:
    """
    Import a program and run it; return its exit code, or 130 when it is interrupted.

    Args:
        load: Imports the program and returns it. Nothing has to be tidied up before it has returned.
    """
    usual = signal.getsignal(signal.SIGINT)
    if usual is not signal.default_int_handler:
        # A shell without job control starts what runs beside it with SIGINT ignored: so it stays.
        return load()()
    signal.signal(signal.SIGINT, _leave)
    program = load()
    try:
        signal.signal(signal.SIGINT, usual)
        return program()
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        # What Python does at its end is no program's to catch.
        signal.signal(signal.SIGINT, _leave)


def _leave(_number: int, _frame: object) -> None:
    os._exit(INTERRUPTED)


def _command_line() -> Callable[[], int]:
    from referral_bus import _cli  # noqa: PLC0415 - this is what takes so long

    return _cli.main
