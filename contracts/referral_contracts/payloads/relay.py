"""
Speaking for an agency that is not on the bus: what it was asked through another, and what that one says on its behalf.

What an agency says for another is a claim of the one that signed it: it tells over which channel it heard it, from whom
and on which paper. It is never the other's own word.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from referral_contracts.payloads.actor import Actor, Agency, Channel, Role
from referral_contracts.payloads.base import label
from referral_contracts.payloads.basis import About
from referral_contracts.payloads.payload import Payload


class Relay(Payload):
    """This is meant for an agency that is reached through the recipient. The SDK says it by itself."""

    schema_name: ClassVar[str] = "relay"
    about: ClassVar[About] = About(vi="Gửi qua cơ quan trung gian", en="through another agency")

    for_agency: Annotated[
        Agency,
        label(
            "Gửi cho cơ quan",
            "for agency",
            "Mã cơ quan chưa tham gia trục mà việc này gửi tới.",
            "Id of the agency without a system of its own that this is for.",
            essential=True,
        ),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """That an agency said or did something, as another one tells."""

    agency: str
    """Of whom it is told."""
    by: str
    """Who tells, and signed."""
    channel: Channel | None
    person: str | None
    paper_number: str | None


def relayed_to(agency: str) -> Relay:
    """Return what tells the agency in between whom it is for."""
    return Relay(actor=Actor(role=Role.SYSTEM), for_agency=agency)


def claim_of(payload: Payload, source: str) -> Claim | None:
    """Return whose word *payload* claims to be, where that is not *source*'s own."""
    agency, happened = payload.actor.acting_for, payload.happened
    if agency is None or agency == source:
        return None
    return Claim(
        agency=agency,
        by=source,
        channel=None if happened is None else happened.channel,
        person=None if happened is None else happened.person,
        paper_number=None if happened is None else happened.paper_number,
    )


def on_behalf_of(payload: Payload, agency: str) -> Payload:
    """Return *payload* as said for *agency*, unless it names another that it is said for."""
    if payload.actor.acting_for is not None:
        return payload
    return payload.model_copy(update={"actor": payload.actor.model_copy(update={"acting_for": agency})})
