"""What is stated over HTTP: what proves itself is logged once, and who may not know of a case learns nothing of it."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from audit_log.asking import Asking
from audit_log.core.limiting import Allowance
from audit_log.folder import Folder
from audit_log.receipts import Receipts
from audit_log.stating import stating
from audit_log.store import schema
from audit_log.web import web
from referral_contracts.codes import Code
from referral_contracts.encoding import event_hash, format_time
from referral_contracts.log.erasing import MOST_STATED, Request
from referral_contracts.log.leaf import Statement
from tests.services.audit_log.erased import REGISTRAR, WAIT_DAYS, Erasing
from tests.stories.world import HOTLINE, WARD

MANY = Allowance(1000.0, 1000)


class Site:
    """The log's HTTP side over a told case, as it is between two beats."""

    def __init__(self, case: Erasing, asking: Asking) -> None:
        self.case, self.asking, self.allowance = case, asking, MANY
        self.faults: list[Code] = []

    def asks(self, *requests: tuple[str, str, bytes | None]) -> list[httpx.Response]:
        routers = [stating(self.asking, self.allowance, self.faults.append)]
        folder = Folder(self.case.home / "tiles")
        app = web(folder, Receipts(folder, lambda: None, self.case.desk.note_key), MANY, self.faults.append, routers)

        async def asked() -> list[httpx.Response]:
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://log") as client:
                works = [client.request(method, path, content=body) for method, path, body in requests]
                return await asyncio.gather(*works)

        try:
            return asyncio.run(asked())
        finally:
            folder.close()

    def post(self, statement: Statement) -> httpx.Response:
        return self.asks(("POST", "/v1/statements", Request.of(statement).encode()))[0]

    def stands(self, statement: Statement) -> httpx.Response:
        return self.asks(("GET", f"/v1/statements/{event_hash(statement.value)}", None))[0]

    def request(self, *signers: str, **told: object) -> Statement:
        return self.case.signed("erasure-asked", *(signers or (WARD, REGISTRAR)), **told)


@pytest.fixture
def case(tmp_path: Path) -> Erasing:
    return Erasing(tmp_path)


@pytest.fixture
def site(case: Erasing) -> Iterator[Site]:
    with case.asking() as asking:
        yield Site(case, asking)


def told(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_a_request_is_logged_and_its_time_told(site: Site) -> None:
    case, statement = site.case, site.request()
    answer = site.post(statement)
    found = answer.json()

    assert answer.status_code == 200
    assert found.pop("leaf") == max(row.idx for row in case.rows(schema.ENTRIES))
    assert found == {
        "kind": "erasure-asked",
        "logged": format_time(case.now_ms),
        "not_before": format_time(case.now_ms + WAIT_DAYS * 86_400_000),
    }


def test_the_same_once_more_is_answered_as_it_was(site: Site) -> None:
    statement = site.request()
    first = site.post(statement)
    site.case.wait(3)

    assert site.post(statement).content == first.content
    assert len([row for row in site.case.rows(schema.SEARCH) if row.verb == "erasure-asked"]) == 1


def test_the_same_twice_at_once_is_logged_once(site: Site) -> None:
    body = Request.of(site.request()).encode()
    answers = site.asks(*[("POST", "/v1/statements", body)] * 8)

    assert {answer.content for answer in answers} == {answers[0].content}
    assert len([row for row in site.case.rows(schema.SEARCH) if row.verb == "erasure-asked"]) == 1


def test_another_case_and_no_case_are_told_alike(site: Site) -> None:
    mine = site.post(site.request(HOTLINE, REGISTRAR))
    none = site.post(site.request(HOTLINE, REGISTRAR, subject="0" * 32))
    event = site.post(site.request(HOTLINE, REGISTRAR, events=[site.case.told.opened.ref.sha256]))

    assert told(mine) == (404, "not-found")
    assert (none.content, event.content) == (mine.content, mine.content)
    assert mine.headers.items() == none.headers.items() == event.headers.items()


@pytest.mark.parametrize(
    ("signers", "status", "code"),
    [
        ((), 403, "not-enough-signatures"),
        ((WARD,), 403, "not-enough-signatures"),
        ((WARD, HOTLINE), 403, "wrong-party"),
        ((WARD, WARD), 403, "repeated-key"),
    ],
)
def test_who_did_not_sign_is_told_before_the_case_is_looked_at(
    site: Site, signers: tuple[str, ...], status: int, code: str
) -> None:
    unknown = site.case.signed("erasure-asked", *signers, subject="0" * 32)

    assert told(site.post(site.case.signed("erasure-asked", *signers))) == (status, code)
    assert told(site.post(unknown)) == (status, code)


def test_as_things_stand_it_is_refused_to_its_owner_by_a_code(site: Site) -> None:
    site.post(site.case.signed("hold", REGISTRAR))

    assert told(site.post(site.request())) == (409, "held")
    assert told(site.post(site.request(at=format_time(0)))) == (409, "outside-window")


def body(**told: Any) -> bytes:
    return json.dumps(told).encode()


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 400, "malformed-record"),
        (b"\xff", 400, "malformed-record"),
        (b"[]", 400, "malformed-record"),
        (b'{"signatures":[],"value":"\\ud800"}', 400, "malformed-record"),
        (body(signatures=[], value="{}", more=1), 400, "malformed-record"),
        (body(signatures=[], value="{}"), 400, "malformed-record"),
        (body(signatures=[], value='{"kind":"erased"}'), 400, "malformed-envelope"),
        (body(signatures=[], value="["), 400, "malformed-json"),
        (body(signatures=["a", "b", "c"], value="{}"), 400, "malformed-signature"),
        (body(signatures=["ø"], value="{}"), 400, "malformed-signature"),
        (body(signatures=[], value="x" * MOST_STATED), 413, "oversize"),
    ],
    ids=[
        "nothing",
        "no text",
        "no object",
        "a half character",
        "more",
        "of nothing",
        "erased",
        "no json",
        "three",
        "no ascii",
        "large",
    ],
)
def test_what_is_no_statement_is_refused(site: Site, content: bytes, status: int, code: str) -> None:
    assert told(site.asks(("POST", "/v1/statements", content))[0]) == (status, code)


def test_what_has_become_of_it_is_told_to_who_knows_its_hash(site: Site) -> None:
    statement, unknown = site.request(), site.request(ground="another")
    first = site.post(statement).json()
    found = site.stands(statement).json()
    hold = site.case.signed("hold", REGISTRAR)
    held = site.post(hold).json()["leaf"]

    assert found == first | {"state": "waits"}
    assert site.stands(statement).json()["code"] == "held"
    assert site.stands(hold).json()["state"] == "holds"
    lifted = site.post(site.case.signed("hold-lifted", REGISTRAR, hold=held)).json()["leaf"]
    assert site.stands(hold).json() | {"state": "lifted", "by": lifted} == site.stands(hold).json()
    assert told(site.stands(unknown)) == (404, "not-found")
    assert site.asks(("GET", "/v1/statements/x", None))[0].status_code == 404


def test_what_was_erased_is_told_with_the_leaf_that_says_so(case: Erasing) -> None:
    with case.asking() as asking:
        site = Site(case, asking)
        statement = site.request()
        site.post(statement)
    case.wait(WAIT_DAYS)
    assert case.run() == [None]
    last = max(row.idx for row in case.rows(schema.ENTRIES))
    with case.asking() as asking:
        found = Site(case, asking).stands(statement).json()

    assert (found["state"], found["by"]) == ("erased", last)


def test_who_asks_too_often_is_told_when_to_ask_again(site: Site) -> None:
    site.allowance = Allowance(0.5, 2)
    answers = site.asks(*[("POST", "/v1/statements", b"")] * 3)

    assert [answer.status_code for answer in answers] == [400, 400, 429]
    assert answers[2].headers["retry-after"] == "2"
    assert told(answers[2]) == (429, "too-many")


def test_without_an_open_log_it_is_to_be_stated_again(case: Erasing) -> None:
    async def state(_taken: object) -> list[int]:
        raise AssertionError

    async def threaded(_work: object, *_arguments: object) -> Any:
        raise AssertionError

    site = Site(case, Asking(lambda: None, state, threaded, clock=lambda: 0, wait_ms=0))
    answer = site.post(case.signed("hold", REGISTRAR))

    assert told(answer) == (503, "store-away")
    assert answer.headers["retry-after"] == "1"
    assert site.faults == [Code.STORE_AWAY]
