"""
Erasing, typed on the log's host while its service is stopped: ``python -m audit_log.erasing``.

Settings are the service's own. One process writes a log: while the service runs, all but `draft`, `sign` and `lives`
end with log-busy. Nothing is lost meanwhile: the ledger waits.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pydantic import ValidationError
from sqlalchemy import create_engine, make_url

from audit_log.app import SERVICE
from audit_log.core.lives import FOR_EVER, lives, longest, on_the_bus
from audit_log.eraser import DAY_MS, Eraser, Outcome, Rules
from audit_log.folder import Folder
from audit_log.log import Desk, Log
from audit_log.settings import Settings
from audit_log.store import open_store
from audit_log.store.opening import open_reader
from audit_log.store.scrubbing import scrub
from referral_contracts.codes import Code
from referral_contracts.encoding import format_time
from referral_contracts.errors import LocalError, ReferralBusError, RemoteError
from referral_contracts.log.erasing import Asked
from referral_contracts.log.leaf import Statement
from referral_contracts.sealing import random_salts
from service_chassis.command import complain, now_ms
from service_chassis.keyfile import read_signing_key, read_trust

_MOST: Final = 1024 * 1024
Clock = Callable[[], int]
Arguments = argparse.Namespace


def main(arguments: Sequence[str] | None = None, clock: Clock = now_ms) -> int:
    """Do what is asked and return the exit code: 1 when something is refused or waits, 2 when it cannot be done."""
    asked = _parser().parse_args(arguments)
    try:
        done: int = asked.work(asked, Settings(), clock)
    except RemoteError as error:
        complain(SERVICE, error)
        return 1
    except (ValidationError, ReferralBusError) as error:
        return complain(SERVICE, error)
    return done


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m audit_log.erasing", description="Erase what was logged.")
    verbs = parser.add_subparsers(required=True)
    draft = verbs.add_parser("draft", help="write a request, for two agencies to sign")
    draft.add_argument("--case", required=True)
    draft.add_argument("--ground", required=True, help="by which law")
    draft.add_argument("--event", action="append", help="the hash of an event; without any, the whole case")
    draft.add_argument("--not-before", help="2026-11-23T00:00:00.000Z")
    draft.set_defaults(work=_draft)
    sign = verbs.add_parser("sign", help="sign a statement with an agency's key file, and write it anew")
    sign.add_argument("key", type=Path)
    sign.add_argument("file", type=Path)
    sign.set_defaults(work=_sign)
    ask = verbs.add_parser("ask", help="log a signed request, a hold or the end of one")
    ask.add_argument("file", type=Path)
    ask.set_defaults(work=_ask)
    verbs.add_parser("list", help="what waits, and for what").set_defaults(work=_list)
    run = verbs.add_parser("run", help="carry out what may be")
    run.add_argument("--dry-run", action="store_true")
    run.set_defaults(work=_run)
    verbs.add_parser("due", help="cases whose time is over, and nobody asked for").set_defaults(work=_due)
    verbs.add_parser("lives", help="how long sealed bytes live, by the settings").set_defaults(work=_lives)
    return parser


def _draft(asked: Arguments, settings: Settings, clock: Clock) -> int:
    try:
        told = Asked(
            at=format_time(clock()),
            bus=read_trust(settings.trust).bus,
            events=None if asked.event is None else tuple(asked.event),
            ground=asked.ground,
            not_before=asked.not_before,
            subject=asked.case,
        )
    except ValidationError:
        raise LocalError(Code.MALFORMED_VALUE, "not the case, hashes or time of a request") from None
    sys.stdout.write(_written(Statement(signatures=(), value=told.encode())))
    return 0


def _sign(asked: Arguments, _: Settings, _clock: Clock) -> int:
    statement = _read(asked.file)
    signed = Statement.signed(statement.value, read_signing_key(asked.key))
    asked.file.write_text(
        _written(Statement(signatures=(*statement.signatures, *signed.signatures), value=statement.value))
    )
    return 0


def _ask(asked: Arguments, settings: Settings, clock: Clock) -> int:
    statement = _read(asked.file)
    with _eraser(settings, clock) as eraser:
        _say(f"logged as leaf {eraser.state(statement)}")
    return 0


def _list(_: Arguments, settings: Settings, clock: Clock) -> int:
    with _eraser(settings, clock) as eraser:
        return _told(eraser.outcomes(), "ready")


def _run(asked: Arguments, settings: Settings, clock: Clock) -> int:
    with _eraser(settings, clock) as eraser:
        if asked.dry_run:
            return _told(eraser.outcomes(), "would be erased")
        return _told(eraser.run(), "erased")


def _due(_: Arguments, settings: Settings, clock: Clock) -> int:
    if not settings.log_due_days:
        _say("no case is ever due: REFERRAL_BUS_LOG_DUE_DAYS is 0")
        return 0
    with _eraser(settings, clock) as eraser:
        for subject, case in eraser.due(settings.log_due_days):
            _say(f"case {subject}  ended {format_time(case.ended_ms)}  owner {case.owner}  {len(case.erasable)} leaves")
    return 0


def _lives(_: Arguments, settings: Settings, _clock: Clock) -> int:
    found = lives(
        keep_days=settings.log_keep_days,
        wait_days=settings.log_wait_days,
        due_days=settings.log_due_days,
        backup_days=settings.log_backup_days,
    )
    for one in found:
        _say(f"{one.where}: {_days(one.days)} after {one.since}")
    _say(
        f"once an erasure is asked for, nothing sealed lives on the bus longer than {_days(longest(on_the_bus(found)))}"
    )
    return 0


def _days(days: int) -> str:
    return "for ever" if days == FOR_EVER else f"{days} days"


def _told(outcomes: Iterator[Outcome] | list[Outcome], done: str) -> int:
    code = 0
    for one in outcomes:
        what = (
            f"{len(one.leaves)} leaves {done}"
            if one.code is None
            else f"{one.code}, not before {format_time(one.ready_ms)}"
        )
        _say(f"request {one.waiting.leaf}  case {one.waiting.requested.asked.subject}  {what}")
        code = 1 if one.code is not None else code
    return code


@contextmanager
def _eraser(settings: Settings, clock: Clock) -> Iterator[Eraser]:
    root, url = read_trust(settings.trust), settings.log_store.get_secret_value()
    origin = settings.log_origin or f"{root.bus}.log"
    desk = Desk(origin=origin, key=read_signing_key(settings.log_key), salts=random_salts, clock=clock)
    store, folder = open_store(url, bus=root.bus, origin=origin), Folder(settings.log_tiles)
    reader, engine = open_reader(url), create_engine(make_url(url))
    try:
        rules = Rules(root=root, wait_ms=settings.log_wait_days * DAY_MS)
        yield Eraser(Log(store, folder, desk), reader, desk, rules, lambda: scrub(engine))
    finally:
        engine.dispose()
        reader.close()
        folder.close()
        store.close()


def _read(path: Path) -> Statement:
    """Return the statement in a file: a line for each signature, an empty one, and what is signed."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise LocalError(Code.NO_SUCH_FILE, "the statement cannot be read") from error
    signatures, _, value = data.partition(b"\n\n") if not data.startswith(b"\n") else (b"", b"", data[1:])
    if len(data) > _MOST or not value:
        raise LocalError(Code.MALFORMED_VALUE, "not a statement: signatures, an empty line, and what is signed")
    return Statement(signatures=tuple(signatures.split()), value=value.rstrip(b"\n"))


def _written(statement: Statement) -> str:
    return "".join(f"{one.decode()}\n" for one in statement.signatures) + f"\n{statement.value.decode()}\n"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
