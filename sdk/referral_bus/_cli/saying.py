"""From files to a draft, from a draft to a verdict: what `send`, the answers and `plan` have in common."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeAlias

import typer

from referral_bus._cli.command import Call
from referral_bus._cli.faults import WrongUsage, advise, complain, hints_of
from referral_bus._cli.files import read_sections
from referral_bus._cli.finding import name_of
from referral_bus._cli.screen import Fields
from referral_bus._cli.session import READ_S, WAIT_S, be_present, open_bus, patiently, prepare, tell_silence
from referral_bus._cli.wording import ENTRIES
from referral_bus._cli.world import Exit
from referral_bus.client import ReferralBus
from referral_bus.draft import Draft
from referral_bus.sent import Entry, Sent, TimedOut
from referral_contracts.codes import Code
from referral_contracts.errors import LocalError
from referral_contracts.payloads.payload import Payload
from referral_contracts.verbs import Verb
from referral_contracts.wording import EXERCISE, STATES, VERBS, both, refusal

Make: TypeAlias = Callable[[ReferralBus], Draft]
"""Makes the draft once the bus is open: only then is it known what a case's beginning means."""

SENT_JSON: Final = (
    "subject, exercise, accepted, code, "
    "events[]{id, verb, subject, exercise, recipients, state, code, corrected_by[], voided_by[]}, "
    "handoffs[]{opening, recipient}"
)

_SEAL_S: Final = 0.1
"""Sealing waits for nothing but a directory, and without the broker none will come."""
_KEPT: Final = (
    "không mất gì: việc đã nằm trong hộp gửi và sẽ được gửi sau, bằng bất kỳ lệnh nào kết nối được trục"
    " / nothing is lost: it is in the outbox and goes out later, with any command that reaches the bus"
)

SectionFiles = Annotated[
    list[str], typer.Argument(metavar="FILE", help="Section files: what the other side is to read.")
]
To = Annotated[
    list[str],
    typer.Option(metavar="AGENCY=FILE[,FILE...]", help="Who is to read which section files. Repeatable."),
]
OwnFiles = Annotated[
    list[str] | None, typer.Argument(metavar="FILE", help="Section files that are sealed to this agency alone.")
]
ToSome = Annotated[
    list[str] | None,
    typer.Option("--to", metavar="AGENCY=FILE[,FILE...]", help="Who is to read which section files. Repeatable."),
]
NoWait = Annotated[
    bool, typer.Option("--no-wait", help="Return once the broker has it; outbox list tells the verdict.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a command waits, and for what."""

    no_wait: bool = False
    timeout_s: float = WAIT_S


def read_parts(to: Sequence[str]) -> Mapping[str, tuple[Payload, ...]]:
    """
    Return what each recipient is to read. A file that several are given is one body, sealed once to all of them.

    Raises:
        WrongUsage: Not AGENCY=FILE[,FILE...].
        Several: Some files cannot be sent as they are.
    """
    named: dict[str, list[str]] = {}
    for text in to:
        recipient, equals, files = text.partition("=")
        names = files.split(",")
        if not recipient or not equals or not all(names):
            raise WrongUsage("--to takes AGENCY=FILE[,FILE...]")
        named.setdefault(recipient, []).extend(names)
    sections = read_sections(name for names in named.values() for name in names)
    return {recipient: tuple(sections[name] for name in names) for recipient, names in named.items()}


def read_own(files: Sequence[str]) -> tuple[Payload, ...]:
    """Return what *files* say, in their order, or raise Several."""
    sections = read_sections(files)
    return tuple(sections[name] for name in files)


async def say(call: Call, make: Make, patience: Patience) -> Exit:
    """Make the draft, send it, and tell what became of it."""
    async with open_bus(call) as bus:
        here = await prepare(call, bus, patience.timeout_s)
        draft = await draft_of(call, bus, make, look=here)
        if not here and not call.insistent:
            tell(call, await bus.send(draft, wait=False, timeout_s=_SEAL_S))
            tell_silence(call, _KEPT)
            return Exit.AWAY
        wait: Literal["ack"] | bool = "ack" if patience.no_wait else True
        text = "waiting for the broker" if patience.no_wait else "waiting for the verdict"
        try:
            sent = await patiently(call, text, bus.send(draft, wait=wait, timeout_s=patience.timeout_s))
        except TimedOut as error:
            tell(call, error.sent)
            complain(str(error), *hints_of(error.cause or Code.TIMED_OUT))
            return Exit.AWAY
        except asyncio.CancelledError:
            # Ctrl-C ends the waiting; what is in the outbox by now goes out all the same.
            if any(not entry.state.settled for entry in bus.outbox()):
                advise(*hints_of(Code.TIMED_OUT))
            raise
        tell(call, sent)
        return judge(sent.entries)


async def draft_of(call: Call, bus: ReferralBus, make: Make, *, look: bool) -> Draft:
    """Return the draft, after a *look* at the inbox where it is about something that is not known yet."""
    try:
        return make(bus)
    except (WrongUsage, LocalError) as error:
        if error.code is not Code.NOT_FOUND or not look:
            raise
    await be_present(call, bus, READ_S)
    return make(bus)


def judge(entries: Sequence[Entry]) -> Exit:
    """Return what the process says of *entries*; a refusal is explained on standard error."""
    refused = [entry for entry in entries if entry.state.dead]
    for entry in refused:
        code = entry.code or Code.INTERNAL
        complain(f"{both(ENTRIES[entry.state])}: {refusal(code)}", *hints_of(code))
        if entry.verdict is not None and entry.verdict.open:
            advise(
                *(
                    f"still open: {name_of(one.key)}  {both(STATES[one.state])}  bên mở / opened by {one.sender}"
                    for one in entry.verdict.open
                )
            )
    for entry in entries:
        if entry.verb is Verb.CASE_REOPENED and entry.verdict is not None and entry.verdict.case_restored:
            advise("the case came back from the archive; other agencies become parties again by new hand-offs")
    return Exit.REFUSED if refused else Exit.DONE


def tell(call: Call, sent: Sent) -> None:
    """Write what became of a draft."""
    told: Fields = {
        "subject": sent.subject,
        "exercise": sent.exercise,
        "accepted": sent.accepted,
        "code": None if sent.code is None else sent.code.value,
        "events": [entry_fields(entry) for entry in sent.entries],
        "handoffs": [{"opening": key.opening, "recipient": key.recipient} for key in sent.handoffs],
    }
    lines = [f"  {entry_line(entry, case=False)}" for entry in sent.entries]
    opened = [f"  hand-off {name_of(key)}" for key in sent.handoffs]
    practised = f"  {EXERCISE}" if sent.exercise else ""
    call.screen.put(told, f"case {sent.subject}{practised}", *lines, *opened)


def entry_fields(entry: Entry) -> Fields:
    """Return an entry for JSON."""
    return {
        "id": entry.id,
        "verb": entry.verb.value,
        "subject": entry.subject,
        "exercise": entry.exercise,
        "recipients": list(entry.recipients),
        "state": entry.state.value,
        "code": None if entry.code is None else entry.code.value,
        "corrected_by": list(entry.corrected_by),
        "voided_by": list(entry.voided_by),
    }


def entry_line(entry: Entry, *, case: bool = True) -> str:
    """Return an entry for a person, without its *case* where that is told already."""
    recipients = f" → {', '.join(entry.recipients)}" if entry.recipients else ""
    code = f": {refusal(entry.code)}" if entry.code is not None else ""
    subject = f"  case {entry.subject}" if case else ""
    subject += f"  {EXERCISE}" if case and entry.exercise else ""
    return (
        f"{entry.id}  {both(VERBS[entry.verb])}{recipients}{subject}  {both(ENTRIES[entry.state])}{code}{_since(entry)}"
    )


def _since(entry: Entry) -> str:
    corrected = [f"  đã đính chính bằng / corrected by {event_id}" for event_id in entry.corrected_by]
    voided = [f"  đã hủy vì nhập nhầm bằng / voided by {event_id}" for event_id in entry.voided_by]
    return "".join([*corrected, *voided])
