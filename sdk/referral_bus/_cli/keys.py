"""`keys`: an agency makes its private keys, and shows of them what may be seen."""

import re
from typing import Annotated, Final

import typer

from referral_bus._cli.command import Call, add, new_group
from referral_bus._cli.faults import WrongUsage
from referral_bus._cli.screen import Fields, columns, heading
from referral_bus._cli.settings import load_keys
from referral_bus._cli.world import Exit
from referral_bus.keys import AgencyKeys
from referral_bus.registrar import Term, event_key_record, sealing_key_record
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
    shown = "agency, file, signing{kid, public}, sealing[]{address, kid, public, current}"
    add(group, "make", make, json=shown, local=True)
    add(group, "show", show, json=shown, local=True)
    add(group, "records", records, json="the directory's own key records, an array under keys", local=True)


def make(
    call: Call,
    *,
    agency: Annotated[str, typer.Option(metavar="ID", help="Whose keys they are: lower case, digits, hyphens.")],
    out: Annotated[str, typer.Option(metavar="FILE", help="A new file, for its owner's eyes only (mode 0600).")],
    desk: Annotated[
        list[str] | None, typer.Option(metavar="DESK", help="A desk with a sealing key of its own. Repeatable.")
    ] = None,
) -> Exit:
    """Make new private keys for an agency. A file that exists is never written over."""
    for name in (agency, *(desk or ())):
        if not _AGENCY.fullmatch(name):
            raise WrongUsage("an id has up to 63 lower-case letters, digits and hyphens")
    keys = AgencyKeys.generate(agency, desk or ())
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
) -> Exit:
    """Show the keys as the directory records them, with proofs of possession: what a registrar puts into an entry."""
    keys = load_keys(file)
    now_ms = call.world.clock.now_ms()
    term = Term(from_ms=now_ms - _BACKDATED_MS, until_ms=now_ms + days * _DAY_MS)
    found = [event_key_record(bus, keys.agency, keys.signing, term)]
    for address, sealing in sorted(keys.sealing.items()):
        desk = address.partition("/")[2] or None
        found.append(sealing_key_record(bus, keys.agency, sealing[0], term, signer=keys.signing, desk=desk))
    told = [record.model_dump(mode="json", exclude_none=True) for record in found]
    lines = [(record.use.value, record.desk or "", record.kid, record.valid_until) for record in found]
    call.screen.put({"keys": told}, columns(lines, "use", "desk", "kid", "valid until"))
    return Exit.DONE


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
        "sealing": [
            {"address": address, "kid": kid, "public": public, "current": current}
            for address, kid, public, current in sealing
        ],
    }
    rows = [("signs", keys.agency, keys.signing.kid)]
    rows += [("opens" if current else "opened", address, kid) for address, kid, _, current in sealing]
    call.screen.put(told, heading(f"{keys.agency}  {file}"), columns(rows, "use", "address", "kid"))
    return Exit.DONE
