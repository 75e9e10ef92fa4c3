from datetime import date

import pytest

from referral_contracts.rules.book import SETTLE_MS, RuleBook, RuleInForce
from referral_contracts.rules.calendar import OFFSET, number_of
from referral_contracts.rules.loading import load_packs
from referral_contracts.rules.pack import Basis
from referral_contracts.rules.spans import DAY, HOUR
from tests.contracts.rules.packs import head, override, rule, shelved, threshold

ID = "emergency-measures-12h"
WARD = head("local", "ward", places='[{ province = "01", commune = "00001" }]')
PROVINCE = head("local", "province", places='[{ province = "01" }]')


def book(*texts: str) -> RuleBook:
    return RuleBook(load_packs({f"{number}.toml": text for number, text in enumerate(texts)}))


def midnight(day: str) -> int:
    """Return the moment at which *day* begins in Viet Nam."""
    return number_of(date.fromisoformat(day)) * DAY - OFFSET


def found(rules: RuleBook, day: str = "2026-03-02", place: tuple[str, str] = ("01", "00001")) -> RuleInForce:
    rule = rules.in_force(ID, midnight(day), *place)
    assert rule is not None
    return rule


def test_the_day_of_the_trigger_decides_which_row_is_in_force() -> None:
    rows = rule(valid_until="2026-03-02") + rule(valid_from="2026-03-02", limit='"PT6H"')
    rules = book(head() + rows)
    limits = [rules.in_force(ID, midnight("2026-03-02") + later, None, None) for later in (-1, 0)]

    assert [one and one.rule.limit for one in limits] == ["PT12H", "PT6H"]
    assert rules.in_force(ID, midnight("2017-06-30"), None, None) is None
    assert rules.in_force("nothing", midnight("2026-03-02"), None, None) is None


def test_a_rule_holds_in_its_places() -> None:
    rules = book(head() + rule(places='[{ province = "01" }]'))

    assert rules.in_force(ID, midnight("2026-03-02"), "01", "00001") is not None
    assert rules.in_force(ID, midnight("2026-03-02"), "02", "00001") is None
    assert rules.in_force(ID, midnight("2026-03-02"), None, None) is None


def test_the_strictest_of_what_places_have_set_holds() -> None:
    rules = book(head() + rule(), WARD + override(limit='"PT8H"'), PROVINCE + override(limit='"PT6H"'))

    assert found(rules).rule.limit == "PT6H"
    assert found(rules, place=("01", "00002")).rule.limit == "PT6H"
    assert found(rules, place=("02", "00001")).rule.limit == "PT12H"
    assert found(rules, day="2020-01-01").rule.limit == "PT12H"


def test_what_a_place_has_set_names_its_own_source_and_keeps_the_countrys() -> None:
    national = rule(quote='"trong vòng 12 giờ"', limit_confidence='"N"', remind='["PT1H"]')
    one = found(book(head() + national, WARD + override(confidence='"S"')))

    assert (one.pack, one.basis, one.rule.source, one.rule.quote) == ("ward", Basis.LAW, "QT-45/LĐTBXH", None)
    assert (one.rule.confidence, one.rule.verified, one.rule.remind_ms) == ("S", True, (HOUR,))
    assert one.rule.span is not None
    assert one.rule.span.amount == 8 * HOUR
    assert one.country is not None
    assert one.country.limit == "PT12H"


def test_what_a_place_asks_of_itself_runs_beside_the_law() -> None:
    rules = book(head() + rule(), WARD + override(basis='"policy"'))
    own = rules.in_force(f"{ID}-ward", midnight("2026-03-02"), "01", "00001")

    assert (found(rules).rule.limit, found(rules).basis) == ("PT12H", Basis.LAW)
    assert own is not None
    assert (own.id, own.rule.limit, own.basis, own.rule.source) == (f"{ID}-ward", "PT8H", Basis.POLICY, "QT-45/LĐTBXH")
    assert own.country is not None
    assert own.country.limit == "PT12H"
    assert rules.waiting["information-received"] == (ID, f"{ID}-ward")
    assert rules.in_force(f"{ID}-ward", midnight("2026-03-02"), "01", "00002") is None
    assert rules.in_force(f"{ID}-ward", midnight("2022-07-11"), "01", "00001") is None


def test_a_threshold_is_policy_and_never_law() -> None:
    immediate = rule(kind='"immediate"', limit=None)
    without, with_one = book(head() + immediate), book(head() + immediate, head("policy") + threshold())

    assert (found(without).basis, found(without).accuses) == (Basis.LAW, False)
    assert (found(with_one).basis, found(with_one).accuses) == (Basis.POLICY, True)
    assert found(with_one).rule.source == "policy"


@pytest.mark.parametrize(
    ("row", "accuses"),
    [
        (rule(), True),
        (rule(confidence='"S"'), True),
        (rule(confidence='"N"'), False),
        (rule(limit_confidence='"N"'), False),
        (rule(kind='"none"', limit=None), False),
    ],
)
def test_what_nobody_has_read_or_has_no_limit_accuses_nobody(row: str, accuses: bool) -> None:
    assert found(book(head() + row)).accuses is accuses


def test_what_a_pack_says_of_its_rules_holds_for_those_that_say_nothing() -> None:
    more = {"remind": '["PT2H"]', "escalate": "[{ up = 2 }]"}
    silent, own = book(head(**more) + rule()), book(head(**more) + rule(remind="[]", escalate="[]"))

    assert found(silent).rule.remind_ms == (2 * HOUR,)
    assert [step.up for step in found(silent).rule.escalate or ()] == [2]
    assert (found(own).rule.remind_ms, found(own).rule.escalate) == ((), ())


def test_a_rule_is_found_again_by_its_ref() -> None:
    rules = RuleBook(load_packs(shelved()))
    refs = {one.ref: one for one in rules.every()}

    assert {one.id for one in refs.values()} == set(rules.ids)
    assert all(RuleBook(rules.packs).by_ref(ref) == one for ref, one in refs.items())
    assert rules.by_ref("no/such/rule") is None


def test_how_long_late_paper_settles_is_the_policys_to_say() -> None:
    assert book(head() + rule()).settle_ms == SETTLE_MS
    assert book(head() + rule(), head("policy", settle='"PT2H"')).settle_ms == 2 * HOUR


def test_quang_trung_ward_has_eight_hours_of_its_own() -> None:
    rules = RuleBook(load_packs(shelved("national.toml", "local/quang-trung.toml")))
    own = rules.in_force(f"{ID}-quang-trung", midnight("2026-03-02"), "01", "09550")

    assert found(rules, place=("01", "09550")).rule.limit == "PT12H"
    assert own is not None
    assert (own.rule.limit, own.basis) == ("PT8H", Basis.POLICY)
