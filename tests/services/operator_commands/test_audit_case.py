"""`referral-bus audit trail`, `bundle` and `search`, typed on the machine that keeps the log."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from referral_bus.keys import load_trust
from referral_contracts.encoding import b64, jcs
from referral_contracts.keys import SigningKey
from referral_contracts.log.checkpoint import Checkpoint, cosign, open_checkpoint, sign_checkpoint
from referral_contracts.log.note import Kind, NoteKey, parse_note, write_note
from referral_contracts.log.policy import Policy, Witness
from referral_contracts.sealing import disclose
from referral_contracts.trail.bundle import read_bundle
from referral_contracts.verbs import Verb
from tests.sdk.cli.terminal import type_alone
from tests.services.audit_log.tampering import alter
from tests.services.audit_log.world import World as LogWorld
from tests.services.operator_commands.test_audit import DESK, keep
from tests.stories.world import HOTLINE, WARD, World

WITNESS = SigningKey.from_seed(bytes([80]) * 32)


class Kept:
    """A log of two cases, on its machine."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str]) -> None:
        world = World(partitions=2)
        opened, other = world.say(HOTLINE, Verb.CASE_OPENED), world.say(WARD, Verb.CASE_OPENED)
        world.reply(WARD, Verb.ACCEPTED, world.say(HOTLINE, Verb.OFFERED, case=opened.case, to=[WARD]))
        keep(world, home)
        self.home, self._capsys, self._world, self.keys = home, capsys, world, world.simulator.keys
        self.case, self.other, self.opened = opened.case, other.case, opened

    def type(self, verb: str, *more: str, trust: str = "trust.json") -> tuple[int, str, str]:
        pinned = ("--policy", str(self.home / "log.policy"), "--trust", str(self.home / trust))
        return type_alone(self._capsys, "audit", verb, "--store", f"sqlite:///{self.home}/log.db", *pinned, *more)

    def grow(self, *, of_the_case: bool) -> None:
        """Let the log go on by one event."""
        if of_the_case:
            self._world.say(HOTLINE, Verb.CASE_NOTED, case=self.opened.case)
        else:
            self._world.say(WARD, Verb.CASE_OPENED)
        keep(self._world, self.home)

    def witness(self, quorum: str = "ward") -> None:
        """Have what is published so far cosigned, and pin a policy that asks for that."""
        key = NoteKey("ward.example", Kind.COSIGNATURE, WITNESS.verify_key)
        known = Policy.parse((self.home / "log.policy").read_bytes())
        wanted = replace(known, witnesses=(Witness("ward", key),), quorum=quorum)
        (self.home / "log.policy").write_bytes(wanted.format())
        text, signatures = parse_note((self.home / "tiles" / "checkpoint").read_bytes())
        note = write_note(text, [*signatures, cosign(text, 1_790_000_000, "ward.example", WITNESS)])
        (self.home / "tiles" / "checkpoint.witnessed").write_bytes(note)

    def verify(self, file: str, *more: str) -> tuple[int, str, str]:
        pinned = ("--policy", str(self.home / "log.policy"), "--trust", str(self.home / "trust.json"))
        return type_alone(self._capsys, "verify", file, *pinned, *more)

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


def test_a_trail_is_drawn_and_written_as_a_page(kept: Kept) -> None:
    picture, page = kept.home / "case.svg", kept.home / "case.html"

    code, out, _ = kept.type("trail", kept.case, "--picture", str(picture), "--page", str(page), "--csv")

    assert code == 0
    assert out.splitlines()[0].startswith("Số,Thời điểm")
    assert picture.read_bytes().startswith(b"<svg")
    assert kept.case in page.read_text()


def test_what_a_holder_disclosed_is_opened_if_it_is_what_was_sealed(kept: Kept) -> None:
    envelope = kept.opened.envelope
    held = kept.keys[HOTLINE].sealing[HOTLINE][0]
    key = disclose(envelope.data.sections[1], envelope.seal_context(1), HOTLINE, held)
    row = json.loads(kept.type("trail", kept.case, "--json")[1])["trail"]["rows"][0]
    sealed, leaf = row["sections"][1], row["leaf"]
    (kept.home / "shown.jsonl").write_bytes(jcs({"index": leaf, "key": b64(key), "section": 1}) + b"\n")
    (kept.home / "false.jsonl").write_bytes(jcs({"index": leaf, "key": b64(bytes(32)), "section": 1}) + b"\n")

    code, out, err = kept.type("trail", kept.case, "--disclosed", str(kept.home / "shown.jsonl"), "--json")
    section = json.loads(out)["trail"]["rows"][0]["sections"][1]

    assert (code, err) == (0, "")
    assert (sealed["shown"], section["shown"]) == ("sealed", "disclosed")
    assert "body" not in sealed
    assert section["body"] == {"actor": {"role": "system"}, "triggers": "none"}
    code, out, err = kept.type("trail", kept.case, "--disclosed", str(kept.home / "false.jsonl"), "--json")
    assert code == 4
    assert f"leaf {leaf}: wrong-commitment: s1: what was disclosed does not open it" in err
    assert json.loads(out)["trail"]["rows"][0]["sections"][1]["shown"] == "sealed"
    code, out, err = kept.type("trail", kept.case, "--disclosed", str(kept.home / "log.policy"))
    assert (code, out, "bad-bundle" in err) == (4, "", True)


def test_what_was_disclosed_is_opened_in_a_bundle_too(kept: Kept) -> None:
    file, keys = str(kept.home / "case.zip"), kept.home / "false.jsonl"
    kept.type("bundle", kept.case, "--out", file)
    leaf = json.loads(kept.verify(file, "--json")[1])["trail"]["rows"][0]["leaf"]
    keys.write_bytes(jcs({"index": leaf, "key": b64(bytes(32)), "section": 0}) + b"\n")

    code, _, err = kept.verify(file, "--disclosed", str(keys))

    assert (code, f"leaf {leaf}: wrong-commitment" in err) == (4, True)
    assert kept.verify(file)[0] == 0


def test_what_was_logged_is_found(kept: Kept) -> None:
    def found(*asked: str) -> list[tuple[str, str]]:
        code, out, err = kept.type("search", *asked, "--json")
        assert (code, err) == (0, "")
        return [(one["subject"], one["verb"]) for one in json.loads(out)["found"]]

    offered = (kept.case, "handoff.offered")
    assert found("--case", kept.case) == [(kept.case, "case.opened"), offered, (kept.case, "handoff.accepted")]
    assert found("--verb", "handoff.offered") == [offered]
    assert found("--agency", WARD, "--verb", "case.opened") == [(kept.other, "case.opened")]
    assert found("--overdue") == []
    assert found("--until", "2020-01-01T00:00:00.000Z") == []
    assert len(found()) == 4
    assert len(found("--limit", "2")) == 2
    code, out, _ = kept.type("search", "--limit", "2")
    assert (code, " / 5, --after " in out) == (0, True)


def test_a_case_that_nobody_read_over_http_has_no_reads(kept: Kept) -> None:
    code, out, err = kept.type("reads", kept.case, "--json")

    assert (code, err) == (0, "")
    assert json.loads(out) == {"sound": True, "witnessed": True, "subject": kept.case, "reads": []}
    assert "not-found" in kept.type("reads", "0" * 32)[2]


def test_a_slip_in_a_search_is_told(kept: Kept) -> None:
    code, out, err = kept.type("search", "--from", "yesterday", "--case", "x")

    assert (code, out) == (2, "")
    assert "not in the one form: --case, --from" in err
    assert "hint: --from is a time such as 2026-11-23T00:00:00.000Z" in err


def test_the_beginning_of_a_case_is_not_its_id(kept: Kept) -> None:
    for verb, *more in (("trail",), ("reads",), ("bundle", "--out", str(kept.home / "case.zip"))):
        code, out, err = kept.type(verb, kept.case[:8], *more)
        assert (code, out) == (2, "")
        assert "not the whole id of a case" in err


def test_a_verb_that_there_is_not_is_told_where_nothing_is_found(kept: Kept) -> None:
    code, _, err = kept.type("search", "--verb", "handoff.ofered")

    assert code == 0
    assert "hint: no verb handoff.ofered is known here" in err
    assert "hint: is handoff.offered meant?" in err
    assert kept.type("search", "--verb", "erased")[2] == ""


def test_a_store_and_an_address_are_not_named_together(kept: Kept) -> None:
    code, _, err = kept.type("trail", kept.case, "--log", "http://localhost:1")

    assert (code, "not both" in err) == (2, True)


def test_a_bundle_is_checked_by_whoever_has_the_keys(kept: Kept) -> None:
    file = kept.home / "case.zip"

    code, out, _ = kept.type("bundle", kept.case, "--out", str(file), "--json")

    assert code == 0
    told = json.loads(out)
    size = file.stat().st_size
    assert told == {"file": str(file), "bytes": size, "sound": True, "events": 3, "refused": 0, "witnessed": True}
    policy = Policy.parse((kept.home / "log.policy").read_bytes())
    found = read_bundle(file.read_bytes(), policy, load_trust(kept.home / "trust.json"))
    assert found.trail.sound
    assert found.trail.subject == kept.case


def test_a_bundle_is_under_the_newest_witnessed_checkpoint_that_covers_the_case(kept: Kept) -> None:
    kept.witness()
    kept.grow(of_the_case=False)
    file, tiles = kept.home / "case.zip", ("--tiles", str(kept.home / "tiles"))
    _, out, err = kept.type("bundle", kept.case, "--out", str(file), *tiles, "--json")
    policy = Policy.parse((kept.home / "log.policy").read_bytes())
    found = read_bundle(file.read_bytes(), policy, load_trust(kept.home / "trust.json")).trail.checked

    assert (json.loads(out)["witnessed"], found.witnesses, found.quorum) == (True, ("ward",), True)
    assert "provisional" not in err
    assert found.checkpoint.size < open_checkpoint((kept.home / "tiles" / "checkpoint").read_bytes(), found.log).size
    _, out, err = kept.type("trail", kept.case, *tiles, "--json")
    told = json.loads(out)
    assert (told["sound"], told["witnessed"], "provisional" in err) == (True, True, False)


def test_a_case_that_goes_on_is_provisional_until_the_witnesses_have_seen_that(kept: Kept) -> None:
    kept.witness()
    kept.grow(of_the_case=True)
    tiles = ("--tiles", str(kept.home / "tiles"))

    code, out, err = kept.type("trail", kept.case, *tiles, "--json")
    told = json.loads(out)
    assert (code, told["sound"], told["witnessed"], len(told["trail"]["rows"])) == (0, True, False, 4)
    assert "provisional" in err
    kept.witness()
    assert json.loads(kept.type("trail", kept.case, *tiles, "--json")[1])["witnessed"]


def test_without_the_published_folder_it_is_provisional(kept: Kept) -> None:
    kept.witness()

    code, out, err = kept.type("trail", kept.case, "--json")

    assert (code, json.loads(out)["witnessed"], "provisional" in err) == (0, False, True)


def test_a_witnessed_checkpoint_of_another_history_proves_nothing(kept: Kept) -> None:
    kept.witness()
    folder = kept.home / "tiles"
    other = Checkpoint(DESK.origin, 4, bytes(32))
    text = other.text()
    signed = sign_checkpoint(other, DESK.key).decode().splitlines(keepends=True)[-1]
    cosigned = f"{cosign(text, 1_790_000_000, 'ward.example', WITNESS).line}\n"
    (folder / "checkpoint.witnessed").write_text(f"{text}\n{signed}{cosigned}")

    code, _, err = kept.type("trail", kept.case, "--tiles", str(folder))

    assert (code, "bad-tile" in err) != (0, False)


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
