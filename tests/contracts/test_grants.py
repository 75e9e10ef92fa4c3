"""What an auditor may be granted to read of the log."""

import base64
import hashlib
from collections.abc import Callable
from functools import partial
from typing import Final

import pytest

from referral_bus.registrar import with_grant, without_grant
from referral_contracts.codes import Code
from referral_contracts.directory_model import MAX_GRANTS, Entry, Grant, Purpose, grant_case
from referral_contracts.encoding import parse_time
from referral_contracts.errors import LocalError
from tests.contracts.directories import NOW, after, entry, first
from tests.contracts.refusals import code_of

GRANT: Final = Grant(
    purpose=Purpose.INSPECTION, valid_from="2027-03-01T00:00:00.000Z", valid_until="2028-03-01T00:00:00.000Z"
)


def granted(*grants: Grant, roles: tuple[str, ...] = ("auditor",)) -> Code | None:
    return code_of(lambda: after(first(), entry("e", roles=roles, grants=grants or None)))


def test_an_auditor_may_be_granted_to_read_for_a_year() -> None:
    case = GRANT.model_copy(update={"case": grant_case("0" * 32)})

    assert granted(GRANT, GRANT.model_copy(update={"province": "01"}), case) is None


@pytest.mark.parametrize(
    ("over", "code"),
    [
        pytest.param({"valid_until": GRANT.valid_from}, Code.NOT_PERMITTED, id="for no time"),
        pytest.param({"valid_until": "2027-02-28T23:59:59.999Z"}, Code.NOT_PERMITTED, id="backwards"),
        pytest.param({"valid_until": "2028-03-01T00:00:00.001Z"}, Code.NOT_PERMITTED, id="too long"),
        pytest.param({"case": grant_case("0" * 32), "province": "01"}, Code.NOT_PERMITTED, id="case and province"),
        pytest.param({}, None, id="a year"),
        pytest.param({"valid_from": "9999-01-01T00:00:00.000Z"}, Code.NOT_PERMITTED, id="after it ends"),
    ],
)
def test_a_grant_is_bounded(over: dict[str, str], code: Code | None) -> None:
    assert granted(GRANT.model_copy(update=over)) is code


def test_who_is_no_auditor_is_granted_nothing() -> None:
    assert granted(GRANT, roles=("hotline",)) is Code.NOT_PERMITTED
    assert granted(roles=("hotline",)) is None


def test_a_grant_stands_there_once() -> None:
    assert granted(GRANT, GRANT) is Code.NOT_PERMITTED


def test_grants_may_go_again() -> None:
    taken = after(first(), entry("e", roles=("auditor",), grants=(GRANT,)))

    assert b"grants" not in after(taken, entry("e", roles=("auditor",))).entries["e"]


def test_an_entry_without_grants_has_the_bytes_that_it_had_before_there_were_any() -> None:
    assert b"grants" not in entry("a").encode()


def test_a_grant_is_valid_until_before_its_end() -> None:
    since, until = (parse_time(text) for text in (GRANT.valid_from, GRANT.valid_until))

    assert [GRANT.valid(at_ms) for at_ms in (since - 1, since, until - 1, until)] == [False, True, True, False]


def test_what_a_grant_names_a_case_by_is_that_of_the_specification() -> None:
    digest = hashlib.sha256(b"referral-bus-grant/v1\n" + b"0" * 32).digest()

    assert grant_case("0" * 32) == base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class TestTheRegistrar:
    def test_gives_a_grant_and_takes_it_back(self) -> None:
        alone = entry("e", roles=("auditor",))
        here = GRANT.model_copy(update={"province": "01"})
        both = with_grant(with_grant(alone, GRANT, NOW), here, NOW)

        assert both.grants == (GRANT, here)
        assert without_grant(both, 1).grants == (here,)
        assert without_grant(without_grant(both, 2), 1) == alone

    def test_lets_go_of_those_that_are_over(self) -> None:
        over, now_ms = GRANT.model_copy(update={"province": "01"}), parse_time(GRANT.valid_until)
        later = Grant(purpose=Purpose.REVIEW, valid_from=GRANT.valid_until, valid_until="2028-04-01T00:00:00.000Z")
        had = entry("e", roles=("auditor",), grants=(over,))

        assert with_grant(had, later, now_ms).grants == (later,)
        assert with_grant(had, later, now_ms - 1).grants == (over, later)

    def test_is_told_what_nobody_would_take(self) -> None:
        def refused(work: Callable[[], Entry]) -> Code:
            with pytest.raises(LocalError) as caught:
                work()
            return caught.value.code

        auditor = entry("e", roles=("auditor",), grants=(GRANT,))
        many = tuple(GRANT.model_copy(update={"province": f"{number:02}"}) for number in range(MAX_GRANTS))

        assert refused(lambda: with_grant(entry("e"), GRANT, NOW)) is Code.NOT_PERMITTED
        assert refused(lambda: with_grant(auditor, GRANT, NOW)) is Code.NOT_PERMITTED
        assert refused(lambda: with_grant(auditor.model_copy(update={"grants": many}), GRANT, NOW)) is (
            Code.MALFORMED_VALUE
        )
        assert {refused(partial(without_grant, auditor, at)) for at in (0, 2)} == {Code.MALFORMED_VALUE}
