"""
What every verb has in common: the options that say who speaks, ``--json``, exit codes, help.

A verb is a plain function of a `Call` and its own parameters, and returns what the process says when it ends.
"""

import inspect
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Concatenate, Final, ParamSpec, TypeAlias

import typer

from referral_bus._cli.screen import Screen
from referral_bus._cli.settings import Given, Settings
from referral_bus._cli.world import Exit, World
from referral_contracts.codes import Code
from referral_contracts.errors import LocalError

P = ParamSpec("P")
Outcome: TypeAlias = Exit | Coroutine[Any, Any, Exit]
Command: TypeAlias = Callable[..., Coroutine[Any, Any, Exit]]
"""A verb that asks the bus; its parameters are its own."""

EXITS: Final = (
    "Exit codes: 0 done, 1 refused by the bus, 2 wrong usage or input, 3 broker or directory away or timed out "
    "(what was sent stays in the outbox), 4 something is tampered with or an alarm is raised, 5 the store is busy, "
    "70 a fault of this program."
)

_JSON: Final = Annotated[bool, typer.Option("--json", help="Write JSON, one object a line.")]
_COMMON: Final[dict[str, Any]] = {
    "home": Annotated[
        str | None,
        typer.Option(metavar="DIR", help="The agency's folder: keys.json, trust.json, bus.toml, store.db."),
    ],
    "agency": Annotated[str | None, typer.Option(metavar="ID", help="Who speaks; by default whose keys they are.")],
    "keys": Annotated[str | None, typer.Option(metavar="FILE", help="Its private keys.")],
    "trust": Annotated[str | None, typer.Option(metavar="FILE", help="What it pinned: the bus and the root keys.")],
    "store": Annotated[str | None, typer.Option(metavar="FILE", help="Its outbox, inbox and views.")],
    "bootstrap": Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Where the broker is.")],
}
"""By the names of `Given`."""


@dataclass(frozen=True)
class Call:
    """One call of the command line."""

    world: World
    given: Given
    as_json: bool
    insistent: bool = False
    """Whoever typed it said how long to wait."""

    @cached_property
    def screen(self) -> Screen:
        """Standard output."""
        return Screen(as_json=self.as_json, environ=self.world.environ)

    @cached_property
    def settings(self) -> Settings:
        """Who speaks, with what, to where."""
        return Settings(self.given, self.world.environ)

    def run(self, work: Coroutine[Any, Any, Exit]) -> Exit:
        """Return what *work* ends with. A broker that is away has its address in the error, which no log has."""
        try:
            return self.world.run(work)
        except LocalError as error:
            if error.code is not Code.BROKER_AWAY or not self.settings.names_broker:
                raise
            raise LocalError(error.code, f"{self.settings.bootstrap}: {error.detail}") from error


def new_group(app: typer.Typer, name: str, text: str) -> typer.Typer:
    """Return a group of verbs called *name*, added to *app*."""
    group = typer.Typer(help=text, epilog=EXITS, rich_markup_mode=None)
    app.add_typer(group, name=name)
    return group


def group_of(app: typer.Typer, name: str, text: str) -> typer.Typer:
    """Return the group of verbs called *name* that *app* has, or a new one: it may be filled from several sides."""
    for group in app.registered_groups:
        if group.name == name and group.typer_instance is not None:
            return group.typer_instance
    return new_group(app, name, text)


def add(
    app: typer.Typer, name: str, verb: Callable[Concatenate[Call, P], Outcome], *, json: str, local: bool = False
) -> None:
    """
    Make *verb* a command of *app*: its docstring is the help, its parameters but the first are the command's.

    Args:
        json: The fields it writes with ``--json``, for the help.
        local: It works on files alone, and takes no settings.
    """
    own = list(inspect.signature(verb, eval_str=True).parameters.values())[1:]
    common = {} if local else _COMMON

    def command(ctx: typer.Context, **told: Any) -> Exit:  # noqa: ANN401 - typer has checked them
        given = Given(**{name: told.pop(name) for name in common})
        source = ctx.get_parameter_source("timeout")
        typed = source is not None and source.name == "COMMANDLINE"
        call = Call(world=ctx.obj, given=given, as_json=told.pop("as_json"), insistent=typed)
        outcome = verb(call, **told)  # type: ignore[call-arg]
        return outcome if isinstance(outcome, Exit) else call.run(outcome)

    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters = [
        inspect.Parameter("ctx", keyword, annotation=typer.Context),
        *(part.replace(kind=keyword) for part in own),
        *(inspect.Parameter(name, keyword, default=None, annotation=kind) for name, kind in common.items()),
        inspect.Parameter("as_json", keyword, default=False, annotation=_JSON),
    ]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    text = inspect.cleandoc(verb.__doc__ or "")
    app.command(name, help=f"{text}\n\nWith --json: {json}", epilog=EXITS)(command)
