"""What is made once and kept: the jars are the pinned ones, fetched once, and what is missing is said in a sentence."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kafka_node.archive import archive_path, make_archive
from kafka_node.errors import KafkaFailed, NotInstalled
from kafka_node.installation import install
from kafka_node.jars import POM, cache_folder, class_path, fetch, jars_folder, locked, pins
from kafka_node.java import Java, find_java
from kafka_node.progress import silently
from tests.kafka.conftest import LAUNCHER

pytestmark = pytest.mark.kafka

# Fills a cache as `install` does, up to the jars.
FETCH = """
import os, sys
from pathlib import Path
from kafka_node.jars import fetch, locked
from kafka_node.progress import silently
with locked(Path(sys.argv[1]), silently):
    fetch(Path(sys.argv[1]), os.environ, silently)
"""


def program(folder: Path, name: str, script: str) -> dict[str, str]:
    """Return an environment in which *name* is this shell script, and the usual tools are there."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


@pytest.fixture(scope="module")
def jars() -> Path:
    """Give the folder of the real jars."""
    install(silently)
    return next(Path(name).parent for name in install(silently).class_path.split(":"))


@pytest.fixture
def maven(tmp_path: Path, jars: Path) -> dict[str, str]:
    """Give an environment whose Maven copies the real jars, and keeps count."""
    copy = f'for last; do :; done; cp -r {jars} "${{last#-DoutputDirectory=}}"'
    tidy = 'rm "${last#-DoutputDirectory=}"/bootstrap.checkpoint'
    return program(tmp_path / "bin", "mvn", f"echo called >> {tmp_path}/calls; {copy}; {tidy}")


def test_processes_that_fill_a_cache_at_once_fetch_once(tmp_path: Path, maven: dict[str, str]) -> None:
    cache = tmp_path / "cache"
    (cache / "unfinished-by-a-killed-one").mkdir(parents=True)
    command = [sys.executable, "-c", FETCH, str(cache)]
    processes = [subprocess.Popen(command, env={**maven, "PYTHONPATH": str(LAUNCHER)}) for _ in range(3)]

    assert [process.wait() for process in processes] == [0, 0, 0]
    assert (tmp_path / "calls").read_text() == "called\n"
    assert set(pins()) == {path.name for path in jars_folder(cache).iterdir()}
    assert {"lock", jars_folder(cache).name} == {path.name for path in cache.iterdir()}


@pytest.mark.parametrize("harm", ["echo x >> {}/slf4j-api-1.7.36.jar", "rm {}/slf4j-api-1.7.36.jar"])
def test_jars_that_are_not_the_pinned_ones_never_reach_the_cache(
    tmp_path: Path, maven: dict[str, str], harm: str
) -> None:
    mvn = tmp_path / "bin" / "mvn"
    mvn.write_text(mvn.read_text() + harm.format('"${last#-DoutputDirectory=}"') + "\n")
    cache = tmp_path / "cache"

    with locked(cache, silently), pytest.raises(KafkaFailed, match=r"other jars.*: slf4j-api-1\.7\.36\.jar$"):
        fetch(cache, maven, silently)

    assert {"lock"} == {path.name for path in cache.iterdir()}


def test_a_maven_that_fails_is_quoted(tmp_path: Path) -> None:
    environ = program(tmp_path / "bin", "mvn", "echo '[ERROR] no route to the mirror'; exit 1")

    with locked(tmp_path, silently), pytest.raises(KafkaFailed, match="could not fetch Kafka: no route to the mirror"):
        fetch(tmp_path, environ, silently)


def test_without_maven_only_an_empty_cache_is_refused(tmp_path: Path, jars: Path) -> None:
    java = shutil.which("java")
    only_java = program(tmp_path / "bin", "java", f'exec {java} "$@"') | {"PATH": str(tmp_path / "bin")}

    with pytest.raises(NotInstalled, match="there is no mvn on the PATH"):
        install(silently, {**only_java, "REFERRAL_BUS_KAFKA_CACHE": str(tmp_path / "cache")})

    assert install(silently, {**only_java, "REFERRAL_BUS_KAFKA_CACHE": str(jars.parent)}).checkpoint.exists()


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        ("""echo 'openjdk version "11.0.2" 2019-01-15' >&2""", "is 11: install a newer one"),
        ("""echo 'java version "1.8.0_392"' >&2""", "is 8: install a newer one"),
        ("echo 'a stub' >&2", "is of unknown version"),
        ("exit 1", "does not run: repair it"),
    ],
)
def test_a_java_that_will_not_do_is_named(tmp_path: Path, script: str, complaint: str) -> None:
    with pytest.raises(NotInstalled, match=complaint):
        find_java(program(tmp_path, "java", script))


def test_java_home_goes_before_the_path(tmp_path: Path) -> None:
    program(tmp_path / "bin", "java", """echo 'openjdk version "21.0.1" 2023-10-17' >&2""")

    java = find_java({"JAVA_HOME": str(tmp_path), "PATH": ""})

    assert (str(tmp_path / "bin" / "java"), 'openjdk version "21.0.1" 2023-10-17') == (java.program, java.build)


def test_an_archive_that_cannot_be_made_is_gone_without(tmp_path: Path, jars: Path) -> None:
    java = Java(program=program(tmp_path / "bin", "java", "exit 1")["PATH"].split(":")[0] + "/java", build="broken")
    target = archive_path(tmp_path, java, "")

    assert not make_archive(tmp_path, target, java, "", jars / "bootstrap.checkpoint")
    assert {"bin"} == {path.name for path in tmp_path.iterdir()}


def test_another_java_or_other_jars_need_another_archive(tmp_path: Path) -> None:
    one, other = Java(program="java", build="17.0.1"), Java(program="java", build="17.0.2")

    assert (
        len({archive_path(tmp_path, one, "a"), archive_path(tmp_path, other, "a"), archive_path(tmp_path, one, "b")})
        == 3
    )


def test_the_cache_is_named_for_the_version_in_the_pom(tmp_path: Path) -> None:
    cache = cache_folder({"XDG_CACHE_HOME": str(tmp_path)})

    assert tmp_path / "referral-bus" == cache.parent
    assert f"<version>{cache.name.removeprefix('kafka-')}</version>" in POM.read_text()
    assert tmp_path / "own" == cache_folder({"REFERRAL_BUS_KAFKA_CACHE": str(tmp_path / "own")})
    assert len(pins()) == len(class_path(cache).split(":"))
