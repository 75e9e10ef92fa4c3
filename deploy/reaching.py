"""The operator's way to the broker of a deployment: with the certificate of its authority, and with every right."""

import os
from collections.abc import Mapping
from pathlib import Path

from kafka_node import Authority, Held, authority_of
from referral_bus._kafka import DEADLINE_S, KafkaTransport
from referral_tls import Tls
from service_chassis.kafka import Kafka


def tls_of(held: Held | None) -> Tls | None:
    """Return how a service shows what it holds; None is plaintext."""
    return None if held is None else Tls(certificate=held.certificate, authority=held.authority)


def as_operator(bootstrap: str, authority: Authority | None) -> Kafka:
    """Return the operator's way to the broker at *bootstrap*."""
    return Kafka(bootstrap=bootstrap, tls=tls_of(authority.operator() if authority else None), client_id="operator")


def operator_of(bootstrap: str, environ: Mapping[str, str] | None = None) -> Kafka:
    """Return the same for whom KAFKA_PKI names, or for plaintext where REFERRAL_BUS_UNSAFE_PLAINTEXT asks for it."""
    environ = os.environ if environ is None else environ
    return as_operator(bootstrap, authority_of(environ, Path(".run/kafka/pki")))


def settings_of(held: Held | None) -> dict[str, str]:
    """Return the variables of a service that holds *held*."""
    if held is None:
        return {"REFERRAL_BUS_UNSAFE_PLAINTEXT": "1"}
    return {"REFERRAL_BUS_TLS_CERTIFICATE": str(held.certificate), "REFERRAL_BUS_TLS_CA": str(held.authority)}


def transport_of(bootstrap: str, *, deadline_s: float = DEADLINE_S) -> KafkaTransport:
    """Return the SDK's transport with the operator's certificate, for what is done beside the agencies."""
    context = operator_of(bootstrap).connection.get("ssl_context")
    return KafkaTransport(bootstrap, ssl_context=context, deadline_s=deadline_s)
