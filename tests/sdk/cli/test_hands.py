"""A change of the directory that goes from registrar to registrar: three of them, of whom two have to sign."""

import json
from pathlib import Path

import pytest

from referral_bus.testing import Simulator
from referral_contracts.directory_model import Change
from referral_contracts.encoding import jcs
from referral_router import core
from tests.sdk.cli.terminal import AGENCIES, KEYS, Script, Terminal

REGISTRARS = ("registrar", "registrar-2", "registrar-3")
OFF_BUS = """
-- off.json --
{"kind": "agency", "id": "xa-moi", "delivery": {"kind": "off-bus"}, "keys": [], "roles": ["commune"],
 "names": {"vi": "Xã Mới", "en": "New commune"}}
"""


@pytest.fixture
def hands(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Script:
    monkeypatch.chdir(tmp_path)
    simulator = Simulator(core=core, agencies=AGENCIES, keys=KEYS, hands=3)
    terminal = Terminal(folder=tmp_path, capsys=capsys, simulator=simulator)
    for number, name in enumerate(REGISTRARS[1:], 2):
        # Another person, on another machine: the same agency, with a root key of its own and no other key.
        home = tmp_path / name
        home.mkdir()
        simulator.keys[f"root-{number}"].save(home / "root.json")
        for file in ("trust.json", "bus.toml"):
            (home / file).write_bytes((tmp_path / "registrar" / file).read_bytes())
    return Script(terminal, monkeypatch)


def test_two_of_three_registrars_change_the_directory_from_machine_to_machine(hands: Script) -> None:
    hands.play(
        """
        as registrar
        ! 2 referral-bus directory publish off.json
        stderr 'a head needs 2 root keys'
        stderr 'hint: .*--propose FILE'
        referral-bus directory publish off.json --propose change.json
        stdout '^proposed directory version 2, good until .*, signed by 1 of the 2 that it needs$'
        referral-bus directory show
        stdout '^directory version 1'
        ! 2 referral-bus directory submit change.json
        stderr 'not-enough-signatures: change.json is signed by 1 of the 2'

        as registrar-2
        referral-bus directory review change.json
        stdout '^xa-moi +names '
        stdout '^signed by 1 of the 2'
        referral-bus directory sign change.json --json
        stdout '"changes":\\[{"entry":"xa-moi","what":"delivery","before":null,'
        stdout '"missing":0}'

        as registrar-3
        referral-bus directory submit change.json --json
        stdout '"version":2,.*"published":\\["xa-moi"\\]'
        as cong-an
        referral-bus directory show xa-moi
        stdout '^reached +off-bus$'
        """
        + OFF_BUS
    )


def test_whoever_signs_sees_a_key_that_comes_and_a_role_that_changes(hands: Script) -> None:
    simulator = hands.terminal.simulator
    entry = simulator.directory.member("cong-an").entry  # type: ignore[union-attr]
    more = simulator.entry("cong-an-moi", ["police"]).keys[0]
    changed = entry.model_copy(update={"roles": ("police", "investigators"), "keys": (*entry.keys, more)})
    (hands.terminal.folder / "theft.json").write_bytes(changed.encode())

    # The key belongs to somebody else: that it is refused is seen before anybody signs.
    hands.play("as registrar\n! 2 referral-bus directory publish theft.json --propose change.json\nstderr 'bad-sig'")
    changed = entry.model_copy(update={"roles": ("police", "investigators")})
    (hands.terminal.folder / "roles.json").write_bytes(changed.encode())
    hands.play(
        """
        as registrar
        referral-bus directory publish roles.json --propose change.json
        as registrar-2
        referral-bus directory review change.json
        stdout '^cong-an +roles +\\["police"\\] +\\["police", "investigators"\\]'
        ! stdout 'key '
        """
    )


@pytest.mark.parametrize("verb", ["review", "sign", "submit"])
def test_a_proposal_that_was_overtaken_is_refused(verb: str, hands: Script) -> None:
    hands.play("as registrar\nreferral-bus directory renew --propose change.json")
    hands.terminal.simulator.change_directory()

    hands.play(f"as registrar-2\n! 2 referral-bus directory {verb} change.json\nstderr 'directory-stale'")


@pytest.mark.parametrize("verb", ["review", "sign", "submit"])
def test_a_proposal_is_good_for_as_long_as_its_head(verb: str, hands: Script) -> None:
    hands.play("as registrar\nreferral-bus directory renew --lifetime 1 --propose change.json\nwind 3601")

    hands.play(
        f"as registrar-2\n! 2 referral-bus directory {verb} change.json\nstderr 'directory-expired: .*good until'"
    )


def test_what_was_signed_cannot_be_changed_on_the_way(hands: Script) -> None:
    hands.play("as registrar\nreferral-bus directory renew --propose change.json")
    file = hands.terminal.folder / "change.json"
    told = json.loads(file.read_bytes())
    told["data"]["head"]["head"]["expires"] = "2099-01-01T00:00:00.000Z"
    file.write_bytes(jcs(told))

    hands.play("as registrar-2\n! 2 referral-bus directory sign change.json\nstderr 'bad-signature'")
    assert file.read_bytes() == jcs(told)


def test_one_registrar_counts_once(hands: Script) -> None:
    hands.play(
        """
        as registrar
        referral-bus directory renew --propose change.json
        referral-bus directory sign change.json --json
        stdout '"missing":1}'
        """
    )
    assert len(_change(hands).data.head.signatures) == 1


def test_who_holds_all_keys_needs_nobody(hands: Script) -> None:
    hands.play(
        "as registrar\nreferral-bus directory renew --root registrar/root.json --root registrar-3/root.json --json"
    )
    assert '"version":2' in hands.out


@pytest.mark.parametrize("content", [b"", b"{}", b'{"kind":"policy"}', b"\xff"])
def test_what_is_no_change_is_named(content: bytes, hands: Script) -> None:
    (hands.terminal.folder / "change.json").write_bytes(content)

    hands.play("as registrar-2\n! 2 referral-bus directory review change.json\nstderr 'change.json: not a change'")


def test_a_beat_does_not_wait_for_others(hands: Script) -> None:
    hands.play(
        "as registrar\n! 2 referral-bus directory renew --every 60 --propose change.json\nstderr 'waits for others'"
    )


def _change(hands: Script) -> Change:
    return Change.decode((hands.terminal.folder / "change.json").read_bytes().rstrip())
