"""A real Kafka broker on this machine without a container: fetched once, started in seconds, gone with its user."""

from kafka_node.authority import Authority, Held, Kind
from kafka_node.errors import KafkaFailed, NotInstalled
from kafka_node.home import Ports
from kafka_node.node import KafkaNode, authority_of, existing_or_own

__all__ = [
    "Authority",
    "Held",
    "KafkaFailed",
    "KafkaNode",
    "Kind",
    "NotInstalled",
    "Ports",
    "authority_of",
    "existing_or_own",
]
