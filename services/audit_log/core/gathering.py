"""
Gathering cosignatures: which checkpoint the witnesses are asked for, and what has come of it. Pure.

The log publishes on its beat and waits for nobody. Witnesses answer in their own time, and only cosignatures of one
and the same checkpoint count together. So they are asked in rounds: all of them for the checkpoint that is the newest
when a round begins; the round ends when enough have answered, when none is left to answer, or after a time. One that
is slow holds up a round at most, and what it says late still counts for the checkpoint that it says it of.
"""

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from referral_contracts.log.checkpoint import Checkpoint
from referral_contracts.log.note import NoteSignature, parse_note, write_note
from referral_contracts.log.policy import Policy

_KEPT: Final = 16
"""Checkpoints that are asked for and not yet witnessed: as many rounds as a slow answer may be late."""


@dataclass(slots=True)
class _Asked:
    note: bytes
    cosigned: dict[str, NoteSignature] = field(default_factory=dict)


class Gathering:
    """The rounds of one log's witnesses."""

    def __init__(self, policy: Policy, round_s: float, witnessed: int = 0) -> None:
        """Ask the witnesses of *policy*; *witnessed* is the size of the largest checkpoint that is witnessed."""
        self._policy = policy
        self._round_s = round_s
        self._asked: OrderedDict[int, _Asked] = OrderedDict()
        self._target: Checkpoint | None = None
        self._pending: set[str] = set()
        self._told: set[str] = set()
        self._until_s = 0.0
        self.witnessed = witnessed
        """The size of the largest checkpoint that is witnessed."""

    def due(
        self, newest: Checkpoint, note: bytes, free: Collection[str], now_s: float
    ) -> tuple[Checkpoint, bytes, list[str]]:
        """Return the checkpoint of this round with its note, and which of the *free* witnesses to ask for it now."""
        target = self._target
        if target is None or (newest.size > target.size and self._is_over(target, now_s)):
            target = self._target = newest
            self._asked[newest.size] = _Asked(note)
            while len(self._asked) > _KEPT:
                self._asked.popitem(last=False)
            self._pending.clear()
            self._told.clear()
            self._until_s = now_s + self._round_s
        asked = [name for name in free if name not in self._told]
        self._told.update(asked)
        self._pending.update(asked)
        return target, self._asked[target.size].note, asked

    def _is_over(self, target: Checkpoint, now_s: float) -> bool:
        return self.witnessed >= target.size or not self._pending or now_s >= self._until_s

    def failed(self, name: str) -> None:
        """Take it that *name* did not answer: nobody waits for it, and it is asked again when it is free."""
        self._pending.discard(name)
        # A log that stands still has no next round.
        self._told.discard(name)

    def cosigned(self, name: str, size: int, signature: NoteSignature) -> bytes | None:
        """Take a cosignature; return the checkpoint with all it has, when that is the largest that is witnessed."""
        if self._target is not None and size == self._target.size:
            self._pending.discard(name)
        asked = self._asked.get(size)
        if asked is None or size < self.witnessed:
            return None
        asked.cosigned[name] = signature
        if not self._policy.is_quorum([*asked.cosigned]):
            return None
        self.witnessed = size
        for smaller in [one for one in self._asked if one < size]:
            del self._asked[smaller]
        text, signatures = parse_note(asked.note)
        order = [witness.name for witness in self._policy.witnesses if witness.name in asked.cosigned]
        return write_note(text, [*signatures, *(asked.cosigned[one] for one in order)])
