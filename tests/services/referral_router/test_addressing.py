"""To whom an event may go, and who may be able to open it."""

from collections.abc import Sequence

import pytest

from referral_bus.registrar import sealing_key_record
from referral_contracts.codes import Code
from referral_contracts.verbs import Verb
from referral_contracts.wire import Section, SectionReader
from tests.services.referral_router import founding
from tests.services.referral_router.founding import (
    BUS,
    CLINIC,
    HOSPITAL,
    HOTLINE,
    HOUR,
    KEYS,
    LEGAL_AID,
    NO_INBOX,
    NOW,
    OFF_BUS,
    POLICE,
    SCHOOL,
    TERM,
    WARD,
    WATCHER,
    YEAR,
    YOUTH_POLICE,
)
from tests.services.referral_router.test_bad_input import refused
from tests.services.referral_router.world import Said, World, section

OPENINGS = [Verb.OFFERED, Verb.ASSIGNED, Verb.NOTIFIED]


def code_of(verb: Verb, *to: str, sections: Sequence[Section] | None = None) -> Code:
    """Return what becomes of an event of the hotline in its own case."""
    world = World()
    case = world.open_case()
    judged = world.judge(world.say(HOTLINE, verb, *to, case=case, answers=_named(verb, case), sections=sections))
    assert (judged.deliveries == ()) == (judged.code is not Code.ACCEPTED)
    return judged.code


def _named(verb: Verb, case: Said) -> Said | None:
    return case if verb in (Verb.CASE_CLOSED, Verb.CASE_TRANSFER_OFFERED) else None


def clock(*more: str) -> Section:
    return section(HOTLINE, WATCHER, *more)


class TestRecipients:
    @pytest.mark.parametrize("verb", OPENINGS)
    def test_an_event_that_needs_a_recipient_has_one(self, verb: Verb) -> None:
        assert code_of(verb) is Code.WRONG_RECIPIENTS
        assert code_of(verb, WARD) is Code.ACCEPTED

    @pytest.mark.parametrize("source", [HOTLINE, WARD])
    def test_a_note_to_nobody_is_its_senders_and_the_watcher_is_told(self, source: str) -> None:
        world = World()
        case = world.open_case()
        world.accepted(world.say(HOTLINE, Verb.CASE_NOTED, WARD, case=case))
        timed = section(source, WATCHER)

        for sections, code in (
            ([section(source)], Code.CLOCK_MISSING),
            ([section(source, POLICE), timed], Code.WRONG_READERS),
            ([section(source), timed], Code.ACCEPTED),
        ):
            judged = world.judge(world.say(source, Verb.CASE_NOTED, case=case, sections=sections))
            assert (judged.code, judged.deliveries) == (code, ())

    @pytest.mark.parametrize("verb", [*OPENINGS, Verb.CASE_NOTED])
    @pytest.mark.parametrize(
        ("recipient", "code"),
        [
            ("nobody-z", Code.UNKNOWN_RECIPIENT),
            (f"{POLICE}/night", Code.UNKNOWN_RECIPIENT),
            (f"{WARD}/youth", Code.UNKNOWN_RECIPIENT),
            (OFF_BUS, Code.UNKNOWN_RECIPIENT),
            (NO_INBOX, Code.TOPIC_MISSING),
            (HOTLINE, Code.WRONG_RECIPIENTS),
            (YOUTH_POLICE, Code.ACCEPTED),
        ],
    )
    def test_a_recipient_is_an_address_on_the_bus(self, verb: Verb, recipient: str, code: Code) -> None:
        known = recipient in KEYS or recipient == YOUTH_POLICE
        sections = [section(HOTLINE, recipient) if known else section(HOTLINE), clock()]

        assert code_of(verb, recipient, sections=sections) is code

    def test_a_recipient_is_named_once(self) -> None:
        sections = [section(HOTLINE, WARD), clock()]

        assert code_of(Verb.OFFERED, WARD, WARD, sections=sections) is Code.REPEATED_RECIPIENT

    def test_opening_a_case_goes_to_nobody(self) -> None:
        world = World()

        assert world.code(world.say(HOTLINE, Verb.CASE_OPENED, WARD)) is Code.WRONG_RECIPIENTS

    @pytest.mark.parametrize("to", [(), (WARD, POLICE)])
    def test_a_case_is_offered_to_one(self, to: tuple[str, ...]) -> None:
        assert code_of(Verb.CASE_TRANSFER_OFFERED, *to) is Code.WRONG_RECIPIENTS

    @pytest.mark.parametrize(
        ("to", "code"),
        [
            ((POLICE, HOSPITAL), Code.ACCEPTED),
            ((POLICE, HOSPITAL, LEGAL_AID), Code.ACCEPTED),
            ((WARD, LEGAL_AID), Code.ACCEPTED),
            ((POLICE, YOUTH_POLICE), Code.ACCEPTED),
            ((POLICE, SCHOOL), Code.RECIPIENTS_APART),
            ((POLICE, HOSPITAL, LEGAL_AID, SCHOOL), Code.RECIPIENTS_APART),
            ((SCHOOL,), Code.ACCEPTED),
        ],
    )
    @pytest.mark.parametrize("verb", [*OPENINGS, Verb.CASE_NOTED])
    def test_recipients_know_of_each_other_only_where_policy_lets_them(
        self, verb: Verb, to: tuple[str, ...], code: Code
    ) -> None:
        assert code_of(verb, *to) is code

    def test_a_sender_says_to_a_recipient_what_policy_lets_it(self) -> None:
        world = World()
        case = world.open_case()
        world.accepted(world.say(HOTLINE, Verb.CASE_NOTED, SCHOOL, case=case))

        assert world.code(world.say(SCHOOL, Verb.OFFERED, POLICE, case=case)) is Code.NOT_PERMITTED
        assert world.code(world.say(SCHOOL, Verb.NOTIFIED, POLICE, case=case)) is Code.ACCEPTED

    def test_a_case_is_opened_by_whom_policy_lets(self) -> None:
        assert refused(World().say(SCHOOL, Verb.CASE_OPENED)).code is Code.NOT_PERMITTED


class TestReaders:
    @pytest.mark.parametrize(
        "sections",
        [
            pytest.param([section(HOTLINE), clock()], id="sealed to no recipient"),
            pytest.param([section(HOTLINE, WARD), section(HOTLINE), clock()], id="one section sealed to no recipient"),
            pytest.param([section(HOTLINE, WARD, CLINIC), clock()], id="sealed to a stranger too"),
            pytest.param([section(CLINIC), clock()], id="sealed to a stranger alone"),
            pytest.param([section(HOTLINE, WARD), section(HOTLINE, WATCHER, CLINIC)], id="a clock for a stranger"),
            pytest.param([clock()], id="a recipient without anything to open"),
            pytest.param([section(HOTLINE, WARD), clock(), clock()], id="two clocks"),
            pytest.param([section(HOTLINE, WARD, WATCHER), clock()], id="a form for the watcher"),
            pytest.param([section(WARD, kid=KEYS[CLINIC].sealing.kid), clock()], id="with another's key"),
            pytest.param([section(WARD, kid=KEYS[POLICE].desk.kid), clock()], id="with a desk's key"),
            pytest.param([section(WARD, kid=KEYS[WARD].signing.kid), clock()], id="with a signing key"),
            pytest.param([section(HOTLINE, WARD), section(WATCHER, kid=KEYS[WARD].sealing.kid)], id="no watcher's key"),
            pytest.param([section(HOTLINE, WARD, YOUTH_POLICE), clock()], id="sealed to a desk that gets no copy"),
        ],
    )
    def test_a_section_is_sealed_to_those_it_is_for(self, sections: list[Section]) -> None:
        assert code_of(Verb.OFFERED, WARD, sections=sections) is Code.WRONG_READERS

    @pytest.mark.parametrize("verb", [*OPENINGS, Verb.CASE_NOTED, Verb.CASE_CLOSED])
    def test_a_verb_that_can_start_or_stop_a_clock_tells_the_watcher(self, verb: Verb) -> None:
        assert code_of(verb, WARD, sections=[section(HOTLINE, WARD)]) is Code.CLOCK_MISSING
        assert code_of(verb, WARD, sections=[]) is Code.CLOCK_MISSING
        assert code_of(verb, WARD, sections=[section(HOTLINE, WARD), clock()]) is Code.ACCEPTED

    def test_the_watcher_tells_itself_of_no_clock(self) -> None:
        world = World()
        case = world.open_case()
        world.accepted(world.say(HOTLINE, Verb.CASE_NOTED, WATCHER, case=case, sections=[clock()]))
        note = world.say(WATCHER, Verb.CASE_NOTED, WARD, case=case, sections=[section(WATCHER, WARD)])

        assert world.code(note) is Code.ACCEPTED

    def test_whose_clock_it_is_may_read_it(self) -> None:
        assert code_of(Verb.OFFERED, WARD, sections=[section(HOTLINE, WARD), clock(WARD)]) is Code.ACCEPTED

    def test_each_recipient_may_have_its_own_part(self) -> None:
        parts = [section(HOTLINE, POLICE), section(HOTLINE, HOSPITAL), clock()]

        assert code_of(Verb.OFFERED, POLICE, HOSPITAL, sections=parts) is Code.ACCEPTED
        assert code_of(Verb.OFFERED, POLICE, HOSPITAL, sections=parts[1:]) is Code.WRONG_READERS

    def test_a_reader_is_an_address_once_though_it_has_two_keys(self) -> None:
        second = sealing_key_record(BUS, WARD, KEYS[WARD].desk, TERM, signer=KEYS[WARD].signing)
        ward = founding.entry(WARD)
        world = World(directory=founding.with_entry(ward.model_copy(update={"keys": (*ward.keys, second)})))
        case = world.open_case()
        one, other = section(WARD).readers[0], section(WARD, kid=second.kid).readers[0]

        def judged(*readers: SectionReader) -> Code:
            ordered = tuple(sorted(readers, key=lambda reader: reader.kid))
            parts = [section(WARD).model_copy(update={"readers": ordered}), clock()]
            return world.code(world.say(HOTLINE, Verb.OFFERED, WARD, case=case, sections=parts))

        assert (judged(one), judged(other)) == (Code.ACCEPTED, Code.ACCEPTED)
        assert judged(one, other) is Code.WRONG_READERS

    @pytest.mark.parametrize(("late", "code"), [(YEAR - HOUR, Code.ACCEPTED), (YEAR - 1, Code.ACCEPTED), (YEAR, None)])
    def test_a_sealing_key_is_valid_when_the_event_is_admitted(self, late: int, code: Code | None) -> None:
        world = World(now=NOW + late)
        judged = world.judge(world.say(HOTLINE, Verb.CASE_OPENED))

        # At the end of its term the signing key of these tests has expired as well.
        assert judged.code is (code or Code.KEY_NOT_VALID)
