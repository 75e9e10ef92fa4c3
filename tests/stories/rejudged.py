"""The ledger judged once more from what it holds: the router's rules have to come to each decision again."""

from collections.abc import Iterator

from referral_contracts import topics
from referral_contracts.decisions import read_decision
from referral_contracts.directory import TrustRoot
from referral_contracts.log.leaf import LedgerEntry
from referral_contracts.records import Record
from referral_router.core.replay import Rejudge
from tests.stories.audit import Read


def logged(read: Read, partition: int) -> Iterator[LedgerEntry]:
    """Go through what the log keeps of a partition."""
    for record in read(topics.LEDGER, partition):
        if dict(record.headers)[topics.H_KIND] == topics.KIND_EVENT:
            yield entry_of(record)


def entry_of(record: Record) -> LedgerEntry:
    headers = {name: value or b"" for name, value in record.headers}
    return LedgerEntry(
        signature=headers.get(topics.H_SIGNATURE, b""),
        value=record.value or b"",
        decision=headers[topics.H_DECISION],
        path=headers[topics.H_PATH],
        root=headers[topics.H_ROOT],
    )


def judged_otherwise(read: Read, trust: TrustRoot, partitions: int) -> list[tuple[int, int, str]]:
    """Return partition, counter and code of each decision that the rules do not come to."""
    judge = Rejudge(trust, partitions)
    changes = [entry for entry in logged(read, partitions) if not judge.change(entry)]
    events = [entry for own in range(partitions) for entry in logged(read, own) if not judge.event(entry)]
    told = [read_decision(entry.decision) for entry in (*changes, *events)]
    return [(decision.partition, decision.counter, decision.code.value) for decision in told]
