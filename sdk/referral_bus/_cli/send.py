"""`send`: what an agency says first. Answers are in `answers`."""

from typing import Annotated

import typer

from referral_bus._cli.command import Call, add, new_group
from referral_bus._cli.drafts import Case, Follows, making, noting, opening, transferring
from referral_bus._cli.saying import SENT_JSON, NoWait, OwnFiles, Patience, SectionFiles, To, ToSome, say
from referral_bus._cli.session import WAIT_S, Timeout
from referral_bus._cli.world import Exit
from referral_contracts.verbs import Verb


def add_to(app: typer.Typer) -> None:
    """Add the group to *app*."""
    group = new_group(app, "send", "Say something to other agencies, sealed, and wait for the bus's verdict.")
    add(group, "open", open_case, json=SENT_JSON)
    add(group, "offer", offer, json=SENT_JSON)
    add(group, "assign", assign, json=SENT_JSON)
    add(group, "notify", notify, json=SENT_JSON)
    add(group, "note", note, json=SENT_JSON)
    add(group, "transfer", transfer, json=SENT_JSON)


async def open_case(
    call: Call,
    *,
    files: SectionFiles,
    exercise: Annotated[
        bool, typer.Option("--exercise", help="Only practised: shown everywhere, counted nowhere.")
    ] = False,
    no_wait: NoWait = False,
    timeout: Timeout = WAIT_S,
) -> Exit:
    """Open a case. Its forms are sealed to this agency alone."""
    return await say(call, opening(files, exercise=exercise), Patience(no_wait=no_wait, timeout_s=timeout))


async def offer(
    call: Call, *, case: Case, to: To, follows: Follows = None, no_wait: NoWait = False, timeout: Timeout = WAIT_S
) -> Exit:
    """Ask agencies for help. Each may decline, and reads its own sections only."""
    return await say(call, making(Verb.OFFERED, case, to, follows), Patience(no_wait=no_wait, timeout_s=timeout))


async def assign(
    call: Call, *, case: Case, to: To, follows: Follows = None, no_wait: NoWait = False, timeout: Timeout = WAIT_S
) -> Exit:
    """Give agencies a statutory duty. It cannot be declined, only forwarded to the competent body."""
    return await say(call, making(Verb.ASSIGNED, case, to, follows), Patience(no_wait=no_wait, timeout_s=timeout))


async def notify(
    call: Call, *, case: Case, to: To, follows: Follows = None, no_wait: NoWait = False, timeout: Timeout = WAIT_S
) -> Exit:
    """Inform agencies. Nothing is asked of them."""
    return await say(call, making(Verb.NOTIFIED, case, to, follows), Patience(no_wait=no_wait, timeout_s=timeout))


async def note(
    call: Call,
    *,
    case: Case,
    files: OwnFiles = None,
    to: ToSome = None,
    no_wait: NoWait = False,
    timeout: Timeout = WAIT_S,
) -> Exit:
    """File something in the case, to each agency its part, or for this agency alone: what it did or found itself."""
    return await say(call, noting(case, files, to), Patience(no_wait=no_wait, timeout_s=timeout))


async def transfer(call: Call, *, case: Case, to: To, no_wait: NoWait = False, timeout: Timeout = WAIT_S) -> Exit:
    """Offer the case itself to one agency. This one stays responsible until that one has accepted."""
    return await say(call, transferring(case, to), Patience(no_wait=no_wait, timeout_s=timeout))
