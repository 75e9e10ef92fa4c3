"""What can be wrong with a pack, and where: all of it is told at once."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from referral_contracts.codes import Code
from referral_contracts.errors import LocalError


class Fault(StrEnum):
    """What is wrong."""

    MALFORMED_TOML = "malformed-toml"
    UNKNOWN_FIELD = "unknown-field"
    MISSING_FIELD = "missing-field"
    MISSING_SOURCE = "missing-source"
    WRONG_VALUE = "wrong-value"
    UNKNOWN_ROLE = "unknown-role"
    UNKNOWN_HAPPENING = "unknown-happening"
    UNKNOWN_RULE = "unknown-rule"
    WRONG_KIND = "wrong-kind"
    LOOSER = "looser"
    DUPLICATE_PACK = "duplicate-pack"
    DUPLICATE_RULE = "duplicate-rule"
    OVERLAPPING_VALIDITY = "overlapping-validity"
    ROW_CHANGED = "row-changed"
    SAME_VERSION = "same-version"

    @property
    def hint(self) -> str:
        """What can be done about it."""
        return _HINTS[self]


_HINTS: Final = {
    Fault.MALFORMED_TOML: "a pack is TOML 1.0 in UTF-8; the place is told by line and column",
    Fault.UNKNOWN_FIELD: "docs/rules.md tells every field; a misspelled one would otherwise be lost",
    Fault.MISSING_FIELD: "docs/rules.md tells what each kind of pack and of clock needs",
    Fault.MISSING_SOURCE: "name the document and the article; a rule without a source is nobody's",
    Fault.WRONG_VALUE: "docs/rules.md tells how each field is written",
    Fault.UNKNOWN_ROLE: "a role of the directory, or * for everybody; docs/rules.md lists them",
    Fault.UNKNOWN_HAPPENING: (
        "a trigger that a clock section can tell, or a verb such as handoff.offered; docs/deadlines.md shows those of "
        "the law"
    ),
    Fault.UNKNOWN_RULE: "only a rule that is in force in those days can be overridden; is its pack loaded too?",
    Fault.WRONG_KIND: "a threshold is for what is due at once, an override for what has a limit",
    Fault.LOOSER: "a place may be stricter than the country, never looser",
    Fault.DUPLICATE_PACK: "one file is one pack; give it an id of its own",
    Fault.DUPLICATE_RULE: "an id is one rule's; what differs by place is an override, by time a row of later days",
    Fault.ROW_CHANGED: "leave the row, end it with valid_until, and write what follows as a row of its own",
    Fault.SAME_VERSION: "whoever holds two files has to tell them apart: count version up",
    Fault.OVERLAPPING_VALIDITY: (
        "end the earlier row on the day on which the later one begins; one of another pack, in a newer version of that "
        "pack"
    ),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and where."""

    file: str
    rule: str
    """The rule's id, or where it stands in the file; empty for the pack itself."""
    field: str
    fault: Fault
    detail: str

    def __str__(self) -> str:
        """Say it in one line."""
        where = ": ".join(part for part in (self.file, self.rule, self.field) if part)
        return f"{where}: {self.fault.value}: {self.detail}"


class PackRefused(LocalError):
    """Packs that cannot be used, with everything that is wrong with them."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Keep all *problems*, in the order of the files."""
        self.problems = tuple(problems)
        super().__init__(Code.MALFORMED_PACK, "; ".join(map(str, self.problems)))
