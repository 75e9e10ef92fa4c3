"""`erase`: a request to erase what was logged of a case, signed by its owner and the registrar; holds against it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias

import typer

from referral_bus import erasure
from referral_bus._cli.command import Call, add, group_of
from referral_bus._cli.faults import WrongUsage, complain, hints_of, mention
from referral_bus._cli.files import read_bytes, read_named, write_private
from referral_bus._cli.screen import Fields, columns, heading
from referral_bus._cli.world import Exit
from referral_bus.erasure import Drafted, StatementTransport
from referral_contracts.codes import Code
from referral_contracts.encoding import event_hash, parse_json
from referral_contracts.errors import LocalError, RemoteError
from referral_contracts.log.erasing import MOST_STATED, Asked, Lifted, Request
from referral_contracts.log.leaf import Statement

GROUP: Final = ("erase", "Erase what was logged of a closed case: asked for by two agencies, waited for, proven.")
_LIST_MOST: Final = 64 * 1024 * 1024
_DRAFT_JSON: Final = "file, kind, case, ground, at, events[]?, not_before?, hold?, signatures"
_LOGGED_JSON: Final = "file, kind, leaf, logged, not_before?"
_Out: TypeAlias = Annotated[str, typer.Option("--out", metavar="FILE", help="Where to write the statement.")]
_Case: TypeAlias = Annotated[str, typer.Option("--case", metavar="CASE", help="The case, its whole id.")]
_Ground: TypeAlias = Annotated[str, typer.Option("--ground", metavar="TEXT", help="By which law, or why.")]
_Files: TypeAlias = Annotated[list[str], typer.Argument(metavar="FILE…", help="Statements that were signed.")]
_Log: TypeAlias = Annotated[
    str | None, typer.Option("--log", metavar="URL", help="Where the log is, by default as bus.toml or log.policy say.")
]


def add_to(app: typer.Typer) -> None:
    """Add the group to *app*."""
    group = group_of(app, *GROUP)
    add(group, "draft", draft, json=_DRAFT_JSON)
    add(group, "sign", sign, json=_DRAFT_JSON)
    add(group, "requests", requests, json=_DRAFT_JSON)
    add(group, "hold", hold, json=_DRAFT_JSON)
    add(group, "lift", lift, json=_DRAFT_JSON)
    add(group, "submit", submit, json=_LOGGED_JSON)
    add(group, "list", list_, json=f"{_LOGGED_JSON}, state, by?, code?")


def draft(
    call: Call,
    *,
    case: _Case,
    ground: _Ground,
    event: Annotated[
        list[str] | None,
        typer.Option("--event", metavar="HASH", help="Of this event alone, by its hash. May be repeated."),
    ] = None,
    not_before: Annotated[
        str | None, typer.Option("--not-before", metavar="TIME", help="2026-11-23T00:00:00.000Z, or later.")
    ] = None,
    out: _Out,
) -> Exit:
    """
    Write a request to erase a case, or some events of it, for its owner and the registrar to sign.

    Nothing is asked of anybody yet: sign it, pass it on to be signed, and submit it.
    """
    bus, now_ms = call.settings.trust().bus, call.world.clock.now_ms()
    made = erasure.ask_erasure(bus, case, ground, now_ms, events=event or (), not_before=not_before)
    return _written(call, out, made)


def sign(
    call: Call,
    *,
    files: Annotated[list[str], typer.Argument(metavar="FILE…", help="Statements; each is written anew.")],
) -> Exit:
    """Sign requests with this agency's key, and show what they say. Whoever signs answers for it."""
    keys = call.settings.keys()
    # All of them can be signed, or none is.
    for name, signed in [(name, erasure.sign(_read(name), keys)) for name in files]:
        _written(call, name, signed)
    return Exit.DONE


def requests(
    call: Call,
    *,
    due: Annotated[str, typer.Argument(metavar="LIST", help="What `erase due --out` wrote on the log's host.")],
    out: Annotated[str, typer.Option("--out", metavar="DIR", help="A folder for the requests, one a case.")],
) -> Exit:
    """
    Turn the list of what is due into signed requests: one for each case on it that is this agency's.

    The list is nobody's word: look at each case, and sign for those alone that may go. The registrar signs them next.
    """
    keys, bus, now_ms = call.settings.keys(), call.settings.trust().bus, call.world.clock.now_ms()
    folder = Path(out)
    if not folder.is_dir():
        raise WrongUsage(f"{out} is no folder", code=Code.NO_SUCH_FILE)
    mine = [one for one in _listed(due) if one.get("owner") == keys.agency]
    made = [
        (str(one.get("case")), erasure.ask_erasure(bus, str(one.get("case")), str(one.get("ground")), now_ms))
        for one in mine
    ]
    for case, statement in made:
        _written(call, str(folder / f"{case}.json"), erasure.sign(statement, keys))
    if not made:
        mention(f"no case on the list is {keys.agency}'s")
    return Exit.DONE


def _listed(name: str) -> list[Mapping[str, Any]]:
    try:
        told = [parse_json(line) for line in read_named(name, _LIST_MOST).splitlines() if line]
    except RemoteError as error:
        raise LocalError(Code.MALFORMED_VALUE, f"{name}: not a list of what is due") from error
    return [one for one in told if isinstance(one, dict)]


def hold(call: Call, *, case: _Case, ground: _Ground, out: _Out) -> Exit:
    """State that nothing of a case may be erased, signed: the registrar may, and an auditor with a grant for it."""
    made = erasure.hold(call.settings.trust().bus, case, ground, call.world.clock.now_ms())
    return _written(call, out, erasure.sign(made, call.settings.keys()))


def lift(
    call: Call,
    *,
    case: _Case,
    leaf: Annotated[int, typer.Option("--hold", metavar="LEAF", min=0, help="The leaf that submit told of the hold.")],
    ground: _Ground,
    out: _Out,
) -> Exit:
    """State that a hold is over, signed: by those who may state one."""
    made = erasure.lift(call.settings.trust().bus, case, leaf, ground, call.world.clock.now_ms())
    return _written(call, out, erasure.sign(made, call.settings.keys()))


async def submit(call: Call, *, files: _Files, log: _Log = None) -> Exit:
    """
    Hand signed statements in to the log. The same once more does no harm, and has the same answer.

    A request then waits, and is carried out by the log when its time has come, unless somebody states a hold.
    """

    async def ask(way: StatementTransport, statement: Statement) -> Mapping[str, Any]:
        return await way.state(Request.of(statement))

    return await _each(call, files, log, ask)


async def list_(call: Call, *, files: _Files, log: _Log = None) -> Exit:
    """Show what has become of statements that were handed in: whether they wait, were carried out, or still hold."""

    async def ask(way: StatementTransport, statement: Statement) -> Mapping[str, Any]:
        return await way.standing(event_hash(statement.value))

    return await _each(call, files, log, ask)


async def _each(
    call: Call,
    files: Sequence[str],
    log: str | None,
    ask: Callable[[StatementTransport, Statement], Awaitable[Mapping[str, Any]]],
) -> Exit:
    url = log or call.settings.log
    if url is None:
        raise WrongUsage("no log is known", "--log names it, or log in the folder's bus.toml", code=Code.LOG_AWAY)
    statements = [(name, _read(name)) for name in files]
    way, ended = call.world.open_statements(url), Exit.DONE
    try:
        for name, statement in statements:
            try:
                answer = await ask(way, statement)
            except RemoteError as error:
                complain(f"{error.code.value}: {name}: {error.detail}", *hints_of(error.code))
                ended = Exit.REFUSED
                continue
            rows = [(key, str(value)) for key, value in answer.items() if value is not None]
            call.screen.put({"file": name, **answer}, heading(name), columns(rows, "", ""))
    finally:
        await way.close()
    return ended


def _read(name: str) -> Statement:
    try:
        return erasure.decode(read_bytes(name, MOST_STATED))
    except LocalError as error:
        raise LocalError(error.code, f"{name}: {error.detail}") from error


def _written(call: Call, name: str, statement: Statement) -> Exit:
    told = erasure.told(statement)
    write_private(Path(name), erasure.encode(statement))
    fields = {"file": name, **_fields(told), "signatures": len(statement.signatures)}
    rows = [(key, str(value)) for key, value in fields.items() if key != "file"]
    call.screen.put(fields, heading(name), columns(rows, "", ""))
    mention(f"{name} is written")
    return Exit.DONE


def _fields(told: Drafted) -> Fields:
    found: dict[str, object] = {"kind": told.kind, "case": told.subject, "ground": told.ground, "at": told.at}
    if isinstance(told, Asked):
        found |= {} if told.events is None else {"events": [*told.events]}
        found |= {} if told.not_before is None else {"not_before": told.not_before}
    elif isinstance(told, Lifted):
        found["hold"] = told.hold
    return found
