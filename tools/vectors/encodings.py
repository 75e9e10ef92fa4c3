"""Base64url, JSON, time, length prefixes, the name of a case, its partition, the tick."""

from collections.abc import Iterator
from typing import Any

from referral_contracts.codes import Code
from referral_contracts.encoding import b64, jcs, lp, parse_json, parse_time, sha256
from referral_contracts.envelope import case_pseudonym
from referral_contracts.notices import notice_id
from referral_contracts.ticks import tick_statement
from referral_contracts.topics import partition_for
from referral_contracts.verbs import Verb
from tools.vectors.cast import BUS, HOTLINE, event_id
from tools.vectors.vector import Vector, fault, octets, valid

_BYTES = bytes.fromhex("00ff10fbef")
_MALFORMED = Code.MALFORMED_VALUE


def cases() -> Iterator[Vector]:
    yield from _base64url()
    yield from _json()
    yield from _time()
    yield from _derived()


def _base64url() -> Iterator[Vector]:
    kind = "base64url"
    text = b64(_BYTES)
    yield valid(
        kind, "base64url", "the two letters of the URL alphabet", text=text, size=None, bytes={"base64url": text}
    )
    yield fault(_MALFORMED, kind, "base64url_padded", "padding", text=text + "=", size=None)
    yield fault(_MALFORMED, kind, "base64url_other_alphabet", "+ and /", text="AP8Q++8", size=None)
    yield fault(_MALFORMED, kind, "base64url_line_end", "a line end after it", text=text + "\n", size=None)
    yield fault(_MALFORMED, kind, "base64url_stray_bits", "unused bits that are not zero", text="AP8Q--9", size=None)
    yield fault(_MALFORMED, kind, "base64url_cut", "one character too few to end a byte", text="AP8Q-", size=None)
    yield fault(_MALFORMED, kind, "base64url_other_size", "another length than wanted", text=text, size=4)


def _json() -> Iterator[Vector]:
    kind = "json"
    taken = b'{"b": [1, -2, true, null], "a": "\\u0110\\u00fang \\"\\u001f\\t"}'
    yield valid(
        kind,
        "json",
        "white space, another order and escapes are read; written again they are gone",
        bytes=octets(taken),
        canonical=octets(jcs(parse_json(taken))),
    )
    faults = {
        "json_not_utf8": (b'{"a":"\xe1"}', "Latin-1"),
        "json_cut": (b'{"a":1', "the end is missing"),
        "json_member_twice": (b'{"a":1,"a":1}', "a member twice in an object, even with one value"),
        "json_fraction": (b'{"a":1.0}', "a number with a fraction, even if it is whole"),
        "json_exponent": (b'{"a":1e3}', "a number with an exponent"),
        "json_nan": (b'{"a":NaN}', "NaN"),
        "json_minus_zero": (b'{"a":-0}', "minus zero"),
        "json_large_integer": (b'{"a":9007199254740992}', "2^53, which some readers round"),
        "json_huge_integer": (b'{"a":' + b"9" * 30 + b"}", "an integer of thirty digits"),
        "json_lone_surrogate": (b'{"a":"\\ud800"}', "half of a surrogate pair"),
        "json_too_deep": (b"[" * 33 + b"]" * 33, "33 arrays in each other"),
    }
    for name, (value, comment) in faults.items():
        yield fault(Code.MALFORMED_JSON, kind, name, comment, bytes=octets(value))


def _time() -> Iterator[Vector]:
    kind, text = "time", "2024-02-29T23:59:59.999Z"
    yield valid(kind, "time", "the last moment of a leap day", text=text, ms=parse_time(text))
    yield fault(_MALFORMED, kind, "time_no_such_day", "29 February 2026", text="2026-02-29T00:00:00.000Z")
    yield fault(_MALFORMED, kind, "time_hour_24", "midnight as hour 24", text="2026-11-22T24:00:00.000Z")
    yield fault(_MALFORMED, kind, "time_offset", "an offset instead of Z", text="2026-11-22T12:44:00.000+00:00")
    yield fault(_MALFORMED, kind, "time_without_milliseconds", "no milliseconds", text="2026-11-22T12:44:00Z")


def _notices(subject: str) -> Iterator[Vector]:
    kinds: dict[str, tuple[str, Verb, str, int, int]] = {
        "notice_id": ("the first notice of a clock", Verb.DEADLINE_MISSED, "1c5f" * 8, 0, 0),
        "notice_id_of_a_repetition": ("to one above, once more", Verb.DEADLINE_ESCALATED, "1c5f" * 8, 2, 1),
        "notice_id_of_what_is_unreadable": ("of an event", Verb.DEADLINE_UNREADABLE, b64(sha256(b"an event")), 0, 0),
    }
    for name, (comment, verb, about, level, step) in kinds.items():
        given: dict[str, Any] = {"bus": BUS, "subject": subject, "about": about, "recipient": "ward-a"}
        given |= {"level": level, "step": step}
        yield valid("notice-id", name, comment, **given, verb=verb.value, id=notice_id(**given, verb=verb))


def _derived() -> Iterator[Vector]:
    parts = [b"a", b"", "é".encode()]
    yield valid(
        "length-prefix",
        "length_prefix",
        "an empty part counts",
        parts=[octets(p) for p in parts],
        bytes=octets(lp(*parts)),
    )
    opening = event_id(1)
    subject = case_pseudonym(BUS, HOTLINE.id, opening)
    yield valid("pseudonym", "pseudonym", "the name of a case", bus=BUS, source=HOTLINE.id, id=opening, subject=subject)
    yield from _notices(subject)
    for number, (name, partitions) in enumerate((("f" * 32, 4), ("0123456789abcdef" * 2, 12), (subject, 50)), start=1):
        yield valid(
            "partition",
            f"partition_{number}",
            "murmur2 as Kafka's Java client has it",
            subject=name,
            partitions=partitions,
            partition=partition_for(name, partitions),
        )
    time = "2026-03-14T14:20:00.000Z"
    yield valid(
        "tick",
        "tick",
        "what the watcher signs",
        bus=BUS,
        partition=3,
        time=time,
        bytes=octets(tick_statement(BUS, 3, time)),
    )
