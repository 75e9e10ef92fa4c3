"""
One Kafka node of our own, on free ports of 127.0.0.1, for as long as it is held.

It is closed: every listener wants a certificate of the deployment's authority, and nothing is allowed to anybody but
the broker itself and its operator. With REFERRAL_BUS_UNSAFE_PLAINTEXT=1 every user of this machine may read and write
everything.
"""

import os
import re
import signal
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from kafka_node.authority import ORGANISATION, Authority
from kafka_node.broker import Broker
from kafka_node.errors import KafkaFailed
from kafka_node.home import Ports, format_data, write_properties
from kafka_node.installation import install
from kafka_node.probe import wait_for_cluster
from kafka_node.progress import Say, to_stderr, to_terminal

_STOP_S = 20.0  # a clean stop takes half a second; a loaded machine has been seen to need several
_KILL_S = 20.0
_PORT_ATTEMPTS = 3
_UNSAFE = "REFERRAL_BUS_UNSAFE_PLAINTEXT"
_PKI = "KAFKA_PKI"
_WARNING = f"{_UNSAFE} is set: nothing is encrypted, and whoever reaches the broker may read and write everything"
_FRAME = re.compile(r"\s+(at |\.\.\. \d+ more)")


class KafkaNode:
    """
    A running broker and its folder.

    Whatever ends the process that started it, kill -9 included, ends the broker and removes a temporary folder.
    """

    def __init__(
        self,
        broker: Broker,
        *,
        home: Path,
        authority: Authority | None,
        checkpoint: Path,
        ports: Ports,
        properties: Mapping[str, str],
    ) -> None:
        """Hold what `start` has put together."""
        self.home = home
        self.authority = authority
        self.ports = ports
        self._broker = broker
        self._checkpoint = checkpoint
        self._properties = properties

    @classmethod
    def start(
        cls,
        *,
        data_dir: Path | None = None,
        pki: Path | None = None,
        organisation: str = ORGANISATION,
        ports: Ports | None = None,
        properties: Mapping[str, str] | None = None,
        heap_mb: int = 256,
        timeout_s: float = 60.0,
        say: Say = to_terminal,
        keep_open: Sequence[int] = (),
    ) -> Self:
        """
        Return a node that answers; the first on a machine fetches Kafka.

        Args:
            data_dir: A folder to keep; without one, the data live in a temporary folder and go with the node.
            pki: The folder of the authority whose certificates may connect, unless KAFKA_PKI names another.
            organisation: Whom a new authority is made for.
            ports: Where to listen; without them, where the last node in *data_dir* did, or two free ones.
            properties: Broker settings over those of node.properties.
            keep_open: Descriptors that stay open until the broker has ended.

        Raises:
            NotInstalled: Java or Maven is missing.
            KafkaFailed: The broker does not start.
        """
        installation = install(say)
        scratch = Path(tempfile.mkdtemp(prefix="referral-bus-kafka-")) if data_dir is None else None
        home = (scratch or data_dir or Path()).absolute()
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        log, command = home / "broker.log", installation.command(heap_mb)
        broker = Broker(command, folder=home, log=log, scratch=scratch, keep_open=keep_open)
        try:
            node = cls(
                broker,
                home=home,
                authority=authority_of(os.environ, pki or home / "pki", organisation),
                checkpoint=installation.checkpoint,
                ports=ports or Ports.last(home),
                properties=properties or {},
            )
            node._start(timeout_s, movable=ports is None)
        except BaseException:
            broker.close()  # by force: a broker asked to stop while it starts takes its time
            raise
        return node

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.ports.client}"

    @property
    def pid(self) -> int:
        """The broker's process, for reading its memory and CPU. Signals go by the methods below."""
        return self._broker.pid

    @property
    def running(self) -> bool:
        return self._broker.exit_code() is None

    def stop(self) -> None:
        """End the broker in order, or by force when it takes too long. The data stay, for `restart`."""
        self._broker.signal(signal.SIGTERM)
        self._broker.signal(signal.SIGCONT)  # a paused one would never hear it
        if not self._broker.wait(_STOP_S):
            self.kill()

    def kill(self) -> None:
        """End the broker as a power cut would (kill -9). The data stay, for `restart`."""
        self._broker.signal(signal.SIGKILL)
        if not self._broker.wait(_KILL_S):
            raise KafkaFailed("the broker does not end although it was killed")

    def restart(self, timeout_s: float = 60.0) -> None:
        """Start the broker again on the same ports and data, and return when it answers; stop it first if it runs."""
        self.stop()
        self._start(timeout_s, movable=False)

    def pause(self) -> None:
        """Freeze the broker: its connections stay open and nothing is answered (SIGSTOP)."""
        self._broker.signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._broker.signal(signal.SIGCONT)

    def close(self) -> None:
        """Stop the broker for good, and remove its folder if it is a temporary one."""
        try:
            self.stop()
        except KafkaFailed:
            pass  # closed before, or its supervisor was killed: nothing is left to stop
        finally:
            self._broker.close()

    def log_tail(self, lines: int = 15) -> str:
        """Return the last *lines* that the broker wrote, without Java's places in its code."""
        try:
            written = (self.home / "broker.log").read_text("utf-8", "replace").splitlines()
        except FileNotFoundError:
            return ""
        return "\n".join([line for line in written if not _FRAME.match(line)][-lines:])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self, timeout_s: float, *, movable: bool) -> None:
        cluster_id = format_data(self.home, self._checkpoint)
        operator = self.authority.operator() if self.authority else None
        for attempts_left in reversed(range(_PORT_ATTEMPTS)):
            write_properties(self.home, self.ports, self.authority, self._properties)
            self._broker.start()
            if wait_for_cluster(self._broker, self.ports.client, operator, cluster_id, timeout_s):
                return
            code = self._broker.exit_code()
            if code is None:
                raise KafkaFailed(f"the broker did not answer within {timeout_s:.0f} s:\n{self.log_tail()}")
            # Another process may have taken a port between our look and the broker's.
            if self.ports.are_free() or not movable or not attempts_left:
                raise KafkaFailed(f"the broker ended with code {code}:\n{self.log_tail()}")
            self.ports = Ports.free()


def authority_of(environ: Mapping[str, str], folder: Path, organisation: str = ORGANISATION) -> Authority | None:
    """Return the authority that KAFKA_PKI names, or that in *folder*; None where plaintext was asked for by name."""
    if environ.get(_UNSAFE) == "1":
        to_stderr(_WARNING)
        return None
    return Authority.open(Path(environ.get(_PKI) or folder), organisation)


@contextmanager
def existing_or_own(environ: Mapping[str, str] | None = None, *, say: Say = to_terminal) -> Iterator[str]:
    """Give the bootstrap servers of KAFKA_BOOTSTRAP and start nothing, or those of a node for as long as it is held."""
    existing = (os.environ if environ is None else environ).get("KAFKA_BOOTSTRAP")
    if existing:
        yield existing
        return
    with KafkaNode.start(say=say) as node:
        yield node.bootstrap
