from collections.abc import Callable
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_contracts.codes import Code
from referral_contracts.encoding import lp
from referral_contracts.errors import RemoteError
from referral_contracts.keys import SigningKey, VerifyKey
from referral_contracts.log.leaf import LedgerEntry, Statement, entry, leaf, read_record, unlp
from referral_contracts.signing import Typ

EVENT = LedgerEntry(signature=b"a..b", value=b"{}", decision=b"d", path=b"p", root=b"r")
ONE, TWO = (SigningKey.from_seed(bytes([number] * 32)) for number in (1, 2))
ERASED = b'{"kind":"erased"}'


def finder(*keys: SigningKey) -> Callable[[str], VerifyKey | None]:
    return {key.kid: key.verify_key for key in keys}.get


def test_an_entry_is_the_records_hash_under_its_salt() -> None:
    salt = bytes(range(32))
    record = b"\0\0\0\4a..b\0\0\0\2{}\0\0\0\1d\0\0\0\1p\0\0\0\1r"

    assert EVENT.record() == record
    assert entry(salt, record) == sha256(b"referral-bus-leaf/v1\n" + salt + record).digest()
    assert leaf(entry(salt, record)) == sha256(b"\0" + entry(salt, record)).digest()


def test_a_record_is_read_again() -> None:
    unsigned = LedgerEntry(signature=b"", value=b"", decision=b"d", path=b"p", root=b"r")
    statement = Statement.signed(ERASED, ONE, TWO)

    for record in (EVENT, unsigned, statement):
        assert read_record(record.record()) == record


@pytest.mark.parametrize(
    "record",
    [
        b"",
        EVENT.record()[:-1],
        EVENT.record() + b"\0",
        lp(b"a..b", b"{}", b"d", b"p"),
        lp(b"a..b", b"{}", b"d", b"p", b""),
        lp(b"a..b", b"{}", b"", b"", b"r"),
        lp(b"", b"{}", b"", b"", b""),
        lp(b"a..b", b"", b"", b"", b""),
        lp(b"a..b\n", b"{}", b"", b"", b""),
        lp(b"a..b\na..b\na..b", b"{}", b"", b"", b""),
    ],
)
def test_what_is_neither_event_nor_statement_is_refused(record: bytes) -> None:
    with pytest.raises(RemoteError) as refused:
        read_record(record)

    assert refused.value.code is Code.MALFORMED_RECORD


def test_a_statement_tells_who_makes_it() -> None:
    assert Statement.signed(ERASED, ONE).signers(finder(ONE, TWO)) == (ONE.kid,)
    assert Statement.signed(ERASED, TWO, ONE).signers(finder(ONE, TWO)) == (TWO.kid, ONE.kid)


def as_an_event() -> Statement:
    return Statement(signatures=(ONE.sign(Typ.EVENT, ERASED).encode(),), value=ERASED)


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        (Statement.signed(ERASED, ONE, ONE), Code.REPEATED_KEY),
        (Statement.signed(ERASED, ONE, SigningKey.generate()), Code.UNKNOWN_KEY),
        (Statement(signatures=Statement.signed(b"{}", ONE).signatures, value=ERASED), Code.BAD_SIGNATURE),
        (Statement(signatures=(b"",), value=ERASED), Code.MALFORMED_SIGNATURE),
        (as_an_event(), Code.MALFORMED_SIGNATURE),
    ],
)
def test_a_statement_that_nobody_stands_for_is_refused(statement: Statement, code: Code) -> None:
    with pytest.raises(RemoteError) as refused:
        statement.signers(finder(ONE, TWO))

    assert refused.value.code is code


@given(st.lists(st.binary(max_size=40), max_size=5), st.binary(max_size=3))
def test_parts_come_out_as_they_went_in_or_not_at_all(parts: list[bytes], more: bytes) -> None:
    assert unlp(lp(*parts), len(parts)) == parts
    if more:
        with pytest.raises(RemoteError):
            unlp(lp(*parts) + more, len(parts))
        with pytest.raises(RemoteError):
            unlp(more, 1)


@given(st.binary(max_size=100) | st.lists(st.binary(max_size=9), min_size=5, max_size=5).map(lambda parts: lp(*parts)))
def test_anything_is_a_record_or_our_error(data: bytes) -> None:
    try:
        assert read_record(data).record() == data
    except RemoteError as error:
        assert error.code is Code.MALFORMED_RECORD
