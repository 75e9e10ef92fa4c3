"""
The directory's wire models: an agency's entry, the policy, the signed head, one change.

Every model's fields stand in alphabetical order: its serializer then writes RFC 8785 form.
"""

from enum import StrEnum
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import (
    AfterValidator,
    Field,
    StringConstraints,
    model_validator,
)

from referral_contracts.canonical import Canonical
from referral_contracts.codes import Code
from referral_contracts.encoding import AGENCY, EVENT_ID, HASH, MAX_INTEGER, TIME, b64, parse_time, sha256
from referral_contracts.errors import RemoteError
from referral_contracts.topics import CHANGE_MAX

ROLE_LOG: Final = "audit-log"
ROLE_AUDITOR: Final = "auditor"
HEAD_KEY: Final = "@head"
POLICY_KEY: Final = "@policy"
"""Keys of the directory topic beside the agencies' ids; ``@`` is no letter of an agency id."""

CHANGED_TYPE: Final = "vn.referral-bus.directory.changed.v1"
CLAIM_WINDOWS: Final = 3
"""A used id is remembered this many W: an event may lie W before its stamp, and its repetition W after."""

_DAY: Final = "(Mo|Tu|We|Th|Fr|Sa|Su)"
_DAYS: Final = f"{_DAY}(-{_DAY})?(,{_DAY}(-{_DAY})?)*"
_CLOCK: Final = "([01][0-9]|2[0-3]):[0-5][0-9]"
_TIMES: Final = f"{_CLOCK}-({_CLOCK}|24:00)"
_SPAN: Final = f"{_DAYS} {_TIMES}(,{_TIMES})*"
HOURS: Final = f"^(24/7|{_SPAN}(; {_SPAN})*)$"
"""A part of what OpenStreetMap calls ``opening_hours``, which others' tools read."""
PHONE: Final = r"^\+?[0-9]([ .-]?[0-9]){1,19}$"
"""What can be dialled: 111, 0900 000 011, +84 900 000 011."""

MAX_OUTAGES: Final = 1024
"""One a week for twenty years."""
MAX_SUCCESSORS: Final = 32
"""One district ended in some ten communes; a province in fewer."""
MAX_GRANTS: Final = 64
"""Grants of one auditor, those that are over counted: they may go, for the log keeps every version of an entry."""
GRANT_LABEL: Final = b"referral-bus-grant/v1\n"
MAX_KEYS: Final = 64
"""Keys of one entry. Sealing keys live 90 days at most; with four desks that is four years of history."""


def _moment(text: str) -> str:
    # A 30 February has the right form, and would be found out by whoever first asks whether a key is valid.
    try:
        parse_time(text)
    except RemoteError as error:
        raise ValueError(error.detail) from None
    return text


Agency: TypeAlias = Annotated[str, StringConstraints(pattern=AGENCY)]
Desk: TypeAlias = Annotated[str, StringConstraints(pattern=AGENCY)]
Role: TypeAlias = Annotated[str, StringConstraints(pattern=AGENCY)]
Time: TypeAlias = Annotated[str, StringConstraints(pattern=TIME), AfterValidator(_moment)]
Hash: TypeAlias = Annotated[str, StringConstraints(pattern=HASH)]
Text: TypeAlias = Annotated[str, StringConstraints(max_length=300)]
Count: TypeAlias = Annotated[int, Field(ge=1, le=MAX_INTEGER)]


class _Wire(Canonical):
    spells = "directory record"


class Use(StrEnum):
    """What a key is for. No key has two uses."""

    EVENT = "event"
    """Ed25519: signs events, and decisions where the agency is the router."""
    SEAL = "seal"
    """X-Wing: opens sections."""
    LOG = "log"
    """Ed25519: signs checkpoints and statements of the log; the log's alone."""
    HTTP = "http"
    """Ed25519: signs requests over HTTP (RFC 9421), and nothing else."""


class Names(_Wire):
    """What people call the agency."""

    en: Text
    vi: Text


class Jurisdiction(_Wire):
    """A place the agency answers for; codes of the General Statistics Office, dated because places merge."""

    commune: Annotated[str, StringConstraints(pattern=r"^[0-9]{5}$")] | None = None
    province: Annotated[str, StringConstraints(pattern=r"^[0-9]{2}$")]
    valid_from: Time | None = None
    valid_until: Time | None = None


class Delivery(_Wire):
    """How the agency is reached: on the bus, through another agency's system, or not by the bus at all."""

    agency: Agency | None = None
    """Through whom, for ``via``."""
    kind: Literal["bus", "via", "off-bus"]

    @model_validator(mode="after")
    def _names_the_other(self) -> Self:
        if (self.kind == "via") != (self.agency is not None):
            msg = "via, and only via, names an agency"
            raise ValueError(msg)
        return self


class Duty(_Wire):
    """Where a person answers, and when."""

    hours: Annotated[str, StringConstraints(pattern=HOURS, max_length=300)] | None = None
    """``24/7``, or days and times of the place, as in ``Mo-Fr 07:30-11:30,13:00-17:00; Sa 08:00-12:00``."""
    phone: Annotated[str, StringConstraints(pattern=PHONE)] | None = None


class KeyRecord(_Wire):
    """One public key, for as long as it was ever valid: history stays."""

    compromised_since: Time | None = None
    desk: Desk | None = None
    """Whose sealing key it is; absent for the agency itself."""
    kid: Hash
    proof: Annotated[str, StringConstraints(max_length=600)]
    """Detached JWS over ``possession(agency, key)``, by this key, or for a sealing key by an event key of the entry."""
    public: Annotated[str, StringConstraints(max_length=2000)]
    revoked_at: Time | None = None
    use: Use
    valid_from: Time
    valid_until: Time


class Purpose(StrEnum):
    """What an auditor may read for."""

    COMPLAINT = "complaint"
    """Somebody complains of how a case was handled, or denounces it."""
    DATA_PROTECTION = "data-protection"
    """Whether personal data are handled as the law says."""
    INSPECTION = "inspection"
    """Agencies are inspected, by one sector or by several together."""
    PROCEEDINGS = "proceedings"
    """Evidence in criminal, civil or administrative proceedings."""
    REVIEW = "review"
    """A case is gone through again, to learn from it."""


def grant_case(subject: str) -> str:
    """Return what a grant names the case *subject* by: who does not know the case cannot tell which it is."""
    return b64(sha256(GRANT_LABEL + subject.encode("ascii")))


class Grant(_Wire):
    """What an auditor may read, for what and how long: one case, the cases of a province, or with neither all."""

    case: Hash | None = None
    """`grant_case` of its pseudonym."""
    province: Annotated[str, StringConstraints(pattern=r"^[0-9]{2}$")] | None = None
    """Of whom owns a case when it is read."""
    purpose: Purpose
    valid_from: Time
    valid_until: Time

    def valid(self, at_ms: int) -> bool:
        """Whether one may read by it *at_ms*."""
        return parse_time(self.valid_from) <= at_ms < parse_time(self.valid_until)


class Entry(_Wire):
    """One agency, or one of the bus's own services."""

    delivery: Delivery
    desks: tuple[Desk, ...] = ()
    duty: Duty | None = None
    ends_at: Time | None = None
    """From then on it says nothing more; what it had to say is its successors'."""
    grants: Annotated[tuple[Grant, ...], Field(min_length=1, max_length=MAX_GRANTS)] | None = None
    """What it may read of the log, as an auditor."""
    id: Agency
    jurisdiction: tuple[Jurisdiction, ...] = ()
    keys: Annotated[tuple[KeyRecord, ...], Field(max_length=MAX_KEYS)]
    kind: Literal["agency"] = "agency"
    names: Names
    parent: Agency | None = None
    """Up the hierarchy: whom an escalation goes to."""
    roles: tuple[Role, ...]
    successors: Annotated[tuple[Agency, ...], Field(max_length=MAX_SUCCESSORS)] = ()
    """Who takes over. The first speaks for it in whatever it has not moved to another of them."""

    @model_validator(mode="after")
    def _is_followed(self) -> Self:
        named = {*self.successors}
        if self.id in named or len(named) != len(self.successors) or (named and self.ends_at is None):
            msg = "successors are others, each once, from a moment on"
            raise ValueError(msg)
        return self


class MaySend(_Wire):
    """Who may open what to whom. ``*`` stands for every role."""

    recipients: tuple[str, ...]
    senders: tuple[str, ...]
    verbs: tuple[str, ...]


class MayKnow(_Wire):
    """Roles that may see each other among the recipients of one event."""

    answers: Literal["opener", "team"] = "opener"
    """Whether an answer may also go to the other recipients."""
    roles: tuple[Role, ...]


class Outage(_Wire):
    """A time in which the bus took nothing in: none of it counts against an agency that could not submit."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    since: Time
    until: Time

    @property
    def since_ms(self) -> int:
        """When it began."""
        return parse_time(self.since)

    @property
    def until_ms(self) -> int:
        """When it was over."""
        return parse_time(self.until)


class Policy(_Wire):
    """The rules of who may speak to whom. Data, signed like everything else in the directory."""

    id: Literal["@policy"] = "@policy"
    keep_closed_ms: Annotated[int, Field(ge=3_600_000, le=MAX_INTEGER)] = 86_400_000
    """How long a closed case is kept whole before only a stub of it stays."""
    kind: Literal["policy"] = "policy"
    may_know: tuple[MayKnow, ...]
    may_open: tuple[str, ...]
    """Roles that may open a case."""
    may_send: tuple[MaySend, ...]
    outages: Annotated[tuple[Outage, ...], Field(min_length=1, max_length=MAX_OUTAGES)] | None = None
    """When the bus was away, the earliest first. What was said once stays."""
    window_ms: Annotated[int, Field(ge=60_000, le=86_400_000)] = 7_200_000
    """W: how far an event's ``time`` may lie from the broker's stamp."""

    @model_validator(mode="after")
    def _keeps_claims(self) -> Self:
        if self.keep_closed_ms < CLAIM_WINDOWS * self.window_ms:
            msg = "a closed case is kept for as long as its ids can come back"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _tells_outages_in_order(self) -> Self:
        ends = [moment for outage in self.outages or () for moment in (outage.since, outage.until)]
        # Times have one spelling, in which they sort.
        if ends != sorted(set(ends)):
            msg = "outages end after they begin, and the next begins after that"
            raise ValueError(msg)
        return self


class WireVersion(_Wire):
    """A version of the wire, and when it is accepted."""

    valid_from: Time
    valid_until: Time | None = None
    version: Annotated[str, StringConstraints(pattern=r"^v[0-9]{1,3}$")]


class Head(_Wire):
    """What the directory is, whole: signed by as many root keys as the pinned root asks for."""

    bus: Agency
    entries: Count
    expires: Time
    issued: Time
    previous: Hash | None = None
    """SHA-256 of the head before; absent in version 1."""
    root: Hash
    """RFC 6962 root over the current entries' bytes, sorted by key."""
    version: Count
    wire: tuple[WireVersion, ...]


class SignedHead(_Wire):
    """A head and its signatures: detached JWS over the head's bytes."""

    head: Head
    signatures: Annotated[tuple[Annotated[str, StringConstraints(max_length=600)], ...], Field(max_length=16)]


class ChangeData(_Wire):
    """What changes, and the head after it."""

    agencies: tuple[Entry, ...]
    head: SignedHead
    policy: Policy | None = None


class Change(_Wire):
    """The event of a directory change: all of it takes effect at once, or none."""

    bus: Agency
    data: ChangeData
    datacontenttype: Literal["application/json"] = "application/json"
    id: Annotated[str, StringConstraints(pattern=EVENT_ID)]
    source: Agency
    specversion: Literal["1.0"] = "1.0"
    time: Time
    type: Literal["vn.referral-bus.directory.changed.v1"] = CHANGED_TYPE

    @classmethod
    def decode(cls, value: bytes) -> Self:
        """Return the change that *value* spells, or raise RemoteError."""
        if len(value) > CHANGE_MAX:
            raise RemoteError(Code.OVERSIZE, "directory change over its limit")
        return super().decode(value)
