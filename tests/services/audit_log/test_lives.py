"""The longest that sealed bytes can live: every place, by the settings and by what a broker does with its segments."""

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from audit_log.core.lives import FOR_EVER, Lives, Terms, lives, longest, on_the_bus
from referral_contracts import topics

USUAL = Terms(keep_days=30, wait_days=14, erase_s=60, due_days=None, backup_days=30)


def days(terms: Terms) -> dict[str, int]:
    return {one.where: one.days for one in lives(terms)}


def test_each_place_with_the_usual_settings() -> None:
    assert days(USUAL) == {
        "log store, with its write-ahead log and dead rows": FOR_EVER,
        # 14 days, and the run that does it: a begun day is a whole one.
        "log store, erasure asked for": 15,
        "backups, replicas and archives of the log store": FOR_EVER,
        "backups, replicas and archives of the log store, erasure asked for": 45,
        # 30 days and an hour, a segment of a week, and the broker's minutes.
        "referral.ledger (Kafka)": 38,
        "referral.submissions (Kafka)": 38,
        "inbox.AGENCY (Kafka)": 38,
        "referral.state (Kafka)": 1,
        "watcher.state (Kafka)": 1,
        "stores of the SDK at sender and recipients, files that they saved": FOR_EVER,
        "trails and bundles that auditors took": FOR_EVER,
    }


def test_every_topic_that_may_hold_what_is_sealed_is_among_them() -> None:
    named = " ".join(days(USUAL))
    # The directory's own two hold nothing sealed.
    sealed = {spec.name for spec in topics.topic_specs(1, ["AGENCY"])} - {
        topics.DIRECTORY,
        topics.DIRECTORY_SUBMISSIONS,
    }

    assert all(f"{name} (Kafka)" in named for name in sealed)


def test_with_a_rule_the_store_has_an_end_too() -> None:
    found = days(dataclasses.replace(USUAL, due_days=365))

    assert found["log store, with its write-ahead log and dead rows"] == 365 + 15
    assert found["backups, replicas and archives of the log store"] == 365 + 45


def test_what_nothing_ends_lives_for_ever() -> None:
    found = lives(dataclasses.replace(USUAL, keep_days=0))

    assert longest(on_the_bus(found)) == FOR_EVER
    assert longest(on_the_bus(lives(USUAL))) == 45
    assert longest([Lives("a", 1, "x"), Lives("b", 5, "x")]) == 5


TERMS = st.builds(
    Terms,
    keep_days=st.integers(1, 3650),
    wait_days=st.floats(0, 3650),
    erase_s=st.floats(0.1, 86_400),
    due_days=st.none() | st.integers(1, 36_500),
    backup_days=st.integers(0, 36_500),
)


@given(TERMS)
def test_the_longest_is_no_shorter_than_any_place_of_the_bus_once_it_was_asked_for(terms: Terms) -> None:
    found = on_the_bus(lives(terms))

    assert longest(found) == max(one.days for one in found)
    assert longest(found) >= max(terms.wait_days + terms.backup_days, terms.keep_days + 7)


@given(TERMS, st.integers(1, 100))
def test_a_longer_setting_never_makes_a_life_shorter(terms: Terms, more: int) -> None:
    for name in ("keep_days", "wait_days", "backup_days", "erase_s"):
        longer = dataclasses.replace(terms, **{name: getattr(terms, name) + more})
        pairs = zip(lives(terms), lives(longer), strict=True)
        assert all(FOR_EVER in {one.days, other.days} or one.days <= other.days for one, other in pairs)
