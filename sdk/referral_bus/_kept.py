"""
Deliveries at hand: verified a moment ago, opened at most once, for the few who are about to ask for them.

Whoever asks later has it read back from the store and opened again; nothing depends on what is kept here.
"""

from collections import OrderedDict
from collections.abc import Callable
from functools import cached_property
from typing import Final

from referral_bus._open import Opened, open_sections
from referral_bus._store.inbox import Stored
from referral_bus._verify import VerifiedDelivery
from referral_bus.keys import AgencyKeys

KEPT: Final = 256
"""Deliveries, at most; what comes after pushes out the oldest."""
KEPT_BYTES: Final = 4 * 1024 * 1024
"""The same by their size as they came: opened, a body made for it takes thirty times as much."""


class AtHand:
    """One delivery; nothing is decoded or opened before it is looked at, and nothing twice."""

    def __init__(self, verify: Callable[[], VerifiedDelivery], keys: AgencyKeys) -> None:
        """Hold a delivery that *verify* gives, and the *keys* that open it."""
        self._verify = verify
        self._keys = keys

    @cached_property
    def verified(self) -> VerifiedDelivery:
        """The delivery as it came."""
        return self._verify()

    @cached_property
    def opened(self) -> Opened:
        """The same, with our sections opened."""
        return open_sections(self.verified, self._keys)


class Kept:
    """What is kept at hand, by its place in the store."""

    def __init__(self, keys: AgencyKeys) -> None:
        """Keep nothing yet."""
        self._keys = keys
        self._kept: OrderedDict[int, tuple[AtHand, int]] = OrderedDict()
        self.size = 0
        """Bytes of what is kept, as it came."""

    def keep(self, seq: int, delivery: AtHand, asked: int) -> None:
        """Keep what so many are about to ask for."""
        self._kept[seq] = delivery, asked
        self.size += len(delivery.verified.value)
        while len(self._kept) > KEPT or self.size > KEPT_BYTES:
            self._drop(next(iter(self._kept)))

    def take(self, stored: Stored) -> AtHand:
        """Return a stored delivery; one of those who were about to ask has done so."""
        kept, asked = self._kept.get(stored.seq, (None, 0))
        if kept is None:
            return AtHand(stored.read_back, self._keys)
        if asked > 1:
            self._kept[stored.seq] = kept, asked - 1
        else:
            self._drop(stored.seq)
        return kept

    def _drop(self, seq: int) -> None:
        delivery, _ = self._kept.pop(seq)
        self.size -= len(delivery.verified.value)
