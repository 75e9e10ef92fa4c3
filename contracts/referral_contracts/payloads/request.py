"""
What one agency asks of another: the body of a hand-off's opening event.

Each recipient gets a request of its own, in a section of its own, with only what its task needs: medical findings for
the hospital, the suspect for police and legal aid, the safe place for those who bring the child there (NĐ 56/2017
Đ.33: that a service is given to a child is itself secret).
"""

from typing import Annotated, ClassVar

from pydantic import StringConstraints

from referral_contracts.encoding import EVENT_ID
from referral_contracts.payloads.base import Answer, Choice, FieldGroup, Line, Moment, Text, label
from referral_contracts.payloads.basis import About
from referral_contracts.payloads.document import Documents, Enclosed
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.place import Child, Place

EventId = Annotated[str, StringConstraints(pattern=EVENT_ID)]


class Service(Choice):
    """What is asked for. The deadline watcher never sees it; `clocks` turns some of them into triggers."""

    COMMUNE_CASE = (
        "commune_case",
        "Đánh giá nguy cơ ban đầu và bảo vệ trẻ em tại cấp xã",
        "initial risk assessment and protection by the commune",
    )
    CRIME_REPORT = "crime_report", "Tiếp nhận, xác minh tin báo về tội phạm", "take and check a report of a crime"
    MEDICAL_CARE = "medical_care", "Khám, chăm sóc y tế", "medical examination and care"
    FORENSIC_EXAMINATION = (
        "forensic_examination",
        "Giám định theo quyết định trưng cầu",
        "forensic examination as ordered",
    )
    PSYCHOLOGICAL_SUPPORT = "psychological_support", "Hỗ trợ tâm lý", "psychological support"
    SOCIAL_WORK = "social_work", "Công tác xã hội với trẻ em và gia đình", "social work with child and family"
    TEMPORARY_SHELTER = "temporary_shelter", "Nơi tạm lánh, nơi an toàn", "a safe place to stay"
    ALTERNATIVE_CARE = "alternative_care", "Chăm sóc thay thế", "alternative care"
    LEGAL_AID = "legal_aid", "Trợ giúp pháp lý", "legal aid"
    SCHOOL_SUPPORT = "school_support", "Hỗ trợ tại nhà trường", "support at school"
    EVIDENCE = "evidence", "Khám, thu thập dấu vết, mẫu vật", "examine the child and take traces"
    CONTACT_BAN = "contact_ban", "Quyết định cấm tiếp xúc", "decide on a contact ban"
    INFORMATION = (
        "information",
        "Cung cấp thông tin, phối hợp xác minh",
        "provide information and help to verify",
    )
    OTHER = "other", "Khác", "other"
    UNKNOWN = "unknown", "Không biết", "unknown"


class Urgency(Choice):
    """How soon help is needed."""

    EMERGENCY = "emergency", "Khẩn cấp", "emergency"
    URGENT = "urgent", "Gấp", "urgent"
    ROUTINE = "routine", "Bình thường", "routine"
    UNKNOWN = "unknown", "Không biết", "unknown"
    OTHER = "other", "Khác", "other"


class SafeContact(FieldGroup):
    """Somebody who can be reached without danger to the child."""

    name: Annotated[
        Line | None,
        label("Họ và tên", "name", "Người liên hệ an toàn.", "The safe person to contact.", personal=True),
    ] = None
    relation: Annotated[
        Line | None,
        label(
            "Quan hệ với trẻ em",
            "relation to the child",
            "Người này là ai đối với trẻ em.",
            "Who this is to the child.",
            personal=True,
        ),
    ] = None
    phone: Annotated[
        Line | None,
        label("Số điện thoại", "phone", "Số gọi được an toàn.", "A number that is safe to call.", personal=True),
    ] = None
    how: Annotated[
        Text | None,
        label(
            "Cách liên hệ",
            "how to make contact",
            "Giờ gọi, cách xưng hô, điều không được nói.",
            "When to call, how to introduce yourself, what not to say.",
            personal=True,
        ),
    ] = None


class Safety(FieldGroup):
    """What the recipient must and must not do, so that its help does no harm."""

    do_not_contact_home: Annotated[
        Answer | None,
        label(
            "Không liên hệ về nhà",
            "do not contact home",
            "“Có”: không gọi điện, gửi thư hoặc đến nhà trẻ em. Chưa trả lời thì coi như “Có”.",
            "“Yes”: no call, letter or visit to the child's home. Unanswered counts as “yes”.",
            essential=True,
        ),
    ] = None
    suspected_carer: Annotated[
        Answer | None,
        label(
            "Cha, mẹ hoặc người chăm sóc bị nghi là người gây hại",
            "a parent or carer is suspected",
            "“Có”: không cung cấp thông tin cho người đó; người đó không được đại diện cho trẻ em.",
            "“Yes”: tell that person nothing; that person does not represent the child.",
            personal=True,
        ),
    ] = None
    safe_contact: Annotated[
        SafeContact | None,
        label(
            "Người liên hệ an toàn",
            "safe contact",
            "Liên hệ qua ai mà không gây nguy hiểm cho trẻ em.",
            "Through whom contact puts the child in no danger.",
        ),
    ] = None
    instructions: Annotated[
        Text | None,
        label(
            "Chỉ dẫn an toàn",
            "safety instructions",
            "Những điều phải làm và không được làm.",
            "What must and what must not be done.",
            personal=True,
        ),
    ] = None

    @property
    def home_is_off_limits(self) -> bool:
        """Whether nobody may turn to the child's home: unless somebody said that they may."""
        return self.do_not_contact_home is not Answer.NO or self.suspected_carer is Answer.YES


class HandoffRequest(Payload):
    """A request, a statutory assignment or a notice to one agency."""

    schema_name: ClassVar[str] = "handoff-request"
    about: ClassVar[About] = About(vi="Đề nghị chuyển gửi", en="request to one agency")

    service: Annotated[
        Service,
        label(
            "Dịch vụ đề nghị",
            "service",
            "Đề nghị cơ quan nhận làm việc gì.",
            "What the recipient is asked to do.",
            personal=True,
            essential=True,
        ),
    ]
    service_other: Annotated[
        Line | None,
        label(
            "Dịch vụ khác",
            "other service",
            "Ghi rõ khi chọn “Khác”.",
            "Which service, when “other” was chosen.",
            personal=True,
        ),
    ] = None
    urgency: Annotated[
        Urgency | None,
        label("Mức độ khẩn cấp", "urgency", "Cần giúp nhanh đến mức nào.", "How soon help is needed.", essential=True),
    ] = None
    urgency_other: Annotated[
        Line | None,
        label(
            "Mức độ khác",
            "other urgency",
            "Ghi rõ khi chọn “Khác”.",
            "How urgent, when “other” was chosen.",
            personal=True,
        ),
    ] = None
    reason: Annotated[
        Text | None,
        label(
            "Lý do chuyển gửi",
            "reason",
            "Vì sao cần cơ quan nhận; chỉ ghi điều cơ quan đó cần biết.",
            "Why the recipient is needed; only what it has to know.",
            personal=True,
            essential=True,
        ),
    ] = None
    expected_answer: Annotated[
        Text | None,
        label(
            "Trả lời mong đợi",
            "expected answer",
            "Cần cơ quan nhận trả lời điều gì.",
            "What the recipient is expected to answer.",
            personal=True,
            essential=True,
        ),
    ] = None
    answer_by: Annotated[
        Moment | None,
        label(
            "Đề nghị trả lời trước",
            "answer by",
            "Thời điểm mong nhận được trả lời; không phải thời hạn theo luật.",
            "When the answer is wanted; not a legal deadline.",
        ),
    ] = None
    legal_basis: Annotated[
        tuple[Line, ...],
        label(
            "Căn cứ pháp lý",
            "legal basis",
            "Điều, khoản của văn bản cho phép chuyển thông tin này.",
            "Article and clause that allow passing this information on.",
            essential=True,
        ),
    ] = ()
    safety: Annotated[
        Safety | None,
        label(
            "Bảo đảm an toàn",
            "safety",
            "Chỉ dẫn để việc giúp đỡ không gây hại cho trẻ em.",
            "Instructions so that help does no harm to the child.",
            essential=True,
        ),
    ] = None
    child: Annotated[
        Child | None,
        label(
            "Trẻ em",
            "the child",
            "Chỉ ghi phần cơ quan nhận cần biết.",
            "Only what the recipient has to know.",
        ),
    ] = None
    place: Annotated[
        Place | None,
        label(
            "Địa điểm",
            "place",
            "Nơi cần đến, hoặc nơi xảy ra vụ việc.",
            "Where to go, or where the incident happened.",
        ),
    ] = None
    medical: Annotated[
        Text | None,
        label(
            "Nội dung y tế",
            "medical part",
            "Thương tích, bệnh, dấu vết cần khám; chỉ gửi cơ sở y tế và cơ quan tiến hành tố tụng.",
            "Injuries, illness, traces to examine; for health facilities and proceedings bodies only.",
            personal=True,
        ),
    ] = None
    suspect: Annotated[
        Text | None,
        label(
            "Người bị nghi gây hại",
            "the suspect",
            "Chỉ gửi cơ quan công an, tố tụng và trợ giúp pháp lý.",
            "For police, proceedings bodies and legal aid only.",
            personal=True,
        ),
    ] = None
    safe_place: Annotated[
        Text | None,
        label(
            "Nơi an toàn của trẻ em",
            "the child's safe place",
            "Chỉ gửi người trực tiếp đưa đón, chăm sóc trẻ em.",
            "Only for those who bring the child there or care for it.",
            personal=True,
        ),
    ] = None
    related_events: Annotated[
        tuple[EventId, ...],
        label(
            "Sự kiện liên quan",
            "related events",
            "Chỉ ghi sự kiện mà cơ quan nhận được phép biết.",
            "Only events that the recipient may know of.",
        ),
    ] = ()
    documents: Documents = ()
    enclosed: Enclosed = None


class Tie(Payload):
    """
    The sender's own note of which events belong together, sealed to nobody but itself.

    Recipients that may not know of each other get an event each; this is how the sender finds them again.
    """

    schema_name: ClassVar[str] = "tie"
    about: ClassVar[About] = About(vi="Liên kết các sự kiện", en="tie between events")

    events: Annotated[
        tuple[EventId, ...],
        label(
            "Các sự kiện cùng một việc",
            "events of one matter",
            "Mã các sự kiện đã gửi riêng cho từng cơ quan.",
            "Ids of the events that were sent to each agency apart.",
            essential=True,
        ),
    ] = ()
