"""
A partition of the router without anything around it: events of the agencies of `founding`, judged in batches.

Sections are shaped like real ones and sealed to nobody: the router cannot tell, and these tests are about what it can.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, Final

from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.decisions import Verdict
from referral_contracts.directory import Directory
from referral_contracts.encoding import b64, event_hash, jcs, uuid7
from referral_contracts.envelope import EventRef, HandoffKey, case_pseudonym
from referral_contracts.keys import SigningKey
from referral_contracts.lifecycle import CLOCK_VERBS
from referral_contracts.records import Record
from referral_contracts.signing import Typ
from referral_contracts.topics import H_SIGNATURE, agency_of, partition_for
from referral_contracts.verbs import Verb
from referral_contracts.wire import ENC_SIZE, TAG_SIZE, Section, SectionReader
from referral_router.core import Lane, Router, RouterStep, examine, verify_signature
from tests.envelopes import spelled
from tests.services.referral_router import founding
from tests.services.referral_router.audit import Audit, Judged
from tests.services.referral_router.founding import BUS, HOTLINE, INBOXES, KEYS, NOW, WATCHER

_ENC: Final = b64(bytes(ENC_SIZE))
_CONTENT: Final = b64(bytes(1024 + TAG_SIZE))
_NUMBERS = count()


def no_salt(number: int, size: int) -> Sequence[bytes]:
    """Return salts that are all the same: what is decided twice is then decided in the same bytes."""
    return [bytes(size)] * number


def lane(partition: int = 0) -> Lane:
    return Lane(bus=BUS, partition=partition, key=KEYS["router"].signing, salts=no_salt)


def new_id(now_ms: int = NOW, numbers: Iterator[int] = _NUMBERS) -> str:
    return uuid7(now_ms, next(numbers).to_bytes(10, "big"))


def section(*addresses: str, kid: str | None = None) -> Section:
    """Return a section that these addresses could open, were anything in it."""
    keys = {
        kid or (KEYS[agency_of(address)].desk if "/" in address else KEYS[address].sealing).kid: address
        for address in addresses
    }
    return Section(
        commit=b64(bytes(32)),
        content=_CONTENT,
        readers=tuple(SectionReader(address=keys[key], enc=_ENC, kid=key) for key in sorted(keys)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An event as its sender signed it."""

    source: str
    id: str
    case: str
    value: bytes
    signature: bytes

    @property
    def hash(self) -> str:
        return event_hash(self.value)

    @property
    def ref(self) -> EventRef:
        return EventRef(id=self.id, sha256=self.hash)

    def to(self, recipient: str) -> HandoffKey:
        """Return the hand-off that this event opened for *recipient*."""
        return HandoffKey(opening=self.id, recipient=recipient)

    def record(self) -> Record:
        return Record(0, 0, 0, self.case.encode(), self.value, ((H_SIGNATURE, self.signature),))


def signed(value: bytes, source: str = HOTLINE, *, key: SigningKey | None = None, case: str = "0" * 32) -> Said:
    """Return any bytes, signed."""
    signature = (key or KEYS[source].signing).sign(Typ.EVENT, value).encode()
    return Said(source=source, id="", case=case, value=value, signature=signature)


@dataclass(slots=True)
class World:
    """One partition, its input so far, and an outsider who checks all that comes out of it."""

    directory: Directory = field(default_factory=founding.directory)
    inboxes: frozenset[str] = INBOXES
    partitions: int = 1
    partition: int = 0
    now: int = NOW
    numbers: Iterator[int] = _NUMBERS
    """What its ids are made from; shared by all worlds, because an event of one is said in another."""
    router: Router = field(init=False)
    audit: Audit = field(init=False)
    records: list[Record] = field(default_factory=list)
    """Everything submitted."""
    state: dict[bytes, bytes] = field(default_factory=dict)
    """The state topic, compacted, in the order of the last writes."""
    steps: list[RouterStep] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.router = Router(lane(self.partition), self.partitions)
        self.audit = Audit(bus=BUS, partition=self.partition, key=KEYS["router"].signing.verify_key)

    def say(
        self,
        source: str,
        verb: Verb,
        *to: str,
        case: str | Said | None = None,
        about: HandoffKey | None = None,
        answers: Said | None = None,
        follows: Said | None = None,
        supersedes: Said | None = None,
        event_id: str | None = None,
        sections: Iterable[Section] | None = None,
        key: SigningKey | None = None,
        **over: Any,
    ) -> Said:
        """Return an event; nobody has heard it yet. By default it has one section for all, and a clock if it must."""
        event_id = event_id or new_id(self.now, self.numbers)
        subject = case.case if isinstance(case, Said) else case or case_pseudonym(BUS, source, event_id)
        if sections is None:
            clock = [section(source, WATCHER)] if verb in CLOCK_VERBS else []
            sections = [section(source, *(address for address in to if address != source)), *clock]
        envelope = spelled(
            source,
            verb,
            to,
            sections,
            bus=BUS,
            event_id=event_id,
            subject=subject,
            now_ms=self.now,
            about=about,
            answers=None if answers is None else answers.ref,
            follows=None if follows is None else follows.ref,
            supersedes=None if supersedes is None else supersedes.ref,
        )
        value = jcs({**envelope.model_dump(mode="json", exclude_none=True), **over}) if over else envelope.encode()
        said = signed(value, source, key=key, case=subject)
        return replace(said, id=event_id)

    def partition_of(self, case: str) -> int:
        return partition_for(case, self.partitions)

    def open_case(self, source: str = HOTLINE) -> Said:
        """Return the event that opened a new case: accepted."""
        return self.accepted(self.say(source, Verb.CASE_OPENED))

    def take(self, items: Iterable[Said | Record]) -> list[Record]:
        """Return the records that the broker makes of *items*: each with the next offset, stamped now."""
        taken = []
        for item in items:
            record = item.record() if isinstance(item, Said) else item
            stamp = record.stamp_ms or self.now
            record = replace(record, partition=self.partition, offset=len(self.records), stamp_ms=stamp)
            self.records.append(record)
            taken.append(record)
        return taken

    def step(self, records: Sequence[Record]) -> RouterStep:
        """Judge *records*; nothing has happened until `commit`."""
        found = [examine(record, self.directory, BUS) for record in records]
        for item in found:
            verify_signature(item)
        return self.router.step(found, self.directory, self.inboxes)

    def commit(self, step: RouterStep) -> list[Judged]:
        self.router.merge(step)
        self.steps.append(step)
        for write in step.writes:
            if write.topic == topics.STATE and write.key is not None:
                self.state.pop(write.key, None)
                if write.value is not None:
                    self.state[write.key] = write.value
        return self.audit.take(step.writes)

    def submit(self, *items: Said | Record) -> list[Judged]:
        """Let the router judge *items* as one batch."""
        return self.commit(self.step(self.take(items)))

    def judge(self, item: Said | Record) -> Judged:
        return self.submit(item)[-1]

    def code(self, item: Said | Record) -> Code:
        return self.judge(item).code

    def accepted(self, said: Said) -> Said:
        judged = self.judge(said)
        assert judged.code is Code.ACCEPTED, judged.code
        return said

    def verdict(self, item: Said | Record) -> Verdict:
        verdict = self.judge(item).verdict
        assert verdict is not None
        return verdict

    def restored(self, directory: Directory | None = None) -> "World":
        """Return another process that knows what the state topic holds, and nothing else."""
        other = World(
            directory=directory or self.directory,
            inboxes=self.inboxes,
            partitions=self.partitions,
            partition=self.partition,
            now=self.now,
            numbers=self.numbers,
        )
        for key, value in self.state.items():
            other.router.restore(key, value)
        other.state, other.records, other.audit = dict(self.state), list(self.records), self.audit
        return other
