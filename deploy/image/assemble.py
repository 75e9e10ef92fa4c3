"""
Put together the root of the image: Python, the locked packages, ours, the libraries that these load, and nothing else.

    python deploy/image/assemble.py FOLDER

There is no shell in it, no package manager and nothing that can be written to. Everything stands where the Python that
calls this has it, so that the same interpreter finds its parts.
"""

import compileall
import py_compile
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
USER: Final = 10001
"""Nobody's number on any system that we know; the same in the manifests."""
_LEFT_OUT: Final = (
    *("ensurepip", "idlelib", "lib2to3", "site-packages", "test", "tests", "tkinter", "turtledemo"),
    # Terminals and windows, and what they load.
    *("_curses*.so", "_tkinter*.so", "nis.*.so", "readline.*.so"),
    *("__pycache__", "config-*", "*.a"),
)
_LOADED: Final = re.compile(r"^\s*(?:\S+ => )?(?P<path>/\S+) \(0x", re.MULTILINE)


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: python deploy/image/assemble.py FOLDER", file=sys.stderr)
        return 2
    assemble(Path(arguments[0]))
    return 0


def assemble(folder: Path) -> None:
    """Fill *folder*, which is new."""
    folder.mkdir(parents=True)
    _interpreter(folder)
    _packages(folder / _libraries().relative_to("/") / "site-packages")
    _shared(folder)
    _people(folder)
    compileall.compile_dir(
        folder,
        quiet=1,
        stripdir=folder,
        prependdir="/",
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )


def _libraries() -> Path:
    return Path(sysconfig.get_path("stdlib", vars={"installed_base": sys.base_prefix}))


def _interpreter(folder: Path) -> None:
    binary = Path(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")
    placed = folder / binary.relative_to("/")
    placed.parent.mkdir(parents=True)
    shutil.copy2(binary, placed)
    placed.with_name("python3").symlink_to(placed.name)
    # One path that does not depend on where Python lives.
    (folder / "python").symlink_to(binary)
    shutil.copytree(
        _libraries(),
        folder / _libraries().relative_to("/"),
        ignore=shutil.ignore_patterns(*_LEFT_OUT),
    )


def _packages(target: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input"]
    into = ["install", "--target", str(target), "--no-compile", "--no-deps"]
    subprocess.run([*pip, *into, "--require-hashes", "-r", str(ROOT / "requirements/run.txt")], check=True)
    # Commands: each begins with the path of the Python that installed it.
    shutil.rmtree(target / "bin")
    with tempfile.TemporaryDirectory() as built:
        subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", built, str(ROOT)], check=True)
        (wheel,) = Path(built).glob("*.whl")
        subprocess.run([*pip, *into, str(wheel)], check=True)
    shutil.rmtree(target / "bin")


def _shared(folder: Path) -> None:
    """Copy what is loaded, by name, beside the C library: the loader looks there without being told."""
    found = sorted({path for binary in _binaries(folder) for path in _loads(binary)})
    (home,) = {path.parent for path in found if path.name == "libc.so.6"}
    for path in found:
        if path.is_relative_to(folder):
            continue  # a wheel brings it, and says where it is
        placed = folder / (path if path.name.startswith("ld-") else home / path.name).relative_to("/")
        placed.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path.resolve(), placed)


def _binaries(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as file:
                if file.read(4) == b"\x7fELF":
                    yield path


def _loads(binary: Path) -> Iterator[Path]:
    told = subprocess.run(["ldd", binary], capture_output=True, text=True, check=True).stdout
    if "not found" in told:
        raise FileNotFoundError(f"{binary}: {told}")
    yield from (Path(match["path"]) for match in _LOADED.finditer(told))


def _people(folder: Path) -> None:
    (folder / "etc").mkdir()
    (folder / "etc/passwd").write_text(f"referral-bus:x:{USER}:{USER}::/:/nonexistent\n")
    (folder / "etc/group").write_text(f"referral-bus:x:{USER}:\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
