"""
The command line `referral-bus`: one function per verb, one module per group.

Standard output holds what was asked for, opened personal data among it. Standard error holds errors, hints and
progress: lower-case fragments without a period, and nothing of what a section says. No stack trace is ever shown.
"""

import logging
import os
import sys
from collections.abc import Sequence
from importlib.metadata import version as distribution_version
from io import TextIOWrapper
from typing import Annotated, Final

import typer

from referral_bus._cli import (
    agency,
    answers,
    audit,
    cases,
    check,
    clocks,
    directory,
    documents,
    erase,
    forms,
    inbox,
    installed,
    keys,
    plan,
    receipt,
    rules,
    send,
    standing,
    stats,
    verify,
    witness,
)
from referral_bus._cli.command import EXITS
from referral_bus._cli.faults import complain, mention, report, usage_hint, usage_message
from referral_bus._cli.world import Exit, World

_HELP: Final = """Child-protection referrals between agencies: sealed, signed, delivered exactly once.

Who speaks, to which bus, is in the agency's folder, named with --home or REFERRAL_BUS_HOME: keys.json, trust.json,
bus.toml (agency, bootstrap) and store.db. Each can be named by itself, with an option or with REFERRAL_BUS_AGENCY,
REFERRAL_BUS_KEYS, REFERRAL_BUS_TRUST, REFERRAL_BUS_STORE, REFERRAL_BUS_BOOTSTRAP.

One process at a time has an agency's store.
"""


def main() -> int:
    """Run the command line of this process and return its exit code."""
    # What is wrong is said by `complain`; a library's own log could show a stack trace or what it worked on.
    logging.disable(logging.CRITICAL)
    code = run(sys.argv[1:], World.of_this_process())
    if code == Exit.PIPE:
        # Python would flush once more on its way out, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def run(arguments: Sequence[str], world: World) -> int:
    """Carry out one command in *world* and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot write Vietnamese shows question marks, not a fault of ours.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        code = _invoke(arguments, world)
    except (KeyboardInterrupt, typer.Abort):
        code = Exit.INTERRUPTED
    except BrokenPipeError:
        return Exit.PIPE
    except typer.TyperException as error:
        complain(usage_message(error), usage_hint(error))
        return Exit.USAGE
    except Exception as error:  # noqa: BLE001 - a stack trace could quote what was being worked on
        return report(error, as_json="--json" in arguments)
    if code == Exit.INTERRUPTED:
        mention("interrupted")
    return code


def _invoke(arguments: Sequence[str], world: World) -> int:
    command = typer.main.get_command(build())
    try:
        found = command.main(
            args=list(arguments) or ["--help"], prog_name="referral-bus", standalone_mode=False, obj=world
        )
    except SystemExit:
        # The parser's way to say that whoever read the output has gone.
        raise BrokenPipeError from None
    return found if isinstance(found, int) else Exit.DONE


def build() -> typer.Typer:
    """Return the command line, wired."""
    app = typer.Typer(
        help=_HELP,
        epilog=EXITS,
        context_settings={"help_option_names": ["-h", "--help"]},
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(_about)
    parts = (
        check,
        verify,
        forms,
        documents,
        plan,
        send,
        inbox,
        answers,
        cases,
        clocks,
        rules,
        standing,
        receipt,
        audit,
        stats,
        agency,
        keys,
        directory,
        witness,
        erase,
        # Last: what is installed beside may add to the groups of the others.
        installed,
    )
    for part in parts:
        part.add_to(app)
    return app


def _tell_version(asked: bool) -> None:  # noqa: FBT001 - typer gives it so
    if asked:
        sys.stdout.write(f"referral-bus {distribution_version('referral-bus')}\n")
        raise typer.Exit


def _about(
    *,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_tell_version, help="Tell the version and end.")
    ] = False,
) -> None:
    pass
