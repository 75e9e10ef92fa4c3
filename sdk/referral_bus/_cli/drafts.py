"""The drafts that `send` sends and `plan` only shows. Files are read before anything is opened."""

from collections.abc import Sequence
from typing import Annotated

import typer

from referral_bus._cli.faults import WrongUsage
from referral_bus._cli.finding import find_answered, find_subject
from referral_bus._cli.saying import Make, read_own, read_parts
from referral_bus.client import ReferralBus
from referral_bus.draft import Draft
from referral_contracts.verbs import Verb

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
            case Verb.NOTIFIED:
                return bus.notify(subject, parts, follows=before)
            case _:
                return bus.note(subject, parts)

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
