"""How each case stands by the ledger alone, worked out anew, against what the router remembers of it."""

from collections import defaultdict
from collections.abc import Callable, Sequence

from referral_contracts.codes import Code
from referral_contracts.decisions import Decision, read_decision
from referral_contracts.directory import Directory
from referral_contracts.encoding import parse_time
from referral_contracts.envelope import Envelope
from referral_contracts.records import Record
from referral_contracts.topics import H_DECISION, H_KIND, KIND_EVENT, LEDGER, agency_of
from referral_contracts.trail.extract import part_of
from referral_contracts.trail.standing import Spoken, Standing
from referral_router.core.case import Case

Read = Callable[[str, int], Sequence[Record]]


def check_standings(
    read: Read, directory: Directory, *, partitions: int, remembered: Callable[[int, str], bytes | None]
) -> None:
    """Fold what was accepted on *partitions* partitions, and fail where the router remembers something else."""
    for partition in range(partitions):
        cases = defaultdict[str, list[tuple[Envelope, Decision]]](list)
        for value, decision in _accepted(read(LEDGER, partition)):
            envelope = Envelope.decode(value)
            cases[envelope.subject].append((envelope, decision))
        for subject, events in cases.items():
            named = [name for envelope, _ in events for name in (envelope.source, *envelope.data.recipients)]
            # As much of the directory as a bundle carries has to be enough.
            standing = _folded(events, part_of(directory, map(agency_of, named)))
            _compare(standing, Case.decode(remembered(partition, subject) or b""))


def _folded(events: Sequence[tuple[Envelope, Decision]], directory: Directory) -> Standing:
    standing = Standing()
    for envelope, decision in events:
        admitted_ms = parse_time(decision.admitted)
        standing.take(Spoken(envelope=envelope, event=decision.event, directory=directory, admitted_ms=admitted_ms))
    return standing


def _accepted(records: Sequence[Record]) -> Sequence[tuple[bytes, Decision]]:
    events = [record for record in records if dict(record.headers)[H_KIND] == KIND_EVENT]
    judged = [(record.value or b"", read_decision(dict(record.headers)[H_DECISION] or b"")) for record in events]
    return [(value, decision) for value, decision in judged if decision.code is Code.ACCEPTED]


def _compare(standing: Standing, case: Case) -> None:
    assert (case.state, case.owner, case.exercise) == (standing.state, standing.owner, standing.exercise)
    assert standing.head is not None
    assert case.head.wire == standing.head
    if case.archived or case.restored:
        return

    assert case.pending == standing.pending
    assert {
        key: (one.state, one.sender, one.holder or key.split()[1], one.head.wire, one.receipt, one.duty, one.recalled)
        for key, one in case.handoffs.items()
    } == {
        key: (one.state, one.sender, one.holder, one.head, one.receipt, one.duty, one.recalled)
        for key, one in standing.handoffs.items()
    }
    assert {key: one.forwarded_from for key, one in case.handoffs.items()} == {
        key: None if one.forwarded_from is None else str(one.forwarded_from) for key, one in standing.handoffs.items()
    }
