"""A file that says what happened, and the clocks that follow: what is due when, and what would be said of it."""

from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from referral_bus._cli.faults import WrongUsage, meant
from referral_contracts.codes import Code
from referral_contracts.encoding import sha256
from referral_contracts.payloads.base import Moment
from referral_contracts.rules import happenings
from referral_contracts.rules.book import RuleBook, RuleInForce
from referral_contracts.rules.calendar import Calendar
from referral_contracts.rules.docket import Docket
from referral_contracts.rules.faults import Fault
from referral_contracts.rules.heard import Happening, World
from referral_contracts.rules.pack import HappeningName, Whose

SUBJECT: Final = "0" * 32
_MOMENT: Final = TypeAdapter[datetime](Moment)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ToldHappening(_Told):
    """Something that happened, and when the bus was told of it."""

    name: HappeningName
    at: Moment
    told_at: Moment | None = None
    """Absent: at once."""
    whose: str | None = None
    sender: str | None = None
    province: str | None = None
    commune: str | None = None
    handoff: str = ""


class ToldOutage(_Told):
    """When nobody could submit anything."""

    since: Moment
    until: Moment


class Story(_Told):
    """What happened in one case."""

    happenings: tuple[ToldHappening, ...]
    outages: tuple[ToldOutage, ...] = ()
    now: Moment | None = None
    """The moment up to which it is looked at; absent: the last that was told."""

    @classmethod
    def read(cls, data: bytes) -> "Story":
        """Return the story that *data* tells."""
        try:
            return cls.model_validate_json(data)
        except ValidationError as error:
            found = error.errors(include_url=False, include_input=False, include_context=False)
            strange = [one["msg"] for one in found if one["type"] == Fault.UNKNOWN_HAPPENING]
            hints = [hint for name in strange for hint in meant(name, happenings.names())]
            hints.append("docs/rules.md shows such a file")
            told = [_said(one["loc"], one["type"], one["msg"]) for one in found]
            raise WrongUsage("; ".join(told), *hints, code=Code.MALFORMED_JSON) from None

    @property
    def now_ms(self) -> int:
        """The moment up to which it is looked at."""
        if self.now is not None:
            return _ms(self.now)
        return max((_ms(one.told_at or one.at) for one in self.happenings), default=0)

    def happened(self, book: RuleBook, calendar: Calendar) -> Docket:
        """Return the clocks of the case, by what has happened until now."""
        outages = tuple((_ms(one.since), _ms(one.until)) for one in self.outages)
        world = World("simulation", book, calendar, _owner, outages)
        docket = Docket(SUBJECT)
        for number, one in enumerate(self.happenings, start=1):
            happening = _happening(number, one)
            if happening.admitted_ms <= self.now_ms:
                docket = docket.hear(world, [happening])
        return docket


def moment_of(text: str) -> int:
    """Return the moment that a person wrote, as milliseconds."""
    try:
        return _ms(_MOMENT.validate_python(text))
    except ValidationError:
        raise WrongUsage("a moment with its offset is wanted, such as 2026-11-20T21:00:00+07:00") from None


def _said(place: tuple[int | str, ...], kind: str, message: str) -> str:
    strange = f"{kind}: " if kind == Fault.UNKNOWN_HAPPENING else ""
    return f"{'.'.join(map(str, place))}: {strange}{message[:1].lower()}{message[1:]}"


def _happening(number: int, one: ToldHappening) -> Happening:
    event = f"#{number}"
    return Happening(
        name=one.name,
        event=event,
        sha256=sha256(event.encode()).hex(),
        admitted_ms=_ms(one.told_at or one.at),
        occurred_ms=_ms(one.at),
        sender=one.sender,
        whose=one.whose,
        province=one.province,
        commune=one.commune,
        scope=one.handoff,
    )


def _owner(rule: RuleInForce, start: Happening) -> str | None:
    # There is no directory here that knows who has which role: whoever is named, has it.
    match rule.rule.whose:
        case Whose.PLACE:
            return start.whose or rule.rule.role_name
        case Whose.SENDER:
            return start.whose or start.sender
        case Whose.NAMED:
            return start.whose


def _ms(moment: Moment) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)
