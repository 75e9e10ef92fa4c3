"""`audit consistent`: that a log only grew from one checkpoint to another, as anybody can prove who was shown them."""

from contextlib import closing
from functools import partial
from typing import Annotated, Final

import typer

from referral_bus._cli.command import Call
from referral_bus._cli.files import read_named
from referral_bus._cli.screen import Fields, plain
from referral_bus._cli.world import Exit
from referral_contracts.encoding import b64
from referral_contracts.log.checkpoint import Checkpoint
from referral_contracts.log.consistent import check_consistent
from referral_contracts.log.policy import Policy

CONSISTENT_JSON: Final = "consistent, origin, old{size, root}, new{size, root}, witnesses[]"
_MOST: Final = 262_144


def consistent(
    call: Call,
    *,
    old: Annotated[str, typer.Argument(metavar="OLD", help="A checkpoint that the log showed once.")],
    new: Annotated[
        str | None, typer.Argument(metavar="NEW", help="One that it showed later; without it, the one it shows now.")
    ] = None,
    log: Annotated[
        str, typer.Option("--log", metavar="URL|DIR", help="Where the log's tiles are published, or a copy of them.")
    ],
    policy: Annotated[
        str, typer.Option("--policy", metavar="FILE", help="With which key the log signs (c2sp.org/tlog-policy).")
    ],
) -> Exit:
    """
    Prove that the log only grew from OLD to NEW: nothing taken back, nothing of what was there changed.

    It asks for nothing but the published tiles, and believes them only as far as they lead to NEW. A log that was
    forked or rolled back ends with 4 and its code: both checkpoints, signed by the log, are the evidence.
    """
    # Only who asks pays for loading the client.
    from referral_bus._published import published_at, published_checkpoint, published_tile  # noqa: PLC0415

    known = Policy.parse(read_named(policy, _MOST))
    before = known.check(read_named(old, _MOST))
    with closing(published_at(log)) as published:
        after = known.check(published_checkpoint(published) if new is None else read_named(new, _MOST))
        check_consistent(before.checkpoint, after.checkpoint, partial(published_tile, published))
    told: Fields = {
        "consistent": True,
        "origin": after.checkpoint.origin,
        "old": _fields(before.checkpoint),
        "new": _fields(after.checkpoint),
        "witnesses": list(after.witnesses),
    }
    sizes = f"{before.checkpoint.size} → {after.checkpoint.size} leaves"
    call.screen.put(told, plain(f"✓ {after.checkpoint.origin}  {sizes}: the log only grew"))
    return Exit.DONE


def _fields(checkpoint: Checkpoint) -> Fields:
    return {"size": checkpoint.size, "root": b64(checkpoint.root)}
