"""Commands of what is installed beside the SDK: each entry point of the group adds its own to the command line."""

from importlib.metadata import entry_points
from typing import Final

import typer

GROUP: Final = "referral_bus.commands"
"""An entry point is a function that takes the `typer.Typer` and adds to it."""


def add_to(app: typer.Typer) -> None:
    """Add the commands of all entry points to *app*, in the order of their names."""
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        point.load()(app)
