"""`keys`: an agency makes its private keys, and shows of them what may be seen."""

import json
import re
from collections.abc import Sequence
from typing import Annotated, Final

import typer

from referral_bus._cli.command import Call, add, new_group
from referral_bus._cli.directory_files import read_unkeyed
from referral_bus._cli.faults import WrongUsage
from referral_bus._cli.screen import Fields, columns, heading
from referral_bus._cli.settings import load_keys
from referral_bus._cli.world import Exit
from referral_bus.keys import AgencyKeys
from referral_bus.registrar import Term, event_key_record, sealing_key_record
from referral_contracts.directory_model import Entry, KeyRecord, Use
from referral_contracts.encoding import AGENCY, b64
from referral_contracts.errors import LocalError

_DAY_MS: Final = 24 * 3_600_000
_BACKDATED_MS: Final = 60_000
"""The registrar's clock and the broker's may be a little behind ours."""
_AGENCY: Final = re.compile(AGENCY)

KeyFile = Annotated[str, typer.Argument(metavar="FILE", help="A key file that `keys make` wrote.")]


def add_to(app: typer.Typer) -> None:
    """Add the group to *app*."""
    group = new_group(app, "keys", "Make an agency's private keys, and show their public parts.")
    shown = "agency, file, signing{kid, public}, http{kid, public}?, sealing[]{address, kid, public, current}"
    add(group, "make", make, json=shown, local=True)
    add(group, "show", show, json=shown, local=True)
    add(group, "records", records, json="the directory's own key records under keys; or the whole entry", local=True)
    add(group, "renew", renew, json=shown, local=True)


def make(
    call: Call,
    *,
    agency: Annotated[str, typer.Option(metavar="ID", help="Whose keys they are: lower case, digits, hyphens.")],
    out: Annotated[str, typer.Option(metavar="FILE", help="A new file, for its owner's eyes only (mode 0600).")],
    desk: Annotated[
        list[str] | None, typer.Option(metavar="DESK", help="A desk with a sealing key of its own. Repeatable.")
    ] = None,
    http: Annotated[
        bool, typer.Option("--http", help="With a key for requests over HTTP too: whoever reads trails signs with it.")
    ] = False,
) -> Exit:
    """Make new private keys for an agency. A file that exists is never written over."""
    for name in (agency, *(desk or ())):
        if not _AGENCY.fullmatch(name):
            raise WrongUsage("an id has up to 63 lower-case letters, digits and hyphens")
    keys = AgencyKeys.generate(agency, desk or (), http=http)
    try:
        keys.save(out)
    except LocalError as error:
        raise LocalError(error.code, f"{out}: {error.detail}") from error
    return _show(call, keys, out)


def show(call: Call, *, file: KeyFile) -> Exit:
    """Show the ids and public parts of the keys in a file, never the private ones."""
    return _show(call, load_keys(file), file)


def records(
    call: Call,
    *,
    file: KeyFile,
    bus: Annotated[str, typer.Option(metavar="BUS", help="The bus that they are for, such as training.")],
    days: Annotated[int, typer.Option(min=1, max=90, help="How long they are valid.")] = 90,
    entry: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="The agency's entry, to be written with these keys beside its old ones."),
    ] = None,
) -> Exit:
    """
    Show the keys as the directory records them, with proofs of possession: what a registrar puts into an entry.

    With --entry it writes that entry with them, as the registrar publishes it. A key that the entry has keeps its
    beginning and may be used for longer.
    """
    keys = load_keys(file)
    now_ms = call.world.clock.now_ms()
    term = Term(from_ms=now_ms - _BACKDATED_MS, until_ms=now_ms + days * _DAY_MS)
    found = [event_key_record(bus, keys.agency, keys.signing, term)]
    if keys.http is not None:
        found.append(event_key_record(bus, keys.agency, keys.http, term, use=Use.HTTP))
    for address, sealing in sorted(keys.sealing.items()):
        desk = address.partition("/")[2] or None
        found.append(sealing_key_record(bus, keys.agency, sealing[0], term, signer=keys.signing, desk=desk))
    if entry is not None:
        before = read_unkeyed(entry)
        if before.id != keys.agency:
            raise WrongUsage(f"the entry in {entry} is another agency's than {keys.agency}")
        whole = _with_keys(before, found).model_dump(mode="json", exclude_none=True)
        call.screen.put(whole, json.dumps(whole, ensure_ascii=False, indent=2))
        return Exit.DONE
    told = [record.model_dump(mode="json", exclude_none=True) for record in found]
    lines = [(record.use.value, record.desk or "", record.kid, record.valid_until) for record in found]
    call.screen.put({"keys": told}, columns(lines, "use", "desk", "kid", "valid until"))
    return Exit.DONE


def renew(
    call: Call,
    *,
    file: KeyFile,
    desk: Annotated[str | None, typer.Option(metavar="DESK", help="A desk's, instead of the agency's own.")] = None,
    http: Annotated[
        bool, typer.Option("--http", help="Instead, the key for requests over HTTP: a new one, or the first.")
    ] = False,
) -> Exit:
    """
    Put a new sealing key into a key file, before the old one, which goes on opening what was sealed to it.

    Others seal to the new one once the directory has it: referral-bus keys records, and the registrar. So it is with a
    key for HTTP, whose old one is gone from the file.
    """
    keys = load_keys(file)
    if http:
        if desk is not None:
            raise WrongUsage("requests over HTTP are signed by the agency, not by a desk")
        keys.with_http().save(file, replace=True)
        return _show(call, load_keys(file), file)
    address = keys.agency if desk is None else f"{keys.agency}/{desk}"
    if address not in keys.sealing:
        raise WrongUsage(f"{file} has no desk {desk}", "referral-bus keys show tells the addresses that it has")
    keys.renewed(address).save(file, replace=True)
    return _show(call, load_keys(file), file)


def _with_keys(entry: Entry, found: Sequence[KeyRecord]) -> Entry:
    """Return *entry* with the keys *found*; what it has stays, since its history may not be dropped."""
    offered = {record.kid: record for record in found}
    held = {record.kid for record in entry.keys}
    longer = [
        record.model_copy(update={"valid_until": max(record.valid_until, offered[record.kid].valid_until)})
        if record.kid in offered
        else record
        for record in entry.keys
    ]
    return entry.model_copy(update={"keys": (*longer, *(record for record in found if record.kid not in held))})


def _show(call: Call, keys: AgencyKeys, file: str) -> Exit:
    sealing = [
        (address, key.kid, b64(key.public), number == 0)
        for address, found in sorted(keys.sealing.items())
        for number, key in enumerate(found)
    ]
    told: Fields = {
        "agency": keys.agency,
        "file": file,
        "signing": {"kid": keys.signing.kid, "public": b64(keys.signing.public)},
        **({} if keys.http is None else {"http": {"kid": keys.http.kid, "public": b64(keys.http.public)}}),
        "sealing": [
            {"address": address, "kid": kid, "public": public, "current": current}
            for address, kid, public, current in sealing
        ],
    }
    rows = [("signs", keys.agency, keys.signing.kid)]
    rows += [] if keys.http is None else [("asks", keys.agency, keys.http.kid)]
    rows += [("opens" if current else "opened", address, kid) for address, kid, _, current in sealing]
    call.screen.put(told, heading(f"{keys.agency}  {file}"), columns(rows, "use", "address", "kid"))
    return Exit.DONE
