"""A referral to the wrong hospital is recalled, answered for and sent to the right place, over a real broker."""

import json

import pytest

from tests.kafka.typed import COMMUNE, EXAMPLES, Town, said

pytestmark = pytest.mark.kafka

HOSPITAL, RIGHT = "bv-nhi-minh-hoa", "cong-an-xa-thi-du"


def test_what_went_to_the_wrong_hospital_is_recalled_and_answered_for(town: Town) -> None:
    told = said(town, COMMUNE, "send", "open", str(EXAMPLES / "case-opening.json"), "--json")
    case = json.loads(told)["subject"]
    to = f"{HOSPITAL}={EXAMPLES / 'hospital.json'}"
    told = said(town, COMMUNE, "send", "offer", "--case", case, "--to", to, "--json")
    wrong = json.loads(told)["handoffs"][0]["opening"]
    said(town, HOSPITAL, "inbox", "list")

    # Recalled: the hospital can no more accept it, and the case waits for its answer.
    said(town, COMMUNE, "recall", wrong, str(EXAMPLES / "recalled.json"))
    said(town, HOSPITAL, "accept", wrong, str(EXAMPLES / "hospital-accepted.json"), code=1)
    refused = said(town, COMMUNE, "case", "close", case, str(EXAMPLES / "case-closing.json"), code=1)
    assert "open-handoffs" in refused
    said(town, HOSPITAL, "report-misdirected", wrong, str(EXAMPLES / "misdirected.json"))
    for agency in (COMMUNE, HOSPITAL):
        shown = json.loads(said(town, agency, "handoff", "show", wrong, "--json"))
        assert (shown["state"], shown["receipt"]) == ("misdirected", "received")

    # It goes to the right place, with a slip that is put right, and the case goes its way.
    to = f"{RIGHT}={EXAMPLES / 'police.json'},{EXAMPLES / 'mau01.json'}"
    told = said(town, COMMUNE, "send", "offer", "--case", case, "--to", to, "--follows", wrong, "--json")
    right = json.loads(told)["handoffs"][0]["opening"]
    files = [str(EXAMPLES / "corrected.json"), str(EXAMPLES / "mau01.json")]
    said(town, COMMUNE, "correct", right, *files, "--event", right)
    lines = said(town, RIGHT, "inbox", "list", "--json").splitlines()
    offered, corrected = [json.loads(line) for line in lines]
    assert (corrected["verb"], corrected["corrects"]) == ("handoff.corrected", "held")
    assert offered["corrected_by"] == [corrected["id"]]
    assert "đính chính / corrects" in said(town, RIGHT, "open", corrected["id"])
    said(town, COMMUNE, "void", right, str(EXAMPLES / "voided.json"))
    said(town, COMMUNE, "case", "void", case, str(EXAMPLES / "voided.json"))
