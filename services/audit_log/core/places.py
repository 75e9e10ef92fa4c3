"""How far the log has read each partition of the ledger."""

from dataclasses import dataclass
from typing import Final

from referral_contracts.codes import Code
from referral_contracts.decisions import NO_DECISION
from referral_contracts.errors import Fatal


@dataclass(frozen=True, slots=True)
class Place:
    """Where the log stands in one partition."""

    next_offset: int
    """The record to read next."""
    counter: int
    """The number of the last decision that was taken."""
    chain: bytes
    """Its hash: what the next one has to name."""

    def check_within(self, start: int, end: int) -> None:
        """
        Return if the ledger, which holds the offsets from *start* to before *end*, can be read on from here.

        Raises:
            Fatal: POSITION_LOST: it begins behind this place. LEDGER_ROLLED_BACK: it ends before it.
        """
        if self.next_offset < start:
            raise Fatal(Code.POSITION_LOST, "the ledger begins behind what was taken of it")
        if self.next_offset > end:
            raise Fatal(Code.LEDGER_ROLLED_BACK, "the ledger ends before what was taken of it")

    def check_follows(self, counter: int, previous: bytes) -> None:
        """
        Return if the decision number *counter*, which names *previous*, is the next one.

        Raises:
            Fatal: LOG_GAP: one is missing. LEDGER_ROLLED_BACK: the ledger tells another story than it did.
        """
        if counter > self.counter + 1:
            raise Fatal(Code.LOG_GAP, "a decision of the ledger is missing")
        if counter <= self.counter or previous != self.chain:
            raise Fatal(Code.LEDGER_ROLLED_BACK, "the ledger's decisions do not follow those that were taken")


NOWHERE: Final = Place(0, 0, NO_DECISION)
"""Before the first record."""
