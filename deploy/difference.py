"""
What a broker has other than it should: topics, access rules, quotas. Pure: what to do about it is for `provision`.

A topic that nobody asked for stays, and so does one with too few or too many partitions: what lies in a topic is not
made again, and where a case lies is fixed by their number. All else can be put right.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from access import Access, Quotas, Rule
from referral_contracts.topics import TopicSpec, topic_specs


@dataclass(frozen=True, slots=True)
class FoundTopic:
    """A topic as it is."""

    partitions: int
    settings: Mapping[str, str]
    """What is in force."""
    own: AbstractSet[str] = frozenset()
    """Which of them were set for this topic; the others are the broker's defaults."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A broker as it should be."""

    topics: Sequence[TopicSpec]
    rules: AbstractSet[Rule] = frozenset()
    quotas: Quotas = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A broker as it is."""

    topics: Mapping[str, FoundTopic]
    rules: AbstractSet[Rule] = frozenset()
    quotas: Quotas = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What to change for the one to be the other, and what nobody can change."""

    missing: Sequence[TopicSpec] = ()
    drifted: Sequence[TopicSpec] = ()
    """Topics whose settings are to be put back."""
    drift: Sequence[str] = ()
    """How they differ, a line each."""
    granted: Sequence[Rule] = ()
    revoked: Sequence[Rule] = ()
    """Rules that are there and should not be."""
    quotas: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    """By principal: the rates to set; None takes one away."""
    lines: Sequence[str] = ()
    """All of it as a person reads it, one line each: + to be made, - to be taken away, ~ to be changed."""
    miscounted: Sequence[str] = ()
    """Topics with another number of partitions, a line each."""
    strange: Sequence[str] = ()
    """Topics that nobody asked for, a line each."""

    @property
    def anything(self) -> bool:
        """Whether there is something to do."""
        return bool(self.lines)


def wanted(partitions: int, access: Access, named: Iterable[str], registrars: Iterable[str]) -> Wanted:
    """
    Return what a bus has to have where all of *named* and *registrars* have an inbox.

    Services may be among *named*: they have their own rights, and none of an agency's.
    """
    signing = list(registrars)
    everybody = sorted({*named, *signing})
    people = [name for name in everybody if name not in access.services]
    return Wanted(
        topics=topic_specs(partitions, everybody),
        rules=access.rules(people, signing),
        quotas=access.quotas(people),
    )


def concerning(found: Found, wanted: Wanted) -> Found:
    """Return *found* without the rights and quotas of those that *wanted* does not name."""
    named = {rule.principal for rule in wanted.rules}
    return Found(
        topics=found.topics,
        rules=frozenset(rule for rule in found.rules if rule.principal in named),
        quotas={who: rates for who, rates in found.quotas.items() if f"User:{who}" in named},
    )


def difference(wanted: Wanted, found: Found) -> Difference:
    """Return what *found* has to become."""
    missing = [spec for spec in wanted.topics if spec.name not in found.topics]
    there = [(spec, found.topics[spec.name]) for spec in wanted.topics if spec.name in found.topics]
    drift = {spec.name: list(_drift(spec, topic)) for spec, topic in there}
    granted, revoked = sorted(wanted.rules - found.rules), sorted(found.rules - wanted.rules)
    quotas = dict(_rates(wanted.quotas, found.quotas))
    return Difference(
        missing=missing,
        drifted=[spec for spec, _ in there if drift[spec.name]],
        drift=[line for lines in drift.values() for line in lines],
        granted=granted,
        revoked=revoked,
        quotas=quotas,
        lines=[
            *(f"+ {spec.name}: {spec.partitions} partitions" for spec in missing),
            *(f"~ {line}" for lines in drift.values() for line in lines),
            *(f"+ {rule}" for rule in granted),
            *(f"- {rule}" for rule in revoked),
            *_quota_lines(quotas, found.quotas),
        ],
        miscounted=[
            f"{spec.name}: {topic.partitions} partitions, not {spec.partitions}"
            for spec, topic in there
            if topic.partitions != spec.partitions
        ],
        strange=[
            f"{name}: nobody asked for it"
            for name in sorted(found.topics.keys() - {spec.name for spec in wanted.topics})
        ],
    )


def _drift(spec: TopicSpec, topic: FoundTopic) -> Iterable[str]:
    for key, value in spec.config.items():
        if topic.settings.get(key) != value:
            yield f"{spec.name}: {key} is {topic.settings.get(key)}, not {value}"
    for key in sorted(topic.own - spec.config.keys()):
        yield f"{spec.name}: {key} is {topic.settings.get(key)}, set by hand"


def _rates(wanted: Quotas, found: Quotas) -> Iterable[tuple[str, Mapping[str, float | None]]]:
    for who in sorted(wanted.keys() | found.keys()):
        want, have = wanted.get(who, {}), found.get(who, {})
        changed: dict[str, float | None] = {
            rate: want.get(rate) for rate in sorted(want.keys() | have.keys()) if want.get(rate) != have.get(rate)
        }
        if changed:
            yield who, changed


def _quota_lines(quotas: Mapping[str, Mapping[str, float | None]], found: Quotas) -> Iterable[str]:
    for who, rates in quotas.items():
        for rate, value in rates.items():
            before = found.get(who, {}).get(rate)
            if value is None:
                yield f"- {who}: {rate} {before:.0f}"
            elif before is None:
                yield f"+ {who}: {rate} {value:.0f}"
            else:
                yield f"~ {who}: {rate} is {before:.0f}, not {value:.0f}"
