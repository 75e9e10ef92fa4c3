"""`outbox`, `status`, `alarms`: how this agency's own end of the bus is doing."""

from dataclasses import replace
from typing import Annotated, Final

import typer

from referral_bus._cli.command import Call, add, new_group
from referral_bus._cli.faults import WrongUsage, advise, complain, hints_of
from referral_bus._cli.saying import entry_fields, entry_line, judge
from referral_bus._cli.screen import columns, when
from referral_bus._cli.session import READ_S, WAIT_S, Timeout, be_present, open_bus, patiently, reached, tell_silence
from referral_bus._cli.world import Exit
from referral_bus.client import ReferralBus
from referral_bus.sent import Sent, TimedOut
from referral_bus.views import Alarm, Status
from referral_contracts.codes import Code
from referral_contracts.encoding import format_time
from referral_contracts.errors import LocalError
from referral_contracts.wording import EXERCISE

_ENTRY: Final = "id, verb, subject, exercise, recipients[], state, code, corrected_by[], voided_by[]"


def add_to(app: typer.Typer) -> None:
    """Add the group and the verbs to *app*."""
    group = new_group(app, "outbox", "What this agency said, and what became of it.")
    add(group, "list", list_, json=_ENTRY)
    add(group, "wait", wait, json=_ENTRY)
    status_fields = (
        "agency, sending, receiving, directory, directory_version, waiting, unacknowledged, alarms, clock_offset_ms"
    )
    add(app, "status", status, json=status_fields)
    add(app, "alarms", alarms, json="number, code, count, first, last, subject, exercise, offset, detail")


async def list_(
    call: Call,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Those that have their verdict too.")] = False,
    timeout: Timeout = READ_S,
) -> Exit:
    """Write a line for each event of this agency that has no verdict yet, oldest first."""
    async with open_bus(call) as bus:
        ended = await be_present(call, bus, timeout)
        for entry in bus.outbox():
            if everything or not entry.state.settled:
                call.screen.put(entry_fields(entry), entry_line(entry))
    return ended


async def wait(call: Call, *, timeout: Timeout = WAIT_S) -> Exit:
    """Stay until everything in the outbox went out and has its verdict."""
    async with open_bus(call) as bus:
        waiting = tuple(entry for entry in bus.outbox() if not entry.state.settled)
        if not waiting:
            return Exit.DONE
        sent = Sent(entries=waiting)
        if await reached(call, bus, timeout):
            try:
                sent = await patiently(call, "waiting for verdicts", bus.wait(sent, timeout_s=timeout))
            except TimedOut as error:
                sent = error.sent
                complain(str(error))
        else:
            tell_silence(call)
        for entry in sent.entries:
            call.screen.put(entry_fields(entry), entry_line(entry))
        return max(judge(sent.entries), Exit.DONE if sent.settled else Exit.AWAY)


async def status(call: Call, *, timeout: Timeout = READ_S) -> Exit:
    """Show how this agency's end of the bus is doing. Ends with 3 when something keeps it, with 4 on an alarm."""
    async with open_bus(call) as bus:
        found = await _looked(call, bus, timeout)
    call.screen.put(_status_fields(call.settings.agency, found), columns(_status_rows(call.settings.agency, found)))
    if found.alarms:
        return Exit.ALARM
    return Exit.AWAY if found.sending or found.receiving or found.directory else Exit.DONE


async def _looked(call: Call, bus: ReferralBus, timeout_s: float) -> Status:
    if not await reached(call, bus, timeout_s):
        tell_silence(call)
        found = bus.status()
        # A connection that is still being tried has no trouble yet.
        return replace(found, sending=found.sending or Code.BROKER_AWAY, receiving=found.receiving or Code.BROKER_AWAY)
    try:
        await patiently(call, "asking the bus", bus.ready(timeout_s=timeout_s))
    except LocalError as error:
        advise(*hints_of(error.code))
    else:
        await be_present(call, bus, timeout_s)
    return bus.status()


async def alarms(
    call: Call,
    *,
    clear: Annotated[
        list[int] | None, typer.Option(metavar="N", help="Forget alarm N, once somebody has seen to it. Repeatable.")
    ] = None,
) -> Exit:
    """Tell what a person should look into. Ends with 4 while there are alarms."""
    async with open_bus(call) as bus:
        there = {alarm.number for alarm in bus.alarms()}
        for number in clear or ():
            if number not in there:
                raise WrongUsage(f"there is no alarm {number}")
        for number in clear or ():
            bus.clear_alarm(number)
        left = bus.alarms()
        for alarm in left:
            case = None if alarm.subject is None else bus.case(alarm.subject)
            exercise = case is not None and case.exercise
            call.screen.put({**_alarm_fields(alarm), "exercise": exercise}, _alarm_line(alarm, exercise=exercise))
    return Exit.ALARM if left else Exit.DONE


def _status_fields(agency: str, found: Status) -> dict[str, object]:
    return {
        "agency": agency,
        "sending": found.sending,
        "receiving": found.receiving,
        "directory": found.directory,
        "directory_version": found.directory_version,
        "waiting": found.waiting,
        "unacknowledged": found.unacknowledged,
        "alarms": found.alarms,
        "clock_offset_ms": found.clock_offset_ms,
    }


def _status_rows(agency: str, found: Status) -> list[tuple[str, str]]:
    well = "tốt / well"
    return [
        ("cơ quan / agency", agency),
        ("gửi / sending", found.sending or well),
        ("nhận / receiving", found.receiving or well),
        ("danh bạ / directory", f"{found.directory or well}, version {found.directory_version}"),
        ("chờ trục trả lời / waiting for a verdict", str(found.waiting)),
        ("chưa xử lý / not acknowledged", str(found.unacknowledged)),
        ("cảnh báo / alarms", str(found.alarms)),
        ("lệch giờ / clock offset", f"{found.clock_offset_ms} ms"),
    ]


def _alarm_line(alarm: Alarm, *, exercise: bool) -> str:
    subject = f"  case {alarm.subject}" if alarm.subject else ""
    times = f"  {alarm.count} times, last {when(alarm.last_ms)}" if alarm.count > 1 else ""
    detail = f": {alarm.detail}" if alarm.detail else ""
    practised = f"  {EXERCISE}" if exercise else ""
    return f"{alarm.number}  {when(alarm.noted_ms)}  {alarm.code.value}{detail}{subject}{practised}{times}"


def _alarm_fields(alarm: Alarm) -> dict[str, object]:
    return {
        "number": alarm.number,
        "code": alarm.code.value,
        "count": alarm.count,
        "first": format_time(alarm.noted_ms),
        "last": format_time(alarm.last_ms),
        "subject": alarm.subject,
        "offset": alarm.offset,
        "detail": alarm.detail,
    }
