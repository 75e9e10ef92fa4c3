"""What a figure was measured on: without it no figure can be compared with another."""

import os
import platform
import subprocess
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
_LIBRARIES: Final = ("aiokafka", "cryptography", "pydantic", "pydantic-core")
_TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")


def facts() -> Mapping[str, object]:
    """Return what this machine is and what runs on it."""
    return {
        "cpu": _field(Path("/proc/cpuinfo"), "model name"),
        "cores": len(os.sched_getaffinity(0)),
        "memory_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 1_000_000,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in _LIBRARIES},
        "commit": _commit(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def cpu_s(pid: int) -> float:
    """Return the processor time, in seconds, that a process and its threads have used; 0 once it is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    except FileNotFoundError:
        return 0.0
    # The command, in brackets, may hold anything; user and system time are the 12th and 13th field behind it.
    told = text.rpartition(")")[2].split()
    return (int(told[11]) + int(told[12])) / _TICKS_PER_S


def memory_mb(pid: int) -> float:
    """Return the memory that a process holds, in MB."""
    return _kb(pid, "VmRSS") / 1000


def peak_memory_mb(pid: int) -> float:
    """Return the most memory that a process ever held, in MB."""
    return _kb(pid, "VmHWM") / 1000


def _kb(pid: int, name: str) -> float:
    return float((_field(Path(f"/proc/{pid}/status"), name) or "0 kB").split()[0])


def _field(path: Path, name: str) -> str | None:
    for line in path.read_text("utf-8", "replace").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return None


def _commit() -> str | None:
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return found.stdout.strip() or None
