"""What one event makes heard: its own verb, for each hand-off that it opens, and its triggers."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from referral_contracts.envelope import HandoffKey
from referral_contracts.payloads.clock import ClockSection, Trigger
from referral_contracts.rules.heard import Happening
from referral_contracts.rules.hearing import Letter, happenings
from referral_contracts.verbs import Verb
from tests.contracts.payloads.forms import ACTOR
from tests.envelopes import spelled

HASH: Final = "A" * 43
EVENT: Final = "01a204f5-25c8-7000-8000-000000000001"
OPENING: Final = "01a204f5-25c8-7000-8000-000000000002"
ADMITTED_MS: Final = 1_800_000_000_000
NOON: Final = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ADMITTED_MS - 60_000)
TOLD: Final = ClockSection(
    actor=ACTOR,
    triggers=(Trigger(trigger="information-received", occurred_at=NOON, whose="xa", province="01", commune="00001"),),
)


def heard(
    verb: Verb, to: Sequence[str], section: ClockSection | None = None, about: HandoffKey | None = None
) -> list[Happening]:
    envelope = spelled(
        "to-giac", verb, to, (), bus="thu", event_id=EVENT, subject="0" * 32, now_ms=ADMITTED_MS, about=about
    )
    return list(happenings(Letter(envelope, HASH), section, ADMITTED_MS))


def test_an_opening_is_heard_for_each_handoff_that_it_opens() -> None:
    found = heard(Verb.ASSIGNED, ("a", "b"))

    assert [("handoff.assigned", f"{EVENT}/a", "a"), ("handoff.assigned", f"{EVENT}/b", "b")] == [
        (one.name, one.scope, one.whose) for one in found
    ]
    assert {(one.event, one.sha256, one.sender, one.admitted_ms) for one in found} == {
        (EVENT, HASH, "to-giac", ADMITTED_MS)
    }


def test_an_answer_is_heard_of_its_handoff_and_is_its_senders() -> None:
    (found,) = heard(Verb.ACCEPTED, ("a",), about=HandoffKey(opening=OPENING, recipient="to-giac"))

    assert (found.name, found.scope, found.whose) == ("handoff.accepted", f"{OPENING}/to-giac", "to-giac")


def test_what_is_said_of_the_case_has_no_handoff() -> None:
    (found,) = heard(Verb.CASE_OPENED, ())

    assert (found.name, found.scope, found.whose) == ("case.opened", "", "to-giac")


@pytest.mark.parametrize(("to", "scope"), [(("a",), f"{EVENT}/a"), (("a", "b"), "")])
def test_a_trigger_is_of_the_handoff_that_is_opened_if_it_is_one(to: tuple[str, ...], scope: str) -> None:
    *_, trigger = heard(Verb.ASSIGNED, to, TOLD)

    assert (trigger.name, trigger.scope, trigger.whose) == ("information-received", scope, None)
    assert (trigger.province, trigger.commune) == ("01", "00001")
    assert trigger.moment_ms == ADMITTED_MS - 60_000


@pytest.mark.parametrize(
    ("verb", "to", "whose", "heard_as"),
    [
        (Verb.CASE_NOTED, ("xa",), "to-giac", "to-giac"),
        (Verb.CASE_NOTED, ("xa",), "to-giac/truc", "to-giac/truc"),
        (Verb.CASE_NOTED, ("xa",), "xa", None),
        (Verb.MISDIRECTED, ("xa",), "xa", "xa"),
        (Verb.MISDIRECTED, ("xa",), "xb", None),
    ],
)
def test_an_agency_names_itself_and_of_a_misdirection_who_is_told(
    verb: Verb, to: Sequence[str], whose: str, heard_as: str | None
) -> None:
    section = ClockSection(actor=ACTOR, triggers=(Trigger(trigger="data-misdirected", whose=whose),))

    assert heard(verb, to, section)[-1].whose == heard_as


def test_a_section_without_triggers_tells_nothing() -> None:
    assert heard(Verb.CASE_OPENED, (), ClockSection(actor=ACTOR, triggers="none")) == heard(Verb.CASE_OPENED, ())
