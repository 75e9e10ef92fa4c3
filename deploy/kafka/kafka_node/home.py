"""
A node's folder: server.properties, broker.log, and data/ in the layout that Kafka's own formatting leaves.

    data/meta.properties         cluster and node; written here
    data/bootstrap.checkpoint    the features of the first start; taken once from a real format
    tls/                         the broker's certificate, and the authority that it believes

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
from typing import Final

from kafka_node.authority import BROKER, OPERATOR, Authority, Kind, mapping_rule, principal

_STATIC = Path(__file__).resolve().parent.parent / "node.properties"
# Below the ports that Linux and others lend to outgoing connections. On a lent one, a client that keeps trying a
# stopped broker can end up connected to itself, and the broker does not get its port back.
_FIRST_PORT, _LAST_PORT = 20_000, 32_000
_NAMES: Final = ("CLIENTS", "INTERNAL", "CONTROLLER")
"""The listeners: for whoever has a certificate of the deployment, for brokers, for controllers."""
_LISTENERS = re.compile(
    "^listeners=" + ",".join(rf"{name}://127\.0\.0\.1:(\d+)" for name in _NAMES) + "$", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Ports:
    client: int
    internal: int
    controller: int

    @classmethod
    def free(cls, client: int | None = None) -> "Ports":
        """Ports that nobody listens on now, *client* aside; somebody may take them before the broker does."""
        found = (client or _free_port(), _free_port(), _free_port())
        return cls(*found) if len(set(found)) == len(found) else cls.free(client)

    @classmethod
    def last(cls, home: Path) -> "Ports":
        """Those of the last node in *home*, so that whoever knew its address finds it again; others if one is taken."""
        try:
            found = _LISTENERS.search((home / "server.properties").read_text("utf-8"))
        except FileNotFoundError:
            found = None
        last = cls(*map(int, found.groups())) if found else None
        return last if last and last.are_free() else cls.free()

    def are_free(self) -> bool:
        return all(map(_is_free, (self.client, self.internal, self.controller)))


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


def write_properties(home: Path, ports: Ports, authority: Authority | None, extra: Mapping[str, str]) -> Path:
    """
    Write server.properties; all paths are relative to *home*, where the broker runs, so none needs escaping.

    Args:
        authority: Who may connect: those with its certificates. Without one, anybody to anything.
        extra: Settings over these.
    """
    places = dict(zip(_NAMES, (ports.client, ports.internal, ports.controller), strict=True))
    listeners = {name: f"{name}://127.0.0.1:{port}" for name, port in places.items()}
    own = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{ports.controller}",
        "listeners": ",".join(listeners.values()),
        "advertised.listeners": f"{listeners['CLIENTS']},{listeners['INTERNAL']}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "INTERNAL",
        "listener.security.protocol.map": ",".join(f"{name}:{'SSL' if authority else 'PLAINTEXT'}" for name in _NAMES),
        "log.dirs": "data",
        **(_closed(home, authority) if authority else {}),
        **extra,
    }
    path = home / "server.properties"
    path.write_text(_STATIC.read_text("utf-8") + "\n" + "".join(f"{name}={value}\n" for name, value in own.items()))
    return path


def _closed(home: Path, authority: Authority) -> dict[str, str]:
    held = authority.hold(Kind.BROKER, BROKER, home / "tls")
    tls = {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(held.certificate.relative_to(home)),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(held.authority.relative_to(home)),
        "ssl.client.auth": "required",
        "ssl.protocol": "TLSv1.3",
        "ssl.enabled.protocols": "TLSv1.3",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "false",
        "super.users": ";".join(
            f"User:{principal(kind, name)}" for kind, name in ((Kind.BROKER, BROKER), (Kind.OPERATOR, OPERATOR))
        ),
    }
    # No DEFAULT: a certificate that no rule fits is refused when it connects, and not taken for somebody else's.
    brokers = mapping_rule(authority.organisation, Kind.BROKER)
    clients = ",".join(
        mapping_rule(authority.organisation, kind) for kind in (Kind.AGENCY, Kind.SERVICE, Kind.OPERATOR)
    )
    rules = {
        f"listener.name.{name.lower()}.ssl.principal.mapping.rules": clients if name == "CLIENTS" else brokers
        for name in _NAMES
    }
    return tls | rules


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
