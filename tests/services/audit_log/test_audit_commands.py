"""`referral-bus audit …` as an auditor and an owner type it: over HTTP, with files of their own and no services."""

import asyncio
import json
from pathlib import Path

import httpx
import pytest

from referral_bus._cli import run
from referral_bus._cli.world import World as CliWorld
from referral_contracts.keys import SigningKey
from referral_contracts.log.note import Kind, NoteKey
from referral_contracts.log.policy import Log as LoggedBy
from referral_contracts.log.policy import Policy
from tests.sdk.cli.terminal import nowhere
from tests.services.audit_log.auditors import AUDITOR, BASE, OTHER, Audited
from tests.stories.logged import ORIGIN
from tests.stories.world import WARD


class Typist:
    """Somebody who types, in the folder of an agency."""

    def __init__(self, audited: Audited, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.audited, self.home, self._capsys = audited, home, capsys
        for name in (AUDITOR, OTHER, WARD):
            folder = home / name
            folder.mkdir()
            audited.keys_of(name).save(folder / "keys.json")
            (folder / "trust.json").write_bytes(audited.case.world.simulator.root.encode())
            (folder / "log.policy").write_bytes(audited.policy.format())
            (folder / "bus.toml").write_text(f'agency = "{name}"\nlog = "{BASE}"\n')

    def types(self, who: str, *words: str) -> tuple[int, str, str]:
        self._capsys.readouterr()
        with self.audited.app() as app:
            world = CliWorld(
                environ={},
                connect=nowhere,
                clock=self.audited.case.world.clock,
                run=asyncio.run,
                transport=httpx.ASGITransport(app),
            )
            code = run(["audit", *words, "--home", str(self.home / who)], world)
        written = self._capsys.readouterr()
        return code, written.out, written.err


@pytest.fixture
def typist(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Typist:
    (tmp_path / "log").mkdir()
    (tmp_path / "agencies").mkdir()
    return Typist(Audited(tmp_path / "log"), tmp_path / "agencies", capsys)


def test_an_auditor_sees_the_trail_proven(typist: Typist) -> None:
    code, out, err = typist.types(AUDITOR, "trail", typist.audited.subject, "--json")
    told = json.loads(out)

    assert (code, err) == (0, "")
    assert (told["sound"], told["trail"]["subject"], told["trail"]["owner"]) == (True, typist.audited.subject, WARD)
    assert "✓" in typist.types(AUDITOR, "trail", typist.audited.subject, "--language", "en")[1]


def test_a_bundle_is_checked_as_it_comes(typist: Typist) -> None:
    file = typist.home / "case.zip"
    code, out, err = typist.types(AUDITOR, "bundle", typist.audited.subject, "--out", str(file), "--json")

    assert (code, json.loads(out)["sound"]) == (0, True)
    assert "is written" in err
    assert file.read_bytes().startswith(b"PK")


def test_the_owner_sees_who_read_when_what_and_for_what(typist: Typist) -> None:
    subject = typist.audited.subject
    typist.types(AUDITOR, "trail", subject)
    typist.types(AUDITOR, "search", "--case", subject)
    code, out, err = typist.types(WARD, "reads", subject, "--json")
    told = json.loads(out)

    assert (code, err, told["sound"]) == (0, "", True)
    assert [(one["by"], one["asked"], one["purpose"]) for one in told["reads"]] == [
        (AUDITOR, "trail", "inspection"),
        (AUDITOR, "search", "inspection"),
    ]
    code, out, _ = typist.types(WARD, "reads", subject)
    assert code == 0
    assert all(word in out for word in (AUDITOR, "quá trình vụ việc", "ai đã đọc vụ việc"))
    assert "inspection" in typist.types(WARD, "reads", subject, "--language", "en")[1]


def test_a_read_is_in_the_trail_of_the_case(typist: Typist) -> None:
    typist.types(AUDITOR, "trail", typist.audited.subject)
    code, out, _ = typist.types(AUDITOR, "trail", typist.audited.subject, "--json")
    last = json.loads(out)["trail"]["rows"][-1]

    assert (code, last["statement"], last["told"]["by"]) == (0, "audit.accessed", AUDITOR)


def test_a_search_follows_its_pages(typist: Typist) -> None:
    subject = typist.audited.subject
    code, out, _ = typist.types(AUDITOR, "search", "--case", subject, "--json")
    whole = json.loads(out)["found"]
    first = json.loads(typist.types(AUDITOR, "search", "--case", subject, "--limit", "3", "--json")[1])

    assert code == 0
    assert first["found"] == whole[:3]
    rest = ("search", "--case", subject, "--after", str(first["next"]), "--json")
    assert json.loads(typist.types(AUDITOR, *rest)[1])["found"][: len(whole) - 3] == whole[3:]


def test_what_may_not_be_read_is_not_found(typist: Typist) -> None:
    for who, verb in ((OTHER, "trail"), (OTHER, "reads"), (WARD, "trail")):
        code, out, err = typist.types(who, verb, typist.audited.subject)

        assert (code, out) == (2, "")
        assert "not-found: no such case, or no grant for it" in err
        assert "an auditor reads by a grant: referral-bus directory show AGENCY" in err


def test_where_nothing_is_found_it_is_said_where_was_looked(typist: Typist) -> None:
    code, _, err = typist.types(AUDITOR, "search", "--until", "2020-01-01T00:00:00.000Z")

    assert code == 0
    assert "only cases that a grant covers are searched" in err


def test_without_a_key_for_http_it_is_said_how_to_get_one(typist: Typist) -> None:
    file = typist.home / OTHER / "keys.json"
    file.unlink()
    keys = typist.audited.keys_of(OTHER)
    type(keys)(agency=keys.agency, signing=keys.signing, sealing=keys.sealing).save(file)
    code, _, err = typist.types(OTHER, "trail", typist.audited.subject)

    assert (code, "keys renew KEYS --http" in err) == (2, True)


def test_a_log_that_is_away_or_takes_no_signature_is_told(typist: Typist) -> None:
    subject = typist.audited.subject
    typist.audited.open = False
    code, _, err = typist.types(AUDITOR, "trail", subject)
    assert (code, "log-away: the log answers with 503; it may be asked again in 1 s" in err) == (3, True)
    typist.audited.open = True
    typist.audited.keys_of(OTHER).with_http().save(typist.home / OTHER / "keys.json", replace=True)
    assert "bad-signature: the log does not take the signature" in typist.types(OTHER, "trail", subject)[2]


def test_a_log_with_another_key_than_is_trusted_is_an_alarm(typist: Typist) -> None:
    key = NoteKey(ORIGIN, Kind.ED25519, SigningKey.generate().verify_key)
    (typist.home / AUDITOR / "log.policy").write_bytes(Policy(logs=(LoggedBy(key),)).format())
    code, out, err = typist.types(AUDITOR, "trail", typist.audited.subject)

    assert (code, out) == (4, "")
    assert "no known key signed the note" in err
