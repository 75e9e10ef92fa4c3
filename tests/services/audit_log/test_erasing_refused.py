"""What keeps something from being erased: who holds it, what has to stay, time, clocks and keys."""

from collections.abc import Callable
from pathlib import Path

import pytest

from audit_log.core.erasing import read_case
from audit_log.core.retention import DAY_MS
from audit_log.showing import show_case
from audit_log.store import schema
from referral_bus.registrar import Term, event_key_record
from referral_contracts.codes import Code
from referral_contracts.directory import Directory
from referral_contracts.directory_model import Delivery, Entry, Grant, Names, Purpose, grant_case
from referral_contracts.encoding import format_time
from referral_contracts.errors import ReferralBusError
from referral_contracts.keys import SigningKey
from referral_contracts.lifecycle import CaseState
from referral_contracts.log.leaf import Statement
from referral_contracts.log.policy import Log, Policy
from referral_contracts.trail.bundle import read_bundle
from referral_contracts.trail.model import Kind
from tests.services.audit_log.erased import REGISTRAR, WAIT_DAYS, Erasing
from tests.stories.logged import LOG
from tests.stories.world import BUS, HOTLINE, WARD, keys

AUDITOR = "inspectors"
KEY = SigningKey.from_seed(bytes([91]) * 32)


@pytest.fixture
def case(tmp_path: Path) -> Erasing:
    return Erasing(tmp_path)


def refused(work: Callable[[], object]) -> Code:
    with pytest.raises(ReferralBusError) as caught:
        work()
    return caught.value.code


def having(case: Erasing, *entries: Entry) -> Directory:
    """Return the directory with these entries; whether a change would be taken is not asked."""
    before = case.world.simulator.directory
    return Directory(before.head, {**before.entries, **{one.id: one.encode() for one in entries}})


def auditor(case: Erasing, *grants: Grant) -> Entry:
    term = Term(from_ms=case.now_ms - DAY_MS, until_ms=case.now_ms + 90 * DAY_MS)
    return Entry(
        delivery=Delivery(kind="off-bus"),
        grants=grants or None,
        id=AUDITOR,
        keys=(event_key_record(BUS, AUDITOR, KEY, term),),
        names=Names(en="Inspectors", vi="Thanh tra"),
        roles=("auditor",),
    )


def grant(at: Erasing, **over: str) -> Grant:
    until = format_time(at.now_ms + 30 * DAY_MS)
    return Grant(purpose=Purpose.INSPECTION, valid_from=format_time(at.now_ms - DAY_MS), valid_until=until, **over)


class TestAnAuditorsHold:
    def holds(self, case: Erasing, *grants: Grant, subject: str | None = None) -> int:
        case.directory = having(case, auditor(case, *grants))
        said = case.signed("hold", subject=subject or case.case)
        return case.take(Statement.signed(said.value, KEY))

    def test_takes_a_grant_for_the_case(self, case: Erasing) -> None:
        other = grant(case, case=grant_case("0" * 32))

        assert refused(lambda: self.holds(case)) is Code.NOT_FOUND
        assert refused(lambda: self.holds(case, other)) is Code.NOT_FOUND
        assert refused(lambda: self.holds(case, grant(case, province="99"))) is Code.NOT_FOUND
        assert refused(lambda: self.holds(case, grant(case), subject="0" * 32)) is Code.NOT_FOUND

    def test_stands_when_the_grant_is_over(self, case: Erasing) -> None:
        case.ask()
        self.holds(case, grant(case, case=grant_case(case.case)))
        case.directory = having(case, auditor(case))
        case.wait(WAIT_DAYS)

        assert case.run() == [Code.HELD]


def test_what_the_watcher_said_stays_by_its_hash_too(case: Erasing) -> None:
    said = case.missed()

    assert refused(lambda: case.ask(events=[said.ref.sha256])) is Code.NOT_ERASABLE
    case.ask()
    case.wait(WAIT_DAYS)
    assert case.run() == [None]
    assert [row.verb for row in case.rows(schema.SEARCH) if row.subject == case.case and "deadline" in row.verb] != []
    case.verify()


def test_with_somebody_who_has_to_act_nothing_is_erased_though_the_case_is_closed(case: Erasing) -> None:
    with case.opened() as log:
        cases = case.cases(log)
        leaves = cases._reader.case(case.case, log.size)
        kept = [*cases.kept(leaves)]
        found = read_case(kept, case.world.simulator.directory, dict.fromkeys(leaves, 0))
    assert found.state is CaseState.CLOSED
    found.acting = True

    assert refused(found.check_ended) is Code.OPEN_HANDOFFS


def test_the_time_to_wait_goes_on_across_starts(case: Erasing) -> None:
    case.ask()
    for _ in range(WAIT_DAYS - 1):
        case.wait(1)
        assert case.run() == []
    case.wait(1)

    assert case.run() == [None]


def test_a_clock_that_was_set_back_only_makes_it_wait(case: Erasing) -> None:
    case.ask()
    case.wait(WAIT_DAYS)
    case.wait(-10)
    assert (case.run(), case.listed()) == ([], [Code.TOO_EARLY])
    case.wait(9.99)
    assert case.run() == []
    case.wait(0.01)

    assert case.run() == [None]
    case.verify()


def test_one_that_was_asked_for_by_a_clock_that_was_ahead_waits_the_longer(case: Erasing) -> None:
    case.wait(5)
    case.ask()
    case.wait(-5)
    case.wait(WAIT_DAYS)

    assert case.run() == []
    case.wait(5)
    assert case.run() == [None]


def keyed(case: Erasing, name: str, **over: str) -> Entry:
    """Return the entry of *name*, with its event key as told."""
    member = case.world.simulator.directory.member(name)
    assert member is not None
    own = keys()[name].signing.kid
    records = tuple(one.model_copy(update=over) if one.kid == own else one for one in member.entry.keys)
    return member.entry.model_copy(update={"keys": records})


def test_a_key_that_is_no_more_asks_for_nothing_not_even_as_of_before(case: Erasing) -> None:
    before = format_time(case.now_ms)
    case.directory = having(case, keyed(case, WARD, revoked_at=format_time(case.now_ms + DAY_MS)))
    case.wait(2)

    assert refused(lambda: case.ask(at=before)) is Code.KEY_NOT_VALID


def test_what_a_stolen_key_asked_for_is_not_carried_out(case: Erasing) -> None:
    case.ask()
    since = format_time(case.now_ms - DAY_MS)
    case.directory = having(case, keyed(case, WARD, compromised_since=since, revoked_at=format_time(case.now_ms)))
    case.wait(WAIT_DAYS)

    assert case.run() == [Code.KEY_NOT_VALID]


def test_a_request_by_a_key_that_was_revoked_from_before_hides_no_case(case: Erasing) -> None:
    leaf = case.ask()
    case.directory = having(case, keyed(case, WARD, revoked_at=format_time(case.now_ms - DAY_MS)))
    with case.opened() as log:
        found = case.cases(log).case(case.case)
    case.wait(WAIT_DAYS)

    assert (found.owner, found.requests, found.doubted) == (WARD, {}, {leaf: Code.KEY_NOT_VALID})
    assert case.run() == [Code.KEY_NOT_VALID]


def test_who_is_no_agency_of_this_case_cannot_have_it_erased_beside_the_registrar(case: Erasing) -> None:
    assert refused(lambda: case.ask(HOTLINE, REGISTRAR)) is Code.NOT_FOUND


def test_the_bundle_names_what_was_erased_and_the_rest_verifies(case: Erasing) -> None:
    event = case.told.opened.ref.sha256
    case.ask(events=[event])
    case.wait(WAIT_DAYS)
    case.run()
    with case.opened():
        reader = case.store.reader
        shown = show_case(reader, case.case, case.world.simulator.directory, LOG)
        data = shown.bundle(reader)
    bundle = read_bundle(data, Policy(logs=(Log(LOG),)), case.world.simulator.root)

    assert bundle.trail.faults == ()
    assert bundle.trail.erased == 1
    assert [row.erased_by for row in bundle.trail.rows if row.kind is Kind.ERASED] == [bundle.trail.rows[-1].index]
