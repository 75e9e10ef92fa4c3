"""`clocks show`, `clocks overdue`, `clocks next`: the deadlines that this agency knows of."""

from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Final, TypeAlias

import typer

from referral_bus._cli.command import Call
from referral_bus._cli.faults import advise
from referral_bus._cli.finding import CaseArgument, find_subject
from referral_bus._cli.packs import book_of, calendar_of
from referral_bus._cli.screen import Fields, stacked, when
from referral_bus._cli.session import READ_S, Timeout, be_present, open_bus
from referral_bus._cli.world import Exit
from referral_bus.client import ReferralBus
from referral_bus.views import ClockView, Rules
from referral_contracts.encoding import format_time
from referral_contracts.payloads.deadline import Ground
from referral_contracts.wording import EXERCISE

CLOCK_JSON: Final = (
    "clock, subject, exercise, rule, vi, en, ground, source, confidence, responsible, phone, hours, started, due, "
    "done, standing, overdue, late, left_ms, delivery, told_by_watcher"
)
Packs: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--pack", metavar="FILE", help="A pack of rules for this agency's own clocks, and no other. Repeatable."
    ),
]
Days: TypeAlias = Annotated[str | None, typer.Option("--calendar", metavar="FILE", help="The days off.")]
_PICKED: Final = 8
_TITLES: Final = ("hạn / due", "thế nào / how", "việc / what", "của / whose", "clock, case")


async def show(
    call: Call, *, case: CaseArgument, pack: Packs = None, calendar: Days = None, timeout: Timeout = READ_S
) -> Exit:
    """Show the clocks of a case, first due first."""
    rules = read_rules(pack, calendar)
    async with open_bus(call) as bus:
        ended = await be_present(call, bus, timeout)
        _tell(call, bus, bus.clocks(find_subject(bus, case), rules=rules))
    return ended


async def overdue(
    call: Call,
    *,
    whose: Annotated[
        str | None, typer.Argument(metavar="AGENCY", help="Whose clocks; without it, those of every agency.")
    ] = None,
    pack: Packs = None,
    calendar: Days = None,
    timeout: Timeout = READ_S,
) -> Exit:
    """
    List what is overdue, with the duty phone of the agency whose clock it is.

    What the deadline watcher called missed is overdue. What is past its due instant, and not called so yet, is late.
    """
    rules = read_rules(pack, calendar)

    def picked(clock: ClockView, now_ms: int) -> bool:
        return clock.late(now_ms) and not clock.exercise and whose in {None, clock.responsible}

    return await _listed(call, rules, picked, timeout)


async def next_(
    call: Call,
    *,
    count: Annotated[int, typer.Option(metavar="N", min=1, help="How many.")] = 10,
    pack: Packs = None,
    calendar: Days = None,
    timeout: Timeout = READ_S,
) -> Exit:
    """List what is due next."""
    rules = read_rules(pack, calendar)

    def picked(clock: ClockView, now_ms: int) -> bool:
        return clock.runs and clock.due_ms is not None and clock.due_ms >= now_ms

    return await _listed(call, rules, picked, timeout, most=count)


async def _listed(
    call: Call,
    rules: Rules,
    picked: Callable[[ClockView, int], bool],
    timeout: float,
    *,
    most: int | None = None,
) -> Exit:
    async with open_bus(call) as bus:
        ended = await be_present(call, bus, timeout)
        now_ms = call.world.clock.now_ms()
        _tell(call, bus, [clock for clock in bus.clocks(rules=rules) if picked(clock, now_ms)][:most])
    return ended


def read_rules(packs: Sequence[str] | None, calendar: str | None) -> Rules:
    """Return the rules and the calendar that were named, or those that came with this program."""
    return Rules(book=book_of(packs), calendar=calendar_of(calendar))


def _tell(call: Call, bus: ReferralBus, clocks: Iterable[ClockView]) -> None:
    now_ms, found = call.world.clock.now_ms(), list(clocks)
    if call.as_json:
        for clock in found:
            call.screen.put(_fields(bus, clock, now_ms))
        return
    if not found:
        call.screen.put({}, "không có thời hạn nào / no clocks")
        return
    rows = [_row(bus, clock, now_ms) for clock in found]
    call.screen.put({}, stacked(rows, *_TITLES, marked=[clock.late(now_ms) for clock in found]))
    if any(not clock.told_by_watcher for clock in found):
        advise("worked out here, and not told by the deadline watcher: those marked with *")


def _row(bus: ReferralBus, clock: ClockView, now_ms: int) -> Sequence[Sequence[str]]:
    phone, hours = _duty(bus, clock.responsible)
    due = ("không có số", "no number") if clock.due_ms is None else tuple(when(clock.due_ms).split(" "))
    agency = (clock.responsible,) if clock.responsible else ("chưa xác định", "unknown")
    law = clock.ground is Ground.LAW
    return (
        due,
        (*_left(clock, now_ms), clock.standing.vi, clock.standing.en),
        (clock.vi, clock.en, f"{clock.rule} ({clock.ground.value})", "" if law else clock.source or ""),
        (*agency, phone or "", hours or ""),
        (
            f"{clock.clock[:_PICKED]}{'' if clock.told_by_watcher else '*'}",
            clock.subject[:_PICKED],
            EXERCISE if clock.exercise else "",
        ),
    )


def _left(clock: ClockView, now_ms: int) -> tuple[str, ...]:
    if clock.done_ms is not None:
        late = clock.due_ms is not None and clock.done_ms > clock.due_ms
        return ("đã làm, sau hạn", "done late") if late else ("đã làm", "done")
    if clock.due_ms is None or not (clock.runs or clock.overdue):
        return ()
    vi, en = _span(abs(clock.due_ms - now_ms))
    return (f"quá {vi}", f"late {en}") if clock.due_ms < now_ms else (f"còn {vi}", f"{en} left")


def _span(ms: int) -> tuple[str, str]:
    minutes, seconds = divmod(ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} ngày {hours} giờ", f"{days} d {hours} h"
    if hours:
        return f"{hours} giờ {minutes} phút", f"{hours} h {minutes} min"
    return f"{minutes} phút {seconds} giây", f"{minutes} min {seconds} s"


def _duty(bus: ReferralBus, agency: str | None) -> tuple[str | None, str | None]:
    member = None if bus.directory is None or agency is None else bus.directory.member(agency)
    duty = None if member is None else member.entry.duty
    return (None, None) if duty is None else (duty.phone, duty.hours)


def _fields(bus: ReferralBus, clock: ClockView, now_ms: int) -> Fields:
    phone, hours = _duty(bus, clock.responsible)
    return {
        "clock": clock.clock,
        "subject": clock.subject,
        "exercise": clock.exercise,
        "rule": clock.rule,
        "vi": clock.vi,
        "en": clock.en,
        "ground": clock.ground.value,
        "source": clock.source,
        "confidence": clock.confidence.value,
        "responsible": clock.responsible,
        "phone": phone,
        "hours": hours,
        "started": format_time(clock.started_ms),
        "due": None if clock.due_ms is None else format_time(clock.due_ms),
        "done": None if clock.done_ms is None else format_time(clock.done_ms),
        "standing": clock.standing.value,
        "overdue": clock.overdue,
        "late": clock.late(now_ms),
        "left_ms": None if clock.due_ms is None or not clock.runs else clock.due_ms - now_ms,
        "delivery": None if clock.delivery is None else clock.delivery.value,
        "told_by_watcher": clock.told_by_watcher,
    }
