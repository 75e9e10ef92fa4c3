"""Finds the programs of this machine that a broker needs: Java, and Maven to fetch Kafka."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kafka_node.errors import NotInstalled

_LOGGING = Path(__file__).resolve().parent.parent / "log4j2.yaml"
_MAIN = ("kafka.Kafka", "server.properties")
OLDEST = 17  # what Kafka 4 brokers are compiled for
_INSTEAD = "or set KAFKA_BOOTSTRAP to a broker that runs elsewhere"
_VERSION = re.compile(r'version "(?:1\.)?(\d+)')  # Java 8 calls itself 1.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Java:
    program: str
    build: str
    """What this Java says of itself: an archive of classes is good for one build only."""


def find_java(environ: Mapping[str, str]) -> Java:
    """
    Return the Java of JAVA_HOME, or the first on the PATH.

    Raises:
        NotInstalled: There is none, or it is too old.
    """
    home = environ.get("JAVA_HOME")
    program = str(Path(home) / "bin" / "java") if home else _on_path("java", environ)
    if program is None:
        raise NotInstalled(f"Kafka needs Java {OLDEST} or newer and there is none on the PATH: install one {_INSTEAD}")
    try:
        answer = subprocess.run([program, "-version"], capture_output=True, text=True, check=True, env=dict(environ))
    except (OSError, subprocess.CalledProcessError) as cause:
        raise NotInstalled(
            f"Kafka needs Java {OLDEST} or newer and {program} does not run: repair it {_INSTEAD}"
        ) from cause
    build = answer.stderr.strip()
    version = _VERSION.search(build)
    if version is None or int(version[1]) < OLDEST:
        found = version[1] if version else "of unknown version"
        raise NotInstalled(
            f"Kafka needs Java {OLDEST} or newer and {program} is {found}: install a newer one {_INSTEAD}"
        )
    return Java(program=program, build=build)


def find_maven(environ: Mapping[str, str]) -> str:
    """
    Return the Maven on the PATH; asked for only while the jars are not in the cache.

    Raises:
        NotInstalled: There is none.
    """
    program = _on_path("mvn", environ)
    if program is None:
        raise NotInstalled(f"fetching Kafka needs Maven and there is no mvn on the PATH: install it {_INSTEAD}")
    return program


def broker_command(java: Java, class_path: str, *, heap_mb: int, classes: str) -> list[str]:
    """
    Return the command that runs a broker in its folder.

    The whole JIT: without its second compiler a broker starts half a second sooner and moves a quarter of the data.

    Args:
        classes: The flag that uses or makes an archive of classes, or an empty string.
    """
    flags = ["-Xms32m", f"-Xmx{heap_mb}m", "-XX:+UseSerialGC", "-Xshare:auto"]
    flags += [classes] if classes else []
    flags += ["-XX:-UsePerfData", "-Djava.awt.headless=true"]  # no file in /tmp that a killed JVM leaves behind
    return [java.program, *flags, f"-Dlog4j2.configurationFile={_LOGGING}", "-cp", class_path, *_MAIN]


def _on_path(name: str, environ: Mapping[str, str]) -> str | None:
    # The empty default matters: without a PATH, which() would fall back on one of its own.
    return shutil.which(name, path=environ.get("PATH", ""))
