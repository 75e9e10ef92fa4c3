"""
What a log answers to who may read it: a case with all that proves it, and what was found.

The shapes of JSON over HTTP, for both sides. A case's answer carries what a bundle does, but for what follows from it:
leaves with their receipts, the checkpoint, the part of the directory with its signed head. Whoever asked checks it all
by keys of their own, as a bundle's. What was found is the log's word: the trail of each case proves it.
"""

from collections.abc import Sequence
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from referral_contracts.codes import Code
from referral_contracts.directory_model import Hash, Time
from referral_contracts.encoding import EVENT_ID, MAX_INTEGER, SUBJECT
from referral_contracts.envelope import AgencyId
from referral_contracts.errors import RemoteError
from referral_contracts.log.policy import Policy
from referral_contracts.trail.bundle import Event, Sealed, event_of, leaf_of, receipt_of
from referral_contracts.trail.checking import NO_DISCLOSURE, Grounds, make_trail
from referral_contracts.trail.extract import read_extract
from referral_contracts.trail.leaves import Disclosed, TrailLeaf
from referral_contracts.trail.model import Trail
from referral_contracts.trust import TrustRoot

VERB: Final = r"^[a-z]{1,20}([.-][a-z]{1,20}){0,3}$"
MOST_FOUND: Final = 200
"""Of one page of a search."""
_Index: TypeAlias = Annotated[int, Field(ge=0, le=MAX_INTEGER)]
_Subject: TypeAlias = Annotated[str, StringConstraints(pattern=SUBJECT)]


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """
        Return what *data* tells.

        Raises:
            RemoteError: MALFORMED_VALUE.
        """
        try:
            return cls.model_validate_json(data)
        except ValidationError:
            raise RemoteError(Code.MALFORMED_VALUE, "not what a log answers") from None

    def encode(self) -> bytes:
        """Return its JSON."""
        return self.model_dump_json(exclude_none=True).encode()


class Leaf(Event):
    """A leaf as a line of a bundle's ``events.jsonl`` has it, with the receipt that proves it."""

    receipt: str
    """c2sp.org/tlog-proof."""


class CaseAnswer(_Told):
    """Leaves of one case, and what proves them: all, or those that tell who read it."""

    bus: AgencyId
    checkpoint: str
    """The signed note that all of them are proven under."""
    directory: tuple[str, ...]
    """The lines of a bundle's ``directory.jsonl``."""
    format: Literal["referral-bus-case/v1"] = "referral-bus-case/v1"
    leaves: tuple[Leaf, ...]
    next: _Index | None = None
    """What ``after`` has to be for the next page of reads; absent where there is none."""
    subject: _Subject


class Search(BaseModel):
    """What is looked for, as a query says it: all of it holds for what is found."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, populate_by_name=True)

    case: _Subject | None = None
    referral: Annotated[str, StringConstraints(pattern=EVENT_ID)] | None = None
    """The event that opened a hand-off."""
    agency: AgencyId | None = None
    """Said by it, or to it."""
    since: Time | None = Field(default=None, alias="from")
    until: Time | None = None
    """Admitted before this."""
    verb: Annotated[str, StringConstraints(pattern=VERB)] | None = None
    overdue: bool = False
    """That a deadline was missed."""
    after: _Index | None = None
    """Behind this leaf: ``next`` of the page before."""
    limit: Annotated[int, Field(ge=1, le=MOST_FOUND)] = 50

    def parameters(self) -> dict[str, str]:
        """Return it as a query has it."""
        told = self.model_dump(by_alias=True, exclude_defaults=True)
        return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in told.items()}


class FoundLeaf(_Told):
    """A leaf, by what it can be found by."""

    accepted: bool
    admitted: Time
    code: str
    event: Hash
    leaf: _Index
    referral: Annotated[str, StringConstraints(pattern=EVENT_ID)] | None = None
    source: AgencyId | None = None
    subject: _Subject
    verb: str | None = None


class SearchAnswer(_Told):
    """A page of what was found, in the order of the log."""

    bus: AgencyId
    found: Annotated[tuple[FoundLeaf, ...], Field(max_length=MOST_FOUND)]
    next: _Index | None = None
    """What ``after`` has to be for the next page; absent where there is none."""
    size: _Index
    """Leaves that were looked at: those of the newest checkpoint."""


def answer_case(
    subject: str, leaves: Sequence[Sealed], *, bus: str, checkpoint: bytes, directory: bytes, after: int | None = None
) -> CaseAnswer:
    """
    Return the answer of *leaves*, proven under *checkpoint*, with what `extract` made of the *directory*.

    With *after* there are more, behind that leaf.
    """
    return CaseAnswer(
        bus=bus,
        checkpoint=checkpoint.decode(),
        directory=tuple(directory.decode().split("\n")[:-1]),
        leaves=tuple(_leaf(one, checkpoint) for one in leaves),
        next=after,
        subject=subject,
    )


def _leaf(one: Sealed, checkpoint: bytes) -> Leaf:
    return Leaf(**event_of(one).model_dump(), receipt=receipt_of(one, checkpoint).encode().decode())


def read_answer(answer: CaseAnswer, policy: Policy, root: TrustRoot) -> tuple[Grounds, list[TrailLeaf]]:
    """
    Return the leaves in *answer*, and what its checkpoint and directory are found to be by one's own keys.

    Raises:
        RemoteError: They are not by keys that are trusted, or of another bus; a leaf is not with its receipt.
    """
    if answer.bus != root.bus:
        raise RemoteError(Code.WRONG_BUS, "an answer of another bus")
    checkpoint = answer.checkpoint.encode()
    directory = "".join(f"{line}\n" for line in answer.directory).encode()
    grounds = Grounds(checked=policy.check(checkpoint), directory=read_extract(directory, root))
    return grounds, [leaf_of(one, one.receipt.encode(), checkpoint) for one in answer.leaves]


def read_trail(answer: CaseAnswer, policy: Policy, root: TrustRoot, disclosed: Disclosed = NO_DISCLOSURE) -> Trail:
    """Return the trail that *answer* proves; see `read_answer` for what is raised."""
    grounds, leaves = read_answer(answer, policy, root)
    return make_trail(grounds, answer.subject, leaves, disclosed)
