import json

from referral_bus._store import Store
from tests.sdk.cli.terminal import Terminal

GARBAGE = "a record of the inbox that is no delivery and no verdict"


def test_a_forged_record_is_an_alarm_until_somebody_has_seen_to_it(terminal: Terminal) -> None:
    terminal.simulator.broker.append("inbox.cong-an", 0, None, b"forged")
    terminal.environ["REFERRAL_BUS_HOME"] = "cong-an"

    ended, out, err = terminal.type("status")
    assert ended == 4
    assert "alarms are raised: 1; referral-bus alarms tells them" in err
    assert "cảnh báo / alarms 1" in " ".join(out.split())

    ended, out, _ = terminal.type("alarms", "--json")
    told = json.loads(out)
    assert ended == 4
    assert (told["number"], told["count"], told["offset"], told["detail"]) == (1, 1, 0, GARBAGE)

    assert terminal.type("alarms", "--clear", "7")[0] == 2
    assert terminal.type("alarms", "--clear", "1") == (0, "", "")
    assert terminal.type("status")[0] == 0


def test_a_store_that_another_process_has_is_told_and_left_alone(terminal: Terminal) -> None:
    store = Store.open("cong-an/store.db", bus="training", agency="cong-an")
    try:
        ended, out, err = terminal.type("status", "--home", "cong-an")
    finally:
        store.close()

    assert (ended, out) == (5, "")
    assert err.startswith("referral-bus: error: store-busy: ")
    assert "referral-bus: hint: another referral-bus of this agency is at work" in err


def test_the_store_of_another_agency_is_not_used(terminal: Terminal) -> None:
    assert terminal.type("status", "--home", "cong-an")[0] == 0

    ended, _, err = terminal.type("status", "--home", "benh-vien", "--store", "cong-an/store.db")

    assert ended == 2
    assert err.startswith("referral-bus: error: state-format: ")
