"""
What the deadline watcher says of a clock: of which rule, since when, until when, how it stands, and on what proof.

It is enough to work the due instant out again without the bus: the rule with its pack's version, the event that started
the clock by its hash, and the version of the calendar.
"""

from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from referral_contracts.encoding import EVENT_ID, HASH
from referral_contracts.payloads.actor import Agency
from referral_contracts.payloads.base import Answer, Choice, FieldGroup, Line, Moment, Text, label
from referral_contracts.payloads.basis import About, Confidence
from referral_contracts.payloads.clock import ClockId, TriggerId
from referral_contracts.payloads.payload import Payload

Count = Annotated[int, Field(ge=0, le=1_000_000)]


class Ground(Choice):
    """On what a clock rests: what is only agreed is never called law."""

    LAW = "law", "Quy định của pháp luật", "law"
    POLICY = "policy", "Quy ước phối hợp, không phải thời hạn luật định", "policy, which is no legal deadline"


class Standing(Choice):
    """How a clock stands."""

    RUNNING = "running", "Đang tính thời hạn", "running"
    PAUSED = "paused", "Tạm dừng tính thời hạn", "paused"
    MET = "met", "Đã thực hiện đúng hạn", "met"
    MET_AS_CLAIMED = (
        "met-as-claimed",
        "Báo đã thực hiện đúng hạn, ghi nhận muộn",
        "met as claimed: done in time, recorded late",
    )
    MISSED = "missed", "Quá hạn", "missed"
    CANCELLED = "cancelled", "Không còn phải tính", "cancelled"
    DISPUTED = "disputed", "Đang có ý kiến khác, không coi là quá hạn", "disputed, and never called missed"


class Delivered(Choice):
    """Whether it is on record that the responsible agency got what started the clock."""

    PROVEN = "proven", "Đã có xác nhận nhận được", "a receipt is on record"
    NOT_PROVEN = "not-proven", "Chưa có xác nhận nhận được", "delivery not proven"


class Found(Choice):
    """What became known of a clock after something was said of it."""

    DONE_IN_TIME = "done_in_time", "Đã thực hiện đúng hạn, ghi nhận muộn", "it was done in time and recorded late"
    DONE_LATE = "done_late", "Đã thực hiện, sau thời hạn", "it was done after the due instant"
    STARTED_OTHERWISE = (
        "started_otherwise",
        "Thời điểm bắt đầu đã được đính chính",
        "when it started has been corrected",
    )
    EXTENDED = "extended", "Đã được gia hạn", "it was extended"
    DISPUTED = "disputed", "Cơ quan chịu thời hạn có ý kiến khác", "the responsible agency disputes it"
    CONFIRMED = "confirmed", "Cấp trên đã xác nhận", "a superior has confirmed it"
    OUTAGE = "outage", "Trục ngừng hoạt động trong thời hạn", "the bus was away while it ran"
    CANCELLED = "cancelled", "Không còn phải tính thời hạn", "it need not be counted any more"


class EventNamed(FieldGroup):
    """An event of the case, so that only its very bytes fit."""

    id: Annotated[
        str,
        StringConstraints(pattern=EVENT_ID),
        label("Mã sự kiện", "event id", "Mã của sự kiện.", "The event's id.", essential=True),
    ]
    sha256: Annotated[
        str,
        StringConstraints(pattern=HASH),
        label("Mã băm SHA-256", "SHA-256", "Của nguyên văn sự kiện.", "Of the event's bytes.", essential=True),
    ]


class RuleNamed(FieldGroup):
    """The rule that a clock is of, as it was in force when the clock started."""

    id: Annotated[
        TriggerId,
        label("Mã quy tắc", "rule id", "Mã của quy tắc thời hạn.", "Id of the rule.", essential=True),
    ]
    vi: Annotated[
        Line,
        label("Tên quy tắc", "name in Vietnamese", "Tên tiếng Việt.", "What it is called in Vietnamese."),
    ]
    en: Annotated[
        Line,
        label("Tên tiếng Anh", "name in English", "Tên tiếng Anh.", "What it is called in English."),
    ]
    ground: Annotated[
        Ground,
        label(
            "Loại thời hạn",
            "ground",
            "Thời hạn luật định hay chỉ là quy ước phối hợp.",
            "Whether it is law, or only agreed.",
            essential=True,
        ),
    ]
    source: Annotated[
        Line | None,
        label("Căn cứ", "source", "Điều, khoản của văn bản.", "Article and clause.", essential=True),
    ] = None
    quote: Annotated[
        Text | None,
        label("Trích dẫn", "quote", "Nguyên văn quy định.", "The words of the rule."),
    ] = None
    confidence: Annotated[
        Confidence,
        label(
            "Độ tin cậy",
            "confidence",
            "Quy định được biết đến bằng cách nào.",
            "How the rule is known.",
            essential=True,
        ),
    ]
    pack: Annotated[
        Line,
        label("Bộ quy tắc", "pack", "Bộ quy tắc chứa quy tắc này.", "The pack that the rule is in."),
    ]
    version: Annotated[
        Line,
        label("Phiên bản", "version", "Phiên bản của bộ quy tắc.", "The version of the pack."),
    ]


ClockNamed = Annotated[
    ClockId,
    label(
        "Mã thời hạn",
        "clock",
        "Mã của thời hạn này, dùng khi phản hồi.",
        "Id of the clock, by which it is answered.",
        essential=True,
    ),
]


class DeadlineNotice(Payload):
    """What the deadline watcher says of one clock to one agency. Which of its notices it is, the verb tells."""

    schema_name: ClassVar[str] = "deadline-notice"
    about: ClassVar[About] = About(vi="Thông báo về thời hạn", en="notice of a deadline")

    clock: ClockNamed
    rule: Annotated[
        RuleNamed,
        label("Quy tắc", "rule", "Thời hạn này theo quy tắc nào.", "The rule that the clock is of.", essential=True),
    ]
    responsible: Annotated[
        Agency | None,
        label(
            "Cơ quan chịu thời hạn",
            "responsible",
            "Bỏ trống khi chưa xác định được; khi đó không cơ quan nào bị coi là quá hạn.",
            "Left out where none was found: then nobody is accused.",
            essential=True,
        ),
    ] = None
    due_at: Annotated[
        Moment | None,
        label(
            "Hạn",
            "due at",
            "Thời điểm cuối cùng còn trong hạn; bỏ trống khi quy định không nêu con số.",
            "The last instant that is in time; left out where the rule states no number.",
            essential=True,
        ),
    ] = None
    late_after: Annotated[
        Moment | None,
        label(
            "Chỉ quá hạn sau",
            "late only after",
            "Theo cách hiểu rộng nhất; bỏ trống khi trùng với hạn.",
            "By the most lenient reading; left out where that is the due instant itself.",
        ),
    ] = None
    provisional: Annotated[
        Answer | None,
        label(
            "Hạn tạm tính",
            "provisional",
            "Lịch nghỉ của năm liên quan chưa được thông báo.",
            "It rests on a year for which no days off were announced yet.",
        ),
    ] = None
    started_at: Annotated[
        Moment,
        label("Bắt đầu tính từ", "started at", "Lúc thời hạn bắt đầu.", "When the clock started.", essential=True),
    ]
    standing: Annotated[
        Standing,
        label("Tình trạng", "standing", "Thời hạn đang thế nào.", "How the clock stands.", essential=True),
    ]
    delivery: Annotated[
        Delivered | None,
        label(
            "Chứng minh đã nhận",
            "delivery",
            "Cơ quan chịu thời hạn đã xác nhận nhận được hay chưa.",
            "Whether the responsible agency's receipt is on record.",
        ),
    ] = None
    trigger: Annotated[
        TriggerId | None,
        label("Sự kiện bắt đầu", "trigger", "Điều làm thời hạn bắt đầu.", "What started the clock."),
    ] = None
    started_by: Annotated[
        EventNamed,
        label(
            "Theo sự kiện",
            "started by",
            "Sự kiện cho biết điều đó.",
            "The event that told it.",
            essential=True,
        ),
    ]
    reached_at: Annotated[
        Moment | None,
        label(
            "Đến nơi chịu trách nhiệm lúc",
            "reached at",
            "Khi thời hạn tính từ lần tiếp nhận đầu tiên ở nơi khác: lúc thông tin đến nơi phải xử lý.",
            "Where the clock runs from a first receipt elsewhere: when the information reached those who have to act.",
        ),
    ] = None
    calendar: Annotated[
        Line | None,
        label(
            "Phiên bản lịch",
            "calendar",
            "Lịch ngày làm việc đã dùng để tính.",
            "The calendar of working days that it was worked out by.",
        ),
    ] = None
    step: Annotated[
        Count | None,
        label("Lần thứ", "step", "Lần nhắc hoặc lần báo cáo thứ mấy.", "Which reminder or repetition it is."),
    ] = None
    level: Annotated[
        Count | None,
        label(
            "Cấp báo cáo",
            "level",
            "Số cấp trên cơ quan chịu thời hạn.",
            "How many levels above the responsible agency.",
        ),
    ] = None
    found: Annotated[
        Found | None,
        label("Điều được biết thêm", "what was found", "Điều được biết sau đó.", "What became known since."),
    ] = None
    done_at: Annotated[
        Moment | None,
        label("Thực hiện lúc", "done at", "Lúc việc đó được thực hiện.", "When it was done."),
    ] = None
    evidence: Annotated[
        EventNamed | None,
        label("Theo sự kiện", "evidence", "Sự kiện cho biết thêm điều đó.", "The event that it became known by."),
    ] = None


class ClockUnreadable(Payload):
    """The deadline watcher could not read the `clock` section of an event: no clock was started or stopped by it."""

    schema_name: ClassVar[str] = "clock-unreadable"
    about: ClassVar[About] = About(
        vi="Báo không đọc được phần tính thời hạn", en="report that a clock section cannot be read"
    )

    event: Annotated[
        EventNamed,
        label("Sự kiện", "event", "Sự kiện có phần đó.", "The event that it is in.", essential=True),
    ]
    code: Annotated[
        TriggerId,
        label("Mã lỗi", "code", "Vì sao không đọc được.", "Why it could not be read.", essential=True),
    ]
