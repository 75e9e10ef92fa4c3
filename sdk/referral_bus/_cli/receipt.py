"""`receipt`: the log's proof that the bus decided on an event, for a file that anybody can check offline."""

from pathlib import Path
from typing import Annotated

import typer

from referral_bus._cli.command import Call, add
from referral_bus._cli.faults import WrongUsage, mention
from referral_bus._cli.files import write_private
from referral_bus._cli.finding import find_logged
from referral_bus._cli.session import READ_S, Timeout, open_bus, patiently, reached
from referral_bus._cli.verify import PROVEN_JSON, show_proven
from referral_bus._cli.world import Exit
from referral_contracts.codes import Code

_Out = Annotated[str | None, typer.Option("--out", metavar="FILE", help="Write the receipt (.tlog-proof).")]
_Event = Annotated[str | None, typer.Option("--event", metavar="FILE", help="Write the event's bytes, sealed.")]
_Signature = Annotated[str | None, typer.Option("--signature", metavar="FILE", help="Write its signature header.")]


def add_to(app: typer.Typer) -> None:
    """Add the verb to *app*."""
    add(app, "receipt", receipt, json=f"id, {PROVEN_JSON}")


async def receipt(
    call: Call,
    *,
    event_id: Annotated[str, typer.Argument(metavar="ID", help="The event, said or heard; its beginning will do.")],
    out: _Out = None,
    event: _Event = None,
    signature: _Signature = None,
    timeout: Timeout = READ_S,
) -> Exit:
    """
    Show the log's receipt of an event, and write it to a file.

    With --event and --signature it writes what `referral-bus verify` needs besides, to check it anywhere, offline.
    """
    if call.settings.log_access(call.world.open_log) is None:
        raise WrongUsage(
            "no log is known",
            "the agency's folder needs log.policy, and the address in it or as log in bus.toml",
            code=Code.LOG_AWAY,
        )
    async with open_bus(call) as bus:
        # A verdict that is still on its way may be the one that is asked for.
        if await reached(call, bus, timeout):
            await patiently(call, "reading the inbox", bus.caught_up(timeout_s=timeout))
        known = find_logged(bus, event_id)
        found = await patiently(call, "asking the log", bus.receipt(known, timeout_s=timeout))
    for name, data in ((out, found.receipt), (event, found.value), (signature, found.signature)):
        if name is not None:
            write_private(Path(name), data)
            mention(f"{name} is written")
    show_proven(call, found.proven, id=found.event_id)
    return Exit.DONE
