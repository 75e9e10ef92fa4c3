"""The drafts that `send` sends and `plan` only shows. Files are read before anything is opened."""

import re
from collections.abc import Callable, Sequence
from typing import Annotated, Final

import typer

from referral_bus._cli.faults import WrongUsage
from referral_bus._cli.finding import find_answered, find_subject
from referral_bus._cli.saying import Make, read_own, read_parts
from referral_bus.client import ReferralBus
from referral_bus.draft import Draft
from referral_contracts.encoding import SUBJECT
from referral_contracts.payloads.link import Link, Unlinking
from referral_contracts.verbs import Verb

_SUBJECT: Final = re.compile(SUBJECT)

Case = Annotated[str, typer.Option(metavar="SUBJECT", help="The case; its beginning will do.")]


def opening(files: Sequence[str], *, exercise: bool) -> Make:
    """Return what makes the draft that opens a case."""
    payloads = read_own(files)

    def make(bus: ReferralBus) -> Draft:
        return bus.open_case(*payloads, exercise=exercise)

    return make


Follows = Annotated[
    str | None,
    typer.Option(metavar="HANDOFF", help="The hand-off that ended, declined or given back, which this one takes up."),
]


def making(verb: Verb, case: str, to: Sequence[str], follows: str | None = None) -> Make:
    """Return what makes a draft of *verb*, each recipient with its own parts."""
    parts = read_parts(to)

    def make(bus: ReferralBus) -> Draft:
        subject = find_subject(bus, case)
        before = None if follows is None else find_answered(bus, follows)
        match verb:
            case Verb.OFFERED:
                return bus.offer(subject, parts, follows=before)
            case Verb.ASSIGNED:
                return bus.assign(subject, parts, follows=before)
            case _:
                return bus.notify(subject, parts, follows=before)

    return make


def noting(case: str, files: Sequence[str] | None, to: Sequence[str] | None) -> Make:
    """Return what makes the draft that files something in the case: each recipient's part, or our own *files*."""
    if bool(files) == bool(to):
        raise WrongUsage("a note goes to those that --to names, or is this agency's own: its files without --to")
    parts, own = read_parts(to or ()), read_own(files or ())

    def make(bus: ReferralBus) -> Draft:
        return bus.note(find_subject(bus, case), parts, own=own)

    return make


def transferring(case: str, to: Sequence[str]) -> Make:
    """Return what makes the draft that offers the case itself."""
    parts = read_parts(to)
    if len(parts) != 1:
        raise WrongUsage("a case is offered to one agency: --to once, with all its files")
    ((recipient, (first, *more)),) = parts.items()

    def make(bus: ReferralBus) -> Draft:
        return bus.transfer(find_subject(bus, case), recipient, first, *more)

    return make


OtherCases = Annotated[
    list[str],
    typer.Option(metavar="SUBJECT", help="The other case; the beginning of one that is known here. Repeatable."),
]
Told = Annotated[
    list[str] | None,
    typer.Option("--to", metavar="AGENCY", help="Who is told, and learns of the other cases; nobody else. Repeatable."),
]


def tying(
    saying: Callable[..., Draft], case: str, files: Sequence[str], others: Sequence[str], to: Sequence[str] | None
) -> Make:
    """Return what makes the draft that *saying* makes of the files, which name the *others* then."""
    payloads = read_own(files)

    def make(bus: ReferralBus) -> Draft:
        named = {"others": tuple(_other(bus, text) for text in others)}
        told = (item.model_copy(update=named) if isinstance(item, Link | Unlinking) else item for item in payloads)
        return saying(bus, find_subject(bus, case), *told, to=tuple(to or ()))

    return make


def _other(bus: ReferralBus, text: str) -> str:
    # A case of others is known by what a person was told of it.
    return text if _SUBJECT.fullmatch(text) else find_subject(bus, text)
