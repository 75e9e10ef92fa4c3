"""`case` and `handoff`: how things stand, as this agency knows it, and what is said about a whole case."""

from collections.abc import Callable, Iterator
from typing import Annotated, Final

import typer

from referral_bus._cli.command import Call, Command, add, new_group
from referral_bus._cli.directory import on_duty
from referral_bus._cli.drafts import OtherCases, Told, tying
from referral_bus._cli.finding import (
    CaseArgument,
    CorrectedOption,
    HandoffArgument,
    find_case,
    find_handoff,
    find_said,
    find_subject,
    name_of,
)
from referral_bus._cli.saying import SENT_JSON, NoWait, Patience, SectionFiles, read_own, say
from referral_bus._cli.screen import Fields, columns, heading, when
from referral_bus._cli.session import READ_S, WAIT_S, Timeout, be_present, open_bus
from referral_bus._cli.world import Exit
from referral_bus.client import ReferralBus
from referral_bus.draft import Draft
from referral_bus.views import CaseView, HandoffView, LinkView
from referral_contracts.directory import Directory
from referral_contracts.encoding import format_time
from referral_contracts.lifecycle import OPEN_STATES
from referral_contracts.wording import CASES, EXERCISE, RECEIPTS, STATES, VERBS, both

_HANDOFF: Final = (
    "opening, recipient, subject, exercise, opened_by, sender, holder, opened_with, state, receipt, head{id, sha256}, "
    "follows{id, sha256}, followed{opening, recipient}, admitted"
)
_LINKS: Final = "links[]{subject, other, relation, said_by, admitted}"


def add_to(app: typer.Typer) -> None:
    """Add the groups to *app*."""
    case = f"subject, exercise, owned, state, head{{id, sha256}}, handoffs[]{{{_HANDOFF}}}, {_LINKS}, links_left"
    group = new_group(app, "case", "Cases that this agency is a party of.")
    add(group, "list", list_, json=case)
    add(group, "show", show, json=case)
    for name, command in _COMMANDS.items():
        add(group, name, command, json=SENT_JSON)
    add(new_group(app, "handoff", "Hand-offs of this agency's cases."), "show", show_handoff, json=_HANDOFF)


async def list_(call: Call, *, timeout: Timeout = READ_S) -> Exit:
    """Write a line for each case that this agency knows."""
    async with open_bus(call) as bus:
        ended = await be_present(call, bus, timeout)
        for case in bus.cases():
            call.screen.put(case_fields(case), case_line(case))
    return ended


async def show(call: Call, *, case: CaseArgument, timeout: Timeout = READ_S) -> Exit:
    """Show a case and its hand-offs, as this agency knows them."""
    async with open_bus(call) as bus:
        ended = await be_present(call, bus, timeout)
        found = find_case(bus, case)
        lines = [line for item in found.handoffs for line in handoff_lines(item)]
        ties = [_link_line(found, item) for item in found.links]
        if found.links_left:
            ties.append(
                f"  liên kết còn niêm phong cho cơ quan trước / links left with an agency before: {found.links_left}"
            )
        call.screen.put(case_fields(found), heading(case_line(found)), *ties, *lines)
    return ended


async def show_handoff(call: Call, *, handoff: HandoffArgument, timeout: Timeout = READ_S) -> Exit:
    """Show how a hand-off stands, as this agency knows it."""
    async with open_bus(call) as bus:
        ended = await be_present(call, bus, timeout)
        found = find_handoff(bus, handoff)
        facts = [
            ("lượt chuyển gửi / hand-off", name_of(found.key)),
            ("vụ việc / case", f"{found.subject}  {EXERCISE}" if found.exercise else found.subject),
            ("bên mở / opened by", _opening(found)),
            ("trạng thái / state", both(STATES[found.state])),
            ("xác nhận đã nhận / receipt", _receipt(found)),
            *_chain(bus, found),
            ("từ lúc / since", f"{when(found.admitted_ms)} (+07:00)"),
            ("bước cuối / last step", found.head.id),
            *_sides(bus.directory, found),
        ]
        call.screen.put(handoff_fields(found), columns(facts))
    return ended


def _saying(saying: Callable[..., Draft], text: str) -> Command:
    """Return the command that says with *saying*, of a case, what its files hold; *text* is its help."""

    async def of_case(
        call: Call, *, case: CaseArgument, files: SectionFiles, no_wait: NoWait = False, timeout: Timeout = WAIT_S
    ) -> Exit:
        payloads = read_own(files)

        def make(bus: ReferralBus) -> Draft:
            return saying(bus, find_subject(bus, case), *payloads)

        return await say(call, make, Patience(no_wait=no_wait, timeout_s=timeout))

    of_case.__doc__ = text
    return of_case


def _tying(saying: Callable[..., Draft], text: str) -> Command:
    """Return the command that ties a case to others with *saying*, or takes that back; *text* is its help."""

    async def tie(
        call: Call,
        *,
        case: CaseArgument,
        files: SectionFiles,
        other: OtherCases,
        to: Told = None,
        no_wait: NoWait = False,
        timeout: Timeout = WAIT_S,
    ) -> Exit:
        make = tying(saying, case, files, other, to)
        return await say(call, make, Patience(no_wait=no_wait, timeout_s=timeout))

    tie.__doc__ = text
    return tie


async def correct(
    call: Call,
    *,
    case: CaseArgument,
    files: SectionFiles,
    event: CorrectedOption,
    to: Annotated[
        list[str] | None, typer.Option(metavar="AGENCY", help="Who is to read it. Repeatable; else nobody else does.")
    ] = None,
    no_wait: NoWait = False,
    timeout: Timeout = WAIT_S,
) -> Exit:
    """Correct what this agency said of a case: what was wrong, and the form as it is right. Both are kept."""
    first, *more = read_own(files)

    def make(bus: ReferralBus) -> Draft:
        return bus.correct_case(find_subject(bus, case), find_said(bus, event), first, *more, to=to or ())

    return await say(call, make, Patience(no_wait=no_wait, timeout_s=timeout))


_COMMANDS: Final[dict[str, Command]] = {
    "accept": _saying(
        ReferralBus.accept_transfer, "Take over a case that was offered to this agency: it owns it from then on."
    ),
    "decline": _saying(ReferralBus.decline_transfer, "Do not take over a case that was offered to this agency."),
    "withdraw": _saying(
        ReferralBus.withdraw_transfer, "Take back that a case of this agency was offered to another: it keeps it."
    ),
    "link": _tying(
        ReferralBus.link_case,
        "Tie a case of this agency to others, of the same child or the same incident. Children are counted once.",
    ),
    "unlink": _tying(
        ReferralBus.unlink_case, "Take back that a case of this agency has something in common with others."
    ),
    "close": _saying(
        ReferralBus.close_case, "Close a case that this agency owns. What it says is sealed to this agency alone."
    ),
    "reopen": _saying(
        ReferralBus.reopen_case,
        "Open a closed case again that this agency owns. What it says is sealed to this agency alone.",
    ),
    "correct": correct,
    "void": _saying(
        ReferralBus.void_case,
        "Say that a whole case was entered in error. It is not opened again. What it says is sealed to this agency.",
    ),
}


def case_line(case: CaseView) -> str:
    """Return a case in one line."""
    parts = (
        case.subject,
        both(CASES[case.state]) if case.state is not None else "—",
        "phụ trách vụ việc / owner" if case.owned else "bên liên quan / party",
        f"{len(case.handoffs)} lượt chuyển gửi / hand-off{'' if len(case.handoffs) == 1 else 's'}",
        EXERCISE if case.exercise else "",
    )
    return "  ".join(part for part in parts if part)


def _link_line(case: CaseView, item: LinkView) -> str:
    other = item.subject if item.other == case.subject else item.other
    return (
        f"  {item.relation.vi} / {item.relation.en}: {other}  theo / said by {item.said_by}, {when(item.admitted_ms)}"
    )


def handoff_lines(item: HandoffView) -> tuple[str, str]:
    """Return a hand-off in two lines."""
    # A line of its own for what is copied by hand: a narrow terminal would fold it in a table.
    how = [both(STATES[item.state]), _receipt(item), f"bên mở / opened by {item.opened_by}"]
    if item.holder != item.key.recipient:
        how.append(f"nay do / now with {item.holder}")
    if item.sender != item.opened_by:
        how.append(f"bên gửi nay là / sender now {item.sender}")
    if item.follows is not None:
        how.append(f"tiếp nối / follows {_followed(item)}")
    if item.exercise:
        how.append(EXERCISE)
    return f"  {name_of(item.key)}", f"    {'  '.join(how)}"


def _chain(bus: ReferralBus, found: HandoffView) -> Iterator[tuple[str, str]]:
    """Yield what it takes up, and what takes it up."""
    if found.follows is not None:
        yield "tiếp nối / follows", _followed(found)
    case = bus.case(found.subject)
    for item in () if case is None else case.handoffs:
        if item.followed == found.key:
            yield "được tiếp nối bởi / followed by", f"{name_of(item.key)}  {both(STATES[item.state])}"


def _followed(item: HandoffView) -> str:
    # To whom it was, only those can tell who had part in it.
    return "lượt chuyển gửi trước / an earlier one" if item.followed is None else name_of(item.followed)


def _sides(directory: Directory | None, item: HandoffView) -> list[tuple[str, str]]:
    # Whoever looks at what is not answered looks for somebody to call.
    asked = [("bên nhận nay là / recipient now", item.holder)] if item.holder != item.key.recipient else []
    if item.sender != item.opened_by:
        asked.append(("bên gửi nay là / sender now", item.sender))
    if item.state not in OPEN_STATES:
        return asked
    sides = ((f"trực / on duty: {address}", on_duty(directory, address)) for address in (item.holder, item.sender))
    return asked + [(title, told) for title, told in sides if told]


def _opening(item: HandoffView) -> str:
    return item.opened_by if item.opened_with is None else f"{item.opened_by}: {both(VERBS[item.opened_with])}"


def _receipt(item: HandoffView) -> str:
    return "—" if item.receipt is None else both(RECEIPTS[item.receipt])


def case_fields(case: CaseView) -> Fields:
    """Return a case for JSON."""
    return {
        "subject": case.subject,
        "exercise": case.exercise,
        "owned": case.owned,
        "state": None if case.state is None else case.state.value,
        "head": None if case.head is None else {"id": case.head.id, "sha256": case.head.sha256},
        "handoffs": [handoff_fields(item) for item in case.handoffs],
        "links": [
            {
                "subject": item.subject,
                "other": item.other,
                "relation": item.relation.value,
                "said_by": item.said_by,
                "admitted": format_time(item.admitted_ms),
            }
            for item in case.links
        ],
        "links_left": case.links_left,
    }


def handoff_fields(item: HandoffView) -> Fields:
    """Return a hand-off for JSON."""
    return {
        "opening": item.key.opening,
        "recipient": item.key.recipient,
        "subject": item.subject,
        "exercise": item.exercise,
        "opened_by": item.opened_by,
        "sender": item.sender,
        "holder": item.holder,
        "opened_with": None if item.opened_with is None else item.opened_with.value,
        "state": item.state.value,
        "receipt": None if item.receipt is None else item.receipt.value,
        "head": item.head.model_dump(),
        "follows": None if item.follows is None else item.follows.model_dump(),
        "followed": None if item.followed is None else item.followed.model_dump(),
        "admitted": format_time(item.admitted_ms),
    }
