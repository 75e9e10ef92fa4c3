"""The words for what the SDK alone names with codes: Vietnamese for those who work on a case, English beside it."""

from collections.abc import Mapping
from typing import Final

from referral_bus.sent import EntryState
from referral_bus.views import Corrects

CORRECTS: Final[Mapping[Corrects, tuple[str, str]]] = {
    Corrects.HELD: ("đính chính", "corrects"),
    Corrects.NOT_HELD: ("đính chính một sự kiện mà cơ quan này không có", "corrects an event not held here"),
    Corrects.ELSEWHERE: (
        "nêu sự kiện của cơ quan, vụ việc hoặc lượt chuyển gửi khác: không đính chính gì",
        "names an event of another agency, case or hand-off: it corrects nothing",
    ),
}

ENTRIES: Final[Mapping[EntryState, tuple[str, str]]] = {
    EntryState.SEALED: ("chờ gửi", "waiting to go out"),
    EntryState.SIGNED: ("đang gửi", "going out"),
    EntryState.SUBMITTED: ("đã gửi, chờ trục trả lời", "sent, waiting for the verdict"),
    EntryState.ACCEPTED: ("trục đã tiếp nhận", "accepted by the bus"),
    EntryState.REFUSED: ("trục không tiếp nhận", "refused by the bus"),
    EntryState.FAILED: ("không gửi được", "never sent"),
}
