"""
A change of the directory, as a command makes it: signed by the root keys at hand, put on the bus, waited for.

Where these are too few, it is written to a file that goes from registrar to registrar (`directory_hands`).
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Final, TypeAlias

import typer

from referral_bus._cli.command import Call
from referral_bus._cli.directory_files import write_change
from referral_bus._cli.directory_topic import DirectoryTopic
from referral_bus._cli.faults import WrongUsage, mention
from referral_bus._cli.screen import Fields, when
from referral_bus._cli.settings import load_keys
from referral_bus._cli.world import Exit
from referral_bus.registrar import Registrar, submission
from referral_contracts.codes import Code
from referral_contracts.directory import Directory, TrustRoot
from referral_contracts.directory_model import POLICY_KEY, Change, Entry, Policy
from referral_contracts.encoding import parse_time
from referral_contracts.keys import SigningKey

Changed: TypeAlias = tuple[Sequence[Entry], Policy | None]
"""What a change puts in."""

HOUR_MS: Final = 3_600_000
LIFETIME_H: Final = 24
"""A directory that nobody looks after for a day stops being believed."""

Timeout = Annotated[float, typer.Option(metavar="SECONDS", min=0.1, help="How long to wait for the bus.")]
Lifetime = Annotated[int, typer.Option(metavar="HOURS", min=1, help="How long the new head is good for.")]
Root = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILE", help="A key file with a root key; by default the folder's root.json, root-2.json … Repeatable."
    ),
]
Propose = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="Do not change anything: write it to FILE, for other registrars to sign."),
]


def _nothing(_: Directory) -> Changed:
    return (), None


async def make_change(
    call: Call,
    signers: tuple[Sequence[SigningKey], TrustRoot],
    lifetime: int,
    timeout: float,
    *,
    propose: str | None = None,
    changed: Callable[[Directory], Changed] = _nothing,
) -> Exit:
    """Change the directory by what *changed* makes of it, or write that to the file *propose*; tell what came of it."""
    keys, trust = signers
    registrar = Registrar(agency=call.settings.agency, bus=trust.bus, keys=keys)
    async with DirectoryTopic(call.world, call.settings, timeout) as topic:
        before = await topic.read()
        entries, policy = changed(before)
        change = registrar.propose(
            before, call.world.clock.now_ms(), lifetime * HOUR_MS, agencies=entries, policy=policy
        )
        if propose is None:
            return await put(call, topic, before, change, keys[0])
        topic.foresee(before, change, trust.by_one_hand())
    write_change(propose, change)
    signed = len(trust.signers(change.data.head))
    call.screen.put(
        {**change_fields(change), "signed": signed, "missing": max(0, trust.threshold - signed)},
        f"{change_line(change)}, signed by {signed} of the {trust.threshold} that it needs",
    )
    return Exit.DONE


async def put(call: Call, topic: DirectoryTopic, before: Directory, change: Change, key: SigningKey) -> Exit:
    """Submit *change*, wait until the bus has taken it, and tell so."""
    entries = change.data.agencies
    after = await topic.put(before, *submission(change, key))
    silent = [entry.id for entry in entries if entry.delivery.kind == "bus" and not await topic.has_inbox(entry.id)]
    published = published_by(change)
    told = {**head_fields(call, after), **({"published": published} if published else {})}
    call.screen.put(told, head_line(after))
    for entry in entries:
        if entry.ends_at is not None:
            mention(ending(entry))
    if silent:
        mention(f"no inbox topic yet, so nobody can send to: {', '.join(silent)}")
    return Exit.DONE


def root_keys(call: Call, files: Sequence[str] | None, *, alone: bool) -> tuple[list[SigningKey], TrustRoot]:
    """
    Return the root keys in *files*, or in the agency's folder, and what is pinned.

    Args:
        call: Whose folder.
        files: Key files; None for those of the folder.
        alone: Nobody else will sign: they have to be enough.
    """
    trust = call.settings.trust()
    keys = [load_keys(file).signing for file in files or call.settings.root_files]
    if any(key.kid not in trust.by_kid for key in keys):
        raise WrongUsage("a signing key that is no root key of this bus", "name the registrar's key files with --root")
    if alone and len({key.kid for key in keys}) < trust.threshold:
        raise WrongUsage(
            f"a head needs {trust.threshold} root keys",
            "name each of their files with --root",
            "or write it to a file that other registrars sign: --propose FILE, directory sign, directory submit",
        )
    return keys, trust


def head_fields(call: Call, directory: Directory) -> Fields:
    """Return what is told of a directory's head."""
    expired = call.world.clock.now_ms() >= directory.expires_ms
    head = directory.head
    return {
        "version": head.version,
        "issued": head.issued,
        "expires": head.expires,
        "entries": head.entries,
        "usable": not expired,
        "fault": Code.DIRECTORY_EXPIRED.value if expired else None,
    }


def head_line(directory: Directory) -> str:
    """Return the same in a line."""
    return f"directory version {directory.version}, good until {when(directory.expires_ms)} (+07:00)"


def change_fields(change: Change) -> Fields:
    """Return what is told of a change that nobody has submitted yet."""
    head = change.data.head.head
    return {"version": head.version, "expires": head.expires, "published": published_by(change)}


def change_line(change: Change) -> str:
    """Return the same in a line."""
    head = change.data.head.head
    return f"proposed directory version {head.version}, good until {when(parse_time(head.expires))} (+07:00)"


def published_by(change: Change) -> list[str]:
    """Return the keys of the entries that *change* puts in."""
    policy = [] if change.data.policy is None else [POLICY_KEY]
    return [entry.id for entry in change.data.agencies] + policy


def ending(entry: Entry) -> str:
    """Return what a person has to know of an agency that ends: what comes before, and who goes on after."""
    at = when(parse_time(entry.ends_at or ""))
    before = f"{entry.id} ends at {at} (+07:00); before, it ends or moves what referral-bus agency open lists"
    if not entry.successors:
        return f"{before}; nobody is named to follow it: what it leaves, the other side or the case's owner has to end"
    first, *others = entry.successors
    left = f"what it leaves, {first} speaks for: referral-bus agency adopt"
    return f"{before}; {left}" + (f"; to {', '.join(others)} it has to be moved" if others else "")
