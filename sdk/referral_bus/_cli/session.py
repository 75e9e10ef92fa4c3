"""One opening of the agency's store and of its way to the bus, for as long as a command lasts."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Annotated, Final, TypeVar

import typer
from rich.console import Console

from referral_bus._cli.command import Call
from referral_bus._cli.faults import advise, complain, hints_of, mention
from referral_bus._cli.files import why_not_opened
from referral_bus._cli.world import Exit
from referral_bus.client import ReferralBus
from referral_bus.sent import EntryState, Sent
from referral_contracts.codes import Code
from referral_contracts.errors import LocalError

T = TypeVar("T")

ANSWER_S: Final = 4.0
"""How long a broker may take for its first answer, unless somebody said how long to wait."""
Timeout = Annotated[
    float,
    typer.Option(
        metavar="SECONDS",
        min=0.1,
        help=f"How long to wait for the bus; without it, a broker that does not answer is given {ANSWER_S:.0f} s.",
    ),
]
WAIT_S: Final = 30.0
READ_S: Final = 10.0
"""How long to read the inbox for a command that only shows how things stand."""
_PATIENCE_S: Final = 2.0
"""After so long a person wants to know what is going on."""
_WRONG_KEYS: Final = frozenset({Code.UNKNOWN_SENDER, Code.UNKNOWN_KEY, Code.KEY_NOT_VALID})
_SEE_OUT_S: Final = 3.0
_FRESH_S: Final = 5.0
"""How long to try for the latest where the store would do."""


@asynccontextmanager
async def open_bus(call: Call) -> AsyncIterator[ReferralBus]:
    """Open the bus for one command; tell at its end that there are alarms, if there are."""
    settings = call.settings
    keys = settings.keys()
    connect = call.world.connect(settings.bootstrap, settings.tls)
    bus = ReferralBus(
        keys.agency,
        keys,
        settings.trust(),
        store=settings.store,
        transport=connect,
        clock=call.world.clock,
        log=settings.log_access(call.world.open_log),
    )
    async with AsyncExitStack() as stack:
        with _named(settings.store):
            await stack.enter_async_context(bus)
        try:
            yield bus
            _tell_wrong_keys(bus)
            await _see_out(bus)
        finally:
            alarms = bus.status().alarms
            if alarms:
                advise(f"alarms are raised: {alarms}; referral-bus alarms tells them")


def _tell_wrong_keys(bus: ReferralBus) -> None:
    # A command that only shows goes on without: nothing that is signed goes out, and what is new may not open.
    code = bus.status().sending
    if code in _WRONG_KEYS:
        advise(*(f"{code.value}: {hint}" for hint in hints_of(code)))


@contextmanager
def _named(store: Path) -> Iterator[None]:
    # A path is in no log; whoever typed the command has to see it.
    try:
        yield
    except LocalError as error:
        reason = f"; {why_not_opened(store)}" if error.code is Code.NO_SUCH_FILE else ""
        raise LocalError(error.code, f"{store}: {error.detail}{reason}") from error


async def _see_out(bus: ReferralBus) -> None:
    # What was just heard is answered with a receipt. It would go out with the next command, but others wait for it.
    status = bus.status()
    if status.waiting and status.sending is None:
        going = {EntryState.SEALED, EntryState.SIGNED}
        # One with a code waits by itself, for a key that others have to renew, say: perhaps for ever.
        unsent = tuple(entry for entry in bus.outbox() if entry.state in going and entry.code is None)
        if unsent:
            with suppress(LocalError):
                await bus.wait(Sent(entries=unsent), timeout_s=_SEE_OUT_S)


async def reached(call: Call, bus: ReferralBus, timeout_s: float) -> bool:
    """Return whether the broker answers."""
    patience_s = timeout_s if call.insistent else min(ANSWER_S, timeout_s)
    text = f"asking the broker at {call.settings.bootstrap}"
    return await patiently(call, text, bus.answers(timeout_s=patience_s))


def tell_silence(call: Call, *hints: str) -> None:
    """Write the error that the broker does not answer, with *hints* before those that it always has."""
    place = call.settings.bootstrap
    complain(f"{Code.BROKER_AWAY.value}: the broker at {place} does not answer", *hints, *hints_of(Code.BROKER_AWAY))


async def prepare(call: Call, bus: ReferralBus, timeout_s: float) -> bool:
    """
    Return whether the broker answers, once the directory is fresh; one from the store will do while the bus is away.

    Raises:
        LocalError: There is no directory, or it does not know this agency's keys.
    """
    known = bus.directory is not None
    if not await reached(call, bus, min(timeout_s, _FRESH_S) if known else timeout_s):
        if not known:
            raise LocalError(Code.BROKER_AWAY, "no answer, and nothing can be sealed before the directory was read")
        return False
    try:
        await patiently(call, "reading the directory", bus.ready(timeout_s=_FRESH_S if known else timeout_s))
    except LocalError as error:
        if not known or error.code in _WRONG_KEYS:
            raise
        _not_the_latest(error.code)
    return True


async def be_present(call: Call, bus: ReferralBus, timeout_s: float) -> Exit:
    """
    Read the inbox to its end. While the bus is away, say that what follows is not the latest.

    Return what a command that shows how things stand says when it ends: DONE, or AWAY.
    """
    if not await reached(call, bus, timeout_s):
        _not_the_latest(Code.BROKER_AWAY, f"the broker at {call.settings.bootstrap}")
        return Exit.AWAY
    try:
        await patiently(call, "reading the inbox", bus.caught_up(timeout_s=timeout_s))
    except LocalError as error:
        _not_the_latest(error.code)
        return Exit.AWAY
    return Exit.DONE


def _not_the_latest(code: Code, who: str = "the bus") -> None:
    mention(f"{who} does not answer ({code.value}): going by what was last heard")


async def patiently(call: Call, text: str, work: Awaitable[T]) -> T:
    """Return what *work* returns; tell on standard error what is waited for when it takes long."""
    task = asyncio.ensure_future(work)
    patience = asyncio.ensure_future(call.world.clock.sleep(_PATIENCE_S))
    try:
        await asyncio.wait((task, patience), return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        if not sys.stderr.isatty():
            mention(f"{text} …")
            return await task
        plain = bool(call.world.environ.get("NO_COLOR"))
        with Console(file=sys.stderr, no_color=plain, markup=False).status(f"{text} …"):
            return await task
    finally:
        for unfinished in (task, patience):
            unfinished.cancel()
        await asyncio.wait((task, patience))
