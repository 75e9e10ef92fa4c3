"""What people type at a bus that is real: each command is a process of its own."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"
PROGRAM = (sys.executable, "-c", "import sys; from referral_bus_command import main; sys.exit(main())")
COMMUNE = "ubnd-xa-thi-du"


@dataclass(frozen=True, slots=True)
class Town:
    """Agencies on a real bus, each command a process of its own."""

    home: Path

    def start(self, agency: str, *arguments: str) -> "subprocess.Popen[str]":
        """Start a command."""
        environ = {**os.environ, "REFERRAL_BUS_HOME": str(self.home / "agencies" / agency)}
        return subprocess.Popen(
            [*PROGRAM, *arguments],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def type(self, agency: str, *arguments: str) -> tuple[int, str, str]:
        """Run a command; return what it ends with and what it writes."""
        process = self.start(agency, *arguments)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err


def said(town: Town, agency: str, *arguments: str, code: int = 0) -> str:
    """Run a command that ends with *code*; return what it writes."""
    ended, out, err = town.type(agency, *arguments)
    assert ended == code, f"{agency} {' '.join(arguments)}: {out}{err}"
    return out or err
