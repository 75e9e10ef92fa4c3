"""How a trail is shown, wherever it came from: a table, JSON or CSV, and as files a page and a picture."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import typer
from rich.console import RenderableType

from referral_bus._cli.command import Call
from referral_bus._cli.faults import WrongUsage, advise, complain
from referral_bus._cli.files import read_named, write_private
from referral_bus._cli.screen import columns, heading, plain
from referral_bus._cli.world import Exit
from referral_contracts.trail import archive, page, telling, words
from referral_contracts.trail.bundle import read_disclosed
from referral_contracts.trail.checking import NO_DISCLOSURE
from referral_contracts.trail.leaves import Disclosed
from referral_contracts.trail.model import Trail
from referral_contracts.trail.picture import picture
from referral_contracts.trail.words import Language
from referral_contracts.wording import CASES, EXERCISE, both

_PROVISIONAL: Final = (
    "tạm thời: điểm kiểm tra chưa đủ chữ ký của các bên chứng kiến",
    "provisional: not enough witnesses have cosigned the checkpoint yet",
)
PageFile: TypeAlias = Annotated[
    str | None, typer.Option("--page", metavar="FILE", help="Write the trail as a page, made anew.")
]
PictureFile: TypeAlias = Annotated[
    str | None, typer.Option("--picture", metavar="FILE", help="Write its timeline as SVG.")
]
AsCsv: TypeAlias = Annotated[bool, typer.Option("--csv", help="Write the trail as CSV, for a spreadsheet.")]
InLanguage: TypeAlias = Annotated[str, typer.Option("--language", metavar="vi|en", help="Of table, CSV and picture.")]
DisclosedFile: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--disclosed", metavar="FILE", help="Keys of sections that their holders showed: a bundle's disclosed.jsonl."
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """How a trail is to be shown."""

    language: Language
    csv: bool = False
    page: str | None = None
    picture: str | None = None

    @classmethod
    def told(cls, language: str, *, csv: bool, page: str | None, picture: str | None) -> "Shown":
        """
        Return what the options say.

        Raises:
            WrongUsage: There is no such language.
        """
        found = {one.tag: one for one in Language}.get(language)
        if found is None:
            raise WrongUsage("--language is vi or en")
        return cls(language=found, csv=csv, page=page, picture=picture)


def disclosed_in(name: str | None) -> Disclosed:
    """
    Return the keys of sections in the file *name*; none where there is no file.

    Raises:
        RemoteError: BAD_BUNDLE: somebody else's file, and not of this form.
    """
    return NO_DISCLOSURE if name is None else read_disclosed(read_named(name, archive.MAX_SIZE), name)


def show_trail(call: Call, trail: Trail, shown: Shown, **more: object) -> Exit:
    """Show *trail*, with *more* fields in JSON; what is wrong in it is told, and is an alarm."""
    if shown.page is not None:
        write_private(Path(shown.page), page.page(trail))
    if shown.picture is not None:
        write_private(Path(shown.picture), picture(trail, shown.language).encode())
    if shown.csv:
        call.screen.text(telling.as_csv(trail, shown.language))
    else:
        fields = {"sound": trail.sound, **more, "trail": telling.fields(trail)}
        call.screen.put(fields, *_lines(trail, shown.language))
    return ended(trail)


def ended(trail: Trail) -> Exit:
    """Tell what is wrong with *trail*, and what of it is provisional; return what the process says."""
    for fault in trail.faults:
        complain(str(fault))
    say_if_provisional(witnessed=trail.checked.quorum)
    return Exit.DONE if trail.sound else Exit.ALARM


def say_if_provisional(*, witnessed: bool) -> None:
    """Say of what is proven that it is not *witnessed* enough yet."""
    if not witnessed:
        advise(both(_PROVISIONAL))


def _lines(trail: Trail, language: Language) -> tuple[RenderableType, ...]:
    """Return what a person reads of *trail*: the case, a line for each leaf, and what it is proven under."""
    state = "—" if trail.state is None else both(CASES[trail.state])
    owner = "—" if trail.owner is None else words.name(trail, trail.owner, language)
    checkpoint = trail.checked.checkpoint
    seen = ", ".join(trail.checked.witnesses) or "—"
    return (
        heading(f"{trail.subject}  {state}  {owner}{f'  {EXERCISE}' if trail.exercise else ''}"),
        columns(telling.lines(trail, language), *telling.titles(language)),
        plain(f"{checkpoint.origin}: {checkpoint.size}; chứng kiến / witnesses: {seen}"),
        plain(_verdict(trail)),
    )


def _verdict(trail: Trail) -> str:
    if not trail.sound:
        return "✗ không đứng vững / not sound"
    return f"✓ {trail.events} sự kiện được chứng minh / events proven, {trail.refused} bị từ chối / refused"
