"""`plan`: what `send` would do, without doing it: who will see which field, a table for each."""

from collections.abc import Iterable, Iterator
from typing import Annotated

import typer
from rich.console import RenderableType

from referral_bus._cli.command import Call, add, new_group
from referral_bus._cli.drafts import Case, Follows, making, noting, opening, transferring
from referral_bus._cli.saying import Make, OwnFiles, SectionFiles, To, ToSome, draft_of
from referral_bus._cli.screen import Fields, caution, form, heading, indented, missing_fields, row_fields, status
from referral_bus._cli.session import WAIT_S, Timeout, open_bus, prepare
from referral_bus._cli.world import Exit
from referral_bus.client import ReferralBus
from referral_bus.draft import Plan, PlannedSection
from referral_contracts.topics import agency_of
from referral_contracts.verbs import Verb
from referral_contracts.wording import EXERCISE, VERBS, both

_JSON = (
    "subject, exercise, events[]{verb, recipients[], sections[]{name, schema, status, readers[], "
    "fields[]{path, vi, en, value, provisional}, missing[]{path, vi, en}}}"
)


def add_to(app: typer.Typer) -> None:
    """Add the group to *app*."""
    group = new_group(app, "plan", "Show who would see which field, without sealing or sending anything.")
    add(group, "open", open_case, json=_JSON)
    add(group, "offer", offer, json=_JSON)
    add(group, "assign", assign, json=_JSON)
    add(group, "notify", notify, json=_JSON)
    add(group, "note", note, json=_JSON)
    add(group, "transfer", transfer, json=_JSON)


async def open_case(
    call: Call,
    *,
    files: SectionFiles,
    exercise: Annotated[bool, typer.Option("--exercise", help="Only practised.")] = False,
    timeout: Timeout = WAIT_S,
) -> Exit:
    """Show what `send open` would seal, to whom."""
    return await _plan(call, opening(files, exercise=exercise), timeout)


async def offer(call: Call, *, case: Case, to: To, follows: Follows = None, timeout: Timeout = WAIT_S) -> Exit:
    """Show what `send offer` would seal, to whom."""
    return await _plan(call, making(Verb.OFFERED, case, to, follows), timeout)


async def assign(call: Call, *, case: Case, to: To, follows: Follows = None, timeout: Timeout = WAIT_S) -> Exit:
    """Show what `send assign` would seal, to whom."""
    return await _plan(call, making(Verb.ASSIGNED, case, to, follows), timeout)


async def notify(call: Call, *, case: Case, to: To, follows: Follows = None, timeout: Timeout = WAIT_S) -> Exit:
    """Show what `send notify` would seal, to whom."""
    return await _plan(call, making(Verb.NOTIFIED, case, to, follows), timeout)


async def note(call: Call, *, case: Case, files: OwnFiles = None, to: ToSome = None, timeout: Timeout = WAIT_S) -> Exit:
    """Show what `send note` would seal, to whom."""
    return await _plan(call, noting(case, files, to), timeout)


async def transfer(call: Call, *, case: Case, to: To, timeout: Timeout = WAIT_S) -> Exit:
    """Show what `send transfer` would seal, to whom."""
    return await _plan(call, transferring(case, to), timeout)


async def _plan(call: Call, make: Make, timeout_s: float) -> Exit:
    async with open_bus(call) as bus:
        here = await prepare(call, bus, timeout_s)
        plan = bus.plan(await draft_of(call, bus, make, look=here))
        call.screen.put(_fields(plan), *_lines(bus, call.settings.agency, plan))
    return Exit.DONE


def _lines(bus: ReferralBus, agency: str, plan: Plan) -> Iterator[RenderableType]:
    practised = f"  {EXERCISE}" if plan.exercise else ""
    yield heading(f"case {plan.subject}{practised}")
    for number, event in enumerate(plan.events, 1):
        yield heading(f"sự kiện / event {number}: {both(VERBS[event.verb])} → {', '.join(event.recipients) or agency}")
    for event in plan.events:
        readers = [*event.recipients, *(reader for section in event.sections for reader in section.readers)]
        for reader in dict.fromkeys(readers):
            own = [section for section in event.sections if reader in section.readers]
            others = len(event.sections) - len(own)
            sealed = f"; {others}/{len(event.sections)} phần vẫn niêm phong / sections stay sealed" if others else ""
            yield ""
            yield heading(f"{_called(bus, reader)} đọc được / reads{sealed}{practised}")
            # What the sender wrote it has seen.
            yield from _sections(own, in_full=reader != agency or not event.recipients)


def _sections(sections: Iterable[PlannedSection], *, in_full: bool) -> Iterator[RenderableType]:
    for section in sections:
        yield heading(f"  {section.name}  {section.schema}")
        yield from map(indented, caution(section.schema))
        if in_full:
            yield indented(indented(form(section.rows, section.missing)))


def _called(bus: ReferralBus, address: str) -> str:
    member = None if bus.directory is None else bus.directory.member(agency_of(address))
    name = "" if member is None else f" ({member.entry.names.vi})"
    return f"{address}{name}"


def _fields(plan: Plan) -> Fields:
    return {
        "subject": plan.subject,
        "exercise": plan.exercise,
        "events": [
            {
                "verb": event.verb.value,
                "recipients": list(event.recipients),
                "sections": _section_fields(event.sections),
            }
            for event in plan.events
        ],
    }


def _section_fields(sections: Iterable[PlannedSection]) -> list[Fields]:
    return [
        {
            "name": section.name,
            "schema": section.schema,
            "status": status(section.schema),
            "readers": list(section.readers),
            "fields": row_fields(section.rows),
            "missing": missing_fields(section.missing),
        }
        for section in sections
    ]
