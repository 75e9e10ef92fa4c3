"""What a registrar publishes, read from files: entries and the policy, not signed yet; and a change under way."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from referral_bus._cli.faults import Several, WrongUsage
from referral_bus._cli.files import read_bytes, write_private
from referral_contracts.codes import Code
from referral_contracts.directory_model import Change, Entry, Grant, Outage, Policy, grant_case
from referral_contracts.encoding import format_time, jcs, parse_json
from referral_contracts.errors import LocalError, RemoteError
from referral_contracts.payloads.base import Moment
from referral_contracts.topics import OUTPUT_MAX

_MOST: Final = OUTPUT_MAX
"""A change is one record of the directory's topics."""

_MOMENT: Final[TypeAdapter[datetime]] = TypeAdapter(Moment)
_M = TypeVar("_M", Entry, Grant, Outage, Policy)


def read_entries(names: Iterable[str]) -> tuple[list[Entry], Policy | None]:
    """
    Return the entries and the policy that the files *names* hold.

    Raises:
        Several: Some are neither.
        WrongUsage: An agency, or the policy, comes twice.
    """
    found: list[Entry | Policy] = []
    bad = []
    for name in names:
        try:
            found.append(_read(name))
        except LocalError as error:
            bad.append(LocalError(error.code, f"{name}: {error.detail}"))
    if bad:
        raise Several(tuple(bad))
    entries = [item for item in found if isinstance(item, Entry)]
    policies = [item for item in found if isinstance(item, Policy)]
    if len({entry.id for entry in entries}) < len(entries) or len(policies) > 1:
        raise WrongUsage("an agency, or the policy, is in more than one file")
    return entries, policies[0] if policies else None


def read_change(name: str) -> Change:
    """Return the proposed change in the file *name*, or raise LocalError, which names it."""
    try:
        return Change.decode(read_bytes(name, _MOST).removesuffix(b"\n"))
    except LocalError as error:
        raise LocalError(error.code, f"{name}: {error.detail}") from error
    except RemoteError as error:
        raise LocalError(error.code, f"{name}: not a change of the directory") from error


def write_change(name: str, change: Change) -> None:
    """Write a proposed *change* to the file *name*, or raise LocalError, which names it."""
    write_private(Path(name), change.encode() + b"\n")


def read_unkeyed(name: str) -> Entry:
    """Return the entry in the file *name*, which may be without keys as yet, or raise LocalError, which names it."""
    try:
        value = _parsed(name)
        if not isinstance(value, dict) or value.get("kind") != "agency":
            raise LocalError(Code.MALFORMED_VALUE, 'not an object with "kind": "agency"')
        return _as(Entry, {"keys": [], **value})
    except LocalError as error:
        raise LocalError(error.code, f"{name}: {error.detail}") from error


def read_outage(since: str, until: str, reason: str) -> Outage:
    """Return an outage as a person tells it, or raise LocalError."""
    spelled = {"reason": reason, "since": _moment("since", since), "until": _moment("until", until)}
    return _as(Outage, spelled)


def read_grant(scope: Mapping[str, str], purpose: str, since: str, until: str) -> Grant:
    """Return a grant as a person tells it, or raise LocalError; *scope* has a case, a province or nothing."""
    named = {"case": grant_case(scope["case"])} if "case" in scope else scope
    times = {"valid_from": _moment("from", since), "valid_until": _moment("until", until)}
    return _as(Grant, {**named, "purpose": purpose, **times})


def _moment(name: str, text: str) -> str:
    try:
        moment = _MOMENT.validate_python(text)
    except ValidationError as error:
        told = "a moment with its offset, such as 2026-03-14T09:20:00+07:00"
        raise WrongUsage(f"--{name}: not {told}", code=Code.MALFORMED_VALUE) from error
    return format_time(round(moment.timestamp() * 1000))


def _parsed(name: str) -> object:
    try:
        return parse_json(read_bytes(name, _MOST))
    except RemoteError as error:
        raise LocalError(error.code, error.detail) from error


def _read(name: str) -> Entry | Policy:
    value = _parsed(name)
    match value:
        case {"kind": "agency"}:
            return _as(Entry, value)
        case {"kind": "policy"}:
            return _as(Policy, value)
        case _:
            raise LocalError(Code.MALFORMED_VALUE, 'not an object with "kind": "agency" or "policy"')


def _as(model: type[_M], value: object) -> _M:
    try:
        return model.model_validate_json(jcs(value))
    except ValidationError as error:
        faults = [
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg'][:1].lower()}{fault['msg'][1:]}"
            for fault in error.errors(include_input=False, include_url=False, include_context=False)
        ]
        raise LocalError(Code.MALFORMED_VALUE, "; ".join(faults)) from error
