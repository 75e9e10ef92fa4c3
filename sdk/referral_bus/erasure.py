"""
What an agency states to the log about erasing: requests, holds and their ends, drafted, signed and handed in.

A request takes two signatures, the case owner's and the registrar's; it goes from the one to the other as a file. A
statement proves itself by its signatures: whoever has it may hand it in, and the same once more changes nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from pydantic import ValidationError

from referral_bus.keys import AgencyKeys
from referral_contracts.codes import Code
from referral_contracts.encoding import format_time
from referral_contracts.errors import LocalError, RemoteError
from referral_contracts.log.erasing import Asked, Erased, Hold, Lifted, Request, Stated, read_stated
from referral_contracts.log.leaf import MAX_SIGNERS, Statement
from referral_contracts.signing import Typ, parse_signature

Drafted: TypeAlias = Asked | Hold | Lifted


class StatementTransport(Protocol):
    """A way to the log for statements."""

    async def state(self, request: Request) -> Mapping[str, Any]:
        """
        Hand in a statement; return what the log answers: kind, leaf, logged, and of a request not_before.

        Raises:
            RemoteError: The log refuses it, by its code.
            LocalError: LOG_AWAY: it is not known whether the log has it; to hand it in once more does no harm.
        """

    async def standing(self, event: str) -> Mapping[str, Any]:
        """
        Return what has become of the statement with the hash *event*.

        Raises:
            RemoteError: NOT_FOUND.
            LocalError: LOG_AWAY.
        """

    async def close(self) -> None:
        """Let go of it."""


OpenStatements: TypeAlias = Callable[[str], StatementTransport]
"""From the log's address to the way there; nothing connects before the first question."""


def ask_erasure(
    bus: str, case: str, ground: str, now_ms: int, *, events: Sequence[str] = (), not_before: str | None = None
) -> Statement:
    """
    Return a request to erase *case*, or some *events* of it by their hashes, for two agencies to sign.

    Raises:
        LocalError: MALFORMED_VALUE.
    """
    told = {
        "at": format_time(now_ms),
        "bus": bus,
        "events": tuple(events) or None,
        "ground": ground,
        "not_before": not_before,
        "subject": case,
    }
    return _drafted(Asked, told)


def hold(bus: str, case: str, ground: str, now_ms: int) -> Statement:
    """
    Return the statement that nothing of *case* may be erased, for the registrar or an auditor to sign.

    Raises:
        LocalError: MALFORMED_VALUE.
    """
    return _drafted(Hold, {"at": format_time(now_ms), "bus": bus, "ground": ground, "subject": case})


def lift(bus: str, case: str, leaf: int, ground: str, now_ms: int) -> Statement:
    """
    Return the statement that the hold in *leaf* is over.

    Raises:
        LocalError: MALFORMED_VALUE.
    """
    told = {"at": format_time(now_ms), "bus": bus, "ground": ground, "hold": leaf, "subject": case}
    return _drafted(Lifted, told)


def _drafted(model: type[Drafted], told: Mapping[str, object]) -> Statement:
    try:
        return Statement(signatures=(), value=model.model_validate(told).encode())
    except ValidationError:
        raise LocalError(Code.MALFORMED_VALUE, "not the case, hashes, ground or time of a statement") from None


def sign(statement: Statement, keys: AgencyKeys) -> Statement:
    """
    Return *statement* with the agency's signature beside those that it has.

    Raises:
        LocalError: REPEATED_KEY: it has that already. TOO_MANY: it has two others.
        RemoteError: What it says or bears is nothing that could be signed.
    """
    told(statement)
    (mine,) = Statement.signed(statement.value, keys.signing).signatures
    kids = {parse_signature(one, Typ.STATEMENT).kid for one in statement.signatures}
    if parse_signature(mine, Typ.STATEMENT).kid in kids:
        raise LocalError(Code.REPEATED_KEY, "this agency has signed it already")
    if len(kids) == MAX_SIGNERS:
        raise LocalError(Code.TOO_MANY, "two agencies have signed it already")
    return Statement(signatures=(*statement.signatures, mine), value=statement.value)


def told(statement: Statement) -> Drafted:
    """
    Return what *statement* says.

    Raises:
        RemoteError: It is no request, no hold and no end of one.
    """
    found: Stated | None = read_stated(statement.value)
    if found is None or isinstance(found, Erased):
        raise RemoteError(Code.MALFORMED_RECORD, "neither a request to erase nor a hold")
    return found


def encode(statement: Statement) -> bytes:
    """Return *statement* as it lies in a file."""
    return Request.of(statement).encode() + b"\n"


def decode(data: bytes) -> Statement:
    """
    Return the statement in a file.

    Raises:
        LocalError: MALFORMED_VALUE.
    """
    try:
        return Request.model_validate_json(data).statement
    except ValidationError:
        raise LocalError(Code.MALFORMED_VALUE, "not a statement: signatures, and what is signed") from None


def http_statements(url: str) -> StatementTransport:
    """Return the way to the log at *url* over HTTP."""
    # Only who asks pays for loading the client.
    from referral_bus._http_statements import HttpStatements  # noqa: PLC0415

    return HttpStatements(url)
