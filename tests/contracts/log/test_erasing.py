from collections.abc import Mapping, Sequence
from typing import Any, Final

import pytest

from referral_bus.registrar import Term, event_key_record
from referral_contracts.codes import Code
from referral_contracts.directory import Directory
from referral_contracts.directory_model import Use
from referral_contracts.encoding import b64, format_time, jcs
from referral_contracts.errors import RemoteError
from referral_contracts.keys import SigningKey
from referral_contracts.log.erasing import check_asked, check_erased, check_hold, lawfully_erased, read_stated
from referral_contracts.log.leaf import Statement
from tests.services.referral_router.founding import BUS, DAY, HOTLINE, KEYS, NOW, POLICE, TERM, WARD, entry, with_entry

CASE: Final = "ab" * 16
REGISTRAR: Final = "registrar"
LOG_KEY: Final = SigningKey.from_seed(bytes([99]) * 32)
SPARE: Final = KEYS[HOTLINE].spare
ASKED: Final = {"at": format_time(NOW), "bus": BUS, "ground": "Luật 91/2025 Đ.14", "kind": "erasure-asked"}
HOLD: Final = {"at": format_time(NOW), "bus": BUS, "ground": "court", "kind": "hold", "subject": CASE}
ENTRY: Final = bytes(32)


def directory() -> Directory:
    """Return one with a log: the watcher's entry plays it, for no directory has two of a service."""
    own = event_key_record(BUS, "watcher", LOG_KEY, Term(from_ms=TERM.from_ms, until_ms=TERM.until_ms), use=Use.LOG)
    found = entry("watcher", roles=["audit-log"])
    return with_entry(found.model_copy(update={"keys": (*found.keys, own)}))


def signed(told: Mapping[str, object], *signers: str | SigningKey) -> Statement:
    return Statement.signed(jcs(told), *(KEYS[one].signing if isinstance(one, str) else one for one in signers))


def asked(*signers: str | SigningKey, **told: object) -> Statement:
    return signed({**ASKED, "subject": CASE, **told}, *(signers or (HOTLINE, REGISTRAR)))


def erased(
    *signers: str | SigningKey, request: Statement | None = None, leaves: Sequence[int] = (4, 5), **told: object
) -> Statement:
    request = request or asked()
    carried = {"signatures": [one.decode() for one in request.signatures], "value": request.value.decode()}
    stated = {
        "asked": 7,
        "at": format_time(NOW + DAY),
        "bus": BUS,
        "entries": [b64(ENTRY) for _ in leaves],
        "kind": "erased",
        "leaves": list(leaves),
        "request": carried,
        "subject": CASE,
    }
    return signed({**stated, **told}, *(signers or (LOG_KEY,)))


def refused(work: Any, *arguments: object) -> Code:
    with pytest.raises(RemoteError) as caught:
        work(*arguments)
    return caught.value.code


def test_a_request_is_signed_by_the_registrar_and_another() -> None:
    found = check_asked(asked(events=[b64(ENTRY)], not_before=format_time(NOW + DAY)), directory())

    assert (found.registrar, found.other) == (REGISTRAR, HOTLINE)
    assert found.asked.events == (b64(ENTRY),)
    assert check_asked(asked(REGISTRAR, HOTLINE), directory()) == check_asked(asked(), directory())


@pytest.mark.parametrize(
    ("signers", "code"),
    [
        ((HOTLINE,), Code.NOT_ENOUGH_SIGNATURES),
        ((REGISTRAR,), Code.NOT_ENOUGH_SIGNATURES),
        ((HOTLINE, HOTLINE), Code.REPEATED_KEY),
        ((HOTLINE, WARD), Code.WRONG_PARTY),
        ((REGISTRAR, SPARE["expired"]), Code.KEY_NOT_VALID),
        ((REGISTRAR, SPARE["revoked"]), Code.KEY_NOT_VALID),
        ((REGISTRAR, SigningKey.from_seed(bytes(range(32)))), Code.UNKNOWN_KEY),
        ((REGISTRAR, LOG_KEY), Code.UNKNOWN_KEY),
    ],
)
def test_a_request_by_others_or_too_few_is_none(signers: tuple[str, ...], code: Code) -> None:
    assert refused(check_asked, asked(*signers), directory()) is code


def test_two_keys_of_one_agency_are_one_signature() -> None:
    two = asked(HOTLINE, SPARE["expired"], at=format_time(NOW - 2 * DAY))
    early = TERM.from_ms

    assert early > NOW - 2 * DAY
    assert refused(check_asked, two, directory()) is Code.KEY_NOT_VALID
    assert refused(check_asked, asked(HOTLINE, _second_key()), _with_second_key()) is Code.NOT_ENOUGH_SIGNATURES


def _second_key() -> SigningKey:
    return SigningKey.from_seed(bytes([98]) * 32)


def _with_second_key() -> Directory:
    found = entry(HOTLINE)
    more = event_key_record(BUS, HOTLINE, _second_key(), TERM)
    return with_entry(found.model_copy(update={"keys": (*found.keys, more)}))


def test_a_request_of_another_bus_or_kind_is_none() -> None:
    assert refused(check_asked, asked(bus="other"), directory()) is Code.WRONG_BUS
    assert refused(check_asked, signed(HOLD, HOTLINE, REGISTRAR), directory()) is Code.MALFORMED_RECORD


@pytest.mark.parametrize(
    "told", [{"subject": "x"}, {"more": 1}, {"at": "today"}, {"events": []}, {"ground": ""}, {"not_before": 1}]
)
def test_a_malformed_request_is_none(told: dict[str, object]) -> None:
    assert refused(check_asked, asked(**told), directory()) is Code.MALFORMED_ENVELOPE


def test_a_statement_has_one_spelling() -> None:
    assert refused(read_stated, asked().value + b" ") is Code.NOT_CANONICAL


def test_what_is_about_something_else_is_not_read() -> None:
    assert read_stated(jcs({"at": format_time(NOW), "kind": "access"})) is None


@pytest.mark.parametrize(("signer", "code"), [(HOTLINE, Code.WRONG_PARTY), (POLICE, Code.WRONG_PARTY)])
def test_a_hold_is_not_anybodys(signer: str, code: Code) -> None:
    assert refused(check_hold, signed(HOLD, signer), directory(), NOW) is code


def test_a_hold_that_came_stays_one_when_somebody_else_is_the_auditor() -> None:
    held = signed(HOLD, POLICE)

    assert check_hold(held, with_entry(entry(POLICE, roles=["auditor"])), NOW).subject == CASE
    assert check_hold(held, directory()).subject == CASE


def test_the_registrar_or_an_auditor_holds_and_lifts() -> None:
    lifted = {**HOLD, "hold": 3, "kind": "hold-lifted"}
    auditing = with_entry(entry(POLICE, roles=["auditor"]))

    assert check_hold(signed(HOLD, REGISTRAR), directory()).subject == CASE
    assert check_hold(signed(lifted, POLICE), auditing).kind == "hold-lifted"


def test_an_erasure_names_its_leaves_and_carries_the_request() -> None:
    statement = erased()

    assert check_erased(8, statement, directory()).leaves == (4, 5)
    assert lawfully_erased([(8, statement)], directory()) == {4: (8, ENTRY), 5: (8, ENTRY)}


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        (erased(HOTLINE), Code.UNKNOWN_KEY),
        (erased(request=asked(HOTLINE)), Code.NOT_ENOUGH_SIGNATURES),
        (erased(request=asked(HOTLINE, WARD)), Code.WRONG_PARTY),
        (erased(request=asked(subject="cd" * 16)), Code.MALFORMED_RECORD),
        (erased(leaves=[8]), Code.MALFORMED_RECORD),
        (erased(asked=8), Code.MALFORMED_RECORD),
        (erased(entries=[]), Code.MALFORMED_RECORD),
        (erased(at=format_time(NOW - 1)), Code.TOO_EARLY),
        (erased(request=asked(not_before=format_time(NOW + 2 * DAY))), Code.TOO_EARLY),
        (asked(), Code.MALFORMED_RECORD),
    ],
)
def test_an_erasure_that_nobody_may_rely_on_erases_nothing(statement: Statement, code: Code) -> None:
    assert refused(check_erased, 8, statement, directory()) is code
    assert lawfully_erased([(8, statement)], directory()) == {}
