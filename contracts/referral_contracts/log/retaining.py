"""
By which rule a case that ended is due to be erased.

Rules are data with a source, as those of the deadlines are (`contracts/packs/retention/`). A rule without a number
makes nothing due; nor does one whose confidence is N: nobody has read its source, so it is shown and never applied.
Nothing is erased by a rule: what is due takes a request, with two signatures, like everything else.
"""

import tomllib
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Final, Literal, NamedTuple, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from referral_contracts.codes import Code
from referral_contracts.errors import LocalError
from referral_contracts.payloads.basis import Confidence
from referral_contracts.rules.pack import Basis, LongWords, Name, Words

End: TypeAlias = Literal["case.closed", "case.voided"]
_DAY: Final = timedelta(days=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_VIET_NAM: Final = timedelta(hours=7)
_GROUND_MOST: Final = 300


class RetentionRule(BaseModel):
    """How long what was logged of a case may be kept once the case has ended."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Name
    vi: Words
    en: Words
    ends: Annotated[tuple[End, ...], Field(min_length=1)]
    """How the case ended."""
    days: Annotated[int, Field(ge=1, le=36_500)] | None = None
    """None: the source names no number."""
    basis: Basis = Basis.LAW
    """What it rests on. Policy never calls itself law."""
    confidence: Confidence
    source: Words
    quote: LongWords | None = None
    note: LongWords | None = None
    valid_from: date
    valid_until: date | None = None
    """The first day on which it is no more."""

    @property
    def applies(self) -> bool:
        """Whether something can be due by it."""
        return self.days is not None and self.confidence is not Confidence.NOT_VERIFIED

    @property
    def ground(self) -> str:
        """What a request names it by."""
        told = self.source if self.basis is Basis.LAW else f"{Basis.POLICY.vi} / {Basis.POLICY.en}: {self.source}"
        return told[:_GROUND_MOST]


class RetentionRules(BaseModel):
    """A file of rules."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: Annotated[tuple[RetentionRule, ...], Field(min_length=1)]

    @property
    def days(self) -> int | None:
        """The longest that any end waits for its rule; None: something is never due."""
        ends: list[End] = ["case.closed", "case.voided"]
        shortest = [
            min((one.days for one in self.rule if end in one.ends and one.applies and one.days), default=None)
            for end in ends
        ]
        return None if None in shortest else max(days for days in shortest if days is not None)


class Due(NamedTuple):
    """That a case is due, by a rule."""

    rule: RetentionRule
    at_ms: int
    """Since when."""


def read_retention(text: str) -> RetentionRules:
    """
    Return the rules that *text*, TOML, writes.

    Raises:
        LocalError: MALFORMED_PACK, naming what is wrong.
    """
    try:
        told = RetentionRules.model_validate(tomllib.loads(text))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(one) for one in first["loc"])
        raise LocalError(Code.MALFORMED_PACK, f"{place}: {first['type']}") from None
    except (ValueError, RecursionError):
        raise LocalError(Code.MALFORMED_PACK, "not TOML") from None
    ids = [one.id for one in told.rule]
    if len(set(ids)) != len(ids):
        raise LocalError(Code.MALFORMED_PACK, "two rules of one id")
    return told


def due(rules: Iterable[RetentionRule], end: str, ended_ms: int, now_ms: int) -> list[Due]:
    """Return by which of *rules* a case that ended so, then, is due; those first by which it has been longest."""
    day = (_EPOCH + timedelta(milliseconds=ended_ms) + _VIET_NAM).date()
    found = []
    for one in rules:
        in_force = one.valid_from <= day and (one.valid_until is None or day < one.valid_until)
        if one.days is None or end not in one.ends or not in_force:
            continue
        at_ms = ended_ms + one.days * (_DAY // timedelta(milliseconds=1))
        if at_ms <= now_ms:
            found.append(Due(one, at_ms))
    return sorted(found, key=lambda one: (one.at_ms, one.rule.id))
