"""
`directory review`, `sign`, `submit`: a change that goes from registrar to registrar in a file.

Each reads the directory by itself and is shown what the change would make of it: nobody signs what another says.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

import typer

from referral_bus._cli.command import Call, add
from referral_bus._cli.directory_changing import Root, Timeout, change_fields, change_line, put, root_keys
from referral_bus._cli.directory_files import read_change, write_change
from referral_bus._cli.directory_topic import DirectoryTopic
from referral_bus._cli.faults import WrongUsage
from referral_bus._cli.screen import columns, heading, when
from referral_bus._cli.world import Exit
from referral_bus.registrar import cosign
from referral_contracts.codes import Code
from referral_contracts.directory import Directory, TrustRoot
from referral_contracts.directory_model import POLICY_KEY, Change, Entry
from referral_contracts.encoding import parse_time

File = Annotated[str, typer.Argument(metavar="FILE", help="A change, as --propose wrote it.")]

_PROVEN: Final = frozenset({"kid", "proof", "public"})
"""What of a key its id stands for."""


def add_to(group: typer.Typer) -> None:
    """Add the verbs to *group*."""
    told = "version, expires, published[], changes[], signed[], missing"
    add(group, "review", review, json=told)
    add(group, "sign", sign, json=told)
    add(group, "submit", submit, json="version, issued, expires, entries, usable, fault, published[]")


async def review(call: Call, *, file: File, timeout: Timeout = 10.0) -> Exit:
    """Show what a proposed change would make of the directory in force, and which registrars have signed it."""
    trust, change = call.settings.trust(), read_change(file)
    async with DirectoryTopic(call.world, call.settings, timeout) as topic:
        before = await _foreseen(call, topic, change, trust.by_one_hand())
    _show(call, before, change, trust)
    return Exit.DONE


async def sign(call: Call, *, file: File, root: Root = None, timeout: Timeout = 10.0) -> Exit:
    """
    Sign a proposed change with a root key more, in its file, and show what was signed.

    Look at it first: directory review. Compare key ids with the agency by telephone: a key in an entry is the agency's.
    """
    keys, trust = root_keys(call, root, alone=False)
    change = cosign(read_change(file), keys)
    async with DirectoryTopic(call.world, call.settings, timeout) as topic:
        before = await _foreseen(call, topic, change, trust.by_one_hand())
    write_change(file, change)
    _show(call, before, change, trust)
    return Exit.DONE


async def submit(call: Call, *, file: File, root: Root = None, timeout: Timeout = 30.0) -> Exit:
    """Put a change that enough registrars have signed on the bus, and wait until it is taken. A root key brings it."""
    keys, trust = root_keys(call, root, alone=False)
    change = read_change(file)
    async with DirectoryTopic(call.world, call.settings, timeout) as topic:
        before = await _foreseen(call, topic, change, trust.by_one_hand())
        signed = len(trust.signers(change.data.head))
        if signed < trust.threshold:
            raise WrongUsage(
                f"{file} is signed by {signed} of the {trust.threshold} registrars that it needs",
                "referral-bus directory sign FILE adds a signature",
                code=Code.NOT_ENOUGH_SIGNATURES,
            )
        return await put(call, topic, before, change, keys[0])


async def _foreseen(call: Call, topic: DirectoryTopic, change: Change, root: TrustRoot) -> Directory:
    """Return the directory in force, which *change* has to follow."""
    head = change.data.head.head
    if call.world.clock.now_ms() >= parse_time(head.expires):
        expired = f"the change was good until {when(parse_time(head.expires))} (+07:00)"
        raise WrongUsage(expired, "propose it anew", code=Code.DIRECTORY_EXPIRED)
    before = await topic.read()
    topic.foresee(before, change, root)
    return before


def _show(call: Call, before: Directory, change: Change, trust: TrustRoot) -> None:
    signed = sorted(trust.signers(change.data.head))
    changes = list(differences(before, change))
    told = {
        **change_fields(change),
        "changes": [{"entry": entry, "what": what, "before": old, "after": new} for entry, what, old, new in changes],
        "signed": signed,
        "missing": max(0, trust.threshold - len(signed)),
    }
    rows = [(entry, what, _text(old), _text(new)) for entry, what, old, new in changes]
    call.screen.put(
        told,
        heading(change_line(change)),
        columns(rows, "entry", "what", "before", "after") if rows else "nothing but the head changes",
        f"signed by {len(signed)} of the {trust.threshold} that it needs: {', '.join(signed)}",
    )


def differences(before: Directory, change: Change) -> Iterator[tuple[str, str, Any, Any]]:
    """Yield what *change* would change: the entry, the member or the key in it, and what is there before and after."""
    for entry in change.data.agencies:
        member = before.member(entry.id)
        yield from _differing(entry.id, {} if member is None else _members(member.entry), _members(entry))
    if change.data.policy is not None:
        old = json.loads(before.policy.encode())
        yield from _differing(POLICY_KEY, old, json.loads(change.data.policy.encode()))


def _differing(entry: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, str, Any, Any]]:
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            yield entry, name, old.get(name), new.get(name)


def _members(entry: Entry) -> dict[str, Any]:
    told = json.loads(entry.encode())
    keys = told.pop("keys")
    named = {f"key {key['kid']}": {name: key[name] for name in key if name not in _PROVEN} for key in keys}
    return {**told, **named}


def _text(value: object) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
