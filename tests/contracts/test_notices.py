"""A notice of the deadline watcher: the same id whenever it is made, sealed to its recipient alone."""

import re
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_contracts.codes import Code
from referral_contracts.encoding import EVENT_ID, b64, sha256
from referral_contracts.envelope import Envelope
from referral_contracts.errors import LocalError
from referral_contracts.keys import SealingKey
from referral_contracts.notices import Notice, notice_id, seal_notice
from referral_contracts.payloads.actor import Actor, Role
from referral_contracts.payloads.basis import Confidence
from referral_contracts.payloads.deadline import (
    ClockUnreadable,
    DeadlineNotice,
    EventNamed,
    Ground,
    RuleNamed,
    Standing,
)
from referral_contracts.sealing import Reader, unseal
from referral_contracts.sections import read_section
from referral_contracts.verbs import DEADLINES, Verb

BUS: Final = "training"
NOW: Final = 1_790_000_000_000
KEY: Final = SealingKey.from_bytes(bytes([7]) * 96)
EVENT: Final = EventNamed(id="01930b5e-8f00-7000-8000-000000000001", sha256=b64(sha256(b"an event")))
BODY: Final = DeadlineNotice(
    actor=Actor(role=Role.SYSTEM),
    clock="1c5f" * 8,
    rule=RuleNamed(
        id="emergency-measures-12h",
        vi="Can thiệp khẩn cấp",
        en="emergency measures",
        ground=Ground.LAW,
        confidence=Confidence.TEXT,
        pack="national",
        version="1",
    ),
    started_at=datetime(2026, 3, 14, 2, 20, tzinfo=UTC),
    standing=Standing.MISSED,
    started_by=EVENT,
)
GIVEN: Final[dict[str, Any]] = {
    "bus": BUS,
    "subject": "ab" * 16,
    "about": BODY.clock,
    "verb": Verb.DEADLINE_MISSED,
    "recipient": "ward-a",
    "level": 0,
    "step": 0,
}


def notice(body: DeadlineNotice | ClockUnreadable = BODY, **told: Any) -> Notice:
    given = {"verb": Verb.DEADLINE_MISSED, "subject": "ab" * 16, "exercise": False, "recipient": "ward-a", **told}
    return Notice(body=body, **given)


def sealed(said: Notice, now_ms: int = NOW) -> Envelope:
    reader = Reader(address=said.recipient, kid=KEY.kid, public=KEY.public)
    return Envelope.decode(seal_notice(said, bus=BUS, source="watcher", readers=[reader], now_ms=now_ms))


class TestId:
    def test_it_is_a_uuid_of_version_8(self) -> None:
        found = notice_id(**GIVEN)

        assert re.fullmatch(EVENT_ID, found)
        assert (found[14], found[19] in "89ab") == ("8", True)

    @pytest.mark.parametrize(
        "other",
        [
            {"bus": "production"},
            {"subject": "cd" * 16},
            {"about": "2c5f" * 8},
            {"verb": Verb.DEADLINE_ESCALATED},
            {"recipient": "ward-a/night"},
            {"level": 1},
            {"step": 1},
        ],
        ids=lambda other: next(iter(other)),
    )
    def test_each_part_makes_another(self, other: dict[str, Any]) -> None:
        assert notice_id(**GIVEN) != notice_id(**{**GIVEN, **other})

    @given(
        one=st.tuples(st.integers(0, 999), st.integers(0, 999)), two=st.tuples(st.integers(0, 999), st.integers(0, 999))
    )
    def test_a_level_and_a_step_are_never_taken_for_others(self, one: tuple[int, int], two: tuple[int, int]) -> None:
        made = [notice_id(**{**GIVEN, "level": level, "step": step}) for level, step in (one, two)]

        assert (made[0] == made[1]) == (one == two)


class TestEvent:
    def test_it_says_its_body_to_its_recipient(self) -> None:
        envelope = sealed(notice())
        section = envelope.data.sections[0]

        assert (envelope.source, envelope.verb, envelope.data.recipients) == (
            "watcher",
            Verb.DEADLINE_MISSED,
            ("ward-a",),
        )
        assert [reader.address for reader in section.readers] == ["ward-a"]
        assert read_section(unseal(section, envelope.seal_context(0), "ward-a", KEY)).payload == BODY
        assert (envelope.data.answers, envelope.data.handoff, envelope.data.supersedes) == (None, None, None)

    def test_signed_anew_it_keeps_its_id(self) -> None:
        first, later = sealed(notice()), sealed(notice(), NOW + 10_000_000)

        assert first.id == later.id == notice().event_id(BUS)
        assert first.time < later.time

    @pytest.mark.parametrize("verb", sorted(DEADLINES - {Verb.DEADLINE_UNREADABLE}))
    def test_each_kind_of_notice_is_an_event_of_its_own(self, verb: Verb) -> None:
        told = BODY.model_copy(update={"level": 2, "step": 3})

        assert sealed(notice(told, verb=verb)).id == notice_id(**{**GIVEN, "verb": verb, "level": 2, "step": 3})

    def test_what_cannot_be_read_is_named_by_its_hash(self) -> None:
        body = ClockUnreadable(actor=BODY.actor, event=EVENT, code="malformed-section")
        said = notice(body, verb=Verb.DEADLINE_UNREADABLE)

        assert sealed(said).id == notice_id(**{**GIVEN, "verb": Verb.DEADLINE_UNREADABLE, "about": EVENT.sha256})

    def test_an_exercise_stays_one(self) -> None:
        assert sealed(notice(exercise=True)).exercise

    @pytest.mark.parametrize("verb", [Verb.CASE_NOTED, Verb.CLOCK_DISPUTED, Verb.DEADLINE_UNREADABLE])
    def test_nothing_else_is_said_so(self, verb: Verb) -> None:
        with pytest.raises(LocalError) as caught:
            sealed(notice(verb=verb))

        assert caught.value.code is Code.MALFORMED_VALUE
