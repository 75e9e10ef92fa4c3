"""
Access rules and quotas on a broker: read, given, taken away. aiokafka's administration has neither.

In the formats of Kafka's own protocol guide: DescribeAcls, CreateAcls and DeleteAcls 1, DescribeClientQuotas and
AlterClientQuotas 0. A broker passes on what its controller has to do.
"""

import struct
from collections.abc import Iterable, Mapping
from io import BytesIO
from types import TracebackType
from typing import Any, Final, Self

from aiokafka import errors as kafka_errors
from aiokafka.protocol import admin as protocol
from aiokafka.protocol.types import Array, Int16, Int32, Schema, String

from access import Quotas, Rule
from service_chassis.kafka import Kafka
from service_chassis.wire import Wire, string

_ANY: Final = 1
_USER: Final = "user"
_ANY_NAMED: Final = 2
"""Every user that has a limit of its own."""
_ALTER_QUOTAS: Final = (49, 0)
_QUOTAS_ALTERED: Final = Schema(
    ("throttle_time_ms", Int32),
    (
        "entries",
        Array(
            ("error_code", Int16),
            ("error_message", String("utf-8")),
            ("entity", Array(("entity_type", String("utf-8")), ("entity_name", String("utf-8")))),
        ),
    ),
)


class Rights:
    """A connection to a broker that lets us administer it; `async with` opens it."""

    def __init__(self, kafka: Kafka) -> None:
        """Prepare; nothing connects yet."""
        self._kafka = kafka
        self._wire: Wire | None = None

    async def __aenter__(self) -> Self:
        """Connect to the first of the bootstrap servers."""
        host, _, port = self._kafka.bootstrap.partition(",")[0].rpartition(":")
        context = self._kafka.connection.get("ssl_context")
        self._wire = await Wire.open(host, int(port), client_id=self._kafka.client_id, ssl_context=context)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect."""
        if self._wire is not None:
            self._wire.close()

    async def rules(self) -> frozenset[Rule]:
        """Return every access rule that there is."""
        request = protocol.DescribeAclsRequest_v1(_ANY, None, _ANY, None, None, _ANY, _ANY)
        answer = await self._ask(request)
        _check(answer.error_code, answer.error_message)
        return frozenset(
            Rule(who, resource, name, pattern, operation, permission, host)
            for resource, name, pattern, acls in answer.resources
            for who, host, operation, permission in acls
        )

    async def grant(self, rules: Iterable[Rule]) -> None:
        """Put *rules* in force."""
        given = [(r.resource, r.name, r.pattern, r.principal, r.host, r.operation, r.permission) for r in rules]
        if given:
            answer = await self._ask(protocol.CreateAclsRequest_v1(given))
            for code, message in answer.creation_responses:
                _check(code, message)

    async def revoke(self, rules: Iterable[Rule]) -> None:
        """Take *rules* away: at once, from connections that are open too."""
        taken = [(r.resource, r.name, r.pattern, r.principal, r.host, r.operation, r.permission) for r in rules]
        if taken:
            answer = await self._ask(protocol.DeleteAclsRequest_v1(taken))
            for code, message, _ in answer.filter_responses:
                _check(code, message)

    async def quotas(self) -> Quotas:
        """Return what each principal may use, where it is limited by itself."""
        request = protocol.DescribeClientQuotasRequest_v0([(_USER, _ANY_NAMED, None)], True)
        answer = await self._ask(request)
        _check(answer.error_code, answer.error_message)
        return {name: dict(values) for entity, values in answer.entries for _, name in entity if name is not None}

    async def limit(self, quotas: Mapping[str, Mapping[str, float | None]]) -> None:
        """Set each principal's rates; None takes one away."""
        if not quotas:
            return
        body = struct.pack(">i", len(quotas))
        for who, rates in quotas.items():
            body += struct.pack(">i", 1) + string(_USER) + string(who) + struct.pack(">i", len(rates))
            for rate, value in rates.items():
                body += string(rate) + struct.pack(">d?", value or 0.0, value is None)
        answer = await self._asked(_ALTER_QUOTAS, body + b"\0")
        _, entries = _QUOTAS_ALTERED.decode(BytesIO(answer))
        for code, message, _ in entries:
            _check(code, message)

    async def _ask(self, request: Any) -> Any:  # noqa: ANN401 - aiokafka's protocol is untyped
        answer = await self._asked((request.API_KEY, request.API_VERSION), request.encode())
        return request.RESPONSE_TYPE.decode(BytesIO(answer))

    async def _asked(self, what: tuple[int, int], body: bytes) -> bytes:
        if self._wire is None:
            raise kafka_errors.KafkaConnectionError("not connected")
        return bytes(await self._wire.ask(*what, [body]))


def _check(code: int, message: str | None) -> None:
    if code:
        raise kafka_errors.for_code(code)(message)
