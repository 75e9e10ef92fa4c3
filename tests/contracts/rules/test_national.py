"""The national pack against the list of what the law was found to say, and how well each is known."""

from typing import Final

import pytest

from referral_contracts.rules.book import RuleBook
from referral_contracts.rules.loading import load_packs
from referral_contracts.rules.pack import Pack, Rule
from tests.contracts.rules.packs import SHELF

FOUND: Final = {
    "T": """
        report-suspicion record-intake forward-to-commune initial-risk-assessment emergency-measures-12h
        emergency-protection-asap-12h provide-info-on-request draft-plan-5wd plan-review serious-case-report-now
        serious-case-report-3d annual-report-1512 police-alert-investigators police-transfer-24h police-duty-24x7
        investigators-to-scene childaffairs-prosecution-request notify-outcome-to-childaffairs report-resolution-20d
        report-resolution-complex-2m forensic-order-prompt forensic-injury-9d forensic-death-1m forensic-mental-3m
        forensic-sexual-9d forensic-dna-20d forensic-police-5d forensic-late-notice interview-notice-ahead interview-cap
        confrontation-cap trial-sexual-abuse-fast dv-crime-sign-report dv-contact-ban-decision-12h dv-contact-ban-3d
        dv-contact-ban-serve dv-police-stop legalaid-check-answer legalaid-refusal-written legalaid-clock-start
        school-report-authority breach-notice-72h
    """,
    "S": """
        separation-decision-12h separation-max-15d detailed-assessment plan-procedure-7wd alt-care-termination-5wd
        hotline-24x7 commune-police-transfer-24h commune-police-remote-48h joint-evidence-at-detection
        forensic-request-decision-7d court-case-notice-juvenile dv-hotline-forward legalaid-change-provider-3wd
        breach-processor-to-controller breach-record dsr-ack-2wd dsr-access-10d dsr-withdraw-15d dsr-delete-20d
    """,
    "N": """
        approve-plan-2wd report-resolution-extension-2m notify-procuracy-intake-3d forensic-order-dispatch-24h
        dv-court-ban-4m legalaid-appoint-3wd legalaid-notice-by-police school-report-general
    """,
}
"""What was found, by how well it is known."""
UNQUOTED: Final = {
    *FOUND["N"].split(),
    "court-case-notice-juvenile",
    "breach-processor-to-controller",
    "breach-record",
    "dsr-ack-2wd",
    "dsr-access-10d",
    "dsr-withdraw-15d",
    "dsr-delete-20d",
}
"""Of these no wording was seen."""


@pytest.fixture(scope="module")
def pack() -> Pack:
    (loaded,) = load_packs({"national.toml": (SHELF / "national.toml").read_text()})
    return loaded


@pytest.fixture(scope="module")
def today(pack: Pack) -> dict[str, Rule]:
    return {rule.id: rule for rule in pack.rule if rule.valid_until is None}


def test_it_has_each_of_the_rules_that_were_found_and_no_other(today: dict[str, Rule]) -> None:
    found = {rule: code for code, rules in FOUND.items() for rule in rules.split()}

    assert len(found) == 69
    assert {rule.id: rule.confidence.value for rule in today.values()} == found


def test_it_quotes_what_was_seen_and_nothing_else(today: dict[str, Rule]) -> None:
    assert {rule.id for rule in today.values() if rule.quote is None} == UNQUOTED


def test_what_nobody_has_read_can_accuse_nobody(pack: Pack) -> None:
    unread = [rule for rule in RuleBook((pack,)).every() if not rule.rule.verified]

    assert {rule.id for rule in unread} >= {*FOUND["N"].split()}
    assert not any(rule.accuses for rule in unread)


def test_what_is_due_at_once_has_no_number(pack: Pack) -> None:
    assert {rule.limit for rule in pack.rule if rule.kind.value == "immediate"} == {None}


def test_no_act_is_called_late_twice(today: dict[str, Rule]) -> None:
    """Two rules that start and end alike would accuse the same agency twice of one thing."""
    accusing = [rule for rule in today.values() if rule.verified and rule.span is not None and rule.trigger]
    told = [(rule.trigger, rule.required, rule.role, rule.requires, rule.unless, rule.places) for rule in accusing]

    assert len(told) == len(set(told))
    assert len(accusing) > 15


def test_what_the_bus_does_not_hear_of_says_why(today: dict[str, Rule]) -> None:
    silent = {rule.id for rule in today.values() if not rule.trigger}

    assert silent == {
        "annual-report-1512",
        "commune-police-remote-48h",
        "commune-police-transfer-24h",
        "confrontation-cap",
        "dv-contact-ban-3d",
        "emergency-protection-asap-12h",
        "hotline-24x7",
        "interview-cap",
        "legalaid-refusal-written",
        "police-duty-24x7",
        "school-report-authority",
    }
    assert all(today[rule].note_vi and today[rule].note_en for rule in silent)
