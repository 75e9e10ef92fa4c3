"""
The strings of the case file, in every form in which they could leak, and where to look for them.

A string is searched for as it is, as JSON would escape it, as hexadecimal and as base64 at each of its three
alignments; a long text also piece by piece, for a log that cuts lines would show only a part of it.
"""

import base64
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from referral_contracts import topics
from referral_contracts.clocks import TRIGGERS
from referral_contracts.payloads.base import Choice, FieldGroup
from referral_contracts.payloads.measure import MeasureKind
from referral_contracts.payloads.registry import MODELS
from referral_contracts.payloads.request import Service
from referral_contracts.payloads.shown import personal_strings
from referral_contracts.records import Record
from referral_contracts.rules.book import RuleBook
from referral_contracts.rules.loading import load_packs
from running import DEMONSTRATION
from tests.contracts.payloads.forms import DRAFTS, example
from tests.kafka.demo_run import ROOT, DemoRun

_A_FEW = 4
"""Shorter strings, such as a commune's number, mean nobody and stand everywhere."""
_PIECE = 24
_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/")
_SAY_NOTHING = frozenset({"other", "unknown"})
_BY_CHANCE = 8
"""Sealed sections are megabytes of random base64: a shorter word of its alphabet is in there sooner or later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """A string of the case file where it must not be."""

    place: str
    form: str
    text: str


def case_file() -> frozenset[str]:
    """Return every personal string and every free text of the examples."""
    public = _public()
    found: set[str] = set()
    for path in DRAFTS:
        payload = example(path.stem)
        found.update(personal_strings(payload), _texts(payload))
    # What an agency is called stands in the directory, for everybody.
    return frozenset(text for text in found if len(text) > _A_FEW and text not in public)


def _public() -> str:
    return (ROOT / "deploy" / "agencies.toml").read_text("utf-8")


def _texts(group: FieldGroup) -> Iterator[str]:
    for name in type(group).model_fields:
        value: object = getattr(group, name)
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, FieldGroup):
                yield from _texts(item)
            elif isinstance(item, str) and not isinstance(item, Choice):
                yield item


def vocabulary() -> frozenset[str]:
    """Return what names a rule, a happening, a form, a service or a measure: which it is stays secret."""
    book = RuleBook(load_packs({path.name: path.read_text("utf-8") for path in DEMONSTRATION}))
    kinds = {kind.value for kinds in (Service, MeasureKind) for kind in kinds} - _SAY_NOTHING
    return frozenset(
        {
            *book.places,
            *TRIGGERS,
            *(f"{name}/{major}." for name, major in MODELS),
            # As JSON has them: many are words that may stand anywhere.
            *(f'"{kind}"' for kind in kinds),
        }
    )


def but_for_metrics(places: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return *places* without the pages that count by rule: aggregated, and with no case beside it."""
    return {place: content for place, content in places.items() if not place.endswith(".metrics")}


def forms_of(text: str) -> Iterator[tuple[str, bytes]]:
    """Yield *text* in each form to search for, with the form's name."""
    raw = text.encode()
    if len(text) >= _BY_CHANCE or not set(text) <= _PLAIN:
        yield "as it is", raw
    escaped = json.dumps(text)[1:-1].encode()
    if escaped != raw:
        yield "escaped", escaped
    yield "in hexadecimal", raw.hex().encode()
    for alignment in range(3):
        encoded = base64.b64encode(bytes(alignment) + raw)
        # What the neighbours of the string have a share in is not known.
        kept = encoded[-(-alignment * 8 // 6) : (alignment + len(raw)) * 8 // 6]
        if len(kept) >= _BY_CHANCE:
            yield "in base64", kept
            yield "in base64", kept.translate(bytes.maketrans(b"+/", b"-_"))


def needles(texts: frozenset[str]) -> Mapping[bytes, tuple[str, str]]:
    """Return everything to search for, with its form and the string it comes from."""
    found: dict[bytes, tuple[str, str]] = {}
    public = _public()
    for text in sorted(texts):
        found.update((needle, (form, text)) for form, needle in forms_of(text))
        pieces = (text[start : start + _PIECE] for start in range(0, len(text) - _PIECE, _PIECE))
        found.update((piece.encode(), ("a piece", text)) for piece in pieces if piece not in public)
    return found


def leaks(places: Mapping[str, bytes], texts: frozenset[str]) -> Sequence[Leak]:
    """Return each string of *texts* that is in one of the *places*, in any form."""
    wanted = needles(texts)
    return [
        Leak(place=place, form=form, text=text)
        for place, content in places.items()
        for needle, (form, text) in wanted.items()
        if needle in content
    ]


def places(demo: DemoRun) -> dict[str, bytes]:
    """Return all that a run wrote anywhere, by place: every file, and every part of every record."""
    found = {
        str(path.relative_to(demo.home)): path.read_bytes().rstrip(b"\0")
        for path in demo.home.rglob("*")
        if path.is_file()
    }
    found["standard error"] = demo.complaints.encode()
    found["topic names"] = "\n".join(sorted({topic for topic, _ in demo.held.records})).encode()
    for (topic, partition), records in demo.held.records.items():
        for part, content in _parts(records).items():
            found[f"{part} of {topic}[{partition}]"] = content
    return found


def _parts(records: Sequence[Record]) -> Mapping[str, bytes]:
    return {
        "keys": b"\n".join(record.key or b"" for record in records),
        "header names": "\n".join(name for record in records for name, _ in record.headers).encode(),
        "header values": b"\n".join(value or b"" for record in records for _, value in record.headers),
        "values": b"\n".join(record.value or b"" for record in records),
    }


def proves_that_it_was_read(demo: DemoRun) -> Mapping[str, bytes]:
    """Return for some places a string that has to be there: the search would find nothing in empty ones either."""
    ((case, _),) = cases_of(demo).most_common(1)
    return {
        "router-1.log": b'"service": "referral-router"',
        "router-1.metrics": b"referral_bus_records_total",
        "watcher-1.log": b'"service": "deadline-watcher"',
        "watcher-1.metrics": b'referral_bus_clocks_missed_total{basis="policy",role="commune",rule="demo-',
        "audit-log-1.log": b'"service": "audit-log"',
        "audit-log-1.metrics": b"referral_bus_log_size",
        "log/log.db": case,
        "log/tiles/checkpoint": b"training.log",
        "evidence/case.html": b"</html>",
        "evidence/case.zip": b"events.jsonl",
        "evidence/event": b"handoff.assigned",
        "evidence/flipped.db": case,
        "kafka/broker.log": b"",
        "agencies/hotline-111/agency.log": case,
        "agencies/bv-nhi-minh-hoa/store.db": case,
        "topic names": b"inbox.th-thi-du",
        **{f"keys of {topic}[{partition}]": case for topic, partition in _of(demo, case)},
    }


def cases_of(demo: DemoRun) -> Counter[bytes]:
    """Return the cases that the ledger knows, and how much was said in each."""
    return Counter(
        record.key
        for number in range(demo.held.partitions)
        for record in demo.held.read(topics.LEDGER, number)
        if record.key is not None
    )


def _of(demo: DemoRun, case: bytes) -> list[tuple[str, int]]:
    return [place for place, records in demo.held.records.items() if case in [record.key for record in records]]


def log_lines(home: Path) -> int:
    """Return how many lines the processes have logged."""
    return sum(len(path.read_bytes().splitlines()) for path in home.rglob("*.log") if "data" not in path.parts)
