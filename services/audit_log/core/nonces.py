"""Which signed questions were asked already. Pure: what time it is, it is told."""

from collections import Counter, OrderedDict
from typing import Final

from referral_contracts.asking import MAX_AGE_S, SKEW_S
from referral_contracts.codes import Code
from referral_contracts.errors import LocalError, RemoteError

_MOST: Final = 100_000
_MOST_OF_ONE: Final = 5_000
"""Of one key: what it asks too often is remembered too, and must not keep the others from asking."""


class Nonces:
    """What was taken, for as long as it could be asked again."""

    def __init__(self, since_s: int, most: int = _MOST, most_of_one: int = _MOST_OF_ONE) -> None:
        """Begin at *since_s*: nobody knows what was asked before."""
        self._since_s, self._most, self._most_of_one = since_s, most, most_of_one
        self._taken: OrderedDict[tuple[str, str], int] = OrderedDict()
        self._of: Counter[str] = Counter()

    def take(self, kid: str, nonce: str, created_s: int, now_s: int) -> None:
        """
        Take *nonce* of the key *kid*, once.

        Raises:
            RemoteError: OUTSIDE_WINDOW: not of now, or it may have been asked before this began. DUPLICATE.
            LocalError: TOO_MANY: no more can be remembered.
        """
        if not now_s - MAX_AGE_S - SKEW_S <= created_s <= now_s + SKEW_S:
            raise RemoteError(Code.OUTSIDE_WINDOW, "signed too long ago, or in the future")
        if created_s <= self._since_s + SKEW_S:
            raise RemoteError(Code.OUTSIDE_WINDOW, "signed when nobody remembered what was asked")
        self._forget(now_s)
        if (kid, nonce) in self._taken:
            raise RemoteError(Code.DUPLICATE, "asked before")
        if len(self._taken) >= self._most or self._of[kid] >= self._most_of_one:
            raise LocalError(Code.TOO_MANY, "no more questions can be remembered")
        self._taken[kid, nonce] = now_s
        self._of[kid] += 1

    def _forget(self, now_s: int) -> None:
        # Created at most SKEW ahead of when it was taken, and good for MAX_AGE and SKEW from then on.
        while self._taken:
            name, taken_s = next(iter(self._taken.items()))
            if taken_s + MAX_AGE_S + 2 * SKEW_S >= now_s:
                return
            del self._taken[name]
            self._of[name[0]] -= 1
