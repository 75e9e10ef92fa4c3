from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from referral_contracts.payloads.actor import Happening
from referral_contracts.payloads.case import Note
from referral_contracts.payloads.handoff import Progress
from referral_contracts.payloads.mau01 import Mau01
from referral_contracts.payloads.measure import Measure, MeasureKind
from referral_contracts.payloads.place import Place, Sex
from referral_contracts.payloads.shown import completeness, describe, personal_strings, printable
from tests.contracts.payloads.forms import ACTOR, example


def told(form: Mau01 | Note | Progress) -> dict[str, str]:
    return {row.path: row.value for row in describe(form)}


def test_a_person_reads_the_filled_in_fields_with_the_words_of_the_form() -> None:
    form = Mau01(actor=ACTOR, sex=Sex.FEMALE, received_at=datetime(2026, 11, 20, 13, 10, tzinfo=UTC), estimated_age=9)

    rows = [(row.path, row.vi, row.en, row.value) for row in describe(form)]

    assert rows[2:] == [
        (
            "received_at",
            "Thời gian (mấy giờ), ngày tháng năm",
            "received at",
            "20/11/2026 20:10 (+07:00)",
        ),
        ("estimated_age", "Ước lượng tuổi", "estimated age", "9"),
        ("sex", "Giới tính", "sex", "Nữ / female"),
    ]


def test_groups_and_lists_are_shown_by_path() -> None:
    report = Progress(actor=ACTOR, measures=(Measure(kind=MeasureKind.EVIDENCE_TAKEN),))

    assert told(report)["measures.0.kind"] == "Đã thu thập dấu vết, mẫu vật / traces and samples taken"
    assert told(report)["actor.staff_number"] == "XTD-0012"


def test_what_is_shown_cannot_repaint_the_terminal() -> None:
    note = Note(actor=ACTOR, text="một\nhai\tba\x1b[2J\x9b1m\u202e")

    assert told(note)["text"] == "một\nhai\tba\ufffd[2J\ufffd1m\ufffd"


@given(st.text())
def test_printable_text_keeps_its_length_and_its_vietnamese(text: str) -> None:
    assert len(printable(text)) == len(text)
    assert printable(f"Đặng Thị Thí Nghiệm {printable(text)}") == f"Đặng Thị Thí Nghiệm {printable(text)}"


def test_what_is_essential_and_still_empty_is_listed() -> None:
    empty = Mau01(actor=ACTOR, current_condition="  ", incident_place=Place(province="99"))

    assert [missing.path for missing in completeness(empty)] == [
        "receiving_agency",
        "child_category",
        "channel",
        "received_at",
        "incident_place.address",
        "incident_place.commune",
        "current_condition",
    ]
    assert completeness(example("mau01")) == ()


def test_a_measure_without_its_time_is_incomplete() -> None:
    report = Progress(actor=ACTOR, summary="Đã khám", measures=(Measure(kind=MeasureKind.EVIDENCE_TAKEN),))

    assert [missing.path for missing in completeness(report)] == ["measures.0.done_at"]


def test_personal_strings_are_texts_and_days_and_not_offices_or_codes() -> None:
    form = Mau01(
        actor=ACTOR,
        happened=Happening(recorded_at=datetime(2026, 11, 20, 13, 10, tzinfo=UTC)),
        receiving_agency="Tổng đài 111",
        child_name="Trần Thị Ví Dụ",
        birth_date=date(2016, 3, 14),
        mother_age=31,
        sex=Sex.FEMALE,
        father_name=" ",
        incident_place=Place(address="Nhà số 7", province="99", commune="99001"),
    )

    assert personal_strings(form) == ("XTD-0012", "Trần Thị Ví Dụ", "2016-03-14", "Nhà số 7")
