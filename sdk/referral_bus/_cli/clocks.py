"""`clocks`: what this agency says of the clocks that the deadline watcher told it of."""

from collections.abc import Callable
from typing import Annotated, Final, TypeAlias

import typer

from referral_bus._cli.clock_times import CLOCK_JSON, next_, overdue, show
from referral_bus._cli.command import Call, Command, add, new_group
from referral_bus._cli.finding import CaseArgument, find_subject
from referral_bus._cli.saying import SENT_JSON, NoWait, Patience, SectionFiles, read_own, say
from referral_bus._cli.session import WAIT_S, Timeout
from referral_bus._cli.world import Exit
from referral_bus.client import ReferralBus
from referral_bus.draft import Draft

_Told: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--to", metavar="AGENCY", help="Who is to read the words, too. Repeatable; else nobody else does."),
]


def add_to(app: typer.Typer) -> None:
    """Add the group to *app*."""
    group = new_group(app, "clocks", "Deadlines in this agency's cases, and what it says of them.")
    add(group, "show", show, json=CLOCK_JSON)
    add(group, "overdue", overdue, json=CLOCK_JSON)
    add(group, "next", next_, json=CLOCK_JSON)
    for name, command in _COMMANDS.items():
        add(group, name, command, json=SENT_JSON)


def _saying(saying: Callable[..., Draft], text: str) -> Command:
    """Return the command that says with *saying*, of a clock, what its files hold; *text* is its help."""

    async def of_clock(
        call: Call,
        *,
        case: CaseArgument,
        files: SectionFiles,
        to: _Told = None,
        no_wait: NoWait = False,
        timeout: Timeout = WAIT_S,
    ) -> Exit:
        payloads = read_own(files)

        def make(bus: ReferralBus) -> Draft:
            return saying(bus, find_subject(bus, case), *payloads, to=tuple(to or ()))

        return await say(call, make, Patience(no_wait=no_wait, timeout_s=timeout))

    of_clock.__doc__ = text
    return of_clock


_COMMANDS: Final[dict[str, Command]] = {
    "dispute": _saying(
        ReferralBus.dispute_clock, "Say that a clock of this agency is wrong, and why. It is never called missed then."
    ),
    "extend": _saying(
        ReferralBus.extend_clock, "Tell that more time was given: until when, by which office, with which document."
    ),
    "confirm": _saying(
        ReferralBus.confirm_clock, "Confirm, as an agency above, that what was recorded late was done in time."
    ),
}
