"""
The `clock` section: what happened that may start or stop a clock, told to the deadline watcher.

Triggers are words for happenings, not rules: which rule a happening starts is in the watcher's dated rule packs. The
section holds nothing about the child; the free text of the forms never comes here. Which cases are of one child, or of
one incident, it does hold: children are counted once.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from referral_contracts.payloads.actor import Address, Channel
from referral_contracts.payloads.base import Choice, FieldGroup, Line, Moment, label
from referral_contracts.payloads.basis import About
from referral_contracts.payloads.link import LinkedCase
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.place import CommuneOfIt, ProvinceOfIt

TriggerId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,63}$")]
ClockId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
"""A clock: the first 128 bits of a hash, which only who knows the rule and the case can work out."""


class Said(Choice):
    """What an agency says of a clock."""

    DISPUTED = "disputed", "Có ý kiến khác về thời hạn", "disputed"
    EXTENDED = "extended", "Gia hạn", "extended"
    CONFIRMED = "confirmed", "Xác nhận đã thực hiện đúng hạn", "confirmed"


class AboutClock(FieldGroup):
    """What an event says of a clock that runs already."""

    clock: Annotated[
        ClockId,
        label("Mã thời hạn", "clock", "Mã của thời hạn.", "Id of the clock.", essential=True),
    ]
    said: Annotated[
        Said,
        label("Điều được nói", "what is said", "Nói gì về thời hạn.", "What is said of it.", essential=True),
    ]
    until: Annotated[
        Moment | None,
        label("Gia hạn đến", "until", "Hạn mới, khi gia hạn.", "The new due instant, where it is extended."),
    ] = None
    authority: Annotated[
        Line | None,
        label("Người có thẩm quyền", "authority", "Ai đã quyết định gia hạn.", "Which office extended it."),
    ] = None
    document: Annotated[
        Line | None,
        label("Số văn bản", "document", "Số văn bản gia hạn.", "Number of the document that extends it."),
    ] = None


class Trigger(FieldGroup):
    """One happening."""

    trigger: Annotated[
        TriggerId,
        label("Sự kiện tính thời hạn", "trigger", "Điều đã xảy ra.", "What happened.", essential=True),
    ]
    occurred_at: Annotated[
        Moment | None,
        label(
            "Thời điểm xảy ra",
            "occurred at",
            "Lúc xảy ra; bỏ trống thì tính lúc trục tiếp nhận sự kiện.",
            "When it happened; left out, the moment the bus admitted the event counts.",
        ),
    ] = None
    recorded_at: Annotated[
        Moment | None,
        label("Thời điểm ghi nhận", "recorded at", "Lúc được ghi lại.", "When it was written down."),
    ] = None
    channel: Annotated[
        Channel | None,
        label("Kênh", "channel", "Biết được bằng cách nào.", "How it became known."),
    ] = None
    province: ProvinceOfIt = None
    commune: CommuneOfIt = None
    whose: Annotated[
        Address | None,
        label(
            "Thời hạn của cơ quan",
            "whose",
            "Cơ quan chịu thời hạn; bỏ trống thì xác định theo nơi xảy ra.",
            "The agency whose clock it is; left out, the place decides.",
        ),
    ] = None


class ClockSection(Payload):
    """The triggers of one event, or the plain statement that there are none; and what it says of a clock."""

    schema_name: ClassVar[str] = "clock"
    about: ClassVar[About] = About(vi="Sự kiện tính thời hạn", en="happenings for the deadline watcher")

    triggers: Annotated[
        Annotated[tuple[Trigger, ...], Field(min_length=1)] | Literal["none"],
        label(
            "Các sự kiện tính thời hạn",
            "triggers",
            "Danh sách, hoặc “none” khi không có.",
            "The list, or “none” when there are none.",
            essential=True,
        ),
    ]
    links: Annotated[
        tuple[LinkedCase, ...],
        label(
            "Vụ việc liên kết",
            "linked cases",
            "Các vụ việc được liên kết hoặc bỏ liên kết.",
            "The cases that are linked, or no longer.",
        ),
    ] = ()
    about_clock: Annotated[
        AboutClock | None,
        label(
            "Về thời hạn đang tính",
            "about a clock",
            "Ý kiến, gia hạn hoặc xác nhận về một thời hạn đang tính.",
            "A dispute, an extension or a confirmation of a clock that runs already.",
        ),
    ] = None

    @property
    def listed(self) -> tuple[Trigger, ...]:
        """The triggers; empty for ``none``."""
        return () if self.triggers == "none" else self.triggers
