"""
Who says it and how it became known: the two parts that every body carries.

The envelope names the agency that signed. Who in that agency acted, and for whom, is sealed with the rest.
"""

from typing import Annotated

from pydantic import StringConstraints

from referral_contracts.encoding import ADDRESS, AGENCY
from referral_contracts.payloads.base import Choice, FieldGroup, Line, Moment, label

Agency = Annotated[str, StringConstraints(pattern=AGENCY)]
Address = Annotated[str, StringConstraints(pattern=ADDRESS)]


class Role(Choice):
    """What the acting person does in the case: the roles that NĐ 56/2017 and its neighbours name."""

    HOTLINE_OPERATOR = "hotline_operator", "Người trực Tổng đài điện thoại quốc gia bảo vệ trẻ em", "hotline operator"
    CHILD_PROTECTION_WORKER = (
        "child_protection_worker",
        "Người làm công tác bảo vệ trẻ em cấp xã",
        "commune child-protection worker",
    )
    COMMUNE_CHAIR = "commune_chair", "Chủ tịch Ủy ban nhân dân cấp xã", "chair of the commune people's committee"
    CHILD_AFFAIRS_OFFICER = "child_affairs_officer", "Cán bộ cơ quan phụ trách trẻ em", "child-affairs officer"
    POLICE_OFFICER = "police_officer", "Cán bộ công an", "police officer"
    INVESTIGATOR = "investigator", "Điều tra viên", "investigator"
    PROCURATOR = "procurator", "Kiểm sát viên", "procurator"
    JUDGE = "judge", "Thẩm phán", "judge"
    HEALTH_WORKER = "health_worker", "Nhân viên y tế", "health worker"
    FORENSIC_EXAMINER = "forensic_examiner", "Giám định viên pháp y", "forensic examiner"
    SOCIAL_WORKER = "social_worker", "Nhân viên công tác xã hội", "social worker"
    LEGAL_AID_PROVIDER = "legal_aid_provider", "Người thực hiện trợ giúp pháp lý", "legal-aid provider"
    SCHOOL_STAFF = "school_staff", "Cán bộ, giáo viên nhà trường", "school staff"
    DUTY_OFFICER = "duty_officer", "Người trực", "duty officer"
    SYSTEM = "system", "Hệ thống của cơ quan", "the agency's own system"
    OTHER = "other", "Khác", "other"
    UNKNOWN = "unknown", "Không biết", "unknown"


class Channel(Choice):
    """How something reached the agency that records it."""

    PHONE = "phone", "Điện thoại", "phone"
    IN_PERSON = "in_person", "Gặp trực tiếp", "in person"
    MESSAGE = "message", "Tin nhắn", "message"
    PAPER = "paper", "Văn bản giấy", "paper"
    BUS = "bus", "Qua trục chuyển gửi", "over the bus"
    OTHER = "other", "Khác", "other"
    UNKNOWN = "unknown", "Không biết", "unknown"


class Actor(FieldGroup):
    """The person, or the system, that acted."""

    role: Annotated[
        Role,
        label(
            "Chức danh",
            "role",
            "Người thực hiện làm công việc gì trong vụ việc này.",
            "What the acting person does in this case.",
            essential=True,
        ),
    ]
    role_other: Annotated[
        Line | None,
        label(
            "Chức danh khác",
            "other role",
            "Ghi rõ chức danh khi chọn “Khác”.",
            "Which role, when “other” was chosen.",
        ),
    ] = None
    staff_number: Annotated[
        Line | None,
        label(
            "Số hiệu cán bộ",
            "staff number",
            "Số hiệu trong cơ quan; không ghi họ tên.",
            "The number inside the agency; not a name.",
            personal=True,
        ),
    ] = None
    acting_for: Annotated[
        Agency | None,
        label(
            "Thực hiện thay cho cơ quan",
            "acting for",
            "Mã cơ quan được làm thay, nếu cơ quan đó chưa tham gia trục.",
            "Id of the agency that this is done for, when that agency is not on the bus itself.",
        ),
    ] = None


class Happening(FieldGroup):
    """When something happened, when it was written down, and how it became known."""

    occurred_at: Annotated[
        Moment | None,
        label(
            "Thời điểm xảy ra",
            "occurred at",
            "Lúc sự việc hoặc việc làm nêu ở đây diễn ra.",
            "When the event or act told here took place.",
        ),
    ] = None
    recorded_at: Annotated[
        Moment | None,
        label(
            "Thời điểm ghi nhận",
            "recorded at",
            "Lúc thông tin này được ghi lại.",
            "When this was written down.",
        ),
    ] = None
    channel: Annotated[
        Channel | None,
        label(
            "Kênh",
            "channel",
            "Thông tin này đến bằng cách nào.",
            "How this became known.",
        ),
    ] = None
    channel_other: Annotated[
        Line | None,
        label(
            "Kênh khác",
            "other channel",
            "Ghi rõ kênh khi chọn “Khác”.",
            "Which channel, when “other” was chosen.",
            personal=True,
        ),
    ] = None
    person: Annotated[
        Line | None,
        label(
            "Người cho biết",
            "told by",
            "Họ tên, chức danh người đã trả lời hoặc cung cấp, nếu không qua trục.",
            "Who answered or told it, when it did not come over the bus.",
            personal=True,
        ),
    ] = None
    paper_number: Annotated[
        Line | None,
        label(
            "Số văn bản",
            "paper number",
            "Số, ký hiệu văn bản giấy, nếu đến bằng văn bản.",
            "Number of the paper document, when it came on paper.",
        ),
    ] = None
