"""aiokafka's client, which knows the brokers and asks them anything, with plain connections for what is asked often."""

import ssl

from aiokafka import AIOKafkaClient, TopicPartition
from aiokafka import errors as kafka_errors

from service_chassis.wire import Wire


class Client(AIOKafkaClient):  # type: ignore[misc] # aiokafka is untyped
    """
    A client with a `Wire` to each broker that is asked for one, and one more for each partition that is read.

    A broker answers a connection's requests one after the other, and holds a fetch of which there is nothing yet: what
    is asked behind it on the same connection waits as long.
    """

    def __init__(self, *, client_id: str, ssl_context: ssl.SSLContext | None = None, **connection: object) -> None:
        """Prepare to connect as *connection* says, in aiokafka's own words; `bootstrap` does it."""
        super().__init__(client_id=client_id, ssl_context=ssl_context, **connection)
        self._speaker = client_id
        self._context = ssl_context
        self._wires: dict[tuple[int, TopicPartition | None], Wire] = {}

    async def wire(self, node: int, tp: TopicPartition | None = None) -> Wire:
        """
        Return a connection to *node*, that for reading *tp* alone where one is named.

        It is a new one where there is none: brokers close those that were quiet for long.

        Raises:
            KafkaError: The node is not known.
            OSError: It is not there.
        """
        wire = self._wires.get((node, tp))
        if wire is None or wire.closed:
            broker = self.cluster.broker_metadata(node)
            if broker is None:
                raise kafka_errors.StaleMetadata
            wire = self._wires[node, tp] = await Wire.open(
                broker.host, broker.port, client_id=self._speaker, ssl_context=self._context
            )
        return wire

    async def close(self) -> None:
        """End every connection; what still waits for an answer on a wire gets an error."""
        for wire in self._wires.values():
            wire.close()
        await super().close()
