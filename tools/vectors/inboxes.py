"""Deliveries to one address, in their order: what a receiver takes, and what it tells a person."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Final, TypeAlias

from referral_contracts import merkle, topics
from referral_contracts.codes import Code
from referral_contracts.decisions import delivery_leaf, read_delivery, sign_batch
from referral_contracts.encoding import event_hash, format_time, jcs, parse_json
from referral_contracts.keys import SigningKey
from referral_contracts.records import Write
from referral_contracts.signing import Typ
from referral_contracts.verbs import Verb
from tools.vectors.cast import BUS, HOSPITAL, HOTLINE, ROUTER, secret
from tools.vectors.frozen import Frozen
from tools.vectors.life import Life, record_of, records
from tools.vectors.stories import CASE
from tools.vectors.trials import Members, data
from tools.vectors.vector import Vector, fault, valid

_KIND: Final = "inbox"
_Told: TypeAlias = "int | Write"
"""A delivery of the story, by its place among those to the address; or one made for the vector."""


class _Inbox:
    """What was delivered to the hospital in a story."""

    def __init__(self, life: Life) -> None:
        self._life = life
        written = enumerate(records(life))
        topic, kind = topics.inbox(HOSPITAL.id), (topics.H_KIND, topics.KIND_DELIVERY)
        self._found = [(at, write) for at, write in written if write.topic == topic and kind in write.headers]

    def given(self, told: Sequence[_Told]) -> dict[str, object]:
        spelled = [
            {"record": self._found[one][0]}
            if isinstance(one, int)
            else {name: part for name, part in record_of(one, {}).items() if name in {"headers", "value"}}
            for one in told
        ]
        return {"story": self._life.story.name, "address": HOSPITAL.id, "records": spelled}

    def value(self, number: int) -> bytes:
        return self._found[number][1].value or b""

    def hashes(self, *numbers: int) -> list[str]:
        return [event_hash(self.value(number)) for number in numbers]

    def forged(
        self,
        number: int,
        change: Callable[[Members], None],
        *,
        counter: int = 1,
        sender: SigningKey = HOTLINE.signing,
        router: SigningKey = ROUTER.signing,
        signs_first: bool = False,
    ) -> Write:
        """Return the delivery of another event than this one, which the router states all the same."""
        old = self._found[number][1]
        headers = dict(old.headers)
        told: Any = parse_json(old.value or b"")
        change(told)
        value = jcs(told)
        was = read_delivery(headers[topics.H_DELIVERY])
        leaf = delivery_leaf(
            admitted=was.admitted,
            bus=BUS,
            counter=counter,
            event=event_hash(value),
            partition=was.partition,
            recipient=was.recipient,
            restored=0,
            salt=secret("a delivery's salt", 16),
            subject=was.subject,
        )
        batch = sign_batch([merkle.leaf_hash(leaf)], bus=BUS, partition=was.partition, key=router)
        headers[topics.H_DELIVERY], headers[topics.H_PATH], headers[topics.H_ROOT] = leaf, batch.paths[0], batch.root
        if not signs_first:
            headers[topics.H_SIGNATURE] = sender.sign(Typ.EVENT, value).encode()
        return replace(old, value=value, headers=tuple(headers.items()))

    def changed(self, number: int) -> Write:
        """Return the delivery with the bytes of another."""
        return replace(self._found[number][1], value=self.value(number + 1))


def cases(frozen: Frozen) -> Iterator[Vector]:
    yield from _signed(_Inbox(Life(frozen)))
    yield from _counted(_Inbox(Life(frozen)), _Inbox(Life(frozen, CASE)))
    yield from _named(_Inbox(Life(frozen)))


def _as_it_is(_told: Members) -> None:
    pass


def _as_a_notice(told: Members) -> None:
    told["type"] = Verb.DEADLINE_MISSED.type


def _other_content(told: Members) -> None:
    # A co-reader knows the content key: it could seal other words under it, to the same commitment.
    section = told["data"]["sections"][0]
    section["content"] = told["data"]["sections"][1]["content"]


def _signed(inbox: _Inbox) -> Iterator[Vector]:
    events = inbox.hashes(0, 1)
    yield valid(_KIND, "inbox", "all that the hospital was told", **inbox.given([0, 1]), events=events)
    swapped = inbox.forged(0, _other_content, signs_first=True)
    yield fault(
        Code.BAD_SIGNATURE,
        _KIND,
        "inbox_by_a_co_reader",
        "a section with other content: the sender signed another; nothing of it is opened",
        **inbox.given([swapped]),
    )
    moved = inbox.changed(0)
    yield fault(Code.BAD_DECISION, _KIND, "inbox_other_bytes", "not what the leaf says", **inbox.given([moved]))
    strange = inbox.forged(0, _as_it_is, sender=HOSPITAL.signing)
    yield fault(Code.UNKNOWN_KEY, _KIND, "inbox_by_another_key", "no key of its source", **inbox.given([strange]))
    noticed = inbox.forged(0, _as_a_notice)
    yield fault(
        Code.WRONG_PARTY,
        _KIND,
        "inbox_notice_of_another",
        "a deadline that was missed, as somebody says who is not the watcher",
        **inbox.given([noticed]),
    )
    stated = inbox.forged(0, _as_it_is, router=HOTLINE.signing)
    yield fault(Code.UNKNOWN_KEY, _KIND, "inbox_stated_by_another", "no key of the router", **inbox.given([stated]))
    apart = inbox.forged(0, data(recipients=[HOTLINE.id]))
    yield fault(Code.BAD_DECISION, _KIND, "inbox_of_another", "delivered to no recipient of it", **inbox.given([apart]))


def _counted(inbox: _Inbox, restored: _Inbox) -> Iterator[Vector]:
    gap, events = Code.COUNTER_GAP, inbox.hashes(0, 1)
    again = inbox.given([0, 0, 1, 0])
    yield valid(_KIND, "inbox_copies", "a copy of what it has is a repetition", **again, events=events)
    yield fault(gap, _KIND, "inbox_withheld", "the first is missing", **inbox.given([1]))
    yield valid(
        _KIND,
        "inbox_restored",
        "from 1 again when the case was restored",
        **restored.given([0, 1, 2]),
        events=restored.hashes(0, 1, 2),
    )
    yield fault(gap, _KIND, "inbox_withheld_after", "the first since it was restored", **restored.given([0, 2]))
    yield fault(gap, _KIND, "inbox_of_before", "from before it was restored", **restored.given([1, 0]))


def _named(inbox: _Inbox) -> Iterator[Vector]:
    def later(told: Members) -> None:
        told["time"] = format_time(1_773_456_789_000)

    def in_earnest(told: Members) -> None:
        told["exercise"] = False

    afresh = inbox.forged(0, later, counter=2)
    yield valid(
        _KIND,
        "inbox_signed_afresh",
        "another time alone, under its id: a repetition, and counted",
        **inbox.given([0, afresh]),
        events=inbox.hashes(0),
    )
    other = inbox.forged(0, in_earnest, counter=2)
    yield fault(
        Code.ID_REUSED, _KIND, "inbox_another_under_its_id", "says something else as well", **inbox.given([0, other])
    )
