"""
The jars of Kafka: fetched once by Maven into a cache, checked against jars.sha256, then only read.

A set of jars appears in the cache under its final name complete or not at all: it is fetched into a folder beside
it and renamed. The name holds the digest of the list, so two checkouts with other pins share a cache in peace.
"""

import fcntl
import hashlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from kafka_node.errors import KafkaFailed
from kafka_node.java import find_maven
from kafka_node.progress import Say

_HERE = Path(__file__).resolve().parent.parent
POM = _HERE / "pom.xml"
PINS = _HERE / "jars.sha256"
SCRATCH = "unfinished-"


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Where everything is kept that is made once: jars, first checkpoint, archive of classes."""
    own = environ.get("REFERRAL_BUS_KAFKA_CACHE")
    if own:
        return Path(own).absolute()
    caches = environ.get("XDG_CACHE_HOME")
    kafka = next(name for name in pins() if name.startswith("kafka_2.13-"))
    version = kafka.removeprefix("kafka_2.13-").removesuffix(".jar")
    return (Path(caches) if caches else Path.home() / ".cache") / "referral-bus" / f"kafka-{version}"


@contextmanager
def locked(cache: Path, say: Say) -> Iterator[None]:
    """Let one process at a time add to the cache; the lock goes with its holder, however that one ends."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another process that is filling the cache")
            fcntl.flock(file, fcntl.LOCK_EX)
        for left in cache.glob(f"{SCRATCH}*"):  # by a process that was killed: only the holder of the lock makes them
            shutil.rmtree(left, ignore_errors=True)
        yield


def pins() -> dict[str, str]:
    """The SHA-256 of each jar, by file name."""
    lines = (line.split() for line in PINS.read_text("ascii").splitlines())
    return {name: digest for digest, name in lines}


def jars_folder(cache: Path) -> Path:
    return cache / f"jars-{hashlib.sha256(PINS.read_bytes()).hexdigest()[:12]}"


def class_path(cache: Path) -> str:
    # Sorted and explicit: an archive of classes is only used with the very same string.
    return ":".join(str(jars_folder(cache) / name) for name in sorted(pins()))


def fetch(cache: Path, environ: Mapping[str, str], say: Say) -> None:
    """
    Bring the jars into the cache, which is locked, unless they are there.

    Raises:
        NotInstalled: Maven is needed and missing.
        KafkaFailed: Maven could not fetch them, or they are not the pinned ones.
    """
    folder = jars_folder(cache)
    if folder.exists():
        return
    maven = find_maven(environ)
    say(f"fetching {len(pins())} jars with Maven, 44 MB, only this once")
    with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=cache) as scratch:
        target = Path(scratch) / "jars"
        command = [maven, "-q", "-B", "-f", str(POM), "dependency:copy-dependencies", f"-DoutputDirectory={target}"]
        run = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(environ))
        if run.returncode != 0:
            raise KafkaFailed(f"Maven could not fetch Kafka: {_first_error(run.stdout + run.stderr)}")
        _check(target)
        target.rename(folder)


def _check(folder: Path) -> None:
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    wanted = pins()
    odd = sorted(name for name in found | wanted if found.get(name) != wanted.get(name))
    if odd:
        raise KafkaFailed(f"Maven delivered other jars than jars.sha256 lists: {', '.join(odd)}")


def _first_error(output: str) -> str:
    errors = [line for line in output.splitlines() if "ERROR" in line]
    return errors[0].removeprefix("[ERROR] ") if errors else "it gave no reason"
