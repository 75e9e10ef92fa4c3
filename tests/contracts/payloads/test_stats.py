from datetime import UTC, date, datetime

import pytest

from referral_contracts.payloads.mau01 import ChildCategory, Mau01
from referral_contracts.payloads.place import Place, Sex
from referral_contracts.payloads.shown import personal_strings
from referral_contracts.payloads.stats import AgeBand, Form, Stats, stats_of
from tests.contracts.payloads.forms import ACTOR, example

TODAY = date(2026, 11, 22)


def told(**fields: object) -> Stats:
    return stats_of(Mau01.model_validate({"actor": ACTOR, **fields}), TODAY)


def test_what_is_counted_has_nothing_of_the_child_but_bands_and_codes() -> None:
    form = example("mau01")
    assert isinstance(form, Mau01)

    counted = stats_of(form, TODAY)

    assert [text for text in personal_strings(form) if text in counted.model_dump_json()] == []
    assert personal_strings(counted) == ()
    assert form.incident_place is not None
    assert counted.commune == form.incident_place.commune


@pytest.mark.parametrize(
    ("born", "band"),
    [
        (date(2026, 11, 22), AgeBand.TO_5),
        (date(2020, 11, 23), AgeBand.TO_5),
        (date(2020, 11, 22), AgeBand.TO_10),
        (date(2015, 11, 23), AgeBand.TO_10),
        (date(2015, 11, 22), AgeBand.TO_15),
        (date(2010, 11, 23), AgeBand.TO_15),
        (date(2010, 11, 22), AgeBand.TO_17),
        (date(2008, 11, 22), AgeBand.UNKNOWN),
        (date(2027, 1, 1), AgeBand.UNKNOWN),
    ],
)
def test_an_age_is_counted_on_the_day_the_information_came_in(born: date, band: AgeBand) -> None:
    assert told(birth_date=born).age_band == band


def test_the_day_is_that_of_viet_nam() -> None:
    late = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)  # half past one the next morning

    assert told(received_at=late).received_on == date(2026, 11, 21)
    assert told().received_on == TODAY


def test_what_the_form_leaves_out_is_unknown() -> None:
    counted = told()

    assert (counted.form, counted.age_band, counted.sex) == (Form.UNKNOWN, AgeBand.UNKNOWN, Sex.UNKNOWN)
    assert (counted.province, counted.commune) == (None, None)


@pytest.mark.parametrize("category", ChildCategory)
def test_each_category_of_the_form_is_counted_and_no_words_of_it(category: ChildCategory) -> None:
    words = {"child_category_other": "lang thang"} if category is ChildCategory.OTHER else {}

    counted = told(child_category=category, incident_place=Place(province="01", commune="00001"), **words)

    assert counted.form == ("else" if category is ChildCategory.OTHER else category.value)
    assert "lang thang" not in counted.model_dump_json()
