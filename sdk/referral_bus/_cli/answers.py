"""What is said about a hand-off once it is open: by its recipient, or by who opened it."""

from collections.abc import Callable
from typing import Annotated, Final

import typer

from referral_bus._cli.command import Call, Command, add
from referral_bus._cli.finding import CorrectedOption, HandoffArgument, find_answered, find_said
from referral_bus._cli.saying import SENT_JSON, NoWait, Patience, SectionFiles, read_own, say
from referral_bus._cli.session import WAIT_S, Timeout
from referral_bus._cli.world import Exit
from referral_bus.client import ReferralBus
from referral_bus.draft import Draft


def add_to(app: typer.Typer) -> None:
    """Add the verbs to *app*."""
    for name, command in _COMMANDS.items():
        add(app, name, command, json=SENT_JSON)


def _answer(saying: Callable[..., Draft], text: str) -> Command:
    """Return the command that says with *saying* what its files hold; *text* is its help."""

    async def answer(
        call: Call, *, handoff: HandoffArgument, files: SectionFiles, no_wait: NoWait = False, timeout: Timeout = WAIT_S
    ) -> Exit:
        payloads = read_own(files)

        def make(bus: ReferralBus) -> Draft:
            return saying(bus, find_answered(bus, handoff), *payloads)

        return await say(call, make, Patience(no_wait=no_wait, timeout_s=timeout))

    answer.__doc__ = text
    return answer


def _pass_on(saying: Callable[..., Draft], who: str, text: str) -> Command:
    """Return the command that says with *saying* to whom a hand-off goes: *who* that is to be, is the option's help."""

    async def pass_on(
        call: Call,
        *,
        handoff: HandoffArgument,
        files: SectionFiles,
        to: Annotated[str, typer.Option(metavar="AGENCY", help=who)],
        no_wait: NoWait = False,
        timeout: Timeout = WAIT_S,
    ) -> Exit:
        payloads = read_own(files)

        def make(bus: ReferralBus) -> Draft:
            return saying(bus, find_answered(bus, handoff), to, *payloads)

        return await say(call, make, Patience(no_wait=no_wait, timeout_s=timeout))

    pass_on.__doc__ = text
    return pass_on


async def correct(
    call: Call,
    *,
    handoff: HandoffArgument,
    files: SectionFiles,
    event: CorrectedOption,
    no_wait: NoWait = False,
    timeout: Timeout = WAIT_S,
) -> Exit:
    """Correct what this agency said in a hand-off: what was wrong, and the form as it is right. Both are kept."""
    first, *more = read_own(files)

    def make(bus: ReferralBus) -> Draft:
        return bus.correct(find_answered(bus, handoff), find_said(bus, event), first, *more)

    return await say(call, make, Patience(no_wait=no_wait, timeout_s=timeout))


_COMMANDS: Final[dict[str, Command]] = {
    "accept": _answer(ReferralBus.accept, "Take a request or a duty on."),
    "decline": _answer(ReferralBus.decline, "Decline a request. A duty cannot be declined; see forward."),
    "progress": _answer(ReferralBus.progress, "Report what has been done so far."),
    "suspend": _answer(ReferralBus.suspend, "Let accepted work rest. This agency stays responsible."),
    "resume": _answer(ReferralBus.resume, "Go on with work that rested."),
    "complete": _answer(ReferralBus.complete, "Report that the work is done, and what came of it."),
    "fail": _answer(ReferralBus.fail, "Report that accepted work could not be done."),
    "return": _answer(ReferralBus.return_, "Give accepted work back."),
    "forward": _pass_on(
        ReferralBus.forward,
        "The competent body that it goes to.",
        "Pass a duty on to the competent body. This agency stays responsible until that one has received it.",
    ),
    "withdraw": _answer(ReferralBus.withdraw, "Take back what this agency asked for and nobody has accepted yet."),
    "cancel": _answer(ReferralBus.cancel, "End work that has begun; the owner of the case may end any hand-off of it."),
    "move": _pass_on(
        ReferralBus.move,
        "The successor that goes on with it.",
        "Move this agency's side of a hand-off to a successor, with what it rests on sealed again to that one.",
    ),
    "reopen": _answer(ReferralBus.reopen, "Give completed work back to its recipient, to go on with it."),
    "ask": _answer(ReferralBus.ask, "Ask the other side something. It moves nothing."),
    "answer": _answer(ReferralBus.answer, "Answer what the other side asked."),
    "correct": correct,
    "void": _answer(ReferralBus.void, "Say that a hand-off was entered in error."),
    "recall": _answer(ReferralBus.recall, "Ask back, or to destroy, what this agency sent by mistake."),
    "report-misdirected": _answer(
        ReferralBus.report_misdirected, "Tell that this agency got what was not for it, and what became of it."
    ),
    "close": _answer(ReferralBus.close, "Close a hand-off whose work was completed or returned."),
}
