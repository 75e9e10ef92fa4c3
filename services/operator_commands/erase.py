"""`erase due`, `waiting`, `lives`, `ledger`: what is told of erasing, and of keeping, on the log's own machine."""

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer
from rich.console import RenderableType

from operator_commands.stores import broker, named
from referral_bus._cli.command import Call, add, group_of
from referral_bus._cli.erase import GROUP
from referral_bus._cli.faults import WrongUsage, mention
from referral_bus._cli.files import read_named, write_private
from referral_bus._cli.screen import Fields, columns, heading, plain
from referral_bus._cli.world import Exit
from referral_bus.keys import load_trust
from referral_contracts.encoding import format_time
from referral_contracts.log.retaining import RetentionRules, read_retention
from referral_contracts.wording import both

if TYPE_CHECKING:
    from audit_log.cases import Cases
    from audit_log.due import DueCase
    from audit_log.retention import Deletable

_SHOWN_ONLY: Final = "shown only: nobody has verified it"
_RULES_MOST: Final = 1024 * 1024
_DUE_JSON: Final = "case, owner, ended, leaves, ground?, rules[]{id, basis, confidence, source, since, applies}"
_WAITING_JSON: Final = "leaf, case, not_before, leaves, code?"
_LEDGER_JSON: Final = "partition, start, durable, aged, read{group: offset}, before, end"
_Store: TypeAlias = Annotated[
    str | None, typer.Option(metavar="URL", help="The log's store, by default REFERRAL_BUS_LOG_STORE's.")
]
_Trust: TypeAlias = Annotated[str, typer.Option(metavar="FILE", help="The pinned trust root.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to *app*, where the services are installed."""
    if find_spec("sqlalchemy") is None:
        return
    group = group_of(app, *GROUP)
    add(group, "due", due, json=_DUE_JSON, local=True)
    add(group, "waiting", waiting, json=_WAITING_JSON, local=True)
    add(group, "lives", lives, json="places[]{where, days?, since}, longest?; days are absent: for ever", local=True)
    add(group, "ledger", ledger, json=_LEDGER_JSON, local=True)


def due(
    call: Call,
    *,
    rules: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="The rules (TOML), by default those that REFERRAL_BUS_LOG_RETENTION names."),
    ] = None,
    store: _Store = None,
    trust: _Trust,
    out: Annotated[
        str | None, typer.Option("--out", metavar="FILE", help="Write the list, for `erase requests` of each owner.")
    ] = None,
) -> Exit:
    """
    List the cases that are due to be erased, by which rule and its source. Nothing is erased, and nothing asked for.

    By a rule that nobody has verified a case is only shown. Held cases, and those asked for already, are left out.
    """
    from audit_log.due import due_cases  # noqa: PLC0415 - a second of imports, which no other verb needs

    known = read_retention(read_named(named(call, rules, "retention"), _RULES_MOST).decode("utf-8", "replace"))
    with _cases(call, store, trust) as cases:
        found = [_due(one) for one in due_cases(cases, known.rule, call.world.clock.now_ms())]
    for one in found:
        call.screen.put(one, *_due_lines(one))
    if not found and not call.as_json:
        call.screen.put({}, plain(_why_none(known)))
    if out is not None:
        lines = "".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in found if one["ground"] is not None)
        write_private(Path(out), lines.encode())
        mention(f"{out} is written")
    return Exit.DONE


def _why_none(known: RetentionRules) -> str:
    return "nothing is due" if any(one.applies for one in known.rule) else "nothing is ever due: no rule names a number"


def _due(one: "DueCase") -> dict[str, object]:
    ground = next((by.rule.ground for by in one.by if by.rule.applies), None)
    return {
        "case": one.subject,
        "owner": one.owner,
        "ended": format_time(one.ended_ms),
        "leaves": one.leaves,
        "ground": ground,
        "rules": [
            {
                "id": by.rule.id,
                "basis": by.rule.basis.value,
                "confidence": by.rule.confidence.value,
                "source": by.rule.source,
                "since": format_time(by.at_ms),
                "applies": by.rule.applies,
                "words": both((by.rule.vi, by.rule.en)),
            }
            for by in one.by
        ],
    }


def _due_lines(one: Fields) -> Iterator[RenderableType]:
    yield heading(f"{one['case']}  {one['owner']}  ended {one['ended']}  {one['leaves']} leaves")
    told = one["rules"]
    rows = [
        (
            by["id"],
            by["since"],
            by["basis"],
            by["source"],
            "" if by["applies"] else _SHOWN_ONLY,
        )
        for by in (told if isinstance(told, list) else [])
    ]
    yield columns(rows, "rule", "due since", "basis", "source", "")


def waiting(
    call: Call,
    *,
    store: _Store = None,
    trust: _Trust,
) -> Exit:
    """List the requests that wait, and what would become of each now: a dry run of what the log does by itself."""
    from audit_log.eraser import Requests  # noqa: PLC0415 - as above
    from audit_log.settings import Keeping  # noqa: PLC0415

    with _cases(call, store, trust) as cases:
        found = list(Requests(cases, Keeping().wait_ms).outcomes(call.world.clock.now_ms()))
        if not found and not call.as_json:
            call.screen.put({}, plain("nothing waits"))
        for one in found:
            told: Fields = {
                "leaf": one.leaf,
                "case": one.subject,
                "not_before": format_time(one.ready_ms),
                "leaves": len(one.leaves),
                "code": None if one.code is None else one.code.value,
            }
            what = f"{len(one.leaves)} leaves would be erased" if one.code is None else one.code.value
            call.screen.put(told, plain(f"{one.leaf}  {one.subject}  not before {told['not_before']}  {what}"))
    return Exit.DONE


def lives(call: Call) -> Exit:
    """
    Show how long sealed bytes can live anywhere, by the log's settings: REFERRAL_BUS_LOG_* as its service has them.

    Days are those of the longest way through each place, while the services run and nobody holds the case.
    """
    from audit_log.core.lives import FOR_EVER, Terms, longest, on_the_bus  # noqa: PLC0415 - as above
    from audit_log.core.lives import lives as every  # noqa: PLC0415
    from audit_log.settings import Keeping  # noqa: PLC0415

    told = Keeping()
    by_rule = None
    if told.log_retention is not None:
        by_rule = read_retention(read_named(str(told.log_retention), _RULES_MOST).decode("utf-8", "replace")).days
    found = every(
        Terms(
            keep_days=told.log_keep_days,
            wait_days=told.log_wait_days,
            erase_s=told.log_erase_s,
            due_days=by_rule,
            backup_days=told.log_backup_days,
        )
    )
    most = longest(on_the_bus(found))

    def days(count: int) -> str:
        return "for ever" if count == FOR_EVER else f"{count} days"

    rows = [(one.where, days(one.days), one.since) for one in found]
    places = [
        {"where": one.where, "days": None if one.days == FOR_EVER else one.days, "since": one.since} for one in found
    ]
    call.screen.put(
        {"places": places, "longest": None if most == FOR_EVER else most},
        columns(rows, "where", "at most", "counted since"),
        heading(f"once an erasure is asked for, nothing sealed lives on the bus longer than {days(most)}"),
    )
    return Exit.DONE


async def ledger(
    call: Call,
    *,
    bootstrap: Annotated[str, typer.Option(metavar="HOST:PORT", help="Where the broker is.")],
    store: _Store = None,
) -> Exit:
    """
    Show what the log would delete from Kafka's ledger now, and what keeps the rest. Nothing is deleted.

    Only what is in the store, is old enough and was read by whoever else reads the ledger may go.
    """
    from audit_log.retention import retention_at  # noqa: PLC0415 - as above
    from audit_log.settings import Keeping  # noqa: PLC0415
    from audit_log.store import open_snapshot  # noqa: PLC0415

    told = Keeping()
    if not told.log_keep_days:
        raise WrongUsage("nothing is ever deleted from the ledger: REFERRAL_BUS_LOG_KEEP_DAYS is 0")
    with open_snapshot(named(call, store, "store")) as seen:
        places = seen.places()
    retention = retention_at(broker(call, bootstrap, "erase-ledger"), told, call.world.clock.now_ms)
    for one in await retention.look(places):
        call.screen.put(_ledger(one), plain(_ledger_line(one)))
    return Exit.DONE


def _ledger(one: "Deletable") -> Fields:
    return {
        "partition": one.partition,
        "start": one.start,
        "durable": one.durable,
        "aged": one.aged,
        "read": dict(one.read),
        "before": one.before,
        "end": one.end,
    }


def _ledger_line(one: "Deletable") -> str:
    count = max(0, one.before - one.start)
    read = "".join(f"  {group} {'nothing said' if at is None else at}" for group, at in one.read.items())
    held = f"logged {one.durable}  old enough {one.aged}{read}"
    return f"partition {one.partition}  {one.start} to {one.end}: {count} would go, before {one.before}  ({held})"


@contextmanager
def _cases(call: Call, store: str | None, trust: str) -> Iterator["Cases"]:
    from audit_log.cases import Cases, logged_directory  # noqa: PLC0415 - as above
    from audit_log.store import open_reader  # noqa: PLC0415

    root = load_trust(trust)
    with closing(open_reader(named(call, store, "store"))) as reader:
        newest = reader.newest()
        size = 0 if newest is None else newest.size
        directory = logged_directory(reader, size, root)
        yield Cases(reader, lambda: size, lambda: directory)
