"""The deadline watcher, played by a test: it says what it is told to, with the watcher's own key."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from referral_contracts.encoding import b64, parse_time, sha256
from referral_contracts.envelope import Envelope
from referral_contracts.notices import Notice, seal_notice
from referral_contracts.payloads.actor import Actor, Role
from referral_contracts.payloads.basis import Confidence
from referral_contracts.payloads.deadline import (
    ClockUnreadable,
    DeadlineNotice,
    EventNamed,
    Ground,
    RuleNamed,
    Standing,
)
from referral_contracts.sealing import new_event_id
from referral_contracts.verbs import Verb
from tests.sdk.forging import submit
from tests.sdk.town import Town

SYSTEM: Final = Actor(role=Role.SYSTEM)
CLOCK: Final = "0123456789abcdef" * 2
RULE: Final = RuleNamed(
    id="emergency-measures-12h",
    vi="Can thiệp khẩn cấp trong 12 giờ",
    en="emergency measures within 12 hours",
    ground=Ground.LAW,
    source="NĐ 56/2017/NĐ-CP, Điều 26 khoản 3",
    confidence=Confidence.TEXT,
    pack="national",
    version="1",
)


def at(ms: int) -> datetime:
    """Return a moment of the wire as the forms have it."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)


class Watcher:
    """Who tells of deadlines in a town."""

    def __init__(self, town: Town, source: str = "watcher") -> None:
        self.town = town
        self.source = source
        now_ms = town.sim.clock.now_ms()
        self.started_by = EventNamed(id=new_event_id(now_ms), sha256=b64(sha256(b"what started it")))
        self.started_ms = now_ms

    def notice(self, **told: Any) -> DeadlineNotice:
        """Return what is said of a clock of twelve hours; what is not *told* is of the ward's."""
        due = at(self.started_ms) + timedelta(hours=12)
        given = {"clock": CLOCK, "responsible": "ward-a", "standing": Standing.RUNNING, "due_at": due, **told}
        return DeadlineNotice(
            actor=SYSTEM, rule=RULE, started_at=at(self.started_ms), started_by=self.started_by, **given
        )

    def envelope(self, verb: Verb, subject: str, recipient: str, body: DeadlineNotice | ClockUnreadable) -> Envelope:
        """Return the event."""
        now_ms, directory = self.town.sim.clock.now_ms(), self.town.sim.directory
        exercise = any(one.exercise for one in self.town.routed() if one.subject == subject)
        notice = Notice(verb=verb, subject=subject, exercise=exercise, recipient=recipient, body=body)
        readers = [directory.reader(recipient, now_ms)]
        told = seal_notice(notice, bus=self.town.sim.bus, source=self.source, readers=readers, now_ms=now_ms)
        return Envelope.decode(told)

    def say(self, verb: Verb, subject: str, recipient: str, **told: Any) -> Envelope:
        """Say it of a clock, to whoever it concerns."""
        envelope = self.envelope(verb, subject, recipient, self.notice(**told))
        submit(self.town, envelope)
        return envelope

    def cannot_read(self, subject: str, recipient: str, event: Envelope) -> Envelope:
        """Tell a sender that the clock section of its event cannot be read."""
        body = ClockUnreadable(
            actor=SYSTEM,
            event=EventNamed(id=event.id, sha256=b64(sha256(event.encode()))),
            code="malformed-section",
        )
        envelope = self.envelope(Verb.DEADLINE_UNREADABLE, subject, recipient, body)
        assert parse_time(envelope.time) == self.town.sim.clock.now_ms()
        submit(self.town, envelope)
        return envelope
