"""
What ties cases together: two reports of one child, several children of one incident.

The owner of a case says it; the other case is named in here alone. Whoever reads it learns that there is the other one.
"""

from typing import Annotated, ClassVar, Final

from pydantic import Field, StringConstraints

from referral_contracts.encoding import SUBJECT
from referral_contracts.payloads.base import Choice, FieldGroup, Line, label
from referral_contracts.payloads.basis import About
from referral_contracts.payloads.handoff import Explanation, OtherReason
from referral_contracts.payloads.payload import Payload

MAX_OTHERS: Final = 64
"""Cases named in one go: a boarding house, a bus."""

Subject = Annotated[str, StringConstraints(pattern=SUBJECT)]
"""A case, by its pseudonym."""
Others = Annotated[
    Annotated[tuple[Subject, ...], Field(max_length=MAX_OTHERS)],
    label(
        "Các vụ việc liên quan",
        "other cases",
        "Mã các vụ việc liên quan.",
        "Pseudonyms of the other cases.",
        essential=True,
    ),
]


class Relation(Choice):
    """What two cases have in common."""

    SAME_CHILD = "same_child", "Cùng một trẻ em", "the same child"
    SAME_INCIDENT = "same_incident", "Cùng một sự việc", "the same incident"
    OTHER = "other", "Liên quan khác", "related otherwise"
    UNKNOWN = "unknown", "Không biết", "unknown"


class UnlinkingReason(Choice):
    """Why a link is taken back."""

    NOT_THE_SAME = "not_the_same", "Không phải cùng trẻ em hoặc sự việc", "not the same child or incident"
    WRONG_CASE = "wrong_case", "Nhầm vụ việc", "the wrong case"
    OTHER = "other", "Khác", "other"
    UNKNOWN = "unknown", "Không biết", "unknown"


class Link(Payload):
    """The case has something in common with others."""

    schema_name: ClassVar[str] = "link"
    about: ClassVar[About] = About(vi="Liên kết vụ việc", en="link between cases")

    relation: Annotated[
        Relation,
        label(
            "Quan hệ",
            "relation",
            "Các vụ việc có gì chung.",
            "What the cases have in common.",
            essential=True,
        ),
    ]
    relation_other: Annotated[
        Line | None,
        label(
            "Quan hệ khác",
            "other relation",
            "Ghi rõ khi chọn “Khác”.",
            "Which, when “other” was chosen.",
            personal=True,
        ),
    ] = None
    others: Others = ()
    explanation: Explanation = None


class Unlinking(Payload):
    """What was said of the case and others does not hold."""

    schema_name: ClassVar[str] = "unlinking"
    about: ClassVar[About] = About(vi="Bỏ liên kết vụ việc", en="unlinking")

    others: Others = ()
    reason: Annotated[
        UnlinkingReason,
        label(
            "Lý do bỏ liên kết",
            "reason",
            "Vì sao liên kết không còn đúng.",
            "Why the link does not hold.",
            personal=True,
            essential=True,
        ),
    ]
    reason_other: OtherReason = None
    explanation: Explanation = None


class LinkedCase(FieldGroup):
    """One link, as the deadline watcher is told: children are counted once."""

    other: Annotated[
        Subject,
        label(
            "Vụ việc liên quan", "other case", "Mã vụ việc liên quan.", "Pseudonym of the other case.", essential=True
        ),
    ]
    relation: Annotated[
        Relation | None,
        label(
            "Quan hệ",
            "relation",
            "Có gì chung; bỏ trống khi bỏ liên kết.",
            "What they have in common; left out where a link is taken back.",
        ),
    ] = None
