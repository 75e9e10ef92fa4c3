"""What a person is told of a deadline: when it is due, how it stands, and what to do next."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from rich.console import RenderableType

from referral_bus._cli.directory import on_duty
from referral_bus._cli.screen import Fields, heading, plain, when
from referral_bus.client import ReferralBus
from referral_bus.delivery import Delivery
from referral_contracts.encoding import format_time
from referral_contracts.payloads.deadline import ClockUnreadable, DeadlineNotice, Delivered
from referral_contracts.verbs import DEADLINES, Verb
from referral_contracts.wording import both

DEADLINE_JSON: Final = "deadline{clock, due, standing, responsible, next{vi, en}}, clock_differs[]"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_Words = tuple[str, str]

_OURS: Final[Mapping[Verb, _Words]] = {
    Verb.DEADLINE_ARMED: (
        (
            "thực hiện trước hạn và báo trên trục (referral-bus progress, complete); nếu thời hạn không đúng: "
            "referral-bus clocks dispute"
        ),
        (
            "do it before it is due, and say so on the bus (referral-bus progress, complete); if the clock is wrong: "
            "referral-bus clocks dispute"
        ),
    ),
    Verb.DEADLINE_REMINDED: (
        (
            "sắp đến hạn: thực hiện ngay và báo trên trục, ghi rõ lúc thực hiện; nếu đã được gia hạn: "
            "referral-bus clocks extend"
        ),
        (
            "it is nearly due: do it now and say so on the bus, with when it was done; if more time was given: "
            "referral-bus clocks extend"
        ),
    ),
    Verb.DEADLINE_MISSED: (
        (
            "thực hiện ngay và báo trên trục; nếu đã thực hiện đúng hạn thì báo kèm thời điểm thực hiện; nếu thời hạn "
            "không đúng: referral-bus clocks dispute"
        ),
        (
            "do it now and say so on the bus; if it was done in time, say when; if the clock is wrong: "
            "referral-bus clocks dispute"
        ),
    ),
    Verb.DEADLINE_EXPLAINED: (
        "không phải làm gì thêm, trừ khi nội dung trên không đúng: referral-bus clocks dispute",
        "nothing more, unless what is said here is wrong: referral-bus clocks dispute",
    ),
}
_OTHERS: Final[_Words] = (
    (
        "liên hệ cơ quan chịu thời hạn; nếu có căn cứ đã thực hiện đúng hạn: referral-bus clocks confirm; nếu cho "
        "thêm thời gian: referral-bus clocks extend"
    ),
    (
        "call the responsible agency; if it is shown that it was done in time: referral-bus clocks confirm; if more "
        "time is given: referral-bus clocks extend"
    ),
)
_NOBODYS: Final[_Words] = (
    "chưa xác định được cơ quan chịu thời hạn: bổ sung hoặc đính chính địa điểm trong biểu mẫu",
    "nobody is responsible so far: add the place to the form, or correct it",
)
_NOTHING: Final[_Words] = ("không phải làm gì thêm", "nothing more")
_UNREADABLE: Final[_Words] = (
    (
        "cập nhật phần mềm của cơ quan này, rồi báo lại việc đã xảy ra bằng đính chính (referral-bus correct): đến "
        "khi đó không có thời hạn nào được tính theo sự kiện này"
    ),
    (
        "update this agency's program, then tell again what happened by a correction (referral-bus correct): until "
        "then no clock is started or stopped by that event"
    ),
)


def deadline_lines(bus: ReferralBus, delivery: Delivery, agency: str) -> Iterator[RenderableType]:
    """Yield, after what a delivery says, what it means for *agency*; nothing where it is about no deadline."""
    if delivery.clock_differs:
        told = "phần tính thời hạn khác với biểu mẫu / what the watcher is told differs from the form"
        yield plain(f"  ! {told}: {', '.join(delivery.clock_differs)}", "red")
    words = _next(delivery, agency)
    if words is None:
        return
    notice = delivery.payload(DeadlineNotice)
    if notice is not None:
        yield heading(f"hạn / due: {_due(notice)}  {notice.standing.vi} / {notice.standing.en}")
        if notice.delivery is Delivered.NOT_PROVEN:
            yield plain(f"  ! {notice.delivery.vi} / {notice.delivery.en}", "yellow")
        phone = "" if notice.responsible in {None, agency} else on_duty(bus.directory, notice.responsible or "")
        if phone:
            yield f"  trực / on duty: {notice.responsible}  {phone}"
    yield f"  việc cần làm / what to do next: {both(words)}"


def deadline_mark(delivery: Delivery) -> str:
    """Return when the deadline is that a delivery tells of, for its line in a list."""
    notice = delivery.payload(DeadlineNotice) if delivery.verb in DEADLINES else None
    return "" if notice is None else f"hạn / due {_due(notice)}"


def deadline_fields(delivery: Delivery, agency: str) -> Fields:
    """Return for JSON what a delivery tells of a deadline."""
    words, notice = _next(delivery, agency), delivery.payload(DeadlineNotice)
    told = None
    if words is not None:
        told = {
            "clock": None if notice is None else notice.clock,
            "due": None if notice is None or notice.due_at is None else format_time(_ms(notice.due_at)),
            "standing": None if notice is None else notice.standing.value,
            "responsible": None if notice is None else notice.responsible,
            "next": {"vi": words[0], "en": words[1]},
        }
    return {"deadline": told, "clock_differs": list(delivery.clock_differs)}


def _next(delivery: Delivery, agency: str) -> _Words | None:
    if delivery.verb not in DEADLINES:
        return None
    notice = delivery.payload(DeadlineNotice)
    if notice is None:
        return _UNREADABLE if delivery.payload(ClockUnreadable) is not None else None
    if notice.responsible is None:
        return _NOBODYS
    if notice.responsible == agency:
        return _OURS.get(delivery.verb, _NOTHING)
    return _NOTHING if delivery.verb is Verb.DEADLINE_EXPLAINED else _OTHERS


def _due(notice: DeadlineNotice) -> str:
    # As people in Viet Nam read a clock; a rule that says "at once" states none.
    return "ngay / at once" if notice.due_at is None else f"{when(_ms(notice.due_at))} (+07:00)"


def _ms(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)
