"""What a pack must hold to besides the form of its fields: each alone, then all together."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import combinations
from typing import TypeAlias

from referral_contracts.rules.faults import Fault, Problem
from referral_contracts.rules.pack import (
    TIMED,
    Change,
    Escalation,
    Kind,
    Pack,
    PackKind,
    Place,
    Rule,
    Threshold,
    Timed,
    read_limit,
)
from referral_contracts.rules.roles import ANYBODY
from referral_contracts.rules.spans import milliseconds

Found: TypeAlias = Iterator[tuple[str, Fault, str]]
"""A field, what is wrong with it, and in words."""

_FOREVER = date.max


def faults_of(file: str, pack: Pack) -> Iterator[Problem]:
    """Yield what is wrong with one pack that has the right form."""
    head = pack.pack
    found = [*_of_steps(head.remind, head.escalate)]
    local = head.kind is PackKind.LOCAL
    if local != bool(head.places):
        fault = Fault.MISSING_FIELD if local else Fault.WRONG_VALUE
        found.append(("places", fault, "a local pack, and only that, has places"))
    if pack.override and not local:
        found.append(("override", Fault.WRONG_VALUE, "a local pack overrides, no other does"))
    if pack.threshold and head.kind is not PackKind.POLICY:
        found.append(("threshold", Fault.WRONG_VALUE, "a policy pack sets thresholds, no other does"))
    if head.settle is not None and head.kind not in {PackKind.POLICY, PackKind.DEMO}:
        found.append(("settle", Fault.WRONG_VALUE, "a policy or demo pack says it, no other does"))
    for field, fault, detail in found:
        yield Problem(file, "", field, fault, detail)


def faults_of_row(file: str, row: Rule | Change) -> Iterator[Problem]:
    """Yield what is wrong with one row that has the right form."""
    name, found = (row.id, _of_rule(row)) if isinstance(row, Rule) else (row.rule, _of_timed(row))
    for field, fault, detail in found:
        yield Problem(file, name, field, fault, detail)


def _of_timed(row: Timed) -> Found:
    if row.valid_until is not None and row.valid_until <= row.valid_from:
        yield "valid_until", Fault.WRONG_VALUE, "not after valid_from"
    yield from _of_steps(row.remind or (), row.escalate or ())


def _of_steps(remind: Iterable[str], escalate: Iterable[Escalation]) -> Found:
    for number, text in enumerate(remind):
        if not milliseconds(text):
            yield f"remind.{number}", Fault.WRONG_VALUE, "a time before it is due, such as PT1H or P1D"
    for number, step in enumerate(escalate):
        field = f"escalate.{number}"
        if (step.up is None) == (step.role is None):
            yield field, Fault.WRONG_VALUE, "either up, or a role"
        if step.role == ANYBODY:
            yield f"{field}.role", Fault.WRONG_VALUE, "one role, not everybody"
        if milliseconds(step.wait) is None:
            yield f"{field}.wait", Fault.WRONG_VALUE, "a time after the miss, such as PT1H or P1D"
        if step.times > 1 and not milliseconds(step.repeat or "PT0S"):
            yield f"{field}.repeat", Fault.MISSING_FIELD, "how long between one time and the next"


def _of_rule(rule: Rule) -> Found:
    yield from _of_timed(rule)
    yield from _of_limit(rule)
    if not rule.role or (ANYBODY in rule.role and len(rule.role) > 1):
        yield "role", Fault.WRONG_VALUE, "everybody, or some roles"
    if not rule.trigger and rule.note_en is None:
        yield "note_en", Fault.MISSING_FIELD, "nothing on the bus starts it: a note says why"
    if rule.trigger and rule.verified and rule.span is not None and not rule.required:
        # Nobody could ever be in time.
        yield "required", Fault.MISSING_FIELD, "what ends a clock that can be missed"
    if bool(rule.paused_by) != bool(rule.resumed_by):
        yield "resumed_by", Fault.MISSING_FIELD, "what pauses a clock, something resumes"


def _of_limit(rule: Rule) -> Found:
    if rule.kind not in TIMED:
        if rule.limit is not None:
            yield "limit", Fault.WRONG_VALUE, f"a rule of kind {rule.kind.value} has none"
    elif rule.limit is None:
        yield "limit", Fault.MISSING_FIELD, TIMED[rule.kind]
    elif rule.span is None:
        yield "limit", Fault.WRONG_VALUE, TIMED[rule.kind]
    else:
        for number, one in enumerate(rule.longer):
            span = read_limit(rule.kind, one.limit)
            if span is None or span.unit is not rule.span.unit or span.amount <= rule.span.amount:
                yield f"longer.{number}.limit", Fault.WRONG_VALUE, f"longer than the limit: {TIMED[rule.kind]}"


def faults_together(packs: Mapping[str, Pack]) -> Iterator[Problem]:
    """Yield what is wrong with packs beside each other, by the names of their files."""
    files = list(packs)
    for number, file in enumerate(files):
        if packs[file].pack.id in {packs[other].pack.id for other in files[:number]}:
            yield Problem(file, "", "id", Fault.DUPLICATE_PACK, packs[file].pack.id)
    rules = [(file, rule) for file, pack in packs.items() for rule in pack.rule]
    yield from _twice(rules)
    for file, pack in packs.items():
        for row in pack.changes:
            yield from _of_change(file, pack, row, [rule for _, rule in rules if rule.id == row.rule])
    yield from _changed_twice(packs)


def faults_since(file: str, old: Pack, new: Pack) -> Iterator[Problem]:
    """
    Yield what a newer version of a pack may not do to the older: change a row, or lose it.

    Clocks run by the rows under which they were armed, for years. All that may happen to one is that it ends.
    """
    if old != new and new.pack.version <= old.pack.version:
        yield Problem(file, "", "version", Fault.SAME_VERSION, f"{old.pack.version} is another file")
    if old.pack.places != new.pack.places:
        yield Problem(file, "", "places", Fault.ROW_CHANGED, "its rows hold elsewhere")
    rows = {_key(row): row for row in _rows(new)}
    for row in _rows(old):
        following = rows.get(_key(row))
        if following is None:
            yield Problem(file, _key(row)[1], "id", Fault.ROW_CHANGED, f"the row since {row.valid_from} is gone")
            continue
        for name in type(row).model_fields:
            before, after = getattr(row, name), getattr(following, name)
            ends = name == "valid_until" and after is not None and (before is None or after < before)
            if before != after and not ends:
                yield Problem(file, _key(row)[1], name, Fault.ROW_CHANGED, f"in the row since {row.valid_from}")


def _rows(pack: Pack) -> list[Rule | Change]:
    return [*pack.rule, *pack.changes]


def _key(row: Rule | Change) -> tuple[str, str, date]:
    return type(row).__name__, row.id if isinstance(row, Rule) else row.rule, row.valid_from


def _twice(rules: Sequence[tuple[str, Rule]]) -> Iterator[Problem]:
    by_id: dict[str, list[tuple[str, Rule]]] = {}
    for file, rule in rules:
        by_id.setdefault(rule.id, []).append((file, rule))
    for rows in by_id.values():
        for (one_file, one), (file, other) in combinations(rows, 2):
            if one_file != file or one.valid_from == other.valid_from:
                yield Problem(file, other.id, "id", Fault.DUPLICATE_RULE, f"also in {one_file}")
            elif _overlap(one, other):
                yield Problem(file, other.id, "valid_from", Fault.OVERLAPPING_VALIDITY, f"since {one.valid_from}")


def _of_change(file: str, pack: Pack, row: Change, rules: Sequence[Rule]) -> Iterator[Problem]:
    changed = [rule for rule in rules if _overlap(rule, row)]
    if not changed:
        yield Problem(file, row.rule, "rule", Fault.UNKNOWN_RULE, "no such rule in those days")
    for rule in changed:
        immediate = isinstance(row, Threshold)
        if (rule.kind is Kind.IMMEDIATE) != immediate or (not immediate and rule.kind not in TIMED):
            yield Problem(file, row.rule, "rule", Fault.WRONG_KIND, f"the rule is of kind {rule.kind.value}")
            continue
        span = read_limit(rule.kind, row.limit)
        if span is None:
            detail = "hours, such as PT2H" if immediate else TIMED[rule.kind]
            yield Problem(file, row.rule, "limit", Fault.WRONG_VALUE, detail)
        elif rule.span is not None and (span.unit is not rule.span.unit or span.amount > rule.span.amount):
            places = ", ".join(map(_told, pack.pack.places))
            yield Problem(
                file, row.rule, "limit", Fault.LOOSER, f"{row.limit} in {places}, {rule.limit} in the country"
            )


def _changed_twice(packs: Mapping[str, Pack]) -> Iterator[Problem]:
    # A local pack that says no place is told so; it is not held to be about everywhere.
    placed = {file: pack for file, pack in packs.items() if pack.pack.places or pack.pack.kind is not PackKind.LOCAL}
    rows = [(file, pack, row) for file, pack in placed.items() for row in pack.changes]
    for (one_file, one_pack, one), (file, pack, other) in combinations(rows, 2):
        alike = one.rule == other.rule and type(one) is type(other) and _overlap(one, other)
        if alike and _meet(one_pack.pack.places, pack.pack.places):
            yield Problem(file, other.rule, "valid_from", Fault.OVERLAPPING_VALIDITY, f"also in {one_file}")


def _overlap(one: Timed, other: Timed) -> bool:
    return max(one.valid_from, other.valid_from) < min(one.valid_until or _FOREVER, other.valid_until or _FOREVER)


def _meet(ones: Sequence[Place], others: Sequence[Place]) -> bool:
    # A commune inside a province that has a value of its own is no conflict: the narrower place decides.
    return bool({*ones} & {*others}) or not ones or not others


def _told(place: Place) -> str:
    return place.province if place.commune is None else f"{place.province}/{place.commune}"
