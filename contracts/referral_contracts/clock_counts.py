"""
What the deadline watcher counted of a period, from its own state: by rule and role, and of children. Pure.

A file that the watcher's operator hands to the statistics agency. No case, agency or place is in it. It says more than
a notice of each end could: of every clock that began in the period how it ended, also of those that were simply met.
"""

from datetime import date, datetime
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from referral_contracts.codes import Code
from referral_contracts.errors import LocalError

FORMAT: Final = "clock-counts/1.0"
MAX_BYTES: Final = 1 << 20

Count = Annotated[int, Field(ge=0)]
Label = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,199}$")]


class _Counted(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RuleCount(_Counted):
    """The clocks of one rule and role that began in the period."""

    rule: Label
    role: Label
    basis: Literal["law", "policy"]
    met: Count = 0
    claimed: Count = 0
    """Done in time by their own word, and recorded late."""
    missed: Count = 0
    """Late, or never done: what came afterwards leaves it missed."""
    disputed: Count = 0
    cancelled: Count = 0
    measured: Count = 0
    """Done, where no limit could be missed: none, none that anybody has read, or nobody found whose clock it is."""
    running: Count = 0
    """Not ended, and not late."""


class Overdue(_Counted):
    """Clocks that were missed and whose work is still not done, by how long."""

    rule: Label
    role: Label
    basis: Literal["law", "policy"]
    days: Count
    """For more than so many days; 0: for less than any of `AGES`."""
    clocks: Count


class Measures(_Counted):
    """Children, each counted once, for whom a clock of a measure began in the period."""

    cases: Count = 0
    children: Count = 0
    in_time: Count = 0
    claimed: Count = 0
    late: Count = 0
    disputed: Count = 0
    """A measure was taken, and when it was due is disputed."""
    untimed: Count = 0
    """One was taken, and nobody was found who could have been late with it."""
    ruled_out: Count = 0
    """None was needed after all."""
    waiting: Count = 0
    """None is on record."""
    complete: Count = 0
    """Children of whom nothing that the law asks for is open: every clock of law of theirs is done or taken off."""


class ClockCounts(_Counted):
    """What was counted of a period."""

    format: Literal["clock-counts/1.0"] = FORMAT
    bus: str
    since: date
    until: date
    """The last day of it. A clock belongs to the day on which it started."""
    as_of: datetime
    """Up to when the watcher had read everything."""
    rules: tuple[RuleCount, ...] = ()
    overdue: tuple[Overdue, ...] = ()
    measures: Measures = Measures()

    @classmethod
    def decode(cls, value: bytes) -> Self:
        """
        Return what a file says.

        Raises:
            LocalError: MALFORMED_VALUE: it is not such a file.
        """
        try:
            return cls.model_validate_json(value[: MAX_BYTES + 1])
        except ValidationError:
            raise LocalError(Code.MALFORMED_VALUE, "not a file of the deadline watcher's counts") from None

    def encode(self) -> bytes:
        """Return the file."""
        return self.model_dump_json(indent=1).encode() + b"\n"
