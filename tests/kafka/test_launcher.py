"""The node itself: it answers, keeps what it was given, and never outlives the process that started it."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from kafka_node import KafkaFailed, KafkaNode, Ports, existing_or_own
from kafka_node.home import write_properties
from kafka_node.probe import cluster_at
from reaching import operator_of
from tests.kafka.conftest import LAUNCHER
from tests.kafka.processes import Watched
from tests.kafka.records import consume, make_topic, operator, produce

pytestmark = pytest.mark.kafka

# Starts a node, says what belongs to it, and waits. With an heir, a forked child holds the node's pipes open.
PARENT = """
import os, signal, sys
from kafka_node import KafkaNode
node = KafkaNode.start()
heir = os.fork() if sys.argv[1] == "with an heir" else 0
if sys.argv[1] == "with an heir" and heir == 0:
    signal.pause()
print(node.pid, node._broker.supervisor_pid, heir, node.home, flush=True)
signal.pause()
"""


def test_records_come_back_as_they_were_sent(kafka: str, topic_prefix: str) -> None:
    async def exchange() -> list[bytes]:
        await make_topic(kafka, topic_prefix)
        await produce(kafka, topic_prefix, [b"one", b"two"])
        return await consume(kafka, topic_prefix, 2)

    assert asyncio.run(exchange()) == [b"one", b"two"]


def test_an_abandoned_transaction_soon_stops_blocking_readers(kafka: str, topic_prefix: str) -> None:
    async def abandon_and_read() -> list[bytes]:
        await make_topic(kafka, topic_prefix)
        producer = AIOKafkaProducer(
            **operator_of(kafka).connection, transactional_id=topic_prefix, transaction_timeout_ms=1000
        )
        await producer.start()
        await producer.begin_transaction()
        await producer.send_and_wait(topic_prefix, b"never committed", partition=0)
        await produce(kafka, topic_prefix, [b"behind it"])
        try:
            return await consume(kafka, topic_prefix, 1)
        finally:
            await producer.stop()

    assert asyncio.run(asyncio.wait_for(abandon_and_read(), 30)) == [b"behind it"]


@pytest.mark.parametrize("end", [KafkaNode.stop, KafkaNode.kill])
def test_a_restart_keeps_the_data_and_the_address(own_kafka: KafkaNode, end: Callable[[KafkaNode], None]) -> None:
    bootstrap = own_kafka.bootstrap
    asyncio.run(make_topic(bootstrap, "kept"))
    asyncio.run(produce(bootstrap, "kept", [b"before"]))

    end(own_kafka)

    assert not own_kafka.running

    own_kafka.restart()
    asyncio.run(produce(bootstrap, "kept", [b"after"]))

    assert bootstrap == own_kafka.bootstrap
    assert asyncio.run(consume(bootstrap, "kept", 2)) == [b"before", b"after"]


def test_a_paused_node_is_silent_until_it_is_resumed_and_can_be_stopped(own_kafka: KafkaNode) -> None:
    port = own_kafka.ports.client
    own_kafka.pause()

    assert cluster_at(port, operator(), timeout_s=0.3) is None

    own_kafka.resume()

    assert cluster_at(port, operator()) is not None

    own_kafka.pause()
    own_kafka.stop()

    assert not own_kafka.running


def test_a_closed_node_leaves_nothing_behind(own_kafka: KafkaNode) -> None:
    broker, supervisor = Watched(own_kafka.pid), Watched(own_kafka._broker.supervisor_pid)
    home = own_kafka.home

    assert home.exists()

    own_kafka.close()
    own_kafka.close()

    assert broker.has_ended(0)
    assert supervisor.has_ended(0)
    assert not home.exists()
    with pytest.raises(KafkaFailed):
        own_kafka.restart()
    broker.close()
    supervisor.close()


@pytest.mark.parametrize("heir", ["with an heir", "alone"])
def test_killing_the_parent_ends_the_broker_and_removes_its_folder(heir: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, heir], stdout=subprocess.PIPE, text=True, env=_with_launcher()
    ) as parent:
        assert parent.stdout is not None
        broker_pid, supervisor_pid, heir_pid, home = parent.stdout.readline().split()
        broker, supervisor = Watched(int(broker_pid)), Watched(int(supervisor_pid))
        try:
            parent.kill()

            assert broker.has_ended()
            assert supervisor.has_ended()
            assert not Path(home).exists()
        finally:
            if int(heir_pid):
                os.kill(int(heir_pid), signal.SIGKILL)
            broker.close()
            supervisor.close()


def test_killing_the_supervisor_ends_the_broker_and_is_reported(own_kafka: KafkaNode) -> None:
    broker = Watched(own_kafka.pid)
    os.kill(own_kafka._broker.supervisor_pid, signal.SIGKILL)

    assert broker.has_ended()
    with pytest.raises(KafkaFailed, match="supervisor was killed"):
        own_kafka.restart()
    broker.close()


def test_an_interrupted_question_does_not_mix_up_the_answers(own_kafka: KafkaNode) -> None:
    pipe = own_kafka._broker._supervisor.stdin
    assert pipe is not None
    pipe.write(b"0 poll\n")  # asked, and never read

    own_kafka.restart()

    assert own_kafka.running
    assert cluster_at(own_kafka.ports.client, operator()) is not None


def test_two_nodes_at_once_are_two_clusters(own_kafka: KafkaNode) -> None:
    with KafkaNode.start() as other:
        ids = {cluster_at(own_kafka.ports.client, operator()), cluster_at(other.ports.client, operator())}

        assert None not in ids
        assert len(ids) == 2


def test_a_taken_port_is_left_for_another_unless_it_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as squatter:
        free = Ports.free()
        taken = Ports(free.client, free.internal, squatter.getsockname()[1])
        with pytest.raises(KafkaFailed, match="ended with code"):
            KafkaNode.start(ports=taken)

        choices = iter([taken, Ports.free()])
        monkeypatch.setattr(Ports, "free", lambda: next(choices))
        with KafkaNode.start() as node:
            assert taken != node.ports
            assert cluster_at(node.ports.client, operator()) is not None


def test_a_folder_keeps_its_ports_as_long_as_nobody_takes_them(tmp_path: Path) -> None:
    ports = Ports.free()
    write_properties(tmp_path, ports, None, {})

    assert Ports.last(tmp_path) == ports
    with socket.create_server(("127.0.0.1", ports.client)):
        assert Ports.last(tmp_path).client != ports.client
    assert Ports.last(tmp_path / "another").are_free()


def test_only_this_machine_can_reach_it(own_kafka: KafkaNode) -> None:
    listening = [
        row.split()[1]
        for table in ("tcp", "tcp6")
        for row in Path(f"/proc/{own_kafka.pid}/net/{table}").read_text().splitlines()[1:]
        if row.split()[3] == "0A" and int(row.split()[1].split(":")[1], 16) in _all(own_kafka.ports)
    ]

    assert len(listening) == 3
    assert {"0100007F"} == {address.split(":")[0][-8:] for address in listening}  # 127.0.0.1, bytes reversed


def test_data_in_a_folder_of_ones_own_stay_when_the_node_is_closed(tmp_path: Path) -> None:
    with KafkaNode.start(data_dir=tmp_path) as node:
        asyncio.run(make_topic(node.bootstrap, "kept"))
        asyncio.run(produce(node.bootstrap, "kept", [b"first life"]))
        first = cluster_at(node.ports.client, operator())
    with KafkaNode.start(data_dir=tmp_path) as node:
        assert first == cluster_at(node.ports.client, operator())
        assert asyncio.run(consume(node.bootstrap, "kept", 1)) == [b"first life"]


def test_a_broker_that_cannot_start_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KafkaFailed, match="ended with code 1") as failure:
        KafkaNode.start(data_dir=tmp_path, properties={"num.io.threads": "none"})

    assert "num.io.threads" in str(failure.value)
    assert "\tat " not in str(failure.value)


def test_an_existing_broker_is_used_and_none_started() -> None:
    with existing_or_own({"KAFKA_BOOTSTRAP": "bus.example:9092"}) as bootstrap:
        assert bootstrap == "bus.example:9092"


def _with_launcher() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(LAUNCHER)}


def _all(ports: Ports) -> set[int]:
    return {ports.client, ports.internal, ports.controller}
