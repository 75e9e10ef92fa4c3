"""
What a first start on this machine makes for all later ones: a checkpoint, and an archive of loaded classes.

The archive (AppCDS) halves the time to the first answer. It is a convenience: where it cannot be made, a broker starts
without, and the attempt is not repeated.
"""

import hashlib
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from kafka_node.authority import Authority
from kafka_node.broker import Broker
from kafka_node.errors import KafkaFailed
from kafka_node.home import Ports, format_data, new_id, write_properties
from kafka_node.jars import SCRATCH
from kafka_node.java import Java, broker_command
from kafka_node.probe import wait_for_cluster

_START_S = 120.0
_DUMP_S = 120.0
_HEAP_MB = 256
_LOADED = "with TLS"
"""Which of its classes the broker had to use: an archive of others helps less."""


def make_checkpoint(cache: Path, target: Path, java: Java, class_path: str, environ: Mapping[str, str]) -> None:
    """
    Let Kafka format a folder, once, and keep the part that is the same for every node and cluster.

    Raises:
        KafkaFailed: It could not.
    """
    with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=cache) as scratch:
        properties = write_properties(Path(scratch), Ports.free(), None, {})
        tool = [java.program, "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-cp", class_path, "kafka.tools.StorageTool"]
        command = [*tool, "format", "-t", new_id(), "-c", str(properties)]
        run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=scratch, env=dict(environ))
        made = Path(scratch) / "data" / target.name
        if run.returncode != 0 or not made.exists():
            raise KafkaFailed(f"Kafka could not format a folder: {(run.stdout + run.stderr).strip()[-400:]}")
        made.rename(target)


def archive_path(cache: Path, java: Java, class_path: str) -> Path:
    """Return the archive's name: another build of Java or another class path needs another archive."""
    digest = hashlib.sha256(f"{java.build} {class_path} {_LOADED}".encode()).hexdigest()
    return cache / f"classes-{digest[:12]}.jsa"


def make_archive(cache: Path, target: Path, java: Java, class_path: str, checkpoint: Path) -> bool:
    """Run a broker once to its first answer, keep what it loaded, and return whether that worked."""
    scratch = Path(tempfile.mkdtemp(prefix=SCRATCH, dir=cache))
    made = scratch / "classes.jsa"
    command = broker_command(java, class_path, heap_mb=_HEAP_MB, classes=f"-XX:ArchiveClassesAtExit={made}")
    broker = Broker(command, folder=scratch, log=scratch / "broker.log", scratch=scratch)
    try:
        ports = Ports.free()
        authority = Authority.open(scratch / "pki")
        write_properties(scratch, ports, authority, {})
        cluster_id = format_data(scratch, checkpoint)
        broker.start()
        if wait_for_cluster(broker, ports.client, authority.operator(), cluster_id, _START_S):
            broker.signal(signal.SIGTERM)
            if broker.wait(_DUMP_S) and made.exists():
                made.rename(target)
    except KafkaFailed:
        pass  # its supervisor was killed: as good as a broker that did not start
    finally:
        broker.close()
    return target.exists()
