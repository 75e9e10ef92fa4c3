"""
A node's folder: server.properties, broker.log, and data/ in the layout that Kafka's own formatting leaves.

    data/meta.properties         cluster and node; written here
    data/bootstrap.checkpoint    the features of the first start; taken once from a real format

Without the checkpoint a broker starts as well, but with transactions and groups of an older protocol.
"""

import base64
import re
import secrets
import shutil
import socket
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_STATIC = Path(__file__).resolve().parent.parent / "node.properties"
# Below the ports that Linux and others lend to outgoing connections. On a lent one, a client that keeps trying a
# stopped broker can end up connected to itself, and the broker does not get its port back.
_FIRST_PORT, _LAST_PORT = 20_000, 32_000
_LISTENERS = re.compile(r"^listeners=PLAINTEXT://127\.0\.0\.1:(\d+),CONTROLLER://127\.0\.0\.1:(\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Ports:
    client: int
    controller: int

    @classmethod
    def free(cls) -> "Ports":
        """Two ports that nobody listens on now; somebody may take them before the broker does."""
        client, controller = _free_port(), _free_port()
        return cls(client, controller) if client != controller else cls.free()

    @classmethod
    def last(cls, home: Path) -> "Ports":
        """Those of the last node in *home*, so that whoever knew its address finds it again; others if one is taken."""
        try:
            found = _LISTENERS.search((home / "server.properties").read_text("utf-8"))
        except FileNotFoundError:
            found = None
        last = cls(int(found[1]), int(found[2])) if found else None
        return last if last and last.are_free() else cls.free()

    def are_free(self) -> bool:
        return _is_free(self.client) and _is_free(self.controller)


def _free_port() -> int:
    while True:
        port = _FIRST_PORT + secrets.randbelow(_LAST_PORT - _FIRST_PORT)
        if _is_free(port):
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Java does: closing connections may linger
        try:
            candidate.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def write_properties(home: Path, ports: Ports, extra: Mapping[str, str]) -> Path:
    """Write server.properties; data/ is relative to *home*, where the broker runs, so no path needs escaping."""
    own = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{ports.controller}",
        "listeners": f"PLAINTEXT://127.0.0.1:{ports.client},CONTROLLER://127.0.0.1:{ports.controller}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{ports.client}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
        "log.dirs": "data",
        **extra,
    }
    path = home / "server.properties"
    path.write_text(_STATIC.read_text("utf-8") + "\n" + "".join(f"{name}={value}\n" for name, value in own.items()))
    return path


def format_data(home: Path, checkpoint: Path) -> str:
    """Make data/ ready for a first start, unless it holds a node already, and return its cluster id."""
    data = home / "data"
    meta = data / "meta.properties"
    if meta.exists():
        lines = (line.partition("=") for line in meta.read_text("utf-8").splitlines())
        return next(value for name, _, value in lines if name == "cluster.id")
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copyfile(checkpoint, data / "bootstrap.checkpoint")
    cluster_id = new_id()
    # Last and at once: a folder with meta.properties counts as formatted.
    part = home / "meta.properties.part"
    part.write_text(f"version=1\ncluster.id={cluster_id}\nnode.id=1\ndirectory.id={new_id()}\n", "ascii")
    part.rename(meta)
    return cluster_id


def new_id() -> str:
    """Return a random id as Kafka writes them."""
    # Kafka's own never begin with a dash: they have to stand on command lines.
    text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
    return new_id() if text.startswith("-") else text
