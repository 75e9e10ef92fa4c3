"""`stats`: what is told to the statistics agency, and what that one counts. Small counts are hidden in all of it."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Final

import typer

from referral_bus._cli.clock_times import Days, Packs, read_rules
from referral_bus._cli.command import Call, add, new_group
from referral_bus._cli.faults import WrongUsage, advise
from referral_bus._cli.files import read_named
from referral_bus._cli.finding import CaseArgument, find_subject
from referral_bus._cli.saying import SENT_JSON, Patience, say
from referral_bus._cli.screen import columns, heading
from referral_bus._cli.session import READ_S, WAIT_S, Timeout, be_present, open_bus
from referral_bus._cli.world import Exit
from referral_bus.client import ReferralBus
from referral_bus.draft import Draft
from referral_contracts.clock_counts import MAX_BYTES, ClockCounts
from referral_contracts.payloads.shown import VIET_NAM
from referral_contracts.published import Sheet, as_csv, sheets

_REPORT_JSON: Final = "table, vi, en, since, until, rows[]{by the names of the table's columns}"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_Csv = Annotated[bool, typer.Option("--csv", help="Write CSV, for a spreadsheet.")]
_Counts = Annotated[
    str | None,
    typer.Option(
        "--counts", metavar="FILE", help="What the deadline watcher counted of the same days, from its operator."
    ),
]


def add_to(app: typer.Typer) -> None:
    """Add the group to *app*."""
    group = new_group(app, "stats", "What is counted of cases: each child once, exercises not at all.")
    add(group, "send", send, json=SENT_JSON)
    add(group, "report", report, json=_REPORT_JSON)
    add(group, "annual", annual, json=_REPORT_JSON)


async def send(
    call: Call, *, case: CaseArgument, pack: Packs = None, calendar: Days = None, timeout: Timeout = WAIT_S
) -> Exit:
    """
    Tell the statistics agency what is counted of a case: bands and codes derived from the Mẫu 01, and no words.

    Told again after the measures, it says whether they were in time.
    """
    rules = None if pack is None else read_rules(pack, calendar)

    def make(bus: ReferralBus) -> Draft:
        return bus.statistics.draft(find_subject(bus, case), rules=rules)

    return await say(call, make, Patience(timeout_s=timeout))


async def report(
    call: Call,
    *,
    since: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="The first day; by default 1 January of the last day.")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="DAY", help="The last day; by default today.")] = None,
    counts: _Counts = None,
    in_csv: _Csv = False,
    timeout: Timeout = READ_S,
) -> Exit:
    """
    Count what this agency was told of a period: the indicators that the plans ask for.

    With --counts the rates and the backlog are those of every clock; without, of those that a notice told of.
    """
    last = _today(call) if until is None else _day(until)
    first = date(last.year, 1, 1) if since is None else _day(since)
    if first > last:
        raise WrongUsage("--from lies after --to")
    return await _told(call, first, last, counts, in_csv=in_csv, timeout_s=timeout)


async def annual(
    call: Call,
    *,
    year: Annotated[int, typer.Argument(metavar="YEAR", min=2020, max=2999, help="The year of the report.")],
    counts: _Counts = None,
    in_csv: _Csv = False,
    timeout: Timeout = READ_S,
) -> Exit:
    """
    Write the annual report, which is due before 15 December: from 15 December of the year before to 14 December.

    So no day is in two reports, and none in none.
    """
    first, last = date(year - 1, 12, 15), date(year, 12, 14)
    if _today(call) <= last:
        advise(f"the period ends on {last}: what comes until then is not in this report")
    return await _told(call, first, last, counts, in_csv=in_csv, timeout_s=timeout)


async def _told(call: Call, first: date, last: date, counts: str | None, *, in_csv: bool, timeout_s: float) -> Exit:
    if in_csv and call.as_json:
        raise WrongUsage("--csv and --json are two forms: take one")
    found = None if counts is None else _counts(counts, first, last)
    async with open_bus(call) as bus:
        if found is not None and found.bus != bus.statistics.bus:
            raise WrongUsage(f"{counts}: counted on another bus, {found.bus}")
        ended = await be_present(call, bus, timeout_s)
        _write(call, sheets(bus.statistics.indicators(first, last), found), first, last, in_csv=in_csv)
    return ended


def _counts(name: str, first: date, last: date) -> ClockCounts:
    found = ClockCounts.decode(read_named(name, MAX_BYTES))
    if (found.since, found.until) != (first, last):
        hint = f"python -m deadline_watcher.counts {first} {last} counts these days"
        raise WrongUsage(f"{name}: counted from {found.since} to {found.until}, and not from {first} to {last}", hint)
    return found


def _write(call: Call, tables: tuple[Sheet, ...], first: date, last: date, *, in_csv: bool) -> None:
    if in_csv:
        call.screen.text(as_csv(tables))
        return
    for sheet in tables:
        names = [name for name, _, _ in sheet.columns]
        fields = {
            "table": sheet.name,
            "vi": sheet.vi,
            "en": sheet.en,
            "since": first.isoformat(),
            "until": last.isoformat(),
            "rows": [dict(zip(names, row, strict=True)) for row in sheet.rows],
        }
        titles = [f"{vi} / {en}" for _, vi, en in sheet.columns]
        rows = [[str(cell) for cell in row] for row in sheet.rows]
        call.screen.put(fields, heading(f"{sheet.vi} / {sheet.en}"), columns(rows, *titles), "")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise WrongUsage(f"{text}: not a day such as 2026-06-30") from None


def _today(call: Call) -> date:
    return (_EPOCH + timedelta(milliseconds=call.world.clock.now_ms())).astimezone(VIET_NAM).date()
