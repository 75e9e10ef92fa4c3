"""`audit`: what was logged is checked and shown, on the machine that keeps the log; here the check of all of it."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.progress import Progress, TaskID

from operator_commands.stores import broker, judge_of, named, pinned
from referral_bus._cli.audit import HELP, NAME
from referral_bus._cli.command import Call, add, group_of
from referral_bus._cli.faults import WrongUsage, advise, complain
from referral_bus._cli.screen import Fields, columns, heading
from referral_bus._cli.world import Exit
from referral_bus.keys import load_trust
from referral_contracts.directory import TrustRoot
from referral_contracts.encoding import b64
from referral_contracts.log.policy import Policy

if TYPE_CHECKING:
    from audit_log.checking.findings import Finding
    from audit_log.verifying import Found

_LOST_SIGHT: Final = (
    "keep store and folder as they are: they are evidence; the checkpoints of the witnesses tell since when"
)


def add_to(app: typer.Typer) -> None:
    """Add the command to *app*, where the services are installed."""
    if find_spec("sqlalchemy") is None:
        return
    group = group_of(app, NAME, HELP)
    shown = "size, root, faults, findings[]{code, place, detail}"
    add(group, "verify", verify, json=shown, local=True)


async def verify(
    call: Call,
    *,
    store: Annotated[
        str | None, typer.Option(metavar="URL", help="The log's store, by default REFERRAL_BUS_LOG_STORE's.")
    ] = None,
    tiles: Annotated[
        str | None, typer.Option(metavar="DIR", help="The published folder, by default REFERRAL_BUS_LOG_TILES'.")
    ] = None,
    store_alone: Annotated[
        bool, typer.Option("--store-alone", help="There is no folder: it is a copy of the store.")
    ] = False,
    policy: Annotated[str, typer.Option(metavar="FILE", help="The log policy: with which key the log signs.")],
    trust: Annotated[str, typer.Option(metavar="FILE", help="The pinned trust root.")],
    ledger: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="The broker, to compare its ledger too.")
    ] = None,
    since: Annotated[
        list[str] | None,
        typer.Option(
            "--from", metavar="FILE", help="A checkpoint that the log showed once: it has to begin so. May be repeated."
        ),
    ] = None,
) -> Exit:
    """
    Check the whole log: leaves, tiles, checkpoints, the chain of decisions, index, positions, the router's rules.

    The store is only read, beside the log that runs or without it. Each finding names what is wrong, and where.
    """
    known = Policy.parse(pinned(policy))
    given = [(name, pinned(name)) for name in since or ()]
    if store_alone and tiles is not None:
        raise WrongUsage("a store alone has no --tiles")
    url, folder = named(call, store, "store"), None if store_alone else Path(named(call, tiles, "tiles"))
    return _tell(call, await _checked(call, url, folder, known, load_trust(trust), given=given, ledger=ledger))


async def _checked(
    call: Call,
    url: str,
    folder: Path | None,
    policy: Policy,
    trust: TrustRoot,
    *,
    given: Sequence[tuple[str, bytes]],
    ledger: str | None,
) -> "Found":
    # A second of imports, which no other verb needs.
    from audit_log.ledger import KafkaLedger  # noqa: PLC0415
    from audit_log.store import open_snapshot  # noqa: PLC0415
    from audit_log.verifying import Check  # noqa: PLC0415

    with open_snapshot(url) as seen:
        judge = judge_of(seen, policy, trust)
    kafka = None if ledger is None else KafkaLedger(broker(call, ledger, "audit-verify"))
    try:
        with _progress(shown=not call.as_json) as progress:
            return await Check(
                lambda: open_snapshot(url),
                None if folder is None else lambda name: _read(folder / name),
                [log.key for log in policy.logs],
                judge,
                given=given,
                ledger=kafka,
                progress=progress,
            ).run()
    finally:
        if kafka is not None:
            await kafka.close()


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


@contextmanager
def _progress(*, shown: bool) -> Iterator[Callable[[str, int, int], None]]:
    tasks: dict[str, TaskID] = {}
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not (shown and sys.stderr.isatty())) as bars:

        def progress(what: str, done: int, whole: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=whole)
            bars.update(tasks[what], completed=done)

        yield progress


def _tell(call: Call, found: "Found") -> Exit:
    shown = found.checkpoint
    told: Fields = {
        "size": found.size,
        "root": None if shown is None else b64(shown.root),
        "faults": found.faults,
        "findings": [_fields(one) for one in found.findings],
    }
    rows = [(one.fault.value, one.place, _detail(one)) for one in found.findings]
    covered = "nothing is published" if shown is None else f"checkpoint of size {shown.size}"
    title = heading(f"{found.size} leaves  {covered}  {_findings(found.faults)}")
    call.screen.put(told, title, *([columns(rows, "code", "place", "what")] if rows else []))
    if not found.faults:
        return Exit.DONE
    complain(f"{_findings(found.faults)}: the log is not what it was")
    advise(_LOST_SIGHT)
    return Exit.ALARM


def _findings(faults: int) -> str:
    return "1 finding" if faults == 1 else f"{faults} findings"


def _fields(finding: "Finding") -> Fields:
    return {"code": finding.fault.value, "place": finding.place, "detail": _detail(finding)}


def _detail(finding: "Finding") -> str:
    from audit_log.checking.findings import SAYS  # noqa: PLC0415 - as above

    return SAYS[finding.fault]
