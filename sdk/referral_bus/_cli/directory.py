"""
`directory`: what the directory says, for everybody; a renewed head, an entry, a policy, for the registrar.

It reads and writes the directory's own topics and keeps no store: it works beside whatever else the agency runs.
"""

import asyncio
import re
import signal
from collections.abc import Coroutine
from contextlib import suppress
from typing import Annotated, Any

import typer

from referral_bus._cli import directory_hands, directory_mine
from referral_bus._cli.command import Call, add, new_group
from referral_bus._cli.directory_changing import (
    HOUR_MS,
    LIFETIME_H,
    Changed,
    Lifetime,
    Propose,
    Root,
    Timeout,
    head_fields,
    head_line,
    make_change,
    root_keys,
)
from referral_bus._cli.directory_files import read_entries, read_grant, read_outage
from referral_bus._cli.directory_topic import DirectoryTopic
from referral_bus._cli.faults import WrongUsage, mention, report
from referral_bus._cli.screen import columns, heading, when
from referral_bus._cli.world import Exit
from referral_bus.registrar import with_grant, with_outage, without_grant
from referral_contracts.directory import Directory
from referral_contracts.directory_model import POLICY_KEY, Entry, Purpose
from referral_contracts.encoding import SUBJECT, format_time, parse_time
from referral_contracts.errors import LocalError, ReferralBusError
from referral_contracts.topics import agency_of
from referral_contracts.wording import PURPOSES, both


def add_to(app: typer.Typer) -> None:
    """Add the group to *app*."""
    group = new_group(app, "directory", "Who is on the bus, and the registrar's changes to it.")
    head = "version, issued, expires, entries, usable, fault"
    add(group, "show", show, json=f"{head}, agencies[], policy; or one agency's entry as it is signed")
    add(group, "renew", renew, json=head)
    add(group, "publish", publish, json=f"{head}, published[]")
    add(group, "outage", outage, json=f"{head}, published[]")
    add(group, "grant", grant, json=f"{head}, published[]")
    add(group, "end-grant", end_grant, json=f"{head}, published[]")
    directory_hands.add_to(group)
    directory_mine.add_to(group)


async def show(
    call: Call,
    *,
    who: Annotated[str | None, typer.Argument(metavar="AGENCY", help="Only this one, with its keys.")] = None,
    timeout: Timeout = 10.0,
) -> Exit:
    """Show the directory in force, or one agency's entry."""
    async with DirectoryTopic(call.world, call.settings, timeout) as topic:
        directory = await topic.read()
    if who is None:
        _show_all(call, directory)
    else:
        _show_one(call, directory, who)
    code = topic.unusable(call.world.clock.now_ms())
    if code is not None:
        raise LocalError(code, "what is shown is the last good directory")
    return Exit.DONE


async def renew(
    call: Call,
    *,
    root: Root = None,
    propose: Propose = None,
    lifetime: Lifetime = LIFETIME_H,
    every: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", min=1, help="Go on, until Ctrl-C or SIGTERM; a failure is tried again."),
    ] = None,
    timeout: Timeout = 30.0,
) -> Exit:
    """Sign a new head over the same entries, and wait until the bus has taken it."""
    if every is not None and propose is not None:
        raise WrongUsage("--every goes on by itself, and --propose waits for others")
    if every is not None and every * 1000 >= lifetime * HOUR_MS:
        raise WrongUsage("--every is longer than --lifetime: the directory would expire in between")
    signers = root_keys(call, root, alone=propose is None)
    if every is None:
        return await make_change(call, signers, lifetime, timeout, propose=propose)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    while not stop.is_set():
        try:
            await make_change(call, signers, lifetime, timeout)
            pause = every
        except ReferralBusError as error:
            report(error, as_json=False)
            pause = min(every, timeout)
            mention(f"trying again in {pause:.0f} s")
        await _either(stop.wait(), call.world.clock.sleep(pause))
    return Exit.DONE


async def publish(
    call: Call,
    *,
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE", help="An agency's entry, or the policy, as the directory spells it."),
    ],
    root: Root = None,
    propose: Propose = None,
    lifetime: Lifetime = LIFETIME_H,
    timeout: Timeout = 30.0,
) -> Exit:
    """
    Put entries or the policy into the directory, all at once or none, and wait until the bus has taken them.

    A file is JSON with "kind": "agency" or "policy". An entry's keys come from the agency: referral-bus keys records.
    """
    signers = root_keys(call, root, alone=propose is None)
    found = read_entries(files)
    return await make_change(call, signers, lifetime, timeout, propose=propose, changed=lambda _: found)


async def outage(
    call: Call,
    *,
    since: Annotated[str, typer.Option(metavar="TIME", help="When it began, such as 2026-03-14T09:20:00+07:00.")],
    until: Annotated[str, typer.Option(metavar="TIME", help="When the bus took in again what was sent.")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="What happened, in a few words that anybody may read.")],
    root: Root = None,
    propose: Propose = None,
    lifetime: Lifetime = LIFETIME_H,
    timeout: Timeout = 30.0,
) -> Exit:
    """
    Say that the bus was away: no time in it counts against an agency that could not submit. It cannot be taken back.

    It is signed by the root keys, goes through the router and is logged, as every change.
    """
    signers = root_keys(call, root, alone=propose is None)
    told = read_outage(since, until, reason)

    def changed(before: Directory) -> Changed:
        return (), with_outage(before.policy, told)

    return await make_change(call, signers, lifetime, timeout, propose=propose, changed=changed)


async def grant(
    call: Call,
    *,
    who: Annotated[str, typer.Argument(metavar="AGENCY", help="An auditor: an agency with that role.")],
    purpose: Annotated[Purpose, typer.Option(help="What for.")],
    until: Annotated[str, typer.Option(metavar="TIME", help="Until when, such as 2026-03-14T09:20:00+07:00.")],
    since: Annotated[str | None, typer.Option("--from", metavar="TIME", help="From when on; now by default.")] = None,
    case: Annotated[str | None, typer.Option(metavar="CASE", help="To read this case.")] = None,
    province: Annotated[str | None, typer.Option(metavar="CODE", help="To read the cases of this province.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="To read all cases.")] = False,
    root: Root = None,
    propose: Propose = None,
    lifetime: Lifetime = LIFETIME_H,
    timeout: Timeout = 30.0,
) -> Exit:
    """
    Let an auditor read what the log has of one case, of a province's cases or of all, for a year at most.

    Each read is logged, and who owns the case sees it. Grants that are over go from the entry; the log keeps them.
    """
    scope = {name: text for name, text in (("case", case), ("province", province)) if text is not None}
    if len(scope) + everything != 1:
        raise WrongUsage("a grant is for one case, one province or all", "name --case, --province or --all")
    if case is not None and not re.fullmatch(SUBJECT, case):
        raise WrongUsage("not a case", "referral-bus case list has the names of cases")
    signers = root_keys(call, root, alone=propose is None)
    now_ms = call.world.clock.now_ms()
    told = read_grant(scope, purpose.value, since or format_time(now_ms), until)

    def changed(before: Directory) -> Changed:
        return [with_grant(_entry(before, who), told, now_ms)], None

    return await make_change(call, signers, lifetime, timeout, propose=propose, changed=changed)


async def end_grant(
    call: Call,
    *,
    who: Annotated[str, typer.Argument(metavar="AGENCY", help="The auditor.")],
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="Of the grant, as directory show AGENCY has it.")],
    root: Root = None,
    propose: Propose = None,
    lifetime: Lifetime = LIFETIME_H,
    timeout: Timeout = 30.0,
) -> Exit:
    """Take back what an auditor was granted: by this grant nothing more is read. What was read stays logged."""
    signers = root_keys(call, root, alone=propose is None)

    def changed(before: Directory) -> Changed:
        return [without_grant(_entry(before, who), number)], None

    return await make_change(call, signers, lifetime, timeout, propose=propose, changed=changed)


def _entry(directory: Directory, agency: str) -> Entry:
    member = directory.member(agency)
    if member is None:
        raise WrongUsage(f"no agency {agency} in the directory", "referral-bus directory show lists them")
    return member.entry


def _show_all(call: Call, directory: Directory) -> None:
    entries = [Entry.decode(value) for key, value in sorted(directory.entries.items()) if key != POLICY_KEY]
    rows = [
        (entry.id, ", ".join(entry.roles), _reached(entry), f"{entry.names.vi} / {entry.names.en}") for entry in entries
    ]
    told = {
        **head_fields(call, directory),
        "agencies": [
            {
                "id": entry.id,
                "roles": entry.roles,
                "delivery": entry.delivery.kind,
                "names": {"vi": entry.names.vi, "en": entry.names.en},
            }
            for entry in entries
        ],
        "policy": directory.policy.model_dump(mode="json", exclude_none=True),
    }
    call.screen.put(told, heading(head_line(directory)), columns(rows, "agency", "roles", "reached", "name"))


def _show_one(call: Call, directory: Directory, agency: str) -> None:
    entry = _entry(directory, agency)
    facts = [
        ("names", f"{entry.names.vi} / {entry.names.en}"),
        ("roles", ", ".join(entry.roles)),
        ("addresses", ", ".join(sorted([entry.id, *(f"{entry.id}/{desk}" for desk in entry.desks)]))),
        ("reached", _reached(entry)),
        ("parent", entry.parent or ""),
        ("on duty", _duty(entry)),
        ("ends", when(parse_time(entry.ends_at)) if entry.ends_at else ""),
        ("successors", ", ".join(entry.successors)),
    ]
    keys = [
        (key.use.value, key.desk or "", key.kid, when(parse_time(key.valid_until)), "revoked" if key.revoked_at else "")
        for key in entry.keys
    ]
    call.screen.put(
        entry.model_dump(mode="json", exclude_none=True),
        heading(agency),
        columns([fact for fact in facts if fact[1]]),
        columns(keys, "use", "desk", "kid", "valid until", ""),
        *([columns(_granted(entry), "grant", "may read", "purpose", "from", "until")] if entry.grants else []),
    )


def _granted(entry: Entry) -> list[tuple[str, ...]]:
    return [
        (
            str(number),
            # Enough to tell one from another; --json has it whole.
            f"case {one.case[:8]}…" if one.case else f"province {one.province}" if one.province else "all",
            both(PURPOSES[one.purpose]),
            when(parse_time(one.valid_from)),
            when(parse_time(one.valid_until)),
        )
        for number, one in enumerate(entry.grants or (), 1)
    ]


def _reached(entry: Entry) -> str:
    return f"via {entry.delivery.agency}" if entry.delivery.kind == "via" else entry.delivery.kind


def on_duty(directory: Directory | None, address: str) -> str:
    """Return where and when a person of an agency answers, as far as the directory tells."""
    member = None if directory is None else directory.member(agency_of(address))
    return "" if member is None else _duty(member.entry)


def _duty(entry: Entry) -> str:
    return "" if entry.duty is None else "  ".join(filter(None, (entry.duty.phone, entry.duty.hours)))


async def _either(*waits: Coroutine[Any, Any, object]) -> None:
    tasks = [asyncio.create_task(wait) for wait in waits]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
