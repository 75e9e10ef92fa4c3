"""
The `clock` section: what happened that may start or stop a clock, told to the deadline watcher.

Triggers are words for happenings, not rules: which rule a happening starts is in the watcher's dated rule packs. The
section holds nothing about the child; the free text of the forms never comes here. Which cases are of one child, or of
one incident, it does hold: children are counted once.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from referral_contracts.payloads.actor import Address, Channel
from referral_contracts.payloads.base import FieldGroup, Moment, label
from referral_contracts.payloads.basis import About
from referral_contracts.payloads.link import LinkedCase
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.place import Commune, Province

TriggerId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,63}$")]


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
    province: Annotated[
        Province | None,
        label("Mã tỉnh, thành phố", "province code", "Nơi xảy ra, cấp tỉnh.", "The province where it happened."),
    ] = None
    commune: Annotated[
        Commune | None,
        label("Mã xã, phường, đặc khu", "commune code", "Nơi xảy ra, cấp xã.", "The commune where it happened."),
    ] = None
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
    """The triggers of one event, or the plain statement that there are none."""

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

    @property
    def listed(self) -> tuple[Trigger, ...]:
        """The triggers; empty for ``none``."""
        return () if self.triggers == "none" else self.triggers
