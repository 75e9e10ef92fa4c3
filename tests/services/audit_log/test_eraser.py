"""A told case is erased: asked for, waited for, carried out; and everything else is as it was."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine

from audit_log.core.retention import DAY_MS
from audit_log.showing import show_case
from audit_log.store import open_reader, open_snapshot, schema
from audit_log.verifying import Check
from referral_contracts.codes import Code
from referral_contracts.encoding import b64, event_hash, format_time
from referral_contracts.errors import ReferralBusError
from referral_contracts.log import leaf as leaves
from referral_contracts.log.proofs import verify_inclusion
from referral_contracts.trail.model import Kind
from referral_contracts.verbs import Verb
from referral_router.core.replay import Rejudge
from tests.services.audit_log.erased import REGISTRAR, WAIT_DAYS, Erasing
from tests.services.audit_log.tampering import named, reading
from tests.stories.logged import LOG
from tests.stories.world import HOTLINE, WARD


@pytest.fixture
def erasing_case(tmp_path: Path) -> Erasing:
    return Erasing(tmp_path)


def refused(work: Any, *arguments: Any, **named: Any) -> Code:
    with pytest.raises(ReferralBusError) as caught:
        work(*arguments, **named)
    return caught.value.code


def test_a_closed_case_is_erased_after_the_time_to_wait(erasing_case: Erasing) -> None:
    case = erasing_case
    before = {row.idx: row for row in case.rows(schema.RECORDS)}
    mine = [row.idx for row in case.rows(schema.SEARCH) if row.subject == case.case]
    case.ask()

    assert (case.listed(), case.run()) == ([Code.TOO_EARLY], [])
    assert len(case.rows(schema.RECORDS)) == len(before) + 1
    case.wait(WAIT_DAYS)
    assert case.run() == [None]
    assert case.run() == []

    after = {row.idx for row in case.rows(schema.RECORDS)}
    assert before.keys() - after == set(mine)
    assert not {row.idx for row in case.rows(schema.SEARCH)} & set(mine)
    assert not {row.idx for row in case.rows(schema.TERMS)} & set(mine)
    case.verify()


def test_the_bytes_are_gone_from_the_files(erasing_case: Erasing) -> None:
    case = erasing_case
    mine = {row.idx for row in case.rows(schema.SEARCH) if row.subject == case.case}
    gone = [row for row in case.rows(schema.RECORDS) if row.idx in mine]
    needles = [
        needle for row in gone for needle in (bytes(row.salt), bytes(row.value)[:60], bytes(row.signature)[-60:])
    ]
    on_disk = case.bytes_on_disk()
    assert all(needle in on_disk for needle in needles)

    case.ask()
    case.wait(WAIT_DAYS)
    with case.eraser() as eraser:
        eraser.run()
        # Also while the log is open: nothing waits for its end.
        on_disk = case.bytes_on_disk()

    assert [needle for needle in needles if needle in on_disk] == []


def test_the_trail_names_what_was_erased_and_proves_the_rest(erasing_case: Erasing) -> None:
    case = erasing_case
    event = case.told.opened.ref.sha256
    case.ask(events=[event])
    case.wait(WAIT_DAYS)
    case.run()
    with case.opened():
        reader = open_reader(case.url)
        shown = show_case(reader, case.case, case.world.simulator.directory, LOG)
        trail = shown.trail()
        for one in shown.leaves:
            root, size = trail.checked.checkpoint.root, trail.checked.checkpoint.size
            verify_inclusion(leaves.leaf(one.leaf.entry), one.leaf.index, size, root, one.leaf.proof)
        reader.close()

    assert trail.faults == ()
    assert trail.erased == 1
    assert [row.erased_by for row in trail.rows if row.kind is Kind.ERASED] == [trail.rows[-1].index]
    case.verify()


@pytest.mark.parametrize(
    ("signers", "code"),
    [
        ((WARD,), Code.NOT_ENOUGH_SIGNATURES),
        ((WARD, WARD), Code.REPEATED_KEY),
        ((REGISTRAR,), Code.NOT_ENOUGH_SIGNATURES),
        ((WARD, HOTLINE), Code.WRONG_PARTY),
        ((HOTLINE, REGISTRAR), Code.NOT_FOUND),
    ],
)
def test_others_than_owner_and_registrar_are_refused(erasing_case: Erasing, signers: Sequence[str], code: Code) -> None:
    assert refused(erasing_case.ask, *signers) is code
    assert erasing_case.run() == []


def test_what_has_to_stay_is_refused(erasing_case: Erasing) -> None:
    case = erasing_case
    change = next(row for row in case.rows(schema.SEARCH) if row.verb == "directory.changed")
    held = case.state("hold", REGISTRAR)
    statement = next(bytes(row.value) for row in case.rows(schema.RECORDS) if row.idx == held)
    case.state("hold-lifted", REGISTRAR, hold=held)

    assert refused(case.ask, events=[b64(bytes(change.event))]) is Code.NOT_ERASABLE
    assert refused(case.ask, events=[event_hash(statement)]) is Code.NOT_ERASABLE
    assert refused(case.ask, events=[event_hash(b"no such event")]) is Code.NOT_FOUND
    assert refused(case.ask, subject="0" * 32) is Code.NOT_FOUND


def test_a_case_that_is_open_is_refused(erasing_case: Erasing) -> None:
    case = erasing_case
    case.world.say(WARD, Verb.CASE_REOPENED, case=case.case, answers=case.told.closed)

    assert refused(case.ask) is Code.CASE_OPEN


def test_a_case_that_opens_again_while_it_is_waited_for_stays(erasing_case: Erasing) -> None:
    case = erasing_case
    case.ask()
    case.world.say(WARD, Verb.CASE_REOPENED, case=case.case, answers=case.told.closed)
    case.wait(WAIT_DAYS)

    assert case.run() == [Code.CASE_OPEN]
    case.verify()


def test_a_hold_covers_a_case_until_it_is_lifted(erasing_case: Erasing) -> None:
    case = erasing_case
    case.ask()
    hold = case.state("hold", REGISTRAR)
    case.wait(WAIT_DAYS)

    assert refused(case.ask, ground="again") is Code.HELD
    assert case.run() == [Code.HELD]
    assert refused(case.state, "hold-lifted", WARD, hold=hold) is Code.WRONG_PARTY
    assert refused(case.state, "hold-lifted", REGISTRAR, hold=hold + 1) is Code.NOT_FOUND
    case.state("hold-lifted", REGISTRAR, hold=hold)
    assert case.run() == [None]
    case.verify()


def test_a_request_may_say_not_before(erasing_case: Erasing) -> None:
    case = erasing_case
    case.ask(not_before=format_time(case.now_ms + 20 * DAY_MS))
    case.wait(WAIT_DAYS + 1)

    assert case.run() == [Code.TOO_EARLY]
    case.wait(6)
    assert case.run() == [None]


def test_a_request_is_taken_once_and_in_its_time(erasing_case: Erasing) -> None:
    case = erasing_case
    at = format_time(case.now_ms)
    leaf = case.ask()
    case.wait(1)

    assert case.ask(at=at) == leaf
    assert len([row for row in case.rows(schema.SEARCH) if row.verb == "erasure-asked"]) == 1
    assert refused(case.ask, at=format_time(case.now_ms + DAY_MS)) is Code.OUTSIDE_WINDOW
    assert refused(case.ask, at=format_time(case.now_ms - 91 * DAY_MS)) is Code.OUTSIDE_WINDOW


def test_what_was_carried_out_is_answered_as_it_was(erasing_case: Erasing) -> None:
    case = erasing_case
    at = format_time(case.now_ms)
    leaf = case.ask()
    case.wait(WAIT_DAYS)
    case.run()

    assert case.ask(at=at) == leaf
    assert refused(case.ask, HOTLINE, REGISTRAR, at=at) is Code.NOT_FOUND


def test_the_rest_of_a_case_can_go_later(erasing_case: Erasing) -> None:
    case = erasing_case
    case.ask(events=[case.told.opened.ref.sha256])
    case.wait(WAIT_DAYS)
    case.run()
    case.ask()
    case.wait(WAIT_DAYS)

    assert case.run() == [None]
    assert {row.verb for row in case.rows(schema.SEARCH) if row.subject == case.case} == {"erasure-asked", "erased"}
    case.verify()


def test_in_postgresql_it_is_the_same(tmp_path: Path, database: str) -> None:
    case = Erasing(tmp_path, database)
    mine = {row.idx for row in case.rows(schema.SEARCH) if row.subject == case.case}
    case.ask()
    case.wait(WAIT_DAYS)

    assert case.run() == [None]
    assert not {row.idx for table in (schema.RECORDS, schema.SEARCH, schema.TERMS) for row in case.rows(table)} & mine
    case.verify()


class TestTheWholeCheck:
    def found(self, case: Erasing) -> list[tuple[str, str]]:
        check = Check(
            lambda: open_snapshot(case.url),
            reading(case.home / "tiles"),
            [case.desk.note_key],
            Rejudge(case.world.simulator.root, case.world.simulator.partitions),
        )
        return named(asyncio.run(check.run()).findings)

    @pytest.mark.parametrize("whole", [False, True])
    def test_it_finds_nothing_wrong_with_what_was_erased_lawfully(self, erasing_case: Erasing, whole: bool) -> None:
        case = erasing_case
        case.ask(**({} if whole else {"events": [case.told.opened.ref.sha256]}))
        case.wait(WAIT_DAYS)
        case.run()

        assert self.found(case) == []

    def test_it_names_what_is_gone_without_an_erasure(self, erasing_case: Erasing) -> None:
        case = erasing_case
        case.ask(events=[case.told.opened.ref.sha256])
        case.wait(WAIT_DAYS)
        case.run()
        last = max(
            row.idx for row in case.rows(schema.SEARCH) if row.subject == case.case and row.verb == "case.closed"
        )
        engine = create_engine(case.url)
        with engine.begin() as connection:
            for table in (schema.RECORDS, schema.SEARCH, schema.TERMS):
                connection.execute(table.delete().where(table.c.idx == last))
        engine.dispose()

        assert self.found(case) == [("record-missing", f"leaf {last}")]
