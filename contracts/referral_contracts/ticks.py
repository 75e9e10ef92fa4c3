"""What the deadline watcher signs into a partition so that time is seen to pass there."""

from referral_contracts.codes import Code
from referral_contracts.encoding import jcs, parse_json, parse_time
from referral_contracts.errors import RemoteError


def tick_statement(bus: str, partition: int, time: str) -> bytes:
    """Return the value of a tick."""
    return jcs({"bus": bus, "kind": "tick", "partition": partition, "time": time})


def check_tick(value: bytes, bus: str, partition: int) -> None:
    """
    Check that *value* is a tick for this partition.

    Raises:
        RemoteError: It is none.
    """
    told = parse_json(value)
    time = told.get("time") if isinstance(told, dict) else None
    if not isinstance(time, str) or value != tick_statement(bus, partition, time):
        raise RemoteError(Code.MALFORMED_ENVELOPE, "not a tick for this partition")
    parse_time(time)
