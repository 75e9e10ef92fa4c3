import json
import signal

import pytest

from tests.kafka.typed import COMMUNE, EXAMPLES, Town


@pytest.mark.kafka
def test_what_people_type_goes_over_a_real_broker(town: Town) -> None:
    code, out, err = town.type("hotline-111", "send", "open", str(EXAMPLES / "case-opening.json"), "--json")
    assert (code, err) == (0, "")
    subject = json.loads(out)["subject"]

    # Somebody listens; nobody else has that agency's store as long as it does.
    watch = town.start(COMMUNE, "inbox", "watch", "--json", "--ack")
    to = f"{COMMUNE}={EXAMPLES / 'commune.json'},{EXAMPLES / 'mau01.json'}"
    assert town.type("hotline-111", "send", "assign", "--case", subject[:8], "--to", to)[0] == 0
    assert watch.stdout is not None
    told = json.loads(watch.stdout.readline())
    assert (told["verb"], told["sealed"]) == ("handoff.assigned", ["s2"])
    assert town.type(COMMUNE, "status")[0] == 5
    watch.send_signal(signal.SIGTERM)
    out, err = watch.communicate(timeout=60)
    assert (watch.returncode, out, err) == (0, "", "")

    code, out, _ = town.type(COMMUNE, "open", told["id"])
    assert code == 0
    assert "Trần Thị Ví Dụ" in out
    assert town.type(COMMUNE, "accept", told["id"], str(EXAMPLES / "commune-accepted.json"))[0] == 0
    code, out, _ = town.type("hotline-111", "handoff", "show", told["id"], "--json")
    assert (code, json.loads(out)["state"], json.loads(out)["receipt"]) == (0, "accepted", "received")


@pytest.mark.kafka
def test_a_registrar_keeps_a_real_directory_fresh(town: Town) -> None:
    renewing = town.start("registrar", "directory", "renew", "--every", "1", "--json")
    assert renewing.stdout is not None
    versions = [json.loads(renewing.stdout.readline())["version"] for _ in range(2)]
    renewing.send_signal(signal.SIGTERM)
    renewing.communicate(timeout=60)

    assert (renewing.returncode, versions) == (0, [2, 3])
    code, out, _ = town.type("bv-nhi-minh-hoa", "directory", "show", "--json")
    assert code == 0
    assert json.loads(out)["version"] >= 3


@pytest.mark.kafka
def test_a_broker_that_is_not_there_is_said_in_time(town: Town) -> None:
    code, _, err = town.type("hotline-111", "directory", "show", "--bootstrap", "127.0.0.1:1", "--timeout", "2")

    assert code == 3
    assert "referral-bus: error: broker-away" in err
    assert "Traceback" not in err
