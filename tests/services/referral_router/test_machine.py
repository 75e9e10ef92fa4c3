"""
Anybody says anything at any time, in batches cut anywhere; steps are lost, and the process is restarted.

Three opinions have to agree on it: the router's, an outsider's who sees only what comes out (`audit`), and an auditor's
who knows only the accepted events and the tables (`book`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count
from typing import Any, TypeAlias

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.encoding import event_hash
from referral_contracts.envelope import Envelope, EventRef
from referral_contracts.lifecycle import HANDOFFS, OPENINGS, CaseState, Part, Receipt
from referral_contracts.records import Record, Write
from referral_contracts.topics import H_PATH, H_ROOT, H_SIGNATURE, agency_of
from referral_contracts.verbs import Verb
from tests.services.referral_router.book import OVER, Book, Loop, Page
from tests.services.referral_router.founding import (
    CLINIC,
    DAY,
    HOSPITAL,
    HOTLINE,
    HOUR,
    NEXT_WARD,
    POLICE,
    SCHOOL,
    WARD,
    WATCHER,
    YOUTH_POLICE,
)
from tests.services.referral_router.world import Said, World

AGENCIES = [HOTLINE, WARD, NEXT_WARD, POLICE, HOSPITAL, SCHOOL, CLINIC, WATCHER]
RECIPIENTS = [
    (),
    (WARD,),
    (NEXT_WARD,),
    (POLICE,),
    (YOUTH_POLICE,),
    (SCHOOL,),
    (POLICE, HOSPITAL),
    (WARD, SCHOOL),
    (HOTLINE,),
]
WAITS = [1, HOUR, 2 * HOUR + 1, 6 * HOUR + 1, DAY]


Saying: TypeAlias = tuple[str, Verb, tuple[str, ...], dict[str, Any]]


def named(ref: EventRef, case: str) -> Said:
    """An event that is only going to be answered."""
    return _Named(source="", id=ref.id, case=case, value=ref.sha256.encode(), signature=b"")


class _Named(Said):
    @property
    def ref(self) -> EventRef:
        return EventRef(id=self.id, sha256=self.value.decode())


class Bus(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.world = World(numbers=count())
        self.book = Book()
        self.said: list[Said] = []
        self.waiting: list[Record] = []
        self.codes: list[Code] = []
        self.told: list[tuple[str, object]] = []

    def submit(self, item: Said | Record) -> None:
        record = item.record() if isinstance(item, Said) else item
        self.waiting.append(replace(record, stamp_ms=self.world.now))
        if isinstance(item, Said):
            self.said.append(item)

    @initialize(source=st.sampled_from([HOTLINE, WARD]))
    def there_is_a_case(self, source: str) -> None:
        self.submit(self.world.say(source, Verb.CASE_OPENED))
        self.judge(lose=False)

    @rule(source=st.sampled_from(AGENCIES))
    def somebody_opens_a_case(self, source: str) -> None:
        self.submit(self.world.say(source, Verb.CASE_OPENED))

    @rule(data=st.data(), sayings=st.integers(1, 8), at_once=st.booleans())
    def they_say_what_may_well_be_said(self, data: st.DataObject, sayings: int, *, at_once: bool) -> None:
        case = data.draw(st.sampled_from(list(self.book.pages)))
        for _ in range(sayings):
            kinds = [kind for kind in plausible(self.book.pages[case], case) if kind]
            source, verb, to, more = data.draw(st.sampled_from(data.draw(st.sampled_from(kinds))))
            self.submit(self.world.say(source, verb, *to, case=case, **more))
            if not at_once:
                self.judge(lose=False)

    @rule(
        data=st.data(),
        source=st.sampled_from(AGENCIES),
        verb=st.sampled_from(Verb),
        to=st.sampled_from(RECIPIENTS),
        again=st.booleans(),
    )
    def somebody_says_anything(
        self, data: st.DataObject, source: str, verb: Verb, to: tuple[str, ...], *, again: bool
    ) -> None:
        some = data.draw(st.sampled_from(self.said))
        loops = [loop for page in self.book.pages.values() for loop in page.loops.values()]
        about = data.draw(st.none() | st.sampled_from([loop.key for loop in loops])) if loops else None
        answers, follows = (data.draw(st.none() | st.sampled_from(self.said)) for _ in range(2))
        event_id = some.id if again else None
        told: dict[str, Any] = {"about": about, "answers": answers, "follows": follows, "event_id": event_id}
        self.submit(self.world.say(source, verb, *to, case=some.case, **told))

    @rule(data=st.data())
    def an_event_comes_again(self, data: st.DataObject) -> None:
        self.waiting.append(replace(data.draw(st.sampled_from(self.said)).record(), stamp_ms=self.world.now))

    @rule(data=st.data(), value=st.none() | st.binary(max_size=9))
    def something_is_forged(self, data: st.DataObject, value: bytes | None) -> None:
        some = data.draw(st.sampled_from(self.said))
        self.submit(replace(some.record(), value=value, headers=((H_SIGNATURE, some.signature),)))

    @rule(wait=st.sampled_from(WAITS))
    def time_passes(self, wait: int) -> None:
        self.world.now += wait

    @rule()
    def the_brokers_clock_falls_back(self) -> None:
        self.world.now -= HOUR

    @precondition(lambda self: bool(self.waiting))
    @rule(lose=st.booleans())
    def judge(self, *, lose: bool) -> None:
        records = self.world.take(self.waiting)
        self.waiting = []
        if lose:
            # A transaction that did not take effect: it is judged again, and leaves no trace.
            before = dict(self.world.router._cases)
            lost = self.world.step(records)
            assert self.world.router._cases == before
            step = self.world.step(records)
            assert step.writes == lost.writes
        else:
            step = self.world.step(records)
        for judged in self.world.commit(step):
            self.codes.append(judged.code)
            if judged.code is Code.ACCEPTED:
                envelope = Envelope.decode(judged.value)
                restored = 0 if judged.verdict is None else judged.verdict.case_restored or 0
                self.book.write(envelope, EventRef(id=envelope.id, sha256=event_hash(judged.value)), restored)
        self.told += told(step.writes)

    @rule()
    def the_process_is_restarted(self) -> None:
        other = self.world.restored()
        other.steps = self.world.steps
        self.world = other

    @invariant()
    def the_state_is_what_was_written(self) -> None:
        kept = {key: value for key, value in self.world.state.items() if key != topics.POSITION_KEY}
        assert dict(self.world.router._cases) == kept
        assert self.world.router.size() == sum(map(len, kept.values()))
        assert self.book.agrees_with(kept)

    def teardown(self) -> None:
        for size in (1, 3, len(self.world.records) or 1):
            other = World()
            again: list[tuple[str, object]] = []
            for start in range(0, len(self.world.records), size):
                step = other.step(self.world.records[start : start + size])
                other.commit(step)
                again += told(step.writes)
            # The same decisions, copies and verdicts, byte for byte, and the same state.
            assert again == self.told
            assert other.state == self.world.state


def told(writes: Sequence[Write]) -> list[tuple[str, object]]:
    """What a batch tells the ledger and the inboxes, without the proofs, which are the batch's own."""
    proofs = (H_PATH, H_ROOT)
    return [
        (write.topic, (write.key, write.value, [header for header in write.headers if header[0] not in proofs]))
        for write in writes
        if write.topic != topics.STATE
    ]


def plausible(page: Page, case: str) -> list[list[Saying]]:
    """What could be said next in a case, and mostly would be accepted: of the case, of hand-offs, and opening some."""
    sources = sorted(page.parties & set(AGENCIES))
    told = {source: (WARD if source != WARD else POLICE,) for source in sources}
    notes: list[Saying] = [(source, Verb.CASE_NOTED, to, {}) for source in sources for to in (told[source], ())]
    openings: list[Saying] = [
        (source, verb, to, {}) for source in sources for verb in OPENINGS for to in RECIPIENTS[1:]
    ]
    loops = [list(_of_loop(loop, page, case)) for loop in page.loops.values()]
    over = [loop for loop in page.loops.values() if loop.state in OVER]
    nexts: list[Saying] = [
        (source, Verb.OFFERED, (POLICE if source != POLICE else WARD,), {"follows": named(loop.head, case)})
        for loop in over
        for source in sources
    ]
    return [notes, nexts, openings, list(_of_case(page, case)), *loops]


def _of_case(page: Page, case: str) -> Iterator[Saying]:
    head = {"answers": named(page.head, case)}
    yield page.owner, Verb.CASE_CLOSED, (), head
    yield page.owner, Verb.CASE_REOPENED, (), head
    yield page.owner, Verb.CASE_VOIDED, (), head
    yield page.owner, Verb.CASE_TRANSFER_OFFERED, (NEXT_WARD if page.owner != NEXT_WARD else WARD,), head
    if page.state is CaseState.TRANSFER_OFFERED:
        yield page.owner, Verb.CASE_TRANSFER_WITHDRAWN, (page.pending,), head
        for verb in (Verb.CASE_TRANSFER_ACCEPTED, Verb.CASE_TRANSFER_DECLINED):
            yield page.pending, verb, (page.owner,), head


def _of_loop(loop: Loop, page: Page, case: str) -> Iterator[Saying]:
    first = {"about": loop.key, "answers": named(loop.opening, case)}
    if loop.receipt is not Receipt.RECEIVED:
        yield loop.agency, Verb.RECEIVED, (loop.sender,), first
        yield loop.agency, Verb.UNREADABLE, (loop.sender,), first
    more = {"about": loop.key, "answers": named(loop.head, case)}
    for verb, part in HANDOFFS[loop.state]:
        if verb is Verb.FORWARDED:
            yield loop.agency, verb, (loop.sender, POLICE if loop.agency != POLICE else HOSPITAL), more
        elif part is Part.RECIPIENT:
            yield loop.agency, verb, (loop.sender,), more
        elif part is Part.SENDER:
            yield loop.sender, verb, (loop.key.recipient,), more
        else:
            speaker = WATCHER if part is Part.WATCHER else page.owner
            both = sorted({loop.sender, loop.key.recipient})
            yield speaker, verb, tuple(one for one in both if agency_of(one) != speaker), more


TestBus = Bus.TestCase
TestBus.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)
