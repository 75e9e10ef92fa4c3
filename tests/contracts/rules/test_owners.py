from dataclasses import replace

import pytest

from referral_contracts.directory import Directory
from referral_contracts.directory_model import Delivery, Entry, Head, Jurisdiction, Names
from referral_contracts.rules.clock import Clock
from referral_contracts.rules.heard import Happening, Say
from referral_contracts.rules.owners import Owners
from referral_contracts.rules.pack import Escalation
from tests.contracts.rules.dockets import START, heard, only, told, world
from tests.contracts.rules.packs import rule

ENDED = "2026-01-01T00:00:00.000Z"


def entry(
    name: str,
    *roles: str,
    place: tuple[str, str | None] | None = None,
    parent: str | None = None,
    successors: tuple[str, ...] = (),
    until: str | None = None,
) -> Entry:
    places = () if place is None else (Jurisdiction(province=place[0], commune=place[1], valid_until=until),)
    return Entry(
        delivery=Delivery(kind="bus"),
        ends_at=ENDED if successors else None,
        id=name,
        jurisdiction=places,
        keys=(),
        names=Names(en=name, vi=name),
        parent=parent,
        roles=roles,
        successors=successors,
    )


ENTRIES = (
    entry("xa-a", "commune", place=("99", "99001"), parent="tinh"),
    entry("xa-b", "commune", place=("99", "99002"), parent="tinh"),
    entry("xa-cu", "commune", place=("99", "99003"), parent="tinh", successors=("xa-a",)),
    entry("xa-xua", "commune", place=("99", "99004"), until=ENDED),
    entry("tinh", "province", "child-affairs", place=("99", None), parent="bo"),
    entry("bo", "child-affairs"),
    entry("ca-1", "police", place=("99", None)),
    entry("ca-2", "police", place=("99", None)),
    entry("111", "hotline"),
)
HEAD = Head(bus="training", entries=1, expires=ENDED, issued=ENDED, root="A" * 43, version=1, wire=())
OWNERS = Owners(Directory(HEAD, {one.id: one.encode() for one in ENTRIES}))


def owner(row: str, **start: str | None) -> str | None:
    rules = world(row)
    found = rules.book.in_force("emergency-measures-12h", START, start.get("province"), start.get("commune"))
    assert found is not None
    return OWNERS.owner(found, Happening("information-received", "e", "h", START, **start), START)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("start", "found"),
    [
        ({"whose": "xa-b", "province": "99", "commune": "99001"}, "xa-b"),
        ({"whose": "xa-b/truc", "province": "99"}, "xa-b"),
        ({"whose": "111", "province": "99", "commune": "99001"}, "xa-a"),
        ({"whose": "nobody", "province": "99", "commune": "99002"}, "xa-b"),
        ({"province": "99", "commune": "99002"}, "xa-b"),
        ({"province": "99", "commune": "99003"}, "xa-a"),
        ({"whose": "xa-cu"}, "xa-a"),
        ({"province": "99", "commune": "99004"}, None),
        ({"province": "99", "commune": "99009"}, None),
        ({"province": "99"}, None),
        ({}, None),
    ],
)
def test_whom_the_trigger_names_else_the_one_agency_of_the_place(start: dict[str, str], found: str | None) -> None:
    assert owner(rule(), **start) == found


def test_where_two_could_be_meant_nobody_is_named() -> None:
    assert owner(rule(role='"police"'), province="99", commune="99001") is None
    assert owner(rule(role='"child-affairs"'), province="99", commune="99001") == "tinh"


def test_a_rule_says_how_its_agency_is_found() -> None:
    place = {"province": "99", "commune": "99001"}

    assert owner(rule(whose='"named"'), whose="111", **place) is None
    assert owner(rule(whose='"named"'), whose="xa-b", **place) == "xa-b"
    assert owner(rule(whose='"sender"'), sender="xa-b", **place) == "xa-b"
    assert owner(rule(whose='"sender"'), sender="111", **place) is None
    assert owner(rule(role='["police", "hotline"]', whose='"sender"'), sender="111") == "111"
    assert owner(rule(role='"*"', whose='"named"'), whose="111") == "111"


def test_whose_word_ends_a_clock_is_no_question_of_the_place() -> None:
    found = world().book.in_force("emergency-measures-12h", START, None, None)
    assert found is not None
    at_place = Happening("emergency-measures-applied", "e", "h", START, province="99", commune="99001")

    assert OWNERS.owner(found, at_place, START) == "xa-a"
    assert OWNERS.owner(found.teller, at_place, START) is None
    assert OWNERS.owner(found.teller, replace(at_place, sender="111"), START) is None
    assert OWNERS.owner(found.teller, replace(at_place, sender="xa-cu"), START) == "xa-a"


def test_a_trigger_that_names_nobody_of_the_role_starts_no_clock() -> None:
    rules = world(rule(whose='"named"'))
    one = told("information-received", 0, whose="111")
    asked = type(rules)(rules.bus, rules.book, rules.calendar, lambda found, start: OWNERS.owner(found, start, START))

    assert heard(asked, one).clocks == ()


def clock(whose: str | None = "xa-a") -> Clock:
    return only(heard(world(), told("information-received", 0, whose=whose, province="99", commune="99001")).clocks)


@pytest.mark.parametrize(
    ("level", "found"),
    [
        (None, "xa-a"),
        (Escalation(up=1), "tinh"),
        (Escalation(up=2), "bo"),
        (Escalation(up=9), "bo"),
        (Escalation(role="province"), "tinh"),
        (Escalation(role="court"), None),
    ],
)
def test_a_notice_goes_to_the_agency_or_up(level: Escalation | None, found: str | None) -> None:
    assert OWNERS.recipient(clock(), level, START) == found


def test_a_notice_of_a_clock_that_is_nobodys_goes_to_nobody() -> None:
    assert OWNERS.recipient(clock(None), None, START) is None
    assert OWNERS.recipient(clock("bo"), Escalation(up=1), START) is None
    assert OWNERS.recipient(clock("xa-cu"), None, START) == "xa-a"


@pytest.mark.parametrize(
    ("agency", "disputes", "extends", "confirms"),
    [
        ("xa-a", False, False, None),
        ("tinh", None, True, True),
        ("bo", None, True, True),
        ("xa-b", None, None, None),
    ],
)
def test_the_agency_disputes_and_extends_and_its_superiors_extend_and_confirm(
    agency: str, disputes: bool | None, extends: bool | None, confirms: bool | None
) -> None:
    may = [OWNERS.may_say(clock(), say, agency, START) for say in (Say.DISPUTED, Say.EXTENDED, Say.CONFIRMED)]

    assert may == [disputes, extends, confirms]
    assert OWNERS.may_say(clock(None), Say.DISPUTED, agency, START) is None
