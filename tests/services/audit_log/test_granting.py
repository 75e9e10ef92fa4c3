"""Who may read what the log has of a case."""

from collections.abc import Sequence
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_log.core.granting import Asker, Granted, Refused, judge, owner_of
from audit_log.core.reads import accessed
from audit_log.core.trails import Kept
from referral_bus.registrar import event_key_record
from referral_contracts.codes import Code
from referral_contracts.directory import Directory
from referral_contracts.directory_model import (
    Entry,
    Grant,
    Jurisdiction,
    KeyRecord,
    Purpose,
    Use,
    grant_case,
)
from referral_contracts.encoding import format_time, parse_time
from referral_contracts.keys import SigningKey
from referral_contracts.log.access import ACCESSED, Access, Way, check_access
from referral_contracts.log.leaf import LedgerEntry, Statement
from referral_contracts.log.signers import own_keys
from referral_contracts.verbs import Verb
from tests.contracts.trail.conftest import Case, told_case
from tests.services.referral_router.founding import (
    BUS,
    DAY,
    HOSPITAL,
    HOTLINE,
    NEXT_WARD,
    NOW,
    POLICE,
    TERM,
    WARD,
    YEAR,
    directory,
    entry,
)
from tests.stories.logged import LOG_KEY
from tests.stories.world import HOTLINE as STORY_HOTLINE
from tests.stories.world import WARD as STORY_WARD
from tests.stories.world import World

AUDITOR: Final = "inspectors"
CASE: Final = "ab" * 16
OTHER: Final = "cd" * 16
HTTP: Final = SigningKey.from_seed(bytes([88]) * 32)
ASKER: Final = Asker(AUDITOR, HTTP.kid)


def grant(since_ms: int = NOW - DAY, until_ms: int = NOW + DAY, **over: Any) -> Grant:
    told = {"purpose": Purpose.INSPECTION, "valid_from": format_time(since_ms), "valid_until": format_time(until_ms)}
    return Grant(**{**told, **over})


def auditor(*grants: Grant, roles: Sequence[str] = ("auditor",), key: dict[str, Any] | None = None) -> Entry:
    own = event_key_record(BUS, AUDITOR, HTTP, TERM, use=Use.HTTP).model_copy(update=key or {})
    found = entry(POLICE, roles=roles)
    return found.model_copy(update={"id": AUDITOR, "keys": (own,), "grants": grants or None})


def placed(agency: str, *provinces: str, **over: Any) -> Entry:
    places = tuple(Jurisdiction(province=one) for one in provinces)
    return entry(agency).model_copy(update={"jurisdiction": places, **over})


def having(*entries: Entry) -> Directory:
    """Return the directory with these entries; whether a change would be taken is not asked."""
    before = directory()
    told = {**before.entries, **{one.id: one.encode() for one in (placed(WARD, "01"), placed(NEXT_WARD, "79"))}}
    return Directory(before.head, {**told, **{one.id: one.encode() for one in entries}})


def asked(
    found: Directory,
    way: Way = Way.TRAIL,
    subject: str | None = CASE,
    *,
    asker: Asker = ASKER,
    owner: str | None = WARD,
    now_ms: int = NOW,
) -> Granted | Refused:
    return judge(asker, way, subject, directory=found, owner={CASE: owner, OTHER: HOSPITAL}.get, now_ms=now_ms)


ALL: Final = grant()
MINE: Final = grant(case=grant_case(CASE))
HERE: Final = grant(province="01")


class TestAnAuditor:
    @pytest.mark.parametrize("granted", [ALL, MINE, HERE], ids=["all", "the case", "the province"])
    @pytest.mark.parametrize("way", list(Way))
    def test_reads_what_it_was_granted(self, granted: Grant, way: Way) -> None:
        assert asked(having(auditor(granted)), way) == Granted(granted)

    @pytest.mark.parametrize(
        "grants",
        [
            pytest.param((), id="none"),
            pytest.param((grant(until_ms=NOW),), id="over"),
            pytest.param((grant(since_ms=NOW + 1),), id="not yet"),
            pytest.param((grant(case=grant_case(OTHER)),), id="another case"),
            pytest.param((grant(province="79"),), id="another province"),
            pytest.param((grant(until_ms=NOW), grant(province="79"), grant(case=grant_case(OTHER))), id="all of these"),
        ],
    )
    @pytest.mark.parametrize("way", list(Way))
    def test_without_a_grant_reads_nothing(self, grants: tuple[Grant, ...], way: Way) -> None:
        assert asked(having(auditor(*grants)), way) == Refused(Code.NOT_PERMITTED)

    def test_is_told_by_the_narrowest_grant_that_it_has(self) -> None:
        assert asked(having(auditor(ALL, HERE, MINE))) == Granted(MINE)
        assert asked(having(auditor(ALL, HERE))) == Granted(HERE)
        assert asked(having(auditor(ALL, HERE)), subject=OTHER) == Granted(ALL)

    def test_reads_to_the_last_millisecond_and_from_the_first(self) -> None:
        found = having(auditor(grant(NOW, NOW + 1)))

        assert [isinstance(asked(found, now_ms=NOW + ms), Granted) for ms in (-1, 0, 1)] == [False, True, False]

    def test_of_a_case_that_is_unknown_reads_nothing(self) -> None:
        assert asked(having(auditor(ALL)), owner=None) == Refused(Code.NOT_FOUND)

    def test_may_search_with_any_grant_that_is_valid_and_only_search_without_a_case(self) -> None:
        found = having(auditor(grant(until_ms=NOW), MINE))

        assert asked(found, Way.SEARCH, None) == Granted(MINE)
        assert [asked(found, way, None) for way in (Way.TRAIL, Way.BUNDLE, Way.READS)] == [
            Refused(Code.NOT_PERMITTED)
        ] * 3
        assert asked(having(auditor(grant(until_ms=NOW))), Way.SEARCH, None) == Refused(Code.NOT_PERMITTED)


class TestWhoIsNotAnswered:
    @pytest.mark.parametrize(
        ("key", "code"),
        [
            ({"revoked_at": format_time(NOW)}, Code.KEY_NOT_VALID),
            ({"valid_until": format_time(NOW)}, Code.KEY_NOT_VALID),
            ({"valid_from": format_time(NOW + 1)}, Code.KEY_NOT_VALID),
            ({"compromised_since": format_time(NOW)}, Code.KEY_NOT_VALID),
            ({"use": Use.EVENT}, Code.UNKNOWN_KEY),
        ],
    )
    def test_by_a_key_that_is_not_good(self, key: dict[str, Any], code: Code) -> None:
        assert asked(having(auditor(ALL, key=key))) == Refused(code)

    def test_by_a_key_that_will_be_revoked_one_may(self) -> None:
        later = {"revoked_at": format_time(NOW + 1), "compromised_since": format_time(NOW + 1)}

        assert asked(having(auditor(ALL, key=later))) == Granted(ALL)

    def test_by_the_key_of_another(self) -> None:
        other = auditor(ALL).model_copy(update={"id": "others", "keys": ()})

        assert asked(having(auditor(ALL), other), asker=Asker("others", HTTP.kid)) == Refused(Code.UNKNOWN_KEY)
        assert asked(having(auditor(ALL)), asker=Asker("nobody", HTTP.kid)) == Refused(Code.UNKNOWN_SENDER)

    def test_an_auditor_that_has_ended(self) -> None:
        ended = auditor(ALL).model_copy(update={"ends_at": format_time(NOW)})

        assert asked(having(ended)) == Refused(Code.AGENCY_ENDED)
        assert asked(having(ended), now_ms=NOW - 1) == Granted(ALL)

    def test_who_is_an_auditor_no_more(self) -> None:
        assert asked(having(auditor(ALL, roles=["police"]))) == Refused(Code.NOT_PERMITTED)

    def test_nobody_by_a_directory_that_has_expired(self) -> None:
        found = having(auditor(grant(until_ms=NOW + 2 * YEAR), key={"valid_until": format_time(NOW + 2 * YEAR)}))

        assert asked(found, now_ms=found.expires_ms) == Refused(Code.DIRECTORY_EXPIRED)
        assert isinstance(asked(found, now_ms=found.expires_ms - 1), Granted)


class TestTheProvince:
    def test_is_that_of_whoever_owns_the_case_now(self) -> None:
        found = having(auditor(HERE))

        assert asked(found, owner=WARD) == Granted(HERE)
        assert asked(found, owner=NEXT_WARD) == Refused(Code.NOT_PERMITTED)
        assert asked(found, owner=HOTLINE) == Refused(Code.NOT_PERMITTED)

    def test_is_that_of_the_owners_successor(self) -> None:
        ended = placed(WARD, "01", ends_at=format_time(NOW), successors=(NEXT_WARD,))
        here, there = having(auditor(HERE), ended), having(auditor(grant(province="79")), ended)

        assert (asked(here), asked(there)) == (Refused(Code.NOT_PERMITTED), Granted(grant(province="79")))
        assert asked(here, now_ms=NOW - 1) == Granted(HERE)
        alone = placed(WARD, "01", ends_at=format_time(NOW))
        assert asked(having(auditor(HERE), alone)) == Refused(Code.NOT_PERMITTED)
        assert asked(having(auditor(HERE, ALL), alone)) == Granted(ALL)

    def test_is_any_of_those_that_it_has_now(self) -> None:
        was = Jurisdiction(province="01", valid_until=format_time(NOW))
        comes = Jurisdiction(province="79", valid_from=format_time(NOW))
        moved = having(auditor(HERE), placed(WARD).model_copy(update={"jurisdiction": (was, comes)}))

        assert asked(moved) == Refused(Code.NOT_PERMITTED)
        assert asked(moved, now_ms=NOW - 1) == Granted(HERE)
        assert asked(having(auditor(HERE), placed(WARD, "79", "01"))) == Granted(HERE)


class TestTheOwner:
    KEY: Final = event_key_record(BUS, WARD, HTTP, TERM, use=Use.HTTP)

    def owner(self, **over: Any) -> Entry:
        found = placed(WARD, "01", **over)
        return found.model_copy(update={"keys": (*found.keys, self.KEY)})

    @pytest.mark.parametrize("way", list(Way))
    def test_sees_who_has_read_its_case_and_nothing_else(self, way: Way) -> None:
        expected = Granted(None) if way is Way.READS else Refused(Code.NOT_PERMITTED)

        assert asked(having(self.owner()), way, asker=Asker(WARD, HTTP.kid)) == expected

    def test_sees_nothing_of_others_cases(self) -> None:
        found, who = having(self.owner()), Asker(WARD, HTTP.kid)

        assert asked(found, Way.READS, OTHER, asker=who) == Refused(Code.NOT_PERMITTED)
        assert asked(found, Way.READS, None, asker=who) == Refused(Code.NOT_PERMITTED)
        assert asked(found, Way.READS, owner=NEXT_WARD, asker=who) == Refused(Code.NOT_PERMITTED)

    def test_is_whoever_speaks_for_it_now(self) -> None:
        who, ended = Asker(WARD, HTTP.kid), placed(NEXT_WARD, ends_at=format_time(NOW), successors=(WARD,))
        found = having(self.owner(), ended)

        assert asked(found, Way.READS, owner=NEXT_WARD, asker=who) == Granted(None)
        assert asked(found, Way.READS, owner=NEXT_WARD, asker=who, now_ms=NOW - 1) == Refused(Code.NOT_PERMITTED)


_MOMENTS: Final = st.integers(NOW - 3 * DAY, NOW + 3 * DAY)
_SCOPES: Final = st.sampled_from(
    [{}, {"case": grant_case(CASE)}, {"case": grant_case(OTHER)}, {"province": "01"}, {"province": "79"}]
)
_GRANTS: Final = st.builds(
    lambda since, length, scope: grant(since, since + length, **scope), _MOMENTS, st.integers(1, 2 * DAY), _SCOPES
)
_OWNERS: Final = {CASE: WARD, OTHER: HOSPITAL}
_ASKED: Final = st.tuples(st.sampled_from(list(Way)), st.sampled_from([CASE, OTHER, "ef" * 16, None]), _MOMENTS)


def _covers(one: Grant, subject: str, now_ms: int) -> bool:
    """Whether a grant is enough, said otherwise."""
    here = {"01"} if _OWNERS[subject] == WARD else set()
    timely = now_ms in range(parse_time(one.valid_from), parse_time(one.valid_until))
    return timely and (one.case in {None, grant_case(subject)}) and (one.province is None or one.province in here)


class TestWhatAlwaysHolds:
    @given(st.lists(_GRANTS, max_size=4, unique=True), _ASKED)
    def test_one_reads_exactly_what_a_valid_grant_covers(
        self, grants: list[Grant], what: tuple[Way, str | None, int]
    ) -> None:
        way, subject, now_ms = what
        found = having(auditor(*grants, key={"valid_from": format_time(NOW - 9 * DAY)}))
        said = judge(ASKER, way, subject, directory=found, owner=_OWNERS.get, now_ms=now_ms)
        if subject is None:
            enough = [one for one in grants if one.valid(now_ms) and way is Way.SEARCH]
        else:
            enough = [one for one in grants if subject in _OWNERS and _covers(one, subject, now_ms)]

        assert isinstance(said, Granted) is bool(enough)
        assert not isinstance(said, Granted) or said.grant in enough

    @given(st.lists(_GRANTS, max_size=3, unique=True), _GRANTS, _ASKED)
    def test_a_grant_more_takes_nothing_away(
        self, grants: list[Grant], more: Grant, what: tuple[Way, str | None, int]
    ) -> None:
        way, subject, now_ms = what
        few, many = (
            judge(ASKER, way, subject, directory=having(auditor(*some)), owner=_OWNERS.get, now_ms=now_ms)
            for some in (grants, {*grants, more})
        )

        assert isinstance(few, Refused) or isinstance(many, Granted)

    @given(st.lists(_GRANTS, max_size=4, unique=True), _ASKED)
    def test_what_the_log_states_of_a_read_is_what_was_granted(
        self, grants: list[Grant], what: tuple[Way, str | None, int]
    ) -> None:
        way, subject, now_ms = what
        log = _logging()
        found = having(auditor(*grants, key={"valid_from": format_time(NOW - 9 * DAY)}), log)
        said = judge(ASKER, way, subject, directory=found, owner=_OWNERS.get, now_ms=now_ms)
        if isinstance(said, Refused):
            return
        taken = accessed(ASKER, way, subject, said, request=b"base", directory=found, key=LOG_KEY, now_ms=now_ms)
        statement = Statement(signatures=(taken.signature,), value=taken.value)
        told = check_access(statement, BUS, own_keys(found))

        assert (told.by, told.asked, told.subject, told.grant) == (AUDITOR, way, subject, said.grant)
        assert taken.about is not None
        assert (taken.about.subject, taken.about.verb, taken.about.source) == (subject, ACCESSED, AUDITOR)


def _logging() -> Entry:
    own: KeyRecord = event_key_record(BUS, "audit-log", LOG_KEY, TERM, use=Use.LOG)
    found = entry(POLICE, roles=["audit-log"])
    return found.model_copy(
        update={"id": "audit-log", "keys": (own.model_copy(update={"valid_from": format_time(NOW - 9 * DAY)}),)}
    )


def kept(case: Case, subject: str) -> list[Kept]:
    """Return what a store has of a case."""
    found = []
    for index in case.indexes(subject):
        salt, record = case.records[index]
        entry_ = case.entries[index]
        match record:
            case None:
                found.append(Kept(index, entry_, None, None, None, None, None, None))
            case LedgerEntry():
                parts = (record.signature, record.value, record.decision, record.path, record.root)
                found.append(Kept(index, entry_, salt, *parts))
            case Statement():
                found.append(Kept(index, entry_, salt, b"\n".join(record.signatures), record.value, b"", b"", b""))
    return found


class TestWhoseACaseIs:
    def test_it_is_who_took_it_over(self) -> None:
        case = told_case()
        leaves = kept(case, case.subject)
        before = [one for one in leaves if one.leaf <= case.index_of(case.told.opened.value)]

        assert owner_of(leaves, case.world.simulator.directory) == STORY_WARD
        assert owner_of(before, case.world.simulator.directory) == STORY_HOTLINE

    def test_a_voided_case_is_still_somebodys(self) -> None:
        world = World()
        case = Case(world)
        opened = world.say(STORY_HOTLINE, Verb.CASE_OPENED)
        world.say(STORY_HOTLINE, Verb.CASE_VOIDED, case=opened.case, answers=opened)
        case.take()

        assert owner_of(kept(case, opened.case), world.simulator.directory) == STORY_HOTLINE

    def test_of_an_erased_case_it_is_who_asked_for_that(self) -> None:
        case = told_case()
        events = [one for one in case.indexes(case.subject) if isinstance(case.records[one][1], LedgerEntry)]
        case.erasure(case.subject, events, STORY_WARD, "registrar")
        for index in events:
            case.erase(index)

        assert owner_of(kept(case, case.subject), case.world.simulator.directory) == STORY_WARD

    def test_of_nothing_it_is_nobodys(self) -> None:
        assert owner_of([], directory()) is None

    def test_a_read_changes_nothing(self) -> None:
        case = told_case()
        told = Access(
            asked=Way.TRAIL,
            at=format_time(case.world.clock.now_ms()),
            bus=case.world.simulator.bus,
            by=AUDITOR,
            directory=1,
            grant=ALL,
            request="A" * 43,
            subject=case.subject,
        )
        case.append(Statement.signed(told.encode(), LOG_KEY))

        assert owner_of(kept(case, case.subject), case.world.simulator.directory) == STORY_WARD
