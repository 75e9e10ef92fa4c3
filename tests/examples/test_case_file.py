"""The example case keeps to who may see what: each agency reads its own part and no more."""

from pathlib import Path

import pytest

from referral_contracts.payloads.mau01 import Mau01
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.request import HandoffRequest
from referral_contracts.payloads.shown import completeness, personal_strings
from referral_contracts.sections import encode_section
from tests.contracts.payloads.forms import DRAFTS, example

TEAM = ("police", "hospital", "social-work", "legal-aid")
ASKED = (*TEAM, "school")
SUSPECT = "Giả Định"
SAFE_PLACE = "Bình Minh Giả Tưởng"


def request(name: str) -> HandoffRequest:
    payload = example(name)
    assert isinstance(payload, HandoffRequest)
    return payload


def wire(payload: Payload) -> str:
    return encode_section(payload).decode()


SAID_BY_THE_COMMAND = {"link": ["others"], "unlinking": ["others"]}
"""What a file leaves to the words of its command: ``case link CASE OTHER``."""


@pytest.mark.parametrize("path", DRAFTS, ids=lambda path: path.stem)
def test_a_file_is_ready_to_send_and_nothing_essential_is_missing(path: Path) -> None:
    missing = [one.path for one in completeness(example(path.stem))]

    assert missing == SAID_BY_THE_COMMAND.get(path.stem, [])


def test_the_safe_place_is_told_to_those_alone_who_bring_the_child_there() -> None:
    told = {path.stem for path in DRAFTS if SAFE_PLACE in wire(example(path.stem))}

    assert told == {"social-work"}


def test_the_medical_part_goes_to_the_hospital_alone() -> None:
    assert [name for name in ASKED if request(name).medical is not None] == ["hospital"]


def test_the_suspect_is_named_to_police_and_legal_aid_alone() -> None:
    assert [name for name in ASKED if SUSPECT in wire(request(name))] == ["police", "legal-aid"]


def test_who_reported_stands_in_the_intake_form_and_nowhere_else() -> None:
    intake = example("mau01")
    assert isinstance(intake, Mau01)
    told_by = (intake.reporter_name, intake.reporter_phone, intake.reporter_address)
    reporter = [text for text in told_by if text is not None]

    told = {path.stem for path in DRAFTS for text in reporter if text in wire(example(path.stem))}

    assert len(reporter) == 3
    assert told == {"mau01"}


def test_the_school_learns_its_task_and_how_to_keep_the_child_safe() -> None:
    school = request("school")
    child = school.child

    assert child is not None
    assert child.model_fields_set == {"name", "school"}
    assert school.model_fields_set == {
        "actor",
        "service",
        "urgency",
        "reason",
        "expected_answer",
        "legal_basis",
        "safety",
        "child",
    }
    assert school.safety is not None
    assert school.safety.suspected_carer is None


def test_no_request_tells_of_another() -> None:
    assert [name for name in ASKED if request(name).related_events] == []


def test_each_request_says_that_nobody_may_turn_to_the_home() -> None:
    for name in (*ASKED, "commune"):
        safety = request(name).safety
        assert safety is not None
        assert safety.home_is_off_limits


def test_the_case_file_has_strings_to_search_for() -> None:
    assert len({text for path in DRAFTS for text in personal_strings(example(path.stem))}) > 80
