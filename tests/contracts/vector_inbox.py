"""Deliveries to one address, one after the other: SPEC section 14, to step 9."""

from collections.abc import Mapping
from typing import Any

from referral_bus._store.notes import Count
from referral_bus._verify import VerifiedDelivery, signed_afresh, verify_record
from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.errors import RemoteError
from referral_contracts.records import Record
from tests.contracts.vector_life import founded, octets
from tests.contracts.vector_submissions import story

Given = Mapping[str, Any]


def received(given: Given) -> Given:
    """Take what was delivered; what comes are the hashes of the events that were not there."""
    told = story(given["story"])
    directory, address = founded(told), given["address"]
    taken: list[VerifiedDelivery] = []
    counts: dict[str, Count] = {}
    for record in given["records"]:
        found = verify_record(_record(told, record), directory, agency=topics.agency_of(address))
        if not isinstance(found, VerifiedDelivery) or found.recipient != address:
            raise RemoteError(Code.BAD_DECISION, "no delivery to this address")
        if any(one.event == found.event for one in taken):
            continue
        _counted(counts, found)
        under = [one for one in taken if (one.envelope.source, one.envelope.id) == _name(found)]
        if any(signed_afresh(one.value, found) for one in under):
            continue
        if under:
            raise RemoteError(Code.ID_REUSED)
        taken.append(found)
    return {"events": [one.event for one in taken]}


def _name(found: VerifiedDelivery) -> tuple[str, str]:
    return found.envelope.source, found.envelope.id


def _counted(counts: dict[str, Count], found: VerifiedDelivery) -> None:
    subject, now = found.envelope.subject, Count(found.delivery.restored or 0, found.delivery.counter)
    if not now.follows(counts.get(subject, Count())):
        raise RemoteError(Code.COUNTER_GAP)
    counts[subject] = now


def _record(told: Given, spelled: Given) -> Record:
    if "record" in spelled:
        if not 0 <= spelled["record"] < len(told["records"]):
            raise RemoteError(Code.MALFORMED_VALUE, "no such record")
        spelled = told["records"][spelled["record"]]
    value = spelled.get("value")
    if value is not None and "submission" in value:
        value = told["submissions"][value["submission"]]["value"]
    headers = tuple((name, octets(header)) for name, header in spelled["headers"])
    return Record(0, 0, 0, None, None if value is None else octets(value), headers)
