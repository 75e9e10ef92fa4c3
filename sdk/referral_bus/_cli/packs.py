"""The packs of rules and the calendar that a command works with: those that came with this program, or a person's."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import referral_contracts
from referral_bus._cli.faults import WrongUsage
from referral_bus._cli.files import read_named
from referral_contracts.codes import Code
from referral_contracts.rules.book import RuleBook
from referral_contracts.rules.calendar import Calendar
from referral_contracts.rules.days import read_calendar
from referral_contracts.rules.loading import load_packs, read_packs
from referral_contracts.rules.pack import PackKind

PACK_MAX: Final = 4 << 20
"""All rules of the country take a twentieth of it."""
CALENDAR: Final = "calendar/vn.toml"


def shelf() -> Path:
    """Return the folder of the packs that came with this program: in its package, or beside it in a work tree."""
    package = Path(referral_contracts.__file__).parent
    found = next((folder for folder in (package / "packs", package.parent / "packs") if folder.is_dir()), None)
    if found is None:
        raise WrongUsage("no packs came with this program", "name them with --packs", code=Code.NO_SUCH_FILE)
    return found


def texts_of(names: Sequence[str]) -> dict[str, str]:
    """Return the packs that a person named, files or folders of them; by default those for cases in earnest."""
    if not names:
        return dict(_shipped())
    files = [file for name in names for file in (sorted(Path(name).glob("*.toml")) if Path(name).is_dir() else [name])]
    return {str(file): text_of(str(file)) for file in files}


def text_of(name: str) -> str:
    """Return what the file *name* holds."""
    try:
        return read_named(name, PACK_MAX).decode("utf-8")
    except UnicodeDecodeError as error:
        raise WrongUsage(f"{name}: not UTF-8", code=Code.MALFORMED_PACK) from error


def book_of(names: Sequence[str] | None, own: Sequence[str] | None = None) -> RuleBook:
    """Return the rules of the packs that a person named, and of their *own* beside them, or raise PackRefused."""
    return RuleBook(load_packs(beside(texts_of(own) if own else {}, names)))


def beside(texts: Mapping[str, str], names: Sequence[str] | None) -> dict[str, str]:
    """Return *texts* beside the packs that a person named, each in the place of the one of its id."""
    own = {name for file, text in texts.items() for name in _ids(file, text)}
    listed = texts_of(names or [])
    return {
        **{file: text for file, text in listed.items() if file not in texts and not _ids(file, text) & own},
        **texts,
    }


def calendar_of(name: str | None) -> Calendar:
    """Return the calendar that a person named; by default the one that came with this program."""
    file = str(shelf() / CALENDAR) if name is None else name
    return read_calendar(file, text_of(file))


def _ids(file: str, text: str) -> set[str]:
    return {pack.pack.id for pack in read_packs({file: text})[0].values()}


def _shipped() -> Iterator[tuple[str, str]]:
    # The demonstration's seconds are no rules for a case in earnest.
    folder = shelf()
    for file in sorted([*folder.glob("*.toml"), *folder.glob("local/*.toml")]):
        text = text_of(str(file))
        packs, _ = read_packs({file.name: text})
        if all(pack.pack.kind is not PackKind.DEMO for pack in packs.values()):
            yield str(file.relative_to(folder)), text
