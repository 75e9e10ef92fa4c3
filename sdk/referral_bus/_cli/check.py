"""`check`: what a section file says and what it leaves out, without sending it."""

from typing import Annotated, Final

import typer

from referral_bus._cli.command import Call, add
from referral_bus._cli.faults import complain, hints_of
from referral_bus._cli.files import read_section
from referral_bus._cli.screen import caution, form, heading, indented, missing_fields, row_fields
from referral_bus._cli.world import Exit
from referral_contracts.errors import LocalError
from referral_contracts.payloads.shown import completeness, describe

FIELDS: Final = (
    "file, ok, schema, status, fields[]{path, vi, en, value, provisional}, missing[]{path, vi, en}; "
    "or file, ok, error, detail"
)


def add_to(app: typer.Typer) -> None:
    """Add the verb to *app*."""
    add(app, "check", check, json=FIELDS, local=True)


def check(
    call: Call,
    *,
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="Section files; - is standard input.")],
) -> Exit:
    """
    Describe section files and check them without sending: each field with its label, and what is still missing.

    What is missing is shown and holds up nothing. A file that cannot be sent is told by its fields at fault.
    """
    worst = Exit.DONE
    for file in files:
        try:
            payload = read_section(file)
        except LocalError as error:
            worst = Exit.USAGE
            complain(f"{file}: {error}", *hints_of(error.code))
            if call.as_json:
                call.screen.put({"file": file, "ok": False, "error": error.code.value, "detail": error.detail})
            continue
        rows, missing = tuple(describe(payload)), completeness(payload)
        told = {
            "file": file,
            "ok": True,
            "schema": payload.schema_id(),
            "status": payload.about.status.value,
            "fields": row_fields(rows),
            "missing": missing_fields(missing),
        }
        schema = payload.schema_id()
        call.screen.put(told, heading(f"{file}  {schema}"), *caution(schema), indented(form(rows, missing)))
    return worst
