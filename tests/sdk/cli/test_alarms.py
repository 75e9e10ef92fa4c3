import json
from dataclasses import replace

from referral_bus._store import Store
from referral_bus._store.alarms import raise_alarm
from referral_contracts.codes import Code
from referral_contracts.encoding import b64
from referral_contracts.envelope import Envelope
from referral_contracts.signing import Typ
from referral_contracts.topics import H_SIGNATURE, SUBMISSIONS
from referral_contracts.verbs import Verb
from tests.sdk.cli.terminal import EXAMPLES, Terminal

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
    assert "kết thúc nó hoặc chờ / another referral-bus of this agency is at work" in err


def test_the_store_of_another_agency_is_not_used(terminal: Terminal) -> None:
    assert terminal.type("status", "--home", "cong-an")[0] == 0

    ended, _, err = terminal.type("status", "--home", "benh-vien", "--store", "cong-an/store.db")

    assert ended == 2
    assert err.startswith("referral-bus: error: state-format: ")


def swap_commitment(terminal: Terminal, sender: str) -> None:
    """Put into what *sender* offered, before it is judged, a commitment to another key; signed by *sender* again."""
    for partition in terminal.simulator.broker._topics[SUBMISSIONS][1]:
        for place, record in enumerate(partition.records):
            envelope = Envelope.decode(record.value or b"")
            if envelope.verb is Verb.OFFERED:
                first, *rest = envelope.data.sections
                sections = (first.model_copy(update={"commit": b64(bytes(32))}), *rest)
                data = envelope.data.model_copy(update={"sections": sections})
                value = envelope.model_copy(update={"data": data}).encode()
                signature = terminal.simulator.keys[sender].signing.sign(Typ.EVENT, value).encode()
                partition.records[place] = replace(record, value=value, headers=((H_SIGNATURE, signature),))


def test_a_section_that_shows_two_readers_two_documents_is_an_alarm(terminal: Terminal) -> None:
    terminal.environ["REFERRAL_BUS_HOME"] = "hotline-111"
    subject = json.loads(terminal.type("send", "open", str(EXAMPLES / "case-opening.json"), "--json")[1])["subject"]
    terminal.simulator.automatic = False
    to = f"xa-thi-du={EXAMPLES / 'commune.json'}"
    assert terminal.type("send", "offer", "--case", subject, "--to", to, "--no-wait")[0] == 0
    swap_commitment(terminal, "hotline-111")
    terminal.simulator.automatic = True

    terminal.environ["REFERRAL_BUS_HOME"] = "xa-thi-du"
    told = json.loads(terminal.type("inbox", "list", "--json")[1])
    ended, out, err = terminal.type("open", told["id"])

    assert told["sections"] == [{"name": "s0", "schema": None, "code": "wrong-commitment"}]
    assert ended == 4
    assert "s0  không mở được / does not open  wrong-commitment" in out
    assert "referral-bus: error: section s0 does not open: wrong-commitment" in err


def test_an_alarm_about_an_exercise_says_so(terminal: Terminal) -> None:
    terminal.environ["REFERRAL_BUS_HOME"] = "hotline-111"
    opening = str(EXAMPLES / "case-opening.json")
    cases = [
        json.loads(terminal.type("send", "open", opening, *flags, "--json")[1])["subject"]
        for flags in (["--exercise"], [])
    ]
    store = Store.open("hotline-111/store.db", bus="training", agency="hotline-111")
    try:
        for case in cases:
            with store.write() as db:
                raise_alarm(db, Code.COUNTER_GAP, 0, subject=case)
    finally:
        store.close()
    practised, real = terminal.type("alarms")[1].splitlines()
    told = [json.loads(line) for line in terminal.type("alarms", "--json")[1].splitlines()]

    assert practised.endswith(f"case {cases[0]}  DIỄN TẬP / EXERCISE")
    assert real.endswith(f"case {cases[1]}")
    assert [alarm["exercise"] for alarm in told] == [True, False]
