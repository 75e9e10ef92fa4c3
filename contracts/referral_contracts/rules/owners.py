"""
Whose clock it is, who is above that agency, and what each of them may say about it: asked of one directory.

Whoever is not certain is not named: where two agencies could be meant, the clock is nobody's, and that is shown.
"""

import json
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from referral_contracts.directory import Directory
from referral_contracts.directory_model import POLICY_KEY
from referral_contracts.encoding import parse_time
from referral_contracts.rules.book import RuleInForce
from referral_contracts.rules.clock import Clock
from referral_contracts.rules.heard import Happening, Say
from referral_contracts.rules.pack import Escalation, Whose
from referral_contracts.rules.roles import ANYBODY
from referral_contracts.succession import speaker
from referral_contracts.topics import agency_of


@dataclass(frozen=True, slots=True)
class _Seat:
    """One place that an agency answers for."""

    agency: str
    province: str
    commune: str | None
    from_ms: int
    until_ms: int | None


@lru_cache(maxsize=1 << 16)
def _seats(value: bytes) -> tuple[tuple[str, ...], tuple[_Seat, ...]]:
    # Twelve thousand entries are gone through for each new directory: only what is asked of all of them is read.
    told: Mapping[str, Any] = json.loads(value)
    seats = tuple(
        _Seat(
            told["id"],
            place["province"],
            place.get("commune"),
            parse_time(place["valid_from"]) if "valid_from" in place else 0,
            parse_time(place["valid_until"]) if "valid_until" in place else None,
        )
        for place in told.get("jurisdiction", ())
    )
    return tuple(told["roles"]), seats


@dataclass(frozen=True)
class Owners:
    """The agencies of one directory, by role and place."""

    directory: Directory

    @cached_property
    def _by_role(self) -> Mapping[str, Mapping[tuple[str, str | None], tuple[_Seat, ...]]]:
        found: dict[str, dict[tuple[str, str | None], list[_Seat]]] = {}
        for key, value in self.directory.entries.items():
            roles, seats = ((), ()) if key == POLICY_KEY else _seats(value)
            for role in roles:
                for seat in seats:
                    found.setdefault(role, {}).setdefault((seat.province, seat.commune), []).append(seat)
        return {role: {place: tuple(seats) for place, seats in told.items()} for role, told in found.items()}

    def owner(self, rule: RuleInForce, start: Happening, at_ms: int) -> str | None:
        """
        Return whose clock *start* starts, or None: nobody was found.

        That is whom the trigger names, if it has the rule's role; else as the rule says (`Whose`): the one agency of
        that role for the commune, or for the province; who said it; or nobody. Who follows an agency that has ended
        has its clocks.
        """
        roles = frozenset(rule.rule.role)
        named = self._having(roles, start.whose, at_ms)
        if named is not None:
            return named
        match rule.rule.whose:
            case Whose.PLACE:
                return self.of_place(roles, start.province, start.commune, at_ms)
            case Whose.SENDER:
                return self._having(roles, start.sender, at_ms)
            case Whose.NAMED:
                return None

    def _having(self, roles: AbstractSet[str], address: str | None, at_ms: int) -> str | None:
        speaking = None if address is None else speaker(self.directory, agency_of(address), at_ms)
        member = None if speaking is None else self.directory.member(speaking)
        return member.id if member is not None and (ANYBODY in roles or roles & member.roles) else None

    def of_place(self, roles: AbstractSet[str], province: str | None, commune: str | None, at_ms: int) -> str | None:
        """Return the one agency of *roles* for the commune, else for the province; None when there is not one."""
        if province is None:
            return None
        for place in ((province, commune), (province, None)) if commune is not None else ((province, None),):
            seats = [seat for role in roles for seat in self._by_role.get(role, {}).get(place, ())]
            speaking = {
                speaker(self.directory, seat.agency, at_ms)
                for seat in seats
                if seat.from_ms <= at_ms and (seat.until_ms is None or at_ms < seat.until_ms)
            } - {None}
            if speaking:
                return speaking.pop() if len(speaking) == 1 else None
        return None

    def superiors(self, agency: str, at_ms: int) -> Iterator[str]:
        """Yield who is above *agency*, the nearest first."""
        seen = {agency}
        while True:
            member = self.directory.member(agency)
            above = None if member is None or member.entry.parent is None else member.entry.parent
            following = None if above is None else speaker(self.directory, above, at_ms)
            if following is None or following in seen:
                return
            seen.add(following)
            yield following
            agency = following

    def recipient(self, clock: Clock, level: Escalation | None, at_ms: int) -> str | None:
        """Return to whom a clock's notice of *level* goes; None as level means the responsible agency itself."""
        if clock.responsible is None:
            return None
        responsible = speaker(self.directory, clock.responsible, at_ms)
        if level is None or responsible is None:
            return responsible
        if level.up is not None:
            above = list(self.superiors(responsible, at_ms))
            # A hierarchy that ends below says it to its highest: nobody is passed over for want of a level.
            return above[min(level.up, len(above)) - 1] if above else None
        return None if level.role is None else self.of_place({level.role}, clock.province, clock.commune, at_ms)

    def may_say(self, clock: Clock, say: Say, agency: str, at_ms: int) -> bool | None:
        """
        Return whether *agency* says it of *clock* as a superior; None: it may not say it at all.

        The responsible agency disputes and extends, a superior extends and confirms.
        """
        responsible = None if clock.responsible is None else speaker(self.directory, clock.responsible, at_ms)
        if responsible is None:
            return None
        if agency == responsible:
            return None if say is Say.CONFIRMED else False
        above = agency in self.superiors(responsible, at_ms)
        return True if above and say is not Say.DISPUTED else None
