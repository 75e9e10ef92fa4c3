"""`audit trail`, `audit bundle`: what the log has of one case, proven, on the machine that keeps it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeAlias

import typer

from operator_commands.stores import judge_of, named, pinned
from referral_bus._cli.command import Call
from referral_bus._cli.faults import WrongUsage, complain, mention
from referral_bus._cli.files import write_private
from referral_bus._cli.screen import plain
from referral_bus._cli.verify import say_if_provisional, trail_shown
from referral_bus._cli.world import Exit
from referral_bus.keys import load_trust
from referral_contracts.codes import Code
from referral_contracts.directory import Directory, TrustRoot
from referral_contracts.errors import LocalError
from referral_contracts.log.policy import Policy
from referral_contracts.trail import telling
from referral_contracts.trail.model import Trail
from referral_contracts.trail.words import Language

if TYPE_CHECKING:
    from audit_log.showing import CaseShown
    from audit_log.store.reading import StoreReader

TRAIL_JSON: Final = "sound, witnessed, trail{as a bundle's trail.json has it}"
BUNDLE_JSON: Final = "file, bytes, sound, events, refused, witnessed"
_Subject: TypeAlias = Annotated[str, typer.Argument(metavar="CASE", help="The case, its whole id.")]
_Store: TypeAlias = Annotated[
    str | None, typer.Option(metavar="URL", help="The log's store, by default REFERRAL_BUS_LOG_STORE's.")
]
_Tiles: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="DIR",
        help="The published folder, by default REFERRAL_BUS_LOG_TILES's: what witnesses have cosigned lies there.",
    ),
]
_PolicyFile: TypeAlias = Annotated[
    str, typer.Option(metavar="FILE", help="The log policy: with which key the log signs.")
]
_Trust: TypeAlias = Annotated[str, typer.Option(metavar="FILE", help="The pinned trust root.")]


def trail(
    call: Call,
    *,
    subject: _Subject,
    store: _Store = None,
    tiles: _Tiles = None,
    policy: _PolicyFile,
    trust: _Trust,
    language: Annotated[str, typer.Option("--language", metavar="vi|en", help="Of the table.")] = "vi",
) -> Exit:
    """
    Show a case's trail from the log's store: who handed what to whom and when, each step proven.

    The store is only read, and not believed: what is not proven is named. What is sealed stays sealed.
    """
    told = {one.tag: one for one in Language}.get(language)
    if told is None:
        raise WrongUsage("--language is vi or en")
    with _case(call, subject, (store, tiles), (policy, trust)) as case:
        found = case.shown.trail()
    fields = {"sound": found.sound, "witnessed": found.checked.quorum, "trail": telling.fields(found)}
    call.screen.put(fields, *trail_shown(found, told))
    return _ended(found)


def bundle(
    call: Call,
    *,
    subject: _Subject,
    out: Annotated[str, typer.Option("--out", metavar="FILE", help="Where to write it (.zip).")],
    store: _Store = None,
    tiles: _Tiles = None,
    policy: _PolicyFile,
    trust: _Trust,
) -> Exit:
    """
    Write a case's evidence bundle from the log's store: one file that anybody can check offline.

    `referral-bus verify` checks it, with keys of the reader's own. What is sealed stays sealed.
    """
    with _case(call, subject, (store, tiles), (policy, trust)) as case:
        found, data = case.shown.trail(), case.shown.bundle(case.reader)
    write_private(Path(out), data)
    mention(f"{out} is written")
    told = {
        "file": out,
        "bytes": len(data),
        "sound": found.sound,
        "events": found.events,
        "refused": found.refused,
        "witnessed": found.checked.quorum,
    }
    call.screen.put(told, plain(f"{found.subject}  {found.events} events, {found.refused} refused, {len(data)} bytes"))
    return _ended(found)


def _ended(found: Trail) -> Exit:
    for fault in found.faults:
        complain(str(fault))
    say_if_provisional(witnessed=found.checked.quorum)
    return Exit.DONE if found.sound else Exit.ALARM


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    shown: "CaseShown"
    reader: "StoreReader"


@contextmanager
def _case(call: Call, subject: str, where: tuple[str | None, str | None], files: tuple[str, str]) -> Iterator[_Case]:
    # A second of imports, which no other verb needs.
    from audit_log.showing import show_case  # noqa: PLC0415
    from audit_log.store import open_reader  # noqa: PLC0415

    (store, tiles), (policy_file, trust_file) = where, files
    policy, trust, url = Policy.parse(pinned(policy_file)), load_trust(trust_file), named(call, store, "store")
    witnessed = _witnessed(call, tiles, policy)
    directory = _directory(url, policy, trust)
    with closing(open_reader(url)) as reader:
        newest = reader.newest()
        if newest is None:
            raise LocalError(Code.NOT_FOUND, "the log has no checkpoint yet")
        shown = show_case(reader, subject, directory, policy.check(newest.note).log, witnessed)
        grounds = replace(shown.grounds, checked=policy.check(shown.checkpoint.note))
        yield _Case(shown=replace(shown, grounds=grounds), reader=reader)


def _witnessed(call: Call, tiles: str | None, policy: Policy) -> bytes | None:
    """Return the newest checkpoint that enough of the policy's witnesses have cosigned; None where none is found."""
    from audit_log.witnesses import WITNESSED_PATH  # noqa: PLC0415

    folder = tiles or call.world.environ.get("REFERRAL_BUS_LOG_TILES")
    path = None if folder is None else Path(folder) / WITNESSED_PATH
    if path is None or not path.exists():
        return None
    note = pinned(str(path))
    return note if policy.check(note).quorum else None


def _directory(url: str, policy: Policy, trust: TrustRoot) -> Directory:
    """Return the newest directory that is in the log: each change of it is judged again, from the pinned root on."""
    from audit_log.core.growing import Kind  # noqa: PLC0415
    from audit_log.store import open_snapshot  # noqa: PLC0415

    with open_snapshot(url) as seen:
        judge = judge_of(seen, policy, trust)
        for leaf in seen.leaves(seen.last_partition()):
            if leaf.kind == Kind.DECISION and leaf.salt is not None:
                judge.change(leaf.logged)
    found = judge.directory()
    if found is None:
        raise LocalError(Code.DIRECTORY_MISSING, "the log holds no directory that the pinned root signed")
    return found
