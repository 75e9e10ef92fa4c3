"""The deadline watcher, played by a test: it says what it is told to, with the watcher's own key."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from referral_bus.testing import Simulator
from referral_contracts import topics
from referral_contracts.encoding import b64, sha256
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
from referral_contracts.signing import Typ
from referral_contracts.topics import partition_for
from referral_contracts.verbs import Verb

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
    """Who tells of deadlines on a bus in memory."""

    def __init__(self, sim: Simulator, source: str = "watcher", *, exercise: bool = False) -> None:
        self.sim = sim
        self.source = source
        self.exercise = exercise
        now_ms = sim.clock.now_ms()
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
        now_ms = self.sim.clock.now_ms()
        notice = Notice(verb=verb, subject=subject, exercise=self.exercise, recipient=recipient, body=body)
        readers = [self.sim.directory.reader(recipient, now_ms)]
        told = seal_notice(notice, bus=self.sim.bus, source=self.source, readers=readers, now_ms=now_ms)
        return Envelope.decode(told)

    def submit(self, envelope: Envelope) -> Envelope:
        """Sign it as its source and hand it to the bus."""
        value, subject = envelope.encode(), envelope.subject
        signature = self.sim.keys[self.source].signing.sign(Typ.EVENT, value).encode()
        place = partition_for(subject, self.sim.partitions)
        headers = ((topics.H_SIGNATURE, signature),)
        self.sim.broker.append(topics.SUBMISSIONS, place, subject.encode(), value, headers)
        return envelope

    def say(self, verb: Verb, subject: str, recipient: str, **told: Any) -> Envelope:
        """Say it of a clock, to whoever it concerns."""
        return self.submit(self.envelope(verb, subject, recipient, self.notice(**told)))

    def cannot_read(self, subject: str, recipient: str, event: Envelope) -> Envelope:
        """Tell a sender that the clock section of its event cannot be read."""
        body = ClockUnreadable(
            actor=SYSTEM,
            event=EventNamed(id=event.id, sha256=b64(sha256(event.encode()))),
            code="malformed-section",
        )
        return self.submit(self.envelope(Verb.DEADLINE_UNREADABLE, subject, recipient, body))
