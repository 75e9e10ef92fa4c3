"""The `clock` section of an event, opened with the watcher's own keys: what it tells, or why it tells nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import ValidationError

from deadline_watcher.core.reading import Event
from referral_contracts.codes import Code
from referral_contracts.envelope import HandoffKey, seal_context
from referral_contracts.errors import ReferralBusError
from referral_contracts.keys import SealingKey
from referral_contracts.lifecycle import CLOCK_VERBS
from referral_contracts.payloads.clock import ClockSection
from referral_contracts.sealing import unseal
from referral_contracts.sections import read_section
from referral_contracts.topics import agency_of
from referral_contracts.wire import Section


class Result(StrEnum):
    """What became of an event's clock section."""

    READ = "read"
    UNOPENED = "unopened"
    MALFORMED = "malformed"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Opened:
    """A clock section, as far as it could be read."""

    result: Result
    section: ClockSection | None = None
    readers: frozenset[str] = frozenset()
    """The agencies that can read it."""
    code: Code | None = None
    """Why it could not be."""


class Opener:
    """Opens what is sealed to the watcher."""

    def __init__(self, bus: str, keys: Iterable[SealingKey]) -> None:
        """Open with *keys*, current and old."""
        self._bus = bus
        self._keys: Mapping[str, SealingKey] = {key.kid: key for key in keys}

    def open(self, event: Event, watcher: str) -> Opened | None:
        """Return what the section sealed to *watcher* says; None: there is none, and none is needed."""
        for number, raw in enumerate(event.sections):
            if any(reader["address"] == watcher for reader in raw["readers"]):
                return self._opened(event, number, raw, watcher)
        return Opened(Result.MISSING, code=Code.CLOCK_MISSING) if event.verb in CLOCK_VERBS else None

    def _opened(self, event: Event, number: int, raw: Mapping[str, Any], watcher: str) -> Opened:
        readers = frozenset(agency_of(reader["address"]) for reader in raw["readers"])
        try:
            handoff = None if event.handoff is None else HandoffKey(**event.handoff)
            context = seal_context(self._bus, event.id, event.source, event.subject, handoff, number)
            # The router has judged its form: only lists have to be made tuples.
            section = Section.model_validate(raw, strict=False)
        except (ValidationError, TypeError):
            return Opened(Result.MALFORMED, readers=readers, code=Code.MALFORMED_SECTION)
        key = next((key for reader in section.readers if (key := self._keys.get(reader.kid)) is not None), None)
        if key is None:
            return Opened(Result.UNOPENED, readers=readers, code=Code.NOT_A_READER)
        try:
            text = unseal(section, context, watcher, key)
        except ReferralBusError as error:
            return Opened(Result.UNOPENED, readers=readers, code=error.code)
        return _read(text, readers)


def _read(text: bytes, readers: frozenset[str]) -> Opened:
    try:
        found = read_section(text)
    except ReferralBusError as error:
        return Opened(Result.MALFORMED, readers=readers, code=error.code)
    if not isinstance(found.payload, ClockSection):
        return Opened(Result.MALFORMED, readers=readers, code=found.code or Code.UNKNOWN_SCHEMA)
    return Opened(Result.READ, found.payload, readers)
