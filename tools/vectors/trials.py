"""One submission more, after some of a story: as it is said, or wrong in one thing; and what the router makes of it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, Final, TypeAlias

from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.encoding import b64, format_time, jcs, parse_json
from referral_contracts.envelope import case_pseudonym
from referral_contracts.keys import SigningKey
from referral_contracts.records import Record, Write
from referral_contracts.sealing import SealContext
from referral_contracts.signing import Typ
from referral_contracts.topics import partition_for
from referral_contracts.wire import ENC_SIZE, TAG_SIZE, Section, SectionReader
from referral_router.core import examine, verify_signature
from tools.vectors.cast import BUS, Agency, event_id
from tools.vectors.life import PARTITIONS, STEP_MS, Life, record_of
from tools.vectors.story import Saying
from tools.vectors.vector import VALID, Vector, octets

Members: TypeAlias = dict[str, Any]
_ENC: Final = b64(bytes(ENC_SIZE))
_CONTENT: Final = b64(bytes(1024 + TAG_SIZE))


def _to_nobody(_context: SealContext, readers: Iterable[Agency], _plaintext: bytes) -> Section:
    # The router cannot tell.
    kids = {agency.sealing.kid: agency.id for agency in readers}
    return Section(
        commit=b64(bytes(32)),
        content=_CONTENT,
        readers=tuple(SectionReader(address=kids[kid], enc=_ENC, kid=kid) for kid in sorted(kids)),
    )


def as_it_is(_members: Members) -> None:
    """Change nothing."""


def data(**members: object) -> Callable[[Members], None]:
    """Return what puts other members into an event's ``data``; None takes one out."""

    def change(told: Members) -> None:
        told["data"] |= members
        told["data"] = {name: value for name, value in told["data"].items() if value is not None}

    return change


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What is submitted after so much of a story, and the answer to it."""

    name: str
    comment: str
    after: int
    saying: Saying
    code: Code = Code.ACCEPTED
    change: Callable[[Members], None] = as_it_is
    """What is wrong in the event, before it is signed."""
    spelled: Callable[[bytes], bytes] | None = None
    """What is wrong in its bytes, before they are signed."""
    key: SigningKey | None = None
    """Who signs in the place of its source."""
    record: Mapping[str, object] | None = None
    """What is wrong in the record."""
    again: int | None = None
    """Which saying bore the same id."""
    repeats: int | None = None
    """Which saying it is, once more."""
    late_ms: int = 35
    """How long it took to arrive."""
    new_case: bool = False
    """It names a case of its own."""


def submitted(life: Life, trial: Trial, number: int) -> Record:
    """Return the record that *trial* submits."""
    said = life.said
    before_ms = said[trial.after - 1].envelope.time_ms
    at_ms = before_ms + trial.saying.wait_ms + STEP_MS
    if trial.repeats is not None:
        return replace(said[trial.repeats].record, offset=trial.after, stamp_ms=at_ms)
    identity = life.identity(500 + number, at_ms) if trial.again is None else said[trial.again].envelope.id
    envelope, _ = life.spell(trial.saying, said, identity=identity, at_ms=at_ms, seal=_to_nobody)
    told: Any = parse_json(envelope.encode())
    if trial.new_case:
        told |= _new_case(told["source"], life.partition)
    trial.change(told)
    value = jcs(told) if trial.spelled is None else trial.spelled(jcs(told))
    signature = (trial.key or trial.saying.who.signing).sign(Typ.EVENT, value).encode()
    record = Record(
        life.partition,
        trial.after,
        at_ms + trial.late_ms,
        str(told["subject"]).encode(),
        value,
        ((topics.H_SIGNATURE, signature),),
    )
    changed: Any = trial.record or {}
    return replace(record, **changed)


def _new_case(source: str, partition: int) -> Members:
    """Return the id and the name of a case that nobody has opened, of this partition."""
    ids = (event_id(9000 + number) for number in count())
    names = ((identity, case_pseudonym(BUS, source, identity)) for identity in ids)
    return next(
        {"id": identity, "subject": subject}
        for identity, subject in names
        if partition_for(subject, PARTITIONS) == partition
    )


def judged(life: Life, after: int, record: Record) -> list[Write]:
    """Return what the router writes of *record*."""
    router, _ = life.router(after)
    directory, _ = life.founding
    examined = examine(record, directory, BUS)
    verify_signature(examined)
    step = router.step([examined], directory, life.inboxes)
    return [write for write in step.writes if write.topic != topics.STATE]


def vector(life: Life, trial: Trial, number: int) -> Vector:
    """Return *trial* as a vector: with the router's answer, whatever the code that is expected of it."""
    record = submitted(life, trial, number)
    values = {record.value: {"submission": 0}} if record.value else {}
    members: dict[str, object] = {
        "story": life.story.name,
        "after": trial.after,
        "submission": {
            "key": None if record.key is None else record.key.decode(),
            "offset": record.offset,
            "partition": record.partition,
            "stamp": format_time(record.stamp_ms),
            "headers": [[name, octets(header or b"")] for name, header in record.headers],
            "value": None if record.value is None else octets(record.value),
            **({} if record.fault is None else {"fault": record.fault.value}),
        },
        "records": [record_of(write, values) for write in judged(life, trial.after, record)],
    }
    expect = VALID if trial.code is Code.ACCEPTED else trial.code.value
    return Vector(name=trial.name, comment=trial.comment, expect=expect, kind="submission", members=members)
