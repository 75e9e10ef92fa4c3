"""
The numbers that let nothing be left out: of decisions within their partition, of events within their case.

A trail has one case's share of a partition, so between two of its decisions others may lie: numbers rise, neighbours
chain, and time does not go back. The case's own numbers have no gap but where leaves were erased.
"""

from dataclasses import dataclass, field

from referral_contracts.codes import Code
from referral_contracts.decisions import Decision
from referral_contracts.encoding import unb64
from referral_contracts.trail.model import Fault


@dataclass(slots=True)
class Numbering:
    """The decisions of a trail, as far as they were taken."""

    _last: dict[int, tuple[Decision, bytes]] = field(default_factory=dict)
    """By partition: the last decision and its hash."""
    _case: int = 0
    _home: int | None = None
    """The partition of the case: an event that stands is nowhere else."""
    _erased: int = 0
    """Leaves without bytes since the last event that stands."""

    def erased(self) -> None:
        """Take a leaf whose bytes are gone."""
        self._erased += 1

    def take(self, index: int, decision: Decision, chain: bytes) -> list[Fault]:
        """Take the next decision, whose hash is *chain*; return what is wrong with its place."""
        found = []
        before, last = self._last.get(decision.partition, (None, b""))
        if before is not None:
            if decision.counter <= before.counter or decision.admitted < before.admitted:
                found.append("decided before the one that stands before it")
            elif decision.counter == before.counter + 1 and unb64(decision.previous) != last:
                found.append("not the decision that follows the one before it")
        self._last[decision.partition] = decision, chain
        if decision.case is not None:
            found += self._number(decision.case, decision.partition)
        elif decision.code is Code.ACCEPTED:
            found.append("an event that stands, without a number")
        return [Fault(code=Code.COUNTER_GAP, index=index, detail=detail) for detail in found]

    def _number(self, number: int, partition: int) -> list[str]:
        found = []
        if self._home not in {None, partition}:
            found.append("decided in another partition than the case's")
        missing = number - self._case - 1
        if missing > self._erased:
            several = f"events {self._case + 1} to {number - 1} of the case are"
            found.append(f"{f'event {number - 1} of the case is' if missing == 1 else several} missing before it")
        elif missing < 0:
            found.append("numbered as an event before it")
        self._home, self._case, self._erased = partition, max(number, self._case), 0
        return found
