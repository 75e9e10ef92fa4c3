"""What the watcher keeps: records that only its own key opens, at their own place, and that say what they said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deadline_watcher.core.case import Case, Told, Unread, decode, encode, summary_in
from deadline_watcher.core.position import Position
from deadline_watcher.core.saying import summary
from deadline_watcher.core.vault import Vault
from referral_contracts.codes import Code
from referral_contracts.errors import Fatal
from referral_contracts.rules.heard import Say, Saying
from referral_contracts.sealing import random_salts
from tests.contracts.rules.dockets import SUBJECT, heard, told, world
from tests.contracts.rules.packs import rule

KEY = SUBJECT.encode()


def vault(key: bytes = bytes(32), *, bus: str = "training", partition: int = 1) -> Vault:
    return Vault(key, bus=bus, partition=partition, nonces=random_salts)


class TestVault:
    @given(st.text(max_size=600))
    def test_a_record_opens_to_what_it_said(self, text: str) -> None:
        said = f'["{text}"]'.encode()

        assert vault().open(KEY, vault().close(KEY, said)) == said

    def test_the_same_twice_looks_like_two_things(self) -> None:
        assert vault().close(KEY, b"{}") != vault().close(KEY, b"{}")

    @given(st.binary(max_size=700), st.binary(max_size=700))
    def test_how_long_it_is_tells_little(self, one: bytes, other: bytes) -> None:
        sizes = {len(vault().close(KEY, b"[" + text.hex().encode() + b"]")) for text in (one, other)}

        assert {size % 256 for size in sizes} == {1 + 12 + 16}

    @pytest.mark.parametrize(
        ("opener", "key"),
        [
            (vault(b"\x01" * 32), KEY),
            (vault(bus="production"), KEY),
            (vault(partition=2), KEY),
            (vault(), b"f" * 32),
        ],
        ids=["another key", "another bus", "another partition", "another case"],
    )
    def test_nothing_else_opens_it(self, opener: Vault, key: bytes) -> None:
        with pytest.raises(Fatal) as stopped:
            opener.open(key, vault().close(KEY, b"{}"))

        assert stopped.value.code is Code.WRONG_STATE_KEY

    @given(st.binary(max_size=64))
    def test_what_is_no_record_stops_it_with_a_code(self, value: bytes) -> None:
        with pytest.raises(Fatal) as stopped:
            vault().open(KEY, value)

        assert stopped.value.code in {Code.STATE_FORMAT, Code.WRONG_STATE_KEY}


class TestPosition:
    def test_it_is_read_back(self) -> None:
        position = Position(position=5, admitted_ms=7, ticked_ms=6, chain=b"c" * 32, counter=3, directory=2)

        assert Position.decode(position.encode()) == position

    @pytest.mark.parametrize("value", [b"{}", b"[]", b"no", b'{"format":2}', Position().encode()[:-1] + b',"more":1}'])
    def test_another_format_stops_it(self, value: bytes) -> None:
        with pytest.raises(Fatal) as stopped:
            Position.decode(value)

        assert stopped.value.code is Code.STATE_FORMAT


class TestCase:
    def test_everything_of_a_case_is_read_back(self) -> None:
        around = world(rule(second='["commune-informed"]', delay_told_by='["forensic-delay-notified"]'))
        docket = heard(
            around,
            told("information-received", 0, province="01", commune="00101", sender="hotline"),
            told("commune-informed", 1, scope="o/ward"),
            told("forensic-delay-notified", 2),
            told("emergency-measures-applied", 3, late=2),
        )
        (clock,) = docket.clocks
        docket = docket.say(around, Saying(clock.id, Say.CONFIRMED, "e", 9, None, superior=True))
        case = Case(
            docket,
            exercise=True,
            untold={clock.id: 2},
            told={clock.id: {"missed/0": Told("ward", "said", 12)}},
            unread=(Unread("e", "h", "hotline", "not-a-reader"),),
            links=frozenset({"a" * 32}),
            received=frozenset({"o/ward"}),
            ended_ms=77,
            by="calendar",
        )
        value = encode(case, summary(case, 0))

        assert decode(value, SUBJECT, around.book) == case
        assert summary_in(value) == summary(case, 0)

    @pytest.mark.parametrize("whose", ["ubnd", None], ids=["somebody's", "nobody's"])
    @pytest.mark.parametrize("province", [None, "01"], ids=["nowhere", "somewhere"])
    @pytest.mark.parametrize("limited", [False, True], ids=["without a limit", "limited"])
    def test_a_clock_of_which_little_is_known_is_read_back(
        self, *, limited: bool, province: str | None, whose: str | None
    ) -> None:
        around = world(rule() if limited else rule(kind='"none"', limit=None))
        case = Case(heard(around, told("information-received", 0, whose=whose, province=province)))
        assert [clock.due_ms is not None for clock in case.docket.clocks] == [limited]

        assert decode(encode(case, summary(case, 0)), SUBJECT, around.book) == case

    def test_a_clock_by_a_rule_that_is_gone_stops_it(self) -> None:
        around = world()
        case = Case(heard(around, told("information-received", 0)))
        value = encode(case, summary(case, 0))

        with pytest.raises(Fatal) as stopped:
            decode(value, SUBJECT, world(rule(id='"another"')).book)

        assert stopped.value.code is Code.MALFORMED_PACK

    @given(st.binary(max_size=40))
    def test_what_is_no_case_stops_it(self, value: bytes) -> None:
        with pytest.raises(Fatal) as stopped:
            decode(value, SUBJECT, world().book)

        assert stopped.value.code is Code.STATE_FORMAT
