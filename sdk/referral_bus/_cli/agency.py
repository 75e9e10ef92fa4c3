"""`agency`: what an agency that closes has to end or to move first, and taking up what another one has left."""

from typing import Annotated

import typer
from rich.console import RenderableType

from referral_bus._cli.cases import case_fields, case_line, handoff_fields, handoff_lines
from referral_bus._cli.command import Call, add, new_group
from referral_bus._cli.directory_changing import ending
from referral_bus._cli.faults import advise
from referral_bus._cli.screen import heading
from referral_bus._cli.session import READ_S, Timeout, be_present, open_bus, prepare
from referral_bus._cli.world import Exit
from referral_bus.views import OpenMatters


def add_to(app: typer.Typer) -> None:
    """Add the group to *app*."""
    group = new_group(app, "agency", "What an agency has open, when agencies merge, split or close.")
    add(group, "open", open_, json="owned[], offered[], received[], sent[], waiting, takers[], ends_at, successors[]")
    add(group, "adopt", adopt, json="agency, taken")


async def open_(call: Call, *, timeout: Timeout = READ_S) -> Exit:
    """List what is still open with this agency: what it has to end, to transfer or to move before it closes."""
    async with open_bus(call) as bus:
        ended = await be_present(call, bus, timeout)
        found = bus.open_matters()
        member = None if bus.directory is None else bus.directory.member(call.settings.agency)
        fields = {
            "owned": [case_fields(case) for case in found.owned],
            "offered": [case_fields(case) for case in found.offered],
            "received": [handoff_fields(item) for item in found.received],
            "sent": [handoff_fields(item) for item in found.sent],
            "waiting": found.waiting,
            "takers": found.takers,
            "ends_at": None if member is None else member.entry.ends_at,
            "successors": () if member is None else member.entry.successors,
        }
        call.screen.put(fields, *_told(found))
        if member is not None and member.entry.ends_at is not None:
            advise(ending(member.entry))
    return ended


def _told(found: OpenMatters) -> list[RenderableType]:
    cases = (
        ("vụ việc phụ trách: kết thúc hoặc chuyển / owned cases: close or transfer", found.owned),
        ("vụ việc được đề nghị: nhận hoặc không / cases offered: accept or decline", found.offered),
    )
    handoffs = (
        ("lượt chuyển gửi đã nhận: làm xong hoặc bàn giao / received: finish or move", found.received),
        ("lượt chuyển gửi đã gửi: kết thúc hoặc bàn giao / sent: end or move", found.sent),
    )
    told: list[RenderableType] = []
    for title, owned in cases:
        told += [heading(title), *map(case_line, owned)] if owned else []
    for title, items in handoffs:
        told += [heading(title), *(line for item in items for line in handoff_lines(item))] if items else []
    if found.waiting:
        told.append(f"chờ trục trả lời / waiting for a verdict: {found.waiting}")
    return told or ["không còn việc gì đang mở / nothing is open"]


async def adopt(
    call: Call,
    *,
    predecessor: Annotated[str, typer.Argument(metavar="AGENCY", help="Who has ended.")],
    left: Annotated[str, typer.Argument(metavar="STORE", help="Its store, with nobody at work on it.")],
    timeout: Timeout = READ_S,
) -> Exit:
    """
    Take up what an agency that has ended left open, from its own store. By the directory this agency speaks for it.

    What was said to it stays sealed to its keys: read it with its folder, with --home.
    """
    async with open_bus(call) as bus:
        await prepare(call, bus, timeout)
        taken = bus.adopt(predecessor, left)
        call.screen.put(
            {"agency": predecessor, "taken": taken},
            f"tiếp nhận từ / taken up from {predecessor}: {taken}",
        )
    return Exit.DONE
