"""`directory mine`: every key that was ever published for this agency, held against its key file."""

import typer

from referral_bus._cli.command import Call, add
from referral_bus._cli.directory_changing import Timeout, head_line
from referral_bus._cli.directory_topic import DirectoryTopic
from referral_bus._cli.faults import WrongUsage
from referral_bus._cli.screen import columns, heading, when
from referral_bus._cli.world import Exit
from referral_bus._own_keys import strange_keys
from referral_contracts.codes import Code
from referral_contracts.directory_model import KeyRecord
from referral_contracts.encoding import parse_time
from referral_contracts.errors import RemoteError


def add_to(group: typer.Typer) -> None:
    """Add the verb to *group*."""
    add(
        group,
        "mine",
        mine,
        json="agency, version, keys[]{use, desk?, kid, valid_from, valid_until, revoked_at?, compromised_since?, held}",
    )


async def mine(call: Call, *, timeout: Timeout = 10.0) -> Exit:
    """
    Show every key that was ever published for this agency, and which of them its key file holds.

    A key in force that it does not hold ends with 4. Somebody may speak and read in its name: telephone the registrars.
    """
    keys = call.settings.keys()
    async with DirectoryTopic(call.world, call.settings, timeout) as topic:
        directory = await topic.read()
    member = directory.member(keys.agency)
    if member is None:
        raise WrongUsage(f"no agency {keys.agency} in the directory", "referral-bus directory show lists them")
    listed = member.entry.keys
    rows = [
        (
            key.use.value,
            key.desk or "",
            key.kid,
            when(parse_time(key.valid_from)),
            when(parse_time(key.valid_until)),
            _ended(key),
            "held" if key.kid in keys.kids else "not held",
        )
        for key in listed
    ]
    told = [
        {**key.model_dump(mode="json", exclude_none=True, exclude={"proof", "public"}), "held": key.kid in keys.kids}
        for key in listed
    ]
    call.screen.put(
        {"agency": keys.agency, "version": directory.version, "keys": told},
        heading(f"{keys.agency}: {head_line(directory)}"),
        columns(rows, "use", "desk", "kid", "from", "until", "", ""),
    )
    strange = strange_keys(keys, listed, call.world.clock.now_ms())
    if strange:
        raise RemoteError(Code.OWN_KEY_CHANGED, f"in force, and not in the key file: {_named(strange)}")
    return Exit.DONE


def _ended(key: KeyRecord) -> str:
    if key.compromised_since is not None:
        return f"compromised since {when(parse_time(key.compromised_since))}"
    return "" if key.revoked_at is None else f"revoked {when(parse_time(key.revoked_at))}"


def _named(keys: list[KeyRecord]) -> str:
    return ", ".join(f"{key.use.value} {key.kid}" for key in keys)
