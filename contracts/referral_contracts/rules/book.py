"""
The rule book: which rule is in force at a moment and a place, with what a place or a policy made of it.

The day of the trigger decides, in Viet Nam's days. A clock that runs keeps the rule that it was armed under.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Final

from referral_contracts.payloads.deadline import Ground, RuleNamed
from referral_contracts.rules.calendar import date_of, day_of
from referral_contracts.rules.pack import Basis, Change, Kind, Override, Pack, Place, Rule, Whose, read_limit
from referral_contracts.rules.spans import HOUR, milliseconds

SETTLE_MS: Final = HOUR
"""How long after it was armed a clock is not called missed, where no policy pack says otherwise."""
CASE_VOIDED: Final = "case.voided"


@dataclass(frozen=True)
class RuleInForce:
    """A rule as it holds at a time and a place."""

    ref: str
    """Names the rows it is made of, and stays the same for as long as they do."""
    rule: Rule
    pack: str
    version: int
    basis: Basis
    places: tuple[Place, ...] = ()
    """Where it holds; empty: everywhere."""
    country: Rule | None = None
    """What holds where the place has set nothing of its own."""
    pack_vi: str = ""
    pack_en: str = ""
    """What people call the pack: whose rule it is."""

    @property
    def basis_words(self) -> tuple[str, str]:
        """What it rests on, in Vietnamese and in English; a house's own procedure with the name of the house."""
        if self.basis is Basis.POLICY and self.places and self.country is not None:
            return f"quy trình riêng của {self.pack_vi}", f"own procedure of {self.pack_en}"
        return self.basis.vi, self.basis.en

    @cached_property
    def teller(self) -> "RuleInForce":
        """The rule by which it is asked whether a happening was told by an agency of the role: a place is no answer."""
        return replace(self, rule=_copy(self.rule, {"whose": Whose.SENDER}))

    @cached_property
    def named(self) -> RuleNamed:
        """The rule as notices name it."""
        rule = self.rule
        return RuleNamed(
            id=self.id,
            vi=rule.vi,
            en=rule.en,
            ground=Ground.LAW if self.basis is Basis.LAW else Ground.POLICY,
            source=rule.source,
            quote=rule.quote,
            confidence=rule.confidence,
            pack=self.pack,
            version=str(self.version),
        )

    @cached_property
    def cancelling(self) -> frozenset[str]:
        """What cancels a clock of the rule; a case entered in error cancels all of its clocks."""
        return cancelling(self.rule)

    @cached_property
    def receiver(self) -> "RuleInForce":
        """The rule by which it is asked whether a happening went to an agency to which it has to be told."""
        return replace(self, rule=_copy(self.rule, {"role": self.rule.told_to, "whose": Whose.NAMED}))

    @property
    def id(self) -> str:
        """The rule's id."""
        return self.rule.id

    @cached_property
    def accuses(self) -> bool:
        """Whether a clock of this rule can be missed. What nobody has read accuses nobody."""
        return self.rule.verified and self.rule.span is not None


@dataclass(frozen=True, slots=True)
class _Row:
    pack: Pack
    rule: Rule
    country: Rule | None = None


@dataclass(frozen=True)
class RuleBook:
    """The rules of all packs that are used together; `load_packs` has judged them."""

    packs: tuple[Pack, ...]
    _made: dict[str, RuleInForce] = field(default_factory=dict, repr=False, compare=False)

    @cached_property
    def settle_ms(self) -> int:
        """How long after it was armed a clock is not called missed: late paper accuses nobody."""
        said = [milliseconds(pack.pack.settle) or 0 for pack in self.packs if pack.pack.settle is not None]
        return max(said, default=SETTLE_MS)

    @cached_property
    def _rows(self) -> Mapping[str, tuple[_Row, ...]]:
        found: dict[str, list[_Row]] = {}
        for pack in self.packs:
            for rule in pack.rule:
                found.setdefault(rule.id, []).append(_Row(pack, rule))
        for row in [row for rows in found.values() for row in rows]:
            for pack in self.packs:
                for override in pack.override:
                    if override.rule == row.rule.id and override.basis is Basis.POLICY:
                        found.setdefault(beside_id(row.rule.id, pack), []).extend(_beside(row, pack, override))
        return {name: tuple(rows) for name, rows in found.items()}

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The rules' ids, in the order of the packs."""
        return tuple(self._rows)

    @cached_property
    def waiting(self) -> Mapping[str, tuple[str, ...]]:
        """By the name of a happening: the ids of the rules on whose clocks it bears."""
        found: dict[str, dict[str, None]] = {}
        for name, rows in self._rows.items():
            for row in rows:
                for happening in named_in(row.rule):
                    found.setdefault(happening, {})[name] = None
        return {happening: tuple(names) for happening, names in found.items()}

    @cached_property
    def starting(self) -> Mapping[str, frozenset[str]]:
        """By the id of a rule: the names of the happenings that start it, in any of its rows."""
        return {name: frozenset(one for row in rows for one in row.rule.trigger) for name, rows in self._rows.items()}

    @cached_property
    def bearing(self) -> Mapping[str, frozenset[str]]:
        """By the id of a rule: the names of the happenings that bear on its clocks, in any of its rows."""
        return {name: frozenset().union(*(named_in(row.rule) for row in rows)) for name, rows in self._rows.items()}

    @cached_property
    def places(self) -> Mapping[str, int]:
        """By the id of a rule: where it stands among the others."""
        return {name: number for number, name in enumerate(self._rows)}

    def in_force(self, rule_id: str, at_ms: int, province: str | None, commune: str | None) -> RuleInForce | None:
        """Return the rule *rule_id* as it holds there *at_ms*, or None: there is none, or not there, or not then."""
        day = date_of(day_of(at_ms))
        for row in self._rows.get(rule_id, ()):
            if row.rule.in_force(day) and _holds(row.rule.places or row.pack.pack.places, province, commune):
                changes = [
                    (pack, change)
                    for pack, change in self._changes.get(rule_id, ())
                    if change.in_force(day) and _holds(pack.pack.places, province, commune)
                ]
                return self._make(row, min(changes, key=lambda found: _amount(row.rule, found[1]), default=None))
        return None

    def every(self) -> Iterable[RuleInForce]:
        """Yield each row as it stands, and each change that a place or a policy makes to one."""
        for name, rows in self._rows.items():
            for row in rows:
                yield self._make(row, None)
                for pack, change in self._changes.get(name, ()):
                    if _both(row.rule, change) is not None:
                        yield self._make(row, (pack, change))

    def by_ref(self, ref: str) -> RuleInForce | None:
        """Return the rule that *ref* names, if it is in these packs."""
        if ref not in self._made:
            for _ in self.every():
                pass
        return self._made.get(ref)

    @cached_property
    def _changes(self) -> Mapping[str, tuple[tuple[Pack, Change], ...]]:
        found: dict[str, list[tuple[Pack, Change]]] = {}
        for pack in self.packs:
            for change in (*pack.override, *pack.threshold):
                # What a place asks of itself runs beside the law, under a name of its own: both can be late.
                if isinstance(change, Override) and change.basis is Basis.POLICY:
                    continue
                found.setdefault(change.rule, []).append((pack, change))
        return {name: tuple(changes) for name, changes in found.items()}

    def _make(self, row: _Row, changed: tuple[Pack, Change] | None) -> RuleInForce:
        ref = f"{row.pack.pack.id}/{row.rule.id}/{row.rule.valid_from}"
        if changed is not None:
            ref += f"+{changed[0].pack.id}/{changed[1].valid_from}"
        if ref not in self._made:
            self._made[ref] = _changed(ref, row, changed)
        return self._made[ref]


def named_in(rule: Rule) -> frozenset[str]:
    """Return the names of all happenings that bear on a clock of *rule*."""
    return frozenset(
        (
            *rule.trigger,
            *rule.second,
            *rule.required,
            *rule.cancelled_by,
            *rule.paused_by,
            *rule.resumed_by,
            *rule.requires,
            *rule.unless,
            *rule.delay_told_by,
            *(one.when for one in rule.longer),
            CASE_VOIDED,
        )
    )


def cancelling(rule: Rule) -> frozenset[str]:
    """Return what cancels a clock of *rule*; a case entered in error cancels all of its clocks."""
    return frozenset((*rule.cancelled_by, *rule.unless, CASE_VOIDED))


def _beside(row: _Row, pack: Pack, override: Override) -> Iterator[_Row]:
    rule = row.rule
    lasting = _both(rule, override)
    if lasting is not None:
        named = {"id": beside_id(rule.id, pack), "places": pack.pack.places}
        yield _Row(pack, _copy(rule, {**_own(override), **lasting, **named}), rule)


def _both(rule: Rule, change: Change) -> Mapping[str, object] | None:
    """Return from when until when both hold, or None: they never do."""
    begin = max(rule.valid_from, change.valid_from)
    end = min(rule.valid_until or date.max, change.valid_until or date.max)
    return {"valid_from": begin, "valid_until": None if end == date.max else end} if begin < end else None


def beside_id(rule_id: str, pack: Pack) -> str:
    """Return what a rule is called that a place has set for itself beside the law."""
    return f"{rule_id}-{pack.pack.id}"


def _holds(places: tuple[Place, ...], province: str | None, commune: str | None) -> bool:
    return not places or any(place.holds(province, commune) for place in places)


def _amount(rule: Rule, change: Change) -> int:
    span = read_limit(rule.kind, change.limit)
    return 0 if span is None else span.amount


_TAKEN: Final = ("limit", "source", "quote", "note_vi", "note_en", "remind", "escalate")
"""What a change has of its own. What it leaves out of these, the rule's stays, but for quote and note."""
_ITS_OWN: Final = frozenset({"quote", "note_vi", "note_en"})


def _own(change: Change) -> Mapping[str, object]:
    told = {name: getattr(change, name) for name in _TAKEN}
    update = {name: value for name, value in told.items() if value is not None or name in _ITS_OWN}
    if isinstance(change, Override):
        # What a place set for itself is the whole of it: what gives more time in the country gives none here.
        update |= {"confidence": change.confidence, "limit_confidence": None, "longer": ()}
    return update


def _changed(ref: str, row: _Row, changed: tuple[Pack, Change] | None) -> RuleInForce:
    rule, head = row.rule, row.pack.pack
    steps = {
        "remind": rule.remind if rule.remind is not None else head.remind,
        "escalate": rule.escalate if rule.escalate is not None else head.escalate,
    }
    basis = row.pack.basis if row.country is None else Basis.POLICY
    places = rule.places or head.places
    found = RuleInForce(
        ref,
        _copy(rule, steps),
        head.id,
        head.version,
        basis,
        places,
        row.country,
        pack_vi=head.vi,
        pack_en=head.en,
    )
    if changed is None:
        return found
    pack, change = changed
    return replace(
        found,
        rule=_copy(found.rule, {**_own(change), **(_both(rule, change) or {})}),
        pack=pack.pack.id,
        version=pack.pack.version,
        pack_vi=pack.pack.vi,
        pack_en=pack.pack.en,
        basis=Basis.LAW if isinstance(change, Override) else Basis.POLICY,
        places=pack.pack.places or found.places,
        country=rule if rule.kind is not Kind.IMMEDIATE else None,
    )


def _copy(rule: Rule, update: Mapping[str, object]) -> Rule:
    # Through the constructor: a copy made by pydantic would keep what was worked out for the old limit.
    return Rule.model_construct(**{**{name: getattr(rule, name) for name in Rule.model_fields}, **update})
