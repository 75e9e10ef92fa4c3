"""
What every test starts from: how hypothesis looks for counter-examples, and one real broker for the whole run.

Every broker of a run is closed, by one authority that this run has made for itself: KAFKA_PKI names its folder.

`kafka`        the bootstrap servers of the shared broker, or of KAFKA_BOOTSTRAP: do it no harm
`own_kafka`    a broker for one test, to be killed, paused and restarted at will
`topic_prefix` a name nobody else uses, for topics, groups and transactional ids
"""

import os
import shutil
import signal
import socket
import tempfile
import uuid
from collections.abc import Iterator

import pytest
from hypothesis import settings

from kafka_node import KafkaNode, NotInstalled, existing_or_own

# A script without job control hands its children an ignored SIGINT, and they hand it on; our tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# No deadline: a slow machine is not a counter-example.
settings.register_profile("here", deadline=None)
# In CI the same examples every time: what fails there fails here, with the same seed.
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


def pytest_configure(config: pytest.Config) -> None:
    """Have an authority for this run, unless there is a broker that has its own."""
    if not {"KAFKA_BOOTSTRAP", "KAFKA_PKI"} & os.environ.keys():
        folder = tempfile.mkdtemp(prefix="referral-bus-pki-")
        os.environ["KAFKA_PKI"] = folder
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """Give the bootstrap servers that every test may use."""
    try:
        with existing_or_own() as bootstrap:
            if not any(_listens(address) for address in bootstrap.split(",")):
                pytest.exit(f"kafka: nobody listens at {bootstrap}: is KAFKA_BOOTSTRAP right?", returncode=2)
            yield bootstrap
    except NotInstalled as error:
        pytest.exit(f"kafka: {error}", returncode=2)


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=5).close()
    except (OSError, ValueError):
        return False
    return True


@pytest.fixture
def own_kafka() -> Iterator[KafkaNode]:
    """Give a node that this test alone uses, whatever KAFKA_BOOTSTRAP says."""
    try:
        with KafkaNode.start() as node:
            yield node
    except NotInstalled as error:
        pytest.exit(f"kafka: {error}", returncode=2)


@pytest.fixture
def topic_prefix() -> str:
    """Give a name that no other test uses."""
    return f"t{uuid.uuid4().hex[:12]}"
