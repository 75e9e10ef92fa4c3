"""What is shown of cases over HTTP: to whom, in what order, and that it leaves a trace that the owner sees."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from audit_log.core.limiting import Allowance
from audit_log.store import schema
from referral_contracts.directory_model import grant_case
from referral_contracts.encoding import b64, format_time, sha256
from referral_contracts.keys import SigningKey
from referral_contracts.log.access import ACCESSED, Access
from referral_contracts.log.leaf import Statement
from referral_contracts.trail.answers import CaseAnswer, SearchAnswer, read_trail
from referral_contracts.trail.bundle import read_bundle
from referral_contracts.verbs import Verb
from tests.services.audit_log.auditors import AUDITOR, BASE, DAY_MS, HTTP, OTHER, PROVINCE, Audited
from tests.stories.world import WARD, keys

STRANGER = SigningKey.from_seed(bytes([199]) * 32)


@pytest.fixture
def audited(tmp_path: Path) -> Audited:
    return Audited(tmp_path)


def accesses(audited: Audited) -> list[Access]:
    rows = [row.idx for row in audited.case.rows(schema.SEARCH) if row.verb == ACCESSED]
    values = {row.idx: bytes(row.value) for row in audited.case.rows(schema.RECORDS)}
    return [Access.decode(values[one]) for one in sorted(rows)]


def shape(answer: httpx.Response) -> tuple[int, bytes, list[tuple[bytes, bytes]]]:
    return answer.status_code, answer.content, sorted(answer.headers.raw)


class TestReading:
    def test_a_trail_is_checked_by_who_asked_with_keys_of_their_own(self, audited: Audited) -> None:
        answer = audited.one(AUDITOR, audited.trail())
        trail = read_trail(CaseAnswer.decode(answer.content), audited.policy, audited.case.world.simulator.root)

        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        assert answer.headers["cache-control"] == "no-store"
        assert (trail.sound, trail.subject, trail.owner) == (True, audited.subject, WARD)
        assert all(section.schema is None for row in trail.rows for section in row.sections)

    def test_a_bundle_is_checked_offline(self, audited: Audited) -> None:
        answer = audited.one(AUDITOR, audited.trail().replace("trail", "bundle"))
        found = read_bundle(answer.content, audited.policy, audited.case.world.simulator.root)

        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
        assert (found.trail.sound, found.trail.subject) == (True, audited.subject)

    def test_each_read_is_in_the_log_with_its_grant_and_request(self, audited: Audited) -> None:
        signing = audited.signing(AUDITOR)
        request = audited.request(signing, audited.trail())
        audited.send(request)
        (found,) = accesses(audited)
        told = request.headers["signature-input"].removeprefix("asker=")
        lines = ["GET", "log.example:8083", audited.trail(), "?"]
        names = ("@method", "@authority", "@path", "@query")
        base = [f'"{name}": {line}' for name, line in zip(names, lines, strict=True)]

        assert (found.asked, found.by, found.subject) == ("trail", AUDITOR, audited.subject)
        assert found.grant == audited.grant(province=PROVINCE)
        assert found.request == b64(sha256("\n".join([*base, f'"@signature-params": {told}']).encode()))

    def test_the_owner_sees_who_read_its_case_and_that_is_logged_too(self, audited: Audited) -> None:
        audited.ask(AUDITOR, audited.trail(), audited.trail().replace("trail", "bundle"))
        path = audited.trail().replace("trail", "reads")
        first, second = audited.ask(WARD, path, path)
        found = [CaseAnswer.decode(one.content).leaves for one in (first, second)]

        assert [first.status_code, second.status_code] == [200, 200]
        assert [len(one) for one in found] == [2, 3]
        assert [(one.by, one.asked.value, one.grant is None) for one in accesses(audited)] == [
            (AUDITOR, "trail", False),
            (AUDITOR, "bundle", False),
            (WARD, "reads", True),
            (WARD, "reads", True),
        ]

    def test_reads_come_in_pages(self, audited: Audited) -> None:
        audited.ask(AUDITOR, *[audited.trail()] * 5)
        path, after, seen = audited.trail().replace("trail", "reads"), "", []
        for _ in range(3):
            answer = CaseAnswer.decode(audited.one(WARD, f"{path}?limit=2{after}").content)
            seen += [one.index for one in answer.leaves]
            after = f"&after={answer.next}"

        assert len(seen) == len(set(seen)) == 6
        assert seen == sorted(seen)

    def test_nothing_is_shown_that_could_not_be_logged(self, audited: Audited) -> None:
        audited.writes = False
        for path in (audited.trail(), audited.trail().replace("trail", "bundle"), "/v1/search"):
            answer = audited.one(AUDITOR, path)

            assert (answer.status_code, answer.json()) == (503, {"code": "store-away"})
            assert answer.headers["retry-after"] == "1"
        assert accesses(audited) == []

    def test_a_log_that_is_not_open_shows_nothing(self, audited: Audited) -> None:
        audited.open = False

        assert audited.one(AUDITOR, audited.trail()).json() == {"code": "store-away"}


class TestRefusing:
    def test_what_may_not_be_read_and_what_is_not_there_are_told_alike(self, audited: Audited) -> None:
        known, unknown = audited.trail(), audited.trail("f" * 32)
        answers = [
            *audited.ask(OTHER, known, unknown, audited.trail("0" * 32), audited.trail("x"), audited.trail("%2e")),
            *audited.ask(AUDITOR, unknown, audited.trail("x")),
            *(
                audited.one(OTHER, path.replace("trail", kind))
                for path in (known, unknown)
                for kind in ("bundle", "reads")
            ),
            *audited.ask(WARD, known, unknown, known.replace("trail", "bundle"), "/v1/search"),
        ]

        assert {answer.status_code for answer in answers} == {404}
        assert len({repr(shape(answer)) for answer in answers}) == 1
        assert answers[0].json() == {"code": "not-found"}
        assert accesses(audited) == []

    def test_whatever_is_wrong_with_a_signature_is_told_alike(self, audited: Audited) -> None:
        path = audited.trail()
        repeated = audited.request(audited.signing(AUDITOR), path)
        moved = audited.request(audited.signing(AUDITOR), path)
        moved.url = httpx.URL(str(moved.url).replace("trail", "bundle"))
        answers = [
            audited.one(None, path),
            audited.one(None, audited.trail("f" * 32)),
            audited.one(STRANGER, path),
            audited.one(keys()[WARD].signing, path),
            audited.one(AUDITOR, path, late_s=66),
            audited.one(AUDITOR, path, late_s=-6),
            audited.one(AUDITOR, path, bus="production"),
            audited.send(repeated, repeated)[1],
            *audited.send(moved),
            audited.one(None, "/v1/search?limit=many"),
        ]

        assert {answer.status_code for answer in answers} == {401}
        assert len({repr(shape(answer)) for answer in answers}) == 1
        assert answers[0].json() == {"code": "bad-signature"}
        assert answers[0].headers["accept-signature"].startswith('asker=("@method" "@authority"')

    @pytest.mark.parametrize("host", ["{host}{other}#", "x@{host}", "{host}?", "{host}/", ""])
    def test_a_signature_for_one_case_asks_for_no_other_whatever_host_is_named(
        self, audited: Audited, host: str
    ) -> None:
        other = audited.trail("f" * 32)
        signed = audited.request(audited.signing(AUDITOR), other if "{other}" in host else audited.trail())
        signed.headers["host"] = host.format(host=signed.headers["host"], other=other)
        signed.url = httpx.URL(f"{BASE}{audited.trail()}")

        assert [answer.status_code for answer in audited.send(signed)] == [401]
        assert accesses(audited) == []

    def test_a_key_that_was_revoked_asks_nothing_more(self, audited: Audited) -> None:
        assert audited.one(AUDITOR, audited.trail()).status_code == 200
        member = audited.case.world.simulator.directory.member(AUDITOR)
        assert member is not None
        revoked = [
            one.model_copy(update={"revoked_at": format_time(audited.now_ms)}) if one.kid == HTTP[AUDITOR].kid else one
            for one in member.entry.keys
        ]
        audited.publish(member.entry.model_copy(update={"keys": tuple(revoked)}))

        assert audited.one(AUDITOR, audited.trail()).status_code == 401

    def test_a_grant_that_is_over_reads_nothing_more(self, audited: Audited) -> None:
        audited.case.wait(0.99)
        assert audited.one(AUDITOR, audited.trail()).status_code == 200
        audited.case.wait(0.02)

        assert audited.one(AUDITOR, audited.trail()).status_code in {404, 503}

    def test_a_grant_for_one_case_is_for_that(self, audited: Audited) -> None:
        audited.publish(audited.auditor(OTHER, audited.grant(case=grant_case(audited.subject))))

        assert audited.one(OTHER, audited.trail()).status_code == 200

    def test_a_case_is_read_on_when_who_held_it_is_no_auditor_any_more(self, audited: Audited) -> None:
        held = audited.case.signed("hold")
        by = audited.keys_of(AUDITOR).signing
        leaf = audited.case.take(Statement.signed(held.value, by))
        member = audited.case.world.simulator.directory.member(AUDITOR)
        assert member is not None
        audited.publish(
            member.entry.model_copy(update={"roles": ("hotline",), "grants": None}),
            audited.auditor(OTHER, audited.grant(province=PROVINCE)),
        )
        with audited.case.opened() as log:
            case = audited.case.cases(log).case(audited.subject)

        assert (audited.one(OTHER, audited.trail()).status_code, [*case.holds]) == (200, [leaf])

    def test_who_asks_too_often_is_told_when_to_come_again(self, audited: Audited) -> None:
        audited.allowance = Allowance(0.5, 2)
        answers = audited.ask(AUDITOR, *[audited.trail()] * 3)

        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert (answers[2].json(), answers[2].headers["retry-after"]) == ({"code": "too-many"}, "2")
        assert audited.one(OTHER, audited.trail()).status_code == 404
        assert len(accesses(audited)) == 2

    @pytest.mark.parametrize(
        "query",
        [
            "limit=0",
            "limit=201",
            "limit=x",
            "after=-1",
            "case=x",
            "from=now",
            "what=1",
            "limit=1&limit=2",
            "verb=A%20B",
        ],
    )
    def test_a_question_that_is_none_is_told(self, audited: Audited, query: str) -> None:
        answer = audited.one(AUDITOR, f"/v1/search?{query}")

        assert (answer.status_code, answer.json()) == (400, {"code": "malformed-value"})

    def test_nothing_is_written(self, audited: Audited) -> None:
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            assert audited.ask(AUDITOR, audited.trail(), method=method)[0].status_code == 405

    def test_what_was_asked_is_counted(self, audited: Audited) -> None:
        audited.ask(AUDITOR, audited.trail(), audited.trail("f" * 32))
        audited.one(STRANGER, audited.trail())
        value = audited.registry.get_sample_value

        assert value("referral_bus_log_reads_total", {"asked": "trail"}) == 1
        audited.one(OTHER, audited.trail())
        assert value("referral_bus_log_reads_refused_total", {"code": "not-permitted"}) == 1
        assert value("referral_bus_log_reads_refused_total", {"code": "not-found"}) == 1
        assert value("referral_bus_log_reads_refused_total", {"code": "unknown-key"}) == 1


class TestSearching:
    def found(self, audited: Audited, query: str = "", by: str = AUDITOR) -> SearchAnswer:
        answer = audited.one(by, f"/v1/search?{query}")
        assert answer.status_code == 200
        return SearchAnswer.decode(answer.content)

    def test_what_may_be_read_is_found_and_nothing_else(self, audited: Audited) -> None:
        mine = self.found(audited, "limit=200")

        assert {one.subject for one in mine.found} == {audited.subject}
        assert self.found(audited, by=OTHER).found == ()
        assert {one.verb for one in self.found(audited, "verb=handoff.assigned").found} == {"handoff.assigned"}
        assert self.found(audited, "agency=nobody").found == ()

    def test_a_search_leaves_a_trace_in_each_case_that_it_found(self, audited: Audited) -> None:
        self.found(audited)
        self.found(audited, by=OTHER)

        assert [(one.by, one.asked.value, one.subject) for one in accesses(audited)] == [
            (AUDITOR, "search", audited.subject),
            (OTHER, "search", None),
        ]

    def test_a_page_does_not_tell_that_cases_follow_that_may_not_be_read(self, audited: Audited) -> None:
        audited.publish(audited.auditor(OTHER, audited.grant(case=grant_case(audited.subject))))
        leaves = [one.leaf for one in self.found(audited, "verb=case.opened", by=OTHER).found]
        audited.case.world.say(WARD, Verb.CASE_OPENED)
        audited.publish()

        assert self.found(audited, f"verb=case.opened&limit={len(leaves)}", by=OTHER).next is None

    def test_pages_follow_each_other_to_the_end(self, audited: Audited) -> None:
        query = f"case={audited.subject}&until={format_time(audited.now_ms + DAY_MS)}"
        whole = [one.leaf for one in self.found(audited, f"{query}&limit=200").found if one.verb != ACCESSED]
        seen, after = list[int](), ""
        for _ in range(40):
            page = self.found(audited, f"{query}&limit=3{after}")
            seen += [one.leaf for one in page.found if one.verb != ACCESSED]
            if page.next is None or len(seen) >= len(whole):
                break
            after = f"&after={page.next}"

        assert len(whole) > 6
        assert seen == whole


def test_what_is_offered_is_published(audited: Audited) -> None:
    told: dict[str, Any] = audited.one(None, "/openapi.json").json()
    operations = {path: told["paths"][path]["get"] for path in told["paths"] if path.startswith("/v1/")}

    assert {*operations} == {
        "/v1/cases/{subject}/trail",
        "/v1/cases/{subject}/bundle",
        "/v1/cases/{subject}/reads",
        "/v1/search",
    }
    for operation in operations.values():
        assert {"200", "400", "401", "404", "413", "429", "503"} <= {*operation["responses"]}
        assert operation["security"] == [{"signature": []}]
        assert operation["responses"]["404"]["content"]["application/json"]["example"] == {"code": "not-found"}
    assert {one["name"] for one in operations["/v1/search"]["parameters"]} == {
        "case",
        "referral",
        "agency",
        "from",
        "until",
        "verb",
        "overdue",
        "after",
        "limit",
    }
    assert "signature" in told["components"]["securitySchemes"]
