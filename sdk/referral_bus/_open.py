"""
Opening what is sealed to us, of a verified delivery: the one place where a section of another's is unsealed.

A section that does not open, or cannot be understood, spoils nothing but itself: the rest is shown, and it carries the
code to answer with.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from referral_bus._verify import VerifiedDelivery
from referral_bus.keys import AgencyKeys
from referral_contracts.codes import Code
from referral_contracts.envelope import Envelope
from referral_contracts.errors import RemoteError
from referral_contracts.payloads.clock import ClockSection
from referral_contracts.payloads.payload import Payload
from referral_contracts.sealing import unseal
from referral_contracts.sections import ReadSection, read_section


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedSection:
    """A section that is for us."""

    name: str
    """``s0``, ``s1``: its place in the event."""
    read: ReadSection | None = field(default=None, repr=False)
    """What it says; None when it does not open or has no body to show."""
    code: Code | None = None
    """Why it could not be opened or understood, for the answer ``unreadable``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A delivery with what could be opened of it."""

    verified: VerifiedDelivery
    sections: tuple[OpenedSection, ...]
    sealed: tuple[str, ...]

    @property
    def unreadable(self) -> OpenedSection | None:
        """The first of our sections that could not be opened or understood."""
        return next((section for section in self.sections if section.code is not None), None)

    @property
    def payloads(self) -> tuple[Payload, ...]:
        """What was understood, without the section for the deadline watcher."""
        found = (section.read.payload for section in self.sections if section.read is not None)
        return tuple(payload for payload in found if payload is not None and not isinstance(payload, ClockSection))


def open_sections(verified: VerifiedDelivery, keys: AgencyKeys) -> Opened:
    """Open what the address that *verified* was delivered to can open."""
    opened, sealed = [], []
    for index in range(len(verified.envelope.data.sections)):
        section = _open(verified, index, keys)
        if section is None:
            sealed.append(f"s{index}")
        else:
            opened.append(section)
    return Opened(verified=verified, sections=tuple(opened), sealed=tuple(sealed))


def open_own(envelope: Envelope, agency: str, keys: AgencyKeys) -> tuple[Payload, ...]:
    """Return what we wrote in an event of our own that never left for an inbox of ours: from the copy sealed to us."""
    found = _written(envelope, agency, keys)
    return tuple(payload for payload in found if not isinstance(payload, ClockSection))


def own_clock(envelope: Envelope, agency: str, keys: AgencyKeys) -> ClockSection | None:
    """Return what we told the deadline watcher in an event of our own."""
    return next((one for one in _written(envelope, agency, keys) if isinstance(one, ClockSection)), None)


def _written(envelope: Envelope, agency: str, keys: AgencyKeys) -> Iterator[Payload]:
    for index, section in enumerate(envelope.data.sections):
        reader = next((reader for reader in section.readers if reader.address == agency), None)
        key = None if reader is None else keys.opener(reader.address, reader.kid)
        if key is None:
            continue
        with suppress(RemoteError):
            payload = read_section(unseal(section, envelope.seal_context(index), agency, key)).payload
            if payload is not None:
                yield payload


def _open(verified: VerifiedDelivery, index: int, keys: AgencyKeys) -> OpenedSection | None:
    section, name = verified.envelope.data.sections[index], f"s{index}"
    reader = next((reader for reader in section.readers if reader.address == verified.recipient), None)
    if reader is None:
        return None
    key = keys.opener(reader.address, reader.kid)
    if key is None:
        return OpenedSection(name=name, code=Code.NOT_A_READER)
    try:
        plaintext = unseal(section, verified.envelope.seal_context(index), reader.address, key)
        read = read_section(plaintext)
    except RemoteError as error:
        return OpenedSection(name=name, code=error.code)
    except Exception:  # noqa: BLE001 - its sender chose every byte: a mistake of ours here must not end the inbox
        return OpenedSection(name=name, code=Code.MALFORMED_SECTION)
    return OpenedSection(name=name, read=read, code=read.code)
