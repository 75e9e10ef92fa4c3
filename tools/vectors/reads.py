"""Reads of a case: what the log states about who read what, by which grant."""

from collections.abc import Iterator, Mapping
from typing import Final

from referral_contracts.codes import Code
from referral_contracts.directory_model import Use, grant_case
from referral_contracts.encoding import b64, format_time, jcs, sha256
from referral_contracts.keys import SigningKey
from referral_contracts.log.leaf import Statement
from referral_contracts.signing import Typ
from tools.vectors.cast import AUDITOR, BUS, HOTLINE, LOG, START, TERM
from tools.vectors.registrar import key_record
from tools.vectors.vector import Vector, fault, octets, valid

_KIND: Final = "log-access"
_KEY: Final = key_record(BUS, LOG.id, LOG.signing, TERM, LOG.signing, signs=Use.LOG)
_CASE: Final = "5b1e3c1d9a7f4e02b6d8c7a4f0e9d213"
_GRANT: Final = {"purpose": "inspection", "valid_from": format_time(START), "valid_until": format_time(START + 1000)}
_TOLD: Final[Mapping[str, object]] = {
    "asked": "trail",
    "at": format_time(START),
    "bus": BUS,
    "by": AUDITOR.id,
    "directory": 7,
    "grant": {**_GRANT, "province": "01"},
    "kind": "audit.accessed",
    "request": b64(sha256(b"what the request's signature is over")),
    "subject": _CASE,
}


def _told(**over: object) -> bytes:
    return jcs({name: value for name, value in {**_TOLD, **over}.items() if value is not None})


def _given(value: bytes, *keys: SigningKey) -> dict[str, object]:
    return _record(Statement.signed(value, *(keys or (LOG.signing,))))


def _record(statement: Statement) -> dict[str, object]:
    key = _KEY.model_dump(mode="json", exclude_none=True)
    return {"record": octets(statement.record()), "bus": BUS, "key": key}


def cases() -> Iterator[Vector]:
    """Yield the vectors of what the log states about reads."""
    yield from _taken()
    yield from _refused()
    yield from _signed()


def _taken() -> Iterator[Vector]:
    of_case, reads = {**_GRANT, "case": grant_case(_CASE)}, {"asked": "reads", "by": HOTLINE.id, "grant": None}
    for name, comment, over in (
        ("log_access", "a trail, by a grant for a province", {}),
        ("log_access_granted_all", "a bundle, by a grant for all cases", {"asked": "bundle", "grant": _GRANT}),
        ("log_access_granted_the_case", "by a grant for this very case", {"grant": of_case}),
        ("log_access_granted_to_the_end", "in its last millisecond", {"at": format_time(START + 999)}),
        ("log_access_search_in_vain", "a search that found nothing of any case", {"asked": "search", "subject": None}),
        ("log_access_of_reads", "the owner asks who has read its case", reads),
    ):
        told = {**_TOLD, **over}
        comes = {name: told[name] for name in ("by", "asked", "subject")}
        yield valid(_KIND, name, comment, **_given(_told(**over)), **comes)


def _refused() -> Iterator[Vector]:
    other_case = {**_GRANT, "case": grant_case("0" * 32)}
    for code, name, comment, over in (
        (Code.WRONG_BUS, "of_another_bus", "another bus", {"bus": "production"}),
        (Code.MALFORMED_RECORD, "of_no_case", "a trail of no case", {"subject": None}),
        (Code.NOT_PERMITTED, "granted_by_nobody", "a trail without a grant", {"grant": None}),
        (Code.NOT_PERMITTED, "granted_another_case", "a grant for another case", {"grant": other_case}),
        (Code.NOT_PERMITTED, "granted_later", "before the grant's time", {"at": format_time(START - 1)}),
        (Code.NOT_PERMITTED, "granted_before", "when it was over", {"at": format_time(START + 1000)}),
        (Code.MALFORMED_ENVELOPE, "spelled_with_more", "a member more", {"query": "x"}),
        (Code.MALFORMED_ENVELOPE, "spelled_otherwise", "nothing that can be asked for", {"asked": "everything"}),
    ):
        yield fault(code, _KIND, f"log_access_{name}", comment, **_given(_told(**over)))
    spaced = _told().replace(b":", b": ", 1)
    yield fault(Code.NOT_CANONICAL, _KIND, "log_access_spelled_with_a_space", "a space", **_given(spaced))


def _signed() -> Iterator[Vector]:
    end = format_time(TERM.until_ms)
    value, late = _told(), _told(at=end, grant={**_GRANT, "valid_until": "2026-12-31T00:00:00.000Z"})
    other = Statement.signed(_told(directory=8), LOG.signing)
    forged = Statement(signatures=other.signatures, value=value)
    as_event = Statement(signatures=(LOG.signing.sign(Typ.EVENT, value).encode(),), value=value)
    code, twice = Code.REPEATED_KEY, _given(value, LOG.signing, LOG.signing)
    yield fault(code, _KIND, "log_access_signed_twice", "twice by one key", **twice)
    code, also = Code.UNKNOWN_KEY, _given(value, LOG.signing, AUDITOR.signing)
    yield fault(code, _KIND, "log_access_signed_by_the_reader_too", "who reads has signed it as well", **also)
    code, stranger = Code.UNKNOWN_KEY, _given(value, AUDITOR.signing)
    yield fault(code, _KIND, "log_access_signed_by_the_reader", "who reads has signed it", **stranger)
    yield fault(Code.BAD_SIGNATURE, _KIND, "log_access_signed_otherwise", "another's signature", **_record(forged))
    code = Code.MALFORMED_SIGNATURE
    yield fault(code, _KIND, "log_access_signed_as_an_event", "another typ", **_record(as_event))
    yield fault(Code.KEY_NOT_VALID, _KIND, "log_access_signed_too_late", "after the key's term", **_given(late))
