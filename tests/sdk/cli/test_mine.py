"""What an agency sees of its own keys: each that was ever published for it, and whether it holds it."""

import json

from referral_bus.registrar import Term, event_key_record
from referral_contracts.keys import SigningKey
from tests.sdk.cli.terminal import Terminal


def test_an_agency_sees_each_key_that_was_published_for_it(terminal: Terminal) -> None:
    ended, out, err = terminal.type("directory", "mine", "--home", "cong-an")

    assert (ended, err) == (0, "")
    for kid in terminal.simulator.keys["cong-an"].kids:
        assert kid in out
    assert "not held" not in out


def test_a_key_that_its_file_does_not_hold_is_an_alarm(terminal: Terminal) -> None:
    simulator, rogue = terminal.simulator, SigningKey.generate()
    now_ms = simulator.clock.now_ms()
    term = Term(from_ms=now_ms, until_ms=now_ms + 3_600_000)
    entry = simulator.entry("cong-an", ["police"])
    more = event_key_record(simulator.bus, "cong-an", rogue, term)
    simulator.change_directory(agencies=[entry.model_copy(update={"keys": (*entry.keys, more)})])

    ended, out, err = terminal.type("directory", "mine", "--home", "cong-an", "--json")

    assert ended == 4
    assert f"own-key-changed: in force, and not in the key file: event {rogue.kid}" in err
    assert "telephone the registrars" in err
    told = json.loads(out.splitlines()[0])
    assert [key["kid"] for key in told["keys"] if not key["held"]] == [rogue.kid]

    # A day later it is over, and stays in sight.
    simulator.clock.wind(24 * 3600)
    ended, out, _ = terminal.type("directory", "mine", "--home", "cong-an")
    assert (ended, rogue.kid in out, "not held" in out) == (0, True, True)


def test_an_agency_that_the_directory_does_not_have_is_told_so(terminal: Terminal) -> None:
    terminal.simulator.keys["root"].save(terminal.folder / "root.json")
    ended, _, err = terminal.type("directory", "mine", "--home", "cong-an", "--keys", "root.json", "--agency", "root")

    assert ended == 2
    assert "no agency root in the directory" in err
