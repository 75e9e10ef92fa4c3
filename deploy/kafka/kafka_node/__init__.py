"""A real Kafka broker on this machine without a container: fetched once, started in seconds, gone with its user."""

from kafka_node.errors import KafkaFailed, NotInstalled
from kafka_node.home import Ports
from kafka_node.node import KafkaNode, existing_or_own

__all__ = ["KafkaFailed", "KafkaNode", "NotInstalled", "Ports", "existing_or_own"]
