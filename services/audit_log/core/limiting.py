"""How often one address may ask. Pure: what time it is, it is told."""

from collections import OrderedDict
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Final

_KNOWN_MOST: Final = 10_000
"""Addresses that are remembered: who has not asked for longest is forgotten first, and could only have all again."""
_SITE_BITS: Final = 64
"""Of an IPv6 address: whoever has one has all that share these."""


@dataclass(slots=True)
class _Left:
    count: float
    at_s: float


class Allowance:
    """So many questions at once from each address, and so many more a second."""

    def __init__(self, per_s: float, at_once: int) -> None:
        self._per_s, self._at_once = per_s, at_once
        self._left: OrderedDict[str, _Left] = OrderedDict()

    def ask(self, who: str, now_s: float) -> float:
        """Take one question of the address *who*; return 0, or after how many seconds it may ask again."""
        site = _site(who)
        left = self._left.pop(site, None) or _Left(self._at_once, now_s)
        count = min(self._at_once, left.count + max(0.0, now_s - left.at_s) * self._per_s)
        granted = count >= 1
        self._left[site] = _Left(count - 1 if granted else count, now_s)
        if len(self._left) > _KNOWN_MOST:
            self._left.popitem(last=False)
        return 0.0 if granted else (1 - count) / self._per_s


def _site(who: str) -> str:
    try:
        address = ip_address(who)
    except ValueError:
        return who
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(int(address) >> 128 - _SITE_BITS)
    return str(address)
