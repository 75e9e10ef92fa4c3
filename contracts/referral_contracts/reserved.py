"""
The reserved record of a partition's state, as every service of the bus writes it: numbers, the chain, the format.

It is where a restart goes on. What it does not spell exactly is of another format, and stops the partition.
"""

from collections.abc import Mapping, Sequence

from pydantic_core import from_json

from referral_contracts.codes import Code
from referral_contracts.encoding import b64, jcs, unb64
from referral_contracts.errors import Fatal, RemoteError


def write_reserved(numbers: Mapping[str, int], chain: bytes, form: int) -> bytes:
    """Return the record that says *numbers* and *chain* (32 bytes) in the format *form*."""
    return jcs({**numbers, "chain": b64(chain), "format": form})


def read_reserved(value: bytes, names: Sequence[str], form: int) -> tuple[Mapping[str, int], bytes]:
    """
    Return the numbers called *names* and the chain that a record says.

    Raises:
        Fatal: STATE_FORMAT: not of the format *form*.
    """
    try:
        told = from_json(value)
        if told.pop("format") != form:
            raise Fatal(Code.STATE_FORMAT, "a position of another format")
        numbers = {name: told.pop(name) for name in names}
        chain = unb64(told.pop("chain"), 32)
    except (ValueError, KeyError, TypeError, AttributeError, RemoteError) as error:
        raise Fatal(Code.STATE_FORMAT, "a position of another format") from error
    if told or any(type(number) is not int or number < 0 for number in numbers.values()):
        raise Fatal(Code.STATE_FORMAT, "a position of another format")
    return numbers, chain
