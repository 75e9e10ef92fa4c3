"""A bus that is watched: a few rules of the law in hours and days, agencies with places and superiors, the watcher."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import deadline_watcher.core
from referral_bus.testing import Rules
from referral_contracts.directory_model import Entry, Jurisdiction
from referral_contracts.payloads.actor import Actor, Role
from referral_contracts.payloads.clock import AboutClock, ClockSection, Trigger
from referral_contracts.payloads.deadline import ClockUnreadable, DeadlineNotice
from referral_contracts.rules.book import RuleBook
from referral_contracts.rules.calendar import Calendar
from referral_contracts.rules.clock import Clock
from referral_contracts.rules.loading import load_packs
from referral_contracts.sections import encode_section, read_section
from referral_contracts.topics import partition_for
from referral_contracts.verbs import DEADLINES, Verb
from tests.contracts.rules.packs import head, rule
from tests.stories.world import HOTLINE, SCHOOL, WARD, Copy, Said, World

HOUR: Final = 3600.0
PROVINCE: Final = "01"
COMMUNE: Final = "00101"
PROVINCE_OFFICE: Final = SCHOOL
"""Who is above the wards: any agency of the stories will do."""
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

EMERGENCY: Final = rule(
    second='["commune-informed"]',
    required='["emergency-measures-applied", "separation-in-force"]',
    remind='["PT2H"]',
    escalate='[{ up = 1, wait = "PT1H", repeat = "PT24H", times = 2 }]',
)
"""12 hours from the first receipt anywhere; a reminder 2 hours before; an hour after it, the superior, twice."""
CALENDAR: Final = Calendar("days off, none", frozenset(range(2020, 2040)))


def rules(*rows: str, settle: str = "PT1H", calendar: Calendar = CALENDAR) -> Rules:
    """Return what a watcher watches by: *rows*, by default the emergency's alone."""
    texts = {"national": head() + "".join(rows or (EMERGENCY,)), "policy": head("policy", settle=f'"{settle}"')}
    return Rules(core=deadline_watcher.core, book=RuleBook(load_packs(texts)), calendar=calendar)


def moment(ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=ms)


def trigger(name: str, **more: Any) -> Trigger:
    return Trigger(trigger=name, **{"province": PROVINCE, "commune": COMMUNE, **more})


def clock(*triggers: Trigger | str, about: AboutClock | None = None) -> bytes:
    """Return a clock section that tells *triggers*."""
    listed = tuple(trigger(one) if isinstance(one, str) else one for one in triggers)
    return encode_section(ClockSection(actor=Actor(role=Role.SYSTEM), triggers=listed or "none", about_clock=about))


@dataclass(frozen=True, slots=True)
class Note:
    """A notice in somebody's inbox."""

    verb: Verb
    body: DeadlineNotice | ClockUnreadable
    copy: Copy

    @property
    def deadline(self) -> DeadlineNotice:
        assert isinstance(self.body, DeadlineNotice)
        return self.body


class Watched(World):
    """A bus with a watcher, on which a ward answers for its commune and the province is above it."""

    def __init__(
        self,
        *rows: str,
        settle: str = "PT1H",
        calendar: Calendar = CALENDAR,
        law: Rules | None = None,
        **more: Any,
    ) -> None:
        super().__init__(rules=law or rules(*rows, settle=settle, calendar=calendar), **more)
        assert self.simulator.watching is not None
        self.watching = self.simulator.watching
        self.found()

    def found(self) -> None:
        """Let the directory say who answers for which place, and who is above whom."""
        ward = self._entry(
            WARD, jurisdiction=(Jurisdiction(province=PROVINCE, commune=COMMUNE),), parent=PROVINCE_OFFICE
        )
        above = self._entry(PROVINCE_OFFICE, jurisdiction=(Jurisdiction(province=PROVINCE),))
        self.simulator.change_directory(agencies=[ward, above])
        self.simulator.run()

    def _entry(self, agency: str, **changes: Any) -> Entry:
        member = self.simulator.directory.member(agency)
        assert member is not None
        return member.entry.model_copy(update=changes)

    def change(self, agency: str, **changes: Any) -> None:
        """Change an agency's entry in the directory."""
        self.simulator.change_directory(agencies=[self._entry(agency, **changes)])
        self.simulator.run()

    def write_opening(self, *triggers: Trigger | str) -> Said:
        """Write what opens a case; nobody hears it yet."""
        return self.write(HOTLINE, Verb.CASE_OPENED, clock=clock(*(triggers or ("information-received",))))

    def opened(self, *triggers: Trigger | str) -> Said:
        """Let the hotline open a case of which it has heard."""
        return self.say(HOTLINE, Verb.CASE_OPENED, clock=clock(*(triggers or ("information-received",))))

    def assigned(self, case: Said, to: str = WARD) -> Said:
        return self.say(HOTLINE, Verb.ASSIGNED, case=case.case, to=[to])

    def received(self, duty: Said, by: str = WARD) -> Said:
        """Let *by* receive what was assigned to it, as its SDK does."""
        return self.say(by, Verb.RECEIVED, case=duty.case, to=[HOTLINE], about=duty.to(by), answers=duty, clock=clock())

    def wind(self, hours: float) -> None:
        """Let time pass, and everybody look."""
        self.clock.wind(hours * HOUR)
        self.keep_directory()
        self.look()

    def keep_directory(self) -> None:
        """Renew the directory's head, as its registrar does every day."""
        self.simulator.change_directory()
        self.simulator.run()

    def look(self) -> None:
        """Let the watcher look until nothing is left to be done: it asks for ticks, and waits for them."""
        for _ in range(4):
            self.simulator.run()

    def notes(self, agency: str) -> list[Note]:
        """Return the watcher's notices to *agency*."""
        found = []
        for copy in self.inbox(agency):
            if copy.verb in DEADLINES:
                (text,) = copy.read
                body = read_section(text).payload
                assert isinstance(body, DeadlineNotice | ClockUnreadable)
                found.append(Note(copy.verb, body, copy))
        return found

    def verbs(self, agency: str) -> list[str]:
        """Return what the watcher told *agency*, by name."""
        return [note.verb.value.removeprefix("deadline.") for note in self.notes(agency)]

    def clocks(self, case: Said) -> Sequence[Clock]:
        """Return the clocks of a case, as the watcher has them."""
        found = self.watching.case(case.case)
        clocks: Sequence[Clock] = () if found is None else found.docket.clocks
        return clocks

    def clock_of(self, case: Said, rule_id: str = "emergency-measures-12h") -> Clock:
        """Return the one clock of *rule_id* in a case."""
        (found,) = [one for one in self.clocks(case) if one.rule.id == rule_id]
        return found

    def outcome(self, case: Said, rule_id: str = "emergency-measures-12h") -> str | None:
        """Return what has come of a clock by now."""
        found = self.clock_of(case, rule_id).outcome_at(self._ticked(case))
        return None if found is None else found.value

    def _ticked(self, case: Said) -> int:
        ticked: int = self.watching.folds[partition_for(case.case, self.simulator.partitions)].ticked_ms
        return ticked


def duty(world: Watched) -> tuple[Said, Said]:
    """A case is opened and assigned to the ward, whose system receives it and which accepts it."""
    case = world.opened()
    assigned = world.assigned(case)
    world.received(assigned)
    return case, world.reply(WARD, Verb.ACCEPTED, assigned)


def measured(world: Watched, case: Said, accepted: Said, *, at_ms: int | None = None) -> None:
    """Let the ward say that it has applied emergency measures."""
    told = trigger("emergency-measures-applied", whose=WARD, occurred_at=None if at_ms is None else moment(at_ms))
    about = accepted.envelope.data.handoff
    world.say(WARD, Verb.PROGRESSED, case=case.case, to=[HOTLINE], about=about, answers=accepted, clock=clock(told))
