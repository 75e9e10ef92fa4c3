"""`referral-bus audit trail` and `audit bundle`, typed on the machine that keeps the log."""

import json
from pathlib import Path

import pytest

from referral_bus.keys import load_trust
from referral_contracts.log.policy import Policy
from referral_contracts.trail.bundle import read_bundle
from referral_contracts.verbs import Verb
from tests.sdk.cli.terminal import type_alone
from tests.services.audit_log.tampering import alter
from tests.services.audit_log.world import World as LogWorld
from tests.services.operator_commands.test_audit import keep
from tests.stories.world import HOTLINE, WARD, World


class Kept:
    """A log of two cases, on its machine."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        world = World(partitions=2)
        opened, other = world.say(HOTLINE, Verb.CASE_OPENED), world.say(WARD, Verb.CASE_OPENED)
        world.reply(WARD, Verb.ACCEPTED, world.say(HOTLINE, Verb.OFFERED, case=opened.case, to=[WARD]))
        keep(world, home)
        self.home, self._capsys = home, capsys
        self.case, self.other = opened.case, other.case

    def type(self, verb: str, *more: str, trust: str = "trust.json") -> tuple[int, str, str]:
        pinned = ("--policy", str(self.home / "log.policy"), "--trust", str(self.home / trust))
        return type_alone(self._capsys, "audit", verb, "--store", f"sqlite:///{self.home}/log.db", *pinned, *more)

    def spoil(self, what: str) -> None:
        alter(LogWorld.on_files(self.home), what)


@pytest.fixture
def kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Kept:
    """Give a log that was kept."""
    return Kept(tmp_path, capsys)


def test_the_trail_tells_who_handed_what_to_whom(kept: Kept) -> None:
    code, out, err = kept.type("trail", kept.case, "--json")

    assert (code, err) == (0, "")
    told = json.loads(out)
    rows = [(row["source"], row["verb"], row["code"]) for row in told["trail"]["rows"]]
    assert told["sound"]
    assert rows == [
        (HOTLINE, "case.opened", "accepted"),
        (HOTLINE, "handoff.offered", "accepted"),
        (WARD, "handoff.accepted", "accepted"),
    ]
    (handoff,) = told["trail"]["handoffs"]
    assert (handoff["sender"], handoff["holder"], handoff["state"]) == (HOTLINE, WARD, "accepted")


@pytest.mark.parametrize(("language", "said"), [("vi", "mở vụ việc"), ("en", "case opened")])
def test_the_trail_as_a_table(kept: Kept, language: str, said: str) -> None:
    code, out, _ = kept.type("trail", kept.case, "--language", language)

    assert code == 0
    assert said in out
    assert "✓ 3 sự kiện" in out


def test_a_bundle_is_checked_by_whoever_has_the_keys(kept: Kept) -> None:
    file = kept.home / "case.zip"

    code, out, _ = kept.type("bundle", kept.case, "--out", str(file), "--json")

    assert code == 0
    told = json.loads(out)
    assert told == {"file": str(file), "bytes": file.stat().st_size, "sound": True, "events": 3, "refused": 0}
    policy = Policy.parse((kept.home / "log.policy").read_bytes())
    found = read_bundle(file.read_bytes(), policy, load_trust(kept.home / "trust.json"))
    assert found.trail.sound
    assert found.trail.subject == kept.case


@pytest.mark.parametrize("verb", ["trail", "bundle"])
def test_what_was_changed_in_the_store_is_an_alarm(kept: Kept, verb: str) -> None:
    told = "replace(CAST(value AS TEXT), 'handoff.offered', 'handoff.assigned')"
    kept.spoil(f"update records set value = CAST({told} AS BLOB)")
    file = kept.home / "case.zip"

    code, _, err = kept.type(verb, kept.case, *(("--out", str(file)) if verb == "bundle" else ()))

    assert code == 4
    assert "bad-proof" in err
    assert file.exists() == (verb == "bundle")


def test_an_unknown_case_and_a_slip_are_told(kept: Kept) -> None:
    assert "not-found" in kept.type("trail", "0" * 32)[2]
    code, _, err = kept.type("trail", kept.case, "--language", "fr")
    assert (code, "vi or en" in err) == (2, True)


def test_a_store_of_another_bus_is_not_shown(kept: Kept) -> None:
    kept.spoil("update meta set value = 'another' where name = 'bus'")

    code, out, err = kept.type("trail", kept.case)

    assert (code, out) != (0, "")
    assert "state-format" in err


def test_a_log_without_its_directory_shows_nothing(kept: Kept) -> None:
    kept.spoil("delete from records where idx in (select idx from search where verb like 'directory%')")

    code, out, err = kept.type("trail", kept.case)

    assert (code, out) == (3, "")
    assert "directory-missing" in err
