"""
What a statistics agency is told of a case: bands and codes to count by, and nothing to find the child by.

Every answer is one of a closed list; no field takes words. It is derived from the Mẫu 01, never asked for anew.
"""

from datetime import date
from typing import Annotated, ClassVar, Final

from referral_contracts.payloads.actor import Actor, Role
from referral_contracts.payloads.base import Choice, Day, label
from referral_contracts.payloads.basis import About
from referral_contracts.payloads.mau01 import ChildCategory, Mau01
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.place import CommuneOfIt, ProvinceOfIt, Sex
from referral_contracts.payloads.shown import VIET_NAM

ROLE: Final = "statistics"
"""The directory's role of the agency that counts."""


class Form(Choice):
    """What is suspected, as far as the Mẫu 01 asks."""

    ABUSED = "abused", "Bị xâm hại", "abused"
    AT_RISK = (
        "at_risk",
        "Có nguy cơ bị bạo lực, bóc lột, bỏ rơi",
        "at risk of violence, exploitation or abandonment",
    )
    SPECIAL_CIRCUMSTANCES = "special_circumstances", "Có hoàn cảnh đặc biệt", "in special circumstances"
    ELSE = "else", "Đối tượng khác", "another category"
    UNKNOWN = "unknown", "Không biết", "unknown"


class AgeBand(Choice):
    """How old the child was when the information came in. A child is under 16; criminal procedure looks at 18."""

    TO_5 = "0-5", "Dưới 6 tuổi", "under 6"
    TO_10 = "6-10", "Từ 6 đến dưới 11 tuổi", "6 to 10"
    TO_15 = "11-15", "Từ 11 đến dưới 16 tuổi", "11 to 15"
    TO_17 = "16-17", "Từ 16 đến dưới 18 tuổi", "16 or 17"
    UNKNOWN = "unknown", "Không biết", "unknown"


class Timeliness(Choice):
    """Whether a measure for the child was taken within its deadline, by the word of the agency that tells it."""

    IN_TIME = "in_time", "Đã áp dụng, trong thời hạn", "taken in time"
    LATE = "late", "Đã áp dụng, sau thời hạn", "taken late"
    NOT_YET = "not_yet", "Chưa áp dụng", "not taken yet"
    UNKNOWN = "unknown", "Không biết", "unknown"


_BANDS: Final = ((6, AgeBand.TO_5), (11, AgeBand.TO_10), (16, AgeBand.TO_15), (18, AgeBand.TO_17))


class Stats(Payload):
    """What is counted of a case."""

    schema_name: ClassVar[str] = "stats"
    about: ClassVar[About] = About(vi="Số liệu thống kê của vụ việc", en="what is counted of a case")

    received_on: Annotated[
        Day,
        label(
            "Ngày nhận thông tin",
            "received on",
            "Ngày nhận thông tin lần đầu.",
            "The day on which the information was first received.",
            essential=True,
        ),
    ]
    form: Annotated[
        Form | None,
        label(
            "Đối tượng, hình thức",
            "form of abuse",
            "Theo mục đối tượng của Mẫu 01.",
            "As the category of the Mẫu 01 tells.",
            essential=True,
        ),
    ] = None
    age_band: Annotated[
        AgeBand | None,
        label(
            "Nhóm tuổi",
            "age band",
            "Nhóm tuổi của trẻ em lúc nhận thông tin.",
            "The child's age band when the information came in.",
            essential=True,
        ),
    ] = None
    sex: Annotated[
        Sex | None,
        label("Giới tính của trẻ", "sex", "Nam, nữ hoặc không biết.", "Male, female or unknown.", essential=True),
    ] = None
    province: ProvinceOfIt = None
    commune: CommuneOfIt = None
    measure: Annotated[
        Timeliness | None,
        label(
            "Biện pháp bảo vệ trẻ em",
            "measure for the child",
            "Đã áp dụng biện pháp chưa, có đúng hạn không, theo cơ quan báo.",
            "Whether a measure was taken, and in time, by the word of the agency that tells it.",
        ),
    ] = None


def stats_of(form: Mau01, received_on: date, measure: Timeliness | None = None) -> Stats:
    """
    Return what is counted of the case that *form* tells of.

    Args:
        form: The Mẫu 01.
        received_on: Stands in for a day that the form does not tell.
        measure: Whether a measure was taken in time, as far as we know.
    """
    day = received_on if form.received_at is None else form.received_at.astimezone(VIET_NAM).date()
    place = form.incident_place
    return Stats(
        actor=Actor(role=Role.SYSTEM),
        received_on=day,
        form=_form(form),
        age_band=_band(_age(form, day)),
        sex=form.sex or Sex.UNKNOWN,
        province=None if place is None else place.province,
        commune=None if place is None else place.commune,
        measure=measure,
    )


def _form(form: Mau01) -> Form:
    told = ChildCategory.UNKNOWN if form.child_category is None else form.child_category
    return next((found for found in Form if found.value == told.value), Form.ELSE)


def _age(form: Mau01, day: date) -> int | None:
    born = form.birth_date
    if born is None:
        return form.estimated_age
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _band(age: int | None) -> AgeBand:
    if age is None or age < 0:
        return AgeBand.UNKNOWN
    return next((band for below, band in _BANDS if age < below), AgeBand.UNKNOWN)
