"""
The fixed encodings of the wire: base64url, length prefixes, canonical JSON, time, ids.

Each decoder accepts exactly one spelling of a value, so that nobody can change bytes without changing the value.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from referral_contracts.codes import Code
from referral_contracts.errors import LocalError, RemoteError

AGENCY: Final = r"^[a-z0-9-]{1,63}$"
ADDRESS: Final = r"^[a-z0-9-]{1,63}(/[a-z0-9-]{1,63})?$"
SUBJECT: Final = r"^[0-9a-f]{32}$"
EVENT_ID: Final = r"^[0-9a-f]{8}-[0-9a-f]{4}-[78][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
"""UUIDv7, or UUIDv8 for the watcher's deterministic ids (RFC 9562)."""
HASH: Final = r"^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$"
"""32 bytes in base64url: 43 characters, the two unused bits zero."""
TIME: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$"

MAX_INTEGER: Final = 2**53 - 1
"""The largest integer that every JSON reader keeps exact (RFC 8259 section 6)."""
MAX_DEPTH: Final = 32
"""Deepest nesting of any JSON we read. The envelope needs 6; the deepest form 7."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_URL: Final = bytes.maketrans(b"+/", b"-_")
_B64: Final = re.compile(r"[A-Za-z0-9_-]*\Z")
_BRACKETS: Final = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)
"""Strings, whole, and the brackets outside of them. A string that never ends is taken to the end: no second look."""


def b64(data: bytes) -> str:
    """Return *data* in unpadded base64url (RFC 4648 section 5)."""
    return binascii.b2a_base64(data, newline=False).translate(_URL, b"=").decode("ascii")


def unb64(text: str, size: int | None = None) -> bytes:
    """
    Return the bytes that *text* spells, *size* of them when given.

    Raises:
        RemoteError: Not the one spelling: padding, other alphabet, stray bits, wrong size.
    """
    if not _B64.match(text):
        raise RemoteError(Code.MALFORMED_VALUE, "not base64url")
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError) as error:
        raise RemoteError(Code.MALFORMED_VALUE, "not base64url") from error
    if b64(data) != text:
        raise RemoteError(Code.MALFORMED_VALUE, "base64url with stray bits")
    if size is not None and len(data) != size:
        raise RemoteError(Code.MALFORMED_VALUE, "binary of the wrong length")
    return data


def lp(*parts: bytes) -> bytes:
    """Return *parts*, each behind its length as u32 big-endian: no two lists of parts give the same bytes."""
    return b"".join([len(part).to_bytes(4, "big") + part for part in parts])


def sha256(data: bytes) -> bytes:
    """Return the SHA-256 of *data*."""
    return hashlib.sha256(data).digest()


def event_hash(value: bytes) -> str:
    """Return the name of an event's bytes: base64url of their SHA-256."""
    return b64(hashlib.sha256(value).digest())


_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)


def jcs(value: object) -> bytes:
    """
    Return *value* in RFC 8785 form.

    Only what the wire allows: objects with ASCII keys, arrays, strings, integers, booleans, null. With ASCII keys
    the code-point order that Python sorts by is the UTF-16 order that RFC 8785 asks for. A float is a LocalError.
    """
    _refuse_floats([value])
    return _ENCODER.encode(value).encode("utf-8")


def _refuse_floats(values: Iterable[object]) -> None:
    for value in values:
        if isinstance(value, str):
            continue
        if isinstance(value, float):
            raise LocalError(Code.MALFORMED_VALUE, "a float has no place on the wire")
        if isinstance(value, dict):
            _refuse_floats(value.values())
        elif isinstance(value, list | tuple):
            _refuse_floats(value)


class _NotOnTheWire(ValueError):
    """JSON that the wire does not allow."""


def parse_json(data: bytes) -> object:
    """
    Return the value that *data* spells.

    Raises:
        RemoteError: Not UTF-8, not JSON, a key twice, a float or NaN, nested too deep, a lone surrogate.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RemoteError(Code.MALFORMED_JSON, "not UTF-8") from error
    _refuse_depth(text)
    try:
        value: object = json.loads(
            text, object_pairs_hook=_unique, parse_float=_no_float, parse_constant=_no_float, parse_int=_small_int
        )
        # A lone surrogate written as an escape is valid JSON and cannot be written back as UTF-8.
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise RemoteError(Code.MALFORMED_JSON, _complaint(error)) from error
    return value


def _complaint(error: Exception) -> str:
    """Say what is wrong and where, and nothing of what stands there."""
    match error:
        case _NotOnTheWire():
            return str(error)
        case json.JSONDecodeError():
            reason = error.msg.partition(":")[0].removesuffix(" at").removesuffix(" starting")
            return f"line {error.lineno}, column {error.colno}: {reason[:1].lower()}{reason[1:]}"
        case _:
            return "not JSON as the wire allows it"


def _refuse_depth(text: str) -> None:
    depth = 0
    for found in _BRACKETS.finditer(text):
        bracket = found[0]
        if bracket in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise RemoteError(Code.MALFORMED_JSON, "nested too deep")
        elif bracket in "]}":
            depth -= 1


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _NotOnTheWire("a key twice in one object")
    return found


def _no_float(_: str) -> object:
    raise _NotOnTheWire("a number that is no integer")


def _small_int(text: str) -> int:
    if len(text) > 17 or text == "-0" or abs(number := int(text)) > MAX_INTEGER:
        raise _NotOnTheWire("an integer out of range")
    return number


def format_time(ms: int) -> str:
    """Return *ms* since the epoch as UTC with milliseconds: ``2026-11-22T12:44:00.000Z``."""
    return (_EPOCH + timedelta(milliseconds=ms)).isoformat(timespec="milliseconds")[:-6] + "Z"


def parse_time(text: str) -> int:
    """
    Return the milliseconds since the epoch that *text* names.

    Raises:
        RemoteError: Not the one spelling, or no such moment.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise RemoteError(Code.MALFORMED_VALUE, "no such time") from error
    # ISO 8601 has many spellings of a moment, and 24:00 for one of the next day: the wire has one.
    if moment.tzinfo is not UTC or moment.isoformat(timespec="milliseconds")[:-6] + "Z" != text:
        raise RemoteError(Code.MALFORMED_VALUE, "time not in the form 2026-11-22T12:44:00.000Z")
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def uuid7(now_ms: int, random: bytes) -> str:
    """Return the UUIDv7 (RFC 9562 section 5.7) of *now_ms* and 10 *random* bytes."""
    bits = bytearray(now_ms.to_bytes(6, "big") + random[:10])
    bits[6] = 0x70 | bits[6] & 0x0F
    bits[8] = 0x80 | bits[8] & 0x3F
    digits = bits.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
