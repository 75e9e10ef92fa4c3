"""Ctrl-C, from the first moment of a program to its last: 130, and never a stack trace."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.sdk.cli.terminal import EXAMPLES

SETTINGS = EXAMPLES.parent / "pyproject.toml"
MODULE, _, FUNCTION = tomllib.loads(SETTINGS.read_text())["project"]["scripts"]["referral-bus"].partition(":")
CTRL_C = "__import__('os').kill(__import__('os').getpid(), 2)"


def ended(*arguments: str, path: Path | None = None) -> tuple[int, str, str]:
    """Run Python with *arguments*; modules in *path* come before ours. Return its exit code and what it wrote."""
    environ = {**os.environ, **({} if path is None else {"PYTHONPATH": str(path)})}
    done = subprocess.run(
        [sys.executable, *arguments], env=environ, capture_output=True, text=True, check=False, timeout=60
    )
    return done.returncode, done.stdout, done.stderr


COMMAND = ("-c", f"import sys; from {MODULE} import {FUNCTION}; sys.exit({FUNCTION}())")
DEPLOY = EXAMPLES.parent / "deploy"


@pytest.mark.parametrize(
    ("arguments", "imported"),
    [
        *((COMMAND, name) for name in ("referral_bus", "asyncio", "pydantic", "referral_contracts")),
        *(((str(EXAMPLES / "demo.py"),), name) for name in ("referral_bus", "argparse", "pydantic", "aiokafka")),
        *(((str(DEPLOY / name), "status"), "argparse") for name in ("bus.py", "kafka/launch.py")),
    ],
)
def test_while_it_still_imports(arguments: tuple[str, ...], imported: str, tmp_path: Path) -> None:
    (tmp_path / f"{imported}.py").write_text(f"{CTRL_C}\nraise SystemExit('went on')\n")

    assert ended(*arguments, path=tmp_path) == (130, "", "")


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        pytest.param(f"sys.exit(interruptible(lambda: lambda: {CTRL_C}))", 130, id="at work"),
        pytest.param(
            f"import atexit; atexit.register(lambda: {CTRL_C}); sys.exit(interruptible(lambda: lambda: 3))",
            130,
            id="at its end",
        ),
        pytest.param("sys.exit(interruptible(lambda: lambda: 3))", 3, id="never"),
        pytest.param(
            "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); "
            f"sys.exit(interruptible(lambda: lambda: {CTRL_C} or 3))",
            3,
            id="where it is ignored",
        ),
    ],
)
def test_whenever_it_comes(program: str, expected: int) -> None:
    assert ended("-c", f"import sys; from {MODULE} import interruptible; {program}") == (expected, "", "")
