"""What ties hand-offs and cases together, over a real broker: chains, links, and what an owner ends unasked."""

import json
import time
from pathlib import Path

import pytest

from tests.kafka.typed import COMMUNE, EXAMPLES, Town, said

pytestmark = pytest.mark.kafka

POLICE, HOSPITAL = "cong-an-xa-thi-du", "bv-nhi-minh-hoa"
LEGAL_AID, SECOND_LEGAL_AID = "tgpl-minh-hoa", "tgpl-gia-tuong"


def opened(town: Town) -> str:
    told = said(town, COMMUNE, "send", "open", str(EXAMPLES / "case-opening.json"), "--json")
    return str(json.loads(told)["subject"])


def offered(town: Town, agency: str, case: str, to: str, form: str, *more: str) -> str:
    told = said(town, agency, "send", "offer", "--case", case, "--to", f"{to}={EXAMPLES / form}", *more, "--json")
    return str(json.loads(told)["handoffs"][0]["opening"])


def heard(town: Town, agency: str, handoff: str, state: str) -> None:
    """Wait until *agency* has it: what is written at once need not be readable everywhere at once."""
    until = time.monotonic() + 30
    while f'"state":"{state}"' not in said(town, agency, "handoff", "show", handoff, "--json"):
        assert time.monotonic() < until
        said(town, agency, "inbox", "list")


def test_two_reports_of_one_child_and_who_was_asked_after_whom(town: Town, tmp_path: Path) -> None:
    first, second = opened(town), opened(town)
    link = str(EXAMPLES / "link.json")
    said(town, COMMUNE, "case", "link", second, link, "--other", first, "--to", POLICE)
    for agency, case in ((COMMUNE, first), (POLICE, second)):
        (tie,) = json.loads(said(town, agency, "case", "show", case, "--json"))["links"]
        assert (tie["subject"], tie["other"], tie["relation"]) == (second, first, "same_child")

    # One declines, and the next is asked in its place.
    asked = offered(town, COMMUNE, first, LEGAL_AID, "legal-aid.json")
    said(town, LEGAL_AID, "decline", asked, str(EXAMPLES / "legal-aid-declined.json"))
    heard(town, COMMUNE, asked, "declined")
    following = offered(town, COMMUNE, first, SECOND_LEGAL_AID, "legal-aid.json", "--follows", asked)
    for agency, known in ((COMMUNE, {"opening": asked, "recipient": LEGAL_AID}), (SECOND_LEGAL_AID, None)):
        shown = json.loads(said(town, agency, "handoff", "show", following, "--json"))
        assert shown["follows"] is not None
        assert shown["followed"] == known

    # The police asks the hospital, of which the commune hears when it cannot close; it ends that, and closes.
    said(town, COMMUNE, "send", "notify", "--case", second, "--to", f"{POLICE}={EXAMPLES / 'note.json'}")
    said(town, POLICE, "inbox", "list")
    examination = offered(town, POLICE, second, HOSPITAL, "hospital.json")
    closing = str(EXAMPLES / "case-closing.json")
    code, _, err = town.type(COMMUNE, "case", "close", second, closing)
    assert (code, f"still open: {examination}@{HOSPITAL}" in err, POLICE in err) == (1, True, True)
    ended = tmp_path / "cancelled.json"
    body = {"actor": {"role": "duty_officer"}, "reason": "case_ends"}
    ended.write_text(json.dumps({"schema": "cancellation/1.0", "body": body}), "utf-8")
    said(town, COMMUNE, "cancel", examination, str(ended))
    said(town, COMMUNE, "case", "close", second, closing)
    assert '"state":"stopped"' in said(town, HOSPITAL, "handoff", "show", examination, "--json")
