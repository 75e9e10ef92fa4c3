"""Everything a broker needs on this machine, made once and kept in the cache."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kafka_node.archive import archive_path, make_archive, make_checkpoint
from kafka_node.jars import cache_folder, class_path, fetch, jars_folder, locked
from kafka_node.java import Java, broker_command, find_java
from kafka_node.progress import Say


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    java: Java
    class_path: str
    checkpoint: Path
    archive: Path | None

    def command(self, heap_mb: int) -> list[str]:
        classes = f"-XX:SharedArchiveFile={self.archive}" if self.archive else ""
        return broker_command(self.java, self.class_path, heap_mb=heap_mb, classes=classes)


def install(say: Say, environ: Mapping[str, str] | None = None) -> Installation:
    """
    Return what is in the cache, and put there first what is missing. Any number of processes may call it at once.

    Raises:
        NotInstalled: Java is missing or too old, or Maven is missing while the jars are not in the cache.
        KafkaFailed: The jars cannot be had, or this Java cannot format a folder.
    """
    environ = os.environ if environ is None else environ
    java = find_java(environ)
    cache = cache_folder(environ)
    jars = class_path(cache)
    checkpoint = jars_folder(cache) / "bootstrap.checkpoint"
    archive = archive_path(cache, java, jars)
    failed = archive.with_suffix(".failed")
    if not (checkpoint.exists() and (archive.exists() or failed.exists())):
        with locked(cache, say):  # each step looks again: another process may have done it meanwhile
            fetch(cache, environ, say)
            if not checkpoint.exists():
                make_checkpoint(cache, checkpoint, java, jars, environ)
            if not archive.exists() and not failed.exists():
                say("starting a broker once to keep its loaded classes, only this once")
                if not make_archive(cache, archive, java, jars, checkpoint):
                    failed.touch()
    kept = archive if archive.exists() else None
    return Installation(java=java, class_path=jars, checkpoint=checkpoint, archive=kept)
