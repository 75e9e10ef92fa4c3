"""Where something is, and whom it is about: the parts that several forms share."""

from typing import Annotated, Final

from pydantic import StringConstraints

from referral_contracts.payloads.base import Age, Choice, Day, FieldGroup, Line, Text, label

PROVINCE: Final = r"^[0-9]{2}$"
COMMUNE: Final = r"^[0-9]{5}$"

Province = Annotated[str, StringConstraints(pattern=PROVINCE)]
Commune = Annotated[str, StringConstraints(pattern=COMMUNE)]

ProvinceOfIt = Annotated[
    Province | None,
    label("Mã tỉnh, thành phố", "province code", "Nơi xảy ra, cấp tỉnh.", "The province where it happened."),
]
CommuneOfIt = Annotated[
    Commune | None,
    label("Mã xã, phường, đặc khu", "commune code", "Nơi xảy ra, cấp xã.", "The commune where it happened."),
]
"""Where something happened, for those who are told the codes alone."""


class Sex(Choice):
    """The three answers of Mẫu 01, and no other."""

    MALE = "male", "Nam", "male"
    FEMALE = "female", "Nữ", "female"
    UNKNOWN = "unknown", "Không biết", "unknown"


EstimatedAge = Annotated[
    Age | None,
    label(
        "Ước lượng tuổi",
        "estimated age",
        "Số tuổi ước lượng, khi không biết ngày sinh.",
        "Age in years, when the birth date is not known.",
        personal=True,
    ),
]
ChildSex = Annotated[
    Sex | None,
    label("Giới tính", "sex", "Nam, nữ hoặc không biết.", "Male, female or unknown.", personal=True),
]


class Place(FieldGroup):
    """A place in words, and the codes that tell whose commune it is."""

    address: Annotated[
        Text | None,
        label(
            "Địa điểm",
            "place",
            "Số nhà, thôn, xã hoặc mô tả để tìm được nơi đó.",
            "House, village, commune, or a description by which the place can be found.",
            personal=True,
            essential=True,
        ),
    ] = None
    province: Annotated[
        Province | None,
        label(
            "Mã tỉnh, thành phố",
            "province code",
            "Mã đơn vị hành chính cấp tỉnh, 2 chữ số.",
            "Code of the province, 2 digits.",
        ),
    ] = None
    commune: Annotated[
        Commune | None,
        label(
            "Mã xã, phường, đặc khu",
            "commune code",
            "Mã đơn vị hành chính cấp xã, 5 chữ số; quyết định Ủy ban nhân dân cấp xã nào phụ trách.",
            "Code of the commune, 5 digits; decides which commune people's committee is in charge.",
            essential=True,
        ),
    ] = None


class Child(FieldGroup):
    """Whom a request is about, as far as its recipient has to know."""

    name: Annotated[
        Line | None,
        label(
            "Họ và tên trẻ em",
            "child's name",
            "Chỉ ghi nếu biết và nếu nơi nhận cần biết.",
            "Only if known, and if the recipient has to know.",
            personal=True,
        ),
    ] = None
    birth_date: Annotated[
        Day | None,
        label(
            "Ngày tháng năm sinh",
            "birth date",
            "Ghi ngày sinh, hoặc ước lượng tuổi.",
            "The birth date, or else an estimated age.",
            personal=True,
        ),
    ] = None
    estimated_age: EstimatedAge = None
    sex: ChildSex = None
    address: Annotated[
        Text | None,
        label(
            "Nơi ở",
            "address",
            "Nơi trẻ em cư trú.",
            "Where the child lives.",
            personal=True,
        ),
    ] = None
    school: Annotated[
        Line | None,
        label(
            "Trường, lớp",
            "school and class",
            "Trường và lớp trẻ em đang học.",
            "The school and class that the child attends.",
            personal=True,
        ),
    ] = None
    current_condition: Annotated[
        Text | None,
        label(
            "Tình trạng hiện tại của trẻ em",
            "current condition",
            "Sức khỏe, tinh thần và mức độ an toàn lúc này.",
            "Health, state of mind and safety at this moment.",
            personal=True,
        ),
    ] = None
