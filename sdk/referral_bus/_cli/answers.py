"""What is said about a hand-off once it is open: by its recipient, or by who opened it."""

from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from referral_bus._cli.command import Call, add
from referral_bus._cli.finding import HandoffArgument, find_answered
from referral_bus._cli.saying import SENT_JSON, NoWait, Patience, SectionFiles, read_own, say
from referral_bus._cli.session import WAIT_S, Timeout
from referral_bus._cli.world import Exit
from referral_bus.client import ReferralBus
from referral_bus.draft import Draft


def add_to(app: typer.Typer) -> None:
    """Add the verbs to *app*."""
    add(app, "accept", accept, json=SENT_JSON)
    add(app, "decline", decline, json=SENT_JSON)
    add(app, "progress", progress, json=SENT_JSON)
    add(app, "complete", complete, json=SENT_JSON)
    add(app, "return", return_, json=SENT_JSON)
    add(app, "forward", forward, json=SENT_JSON)
    add(app, "withdraw", withdraw, json=SENT_JSON)
    add(app, "close", close, json=SENT_JSON)


async def accept(
    call: Call, *, handoff: HandoffArgument, files: SectionFiles, no_wait: NoWait = False, timeout: Timeout = WAIT_S
) -> Exit:
    """Take a request or a duty on."""
    patience = Patience(no_wait=no_wait, timeout_s=timeout)
    return await _answer(call, ReferralBus.accept, handoff, files, patience)


async def decline(
    call: Call, *, handoff: HandoffArgument, files: SectionFiles, no_wait: NoWait = False, timeout: Timeout = WAIT_S
) -> Exit:
    """Decline a request. A duty cannot be declined; see forward."""
    patience = Patience(no_wait=no_wait, timeout_s=timeout)
    return await _answer(call, ReferralBus.decline, handoff, files, patience)


async def progress(
    call: Call, *, handoff: HandoffArgument, files: SectionFiles, no_wait: NoWait = False, timeout: Timeout = WAIT_S
) -> Exit:
    """Report what has been done so far."""
    patience = Patience(no_wait=no_wait, timeout_s=timeout)
    return await _answer(call, ReferralBus.progress, handoff, files, patience)


async def complete(
    call: Call, *, handoff: HandoffArgument, files: SectionFiles, no_wait: NoWait = False, timeout: Timeout = WAIT_S
) -> Exit:
    """Report that the work is done, and what came of it."""
    patience = Patience(no_wait=no_wait, timeout_s=timeout)
    return await _answer(call, ReferralBus.complete, handoff, files, patience)


async def return_(
    call: Call, *, handoff: HandoffArgument, files: SectionFiles, no_wait: NoWait = False, timeout: Timeout = WAIT_S
) -> Exit:
    """Give accepted work back."""
    patience = Patience(no_wait=no_wait, timeout_s=timeout)
    return await _answer(call, ReferralBus.return_, handoff, files, patience)


async def forward(
    call: Call,
    *,
    handoff: HandoffArgument,
    files: SectionFiles,
    to: Annotated[str, typer.Option(metavar="AGENCY", help="The competent body that it goes to.")],
    no_wait: NoWait = False,
    timeout: Timeout = WAIT_S,
) -> Exit:
    """Pass a duty on to the competent body. This agency stays responsible until that one has received it."""
    first, *more = read_own(files)

    def make(bus: ReferralBus) -> Draft:
        return bus.forward(find_answered(bus, handoff), to, first, *more)

    return await say(call, make, Patience(no_wait=no_wait, timeout_s=timeout))


async def withdraw(
    call: Call, *, handoff: HandoffArgument, files: SectionFiles, no_wait: NoWait = False, timeout: Timeout = WAIT_S
) -> Exit:
    """Take back what this agency asked for and nobody has accepted yet."""
    patience = Patience(no_wait=no_wait, timeout_s=timeout)
    return await _answer(call, ReferralBus.withdraw, handoff, files, patience)


async def close(
    call: Call, *, handoff: HandoffArgument, files: SectionFiles, no_wait: NoWait = False, timeout: Timeout = WAIT_S
) -> Exit:
    """Close a hand-off whose work was completed or returned."""
    patience = Patience(no_wait=no_wait, timeout_s=timeout)
    return await _answer(call, ReferralBus.close, handoff, files, patience)


async def _answer(
    call: Call, saying: Callable[..., Draft], handoff: str, files: Sequence[str], patience: Patience
) -> Exit:
    payloads = read_own(files)
    return await say(call, lambda bus: saying(bus, find_answered(bus, handoff), *payloads), patience)
