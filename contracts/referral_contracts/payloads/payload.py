"""
A whole body: the base of every form, answer and note.

A new minor version only adds fields that may be left out, or answers to choices in fields that may be left out;
anything else is a new major version. That is what lets an older reader keep reading.

So a form gets another field: the field with its `label`, and ``minor`` one higher in the form's class; `make generate`,
which writes schema, SPEC and vectors; then ``tests/sdk/cli/scripts``, where the version is spelled out. Its files in
``examples/`` may stay: a file of an older minor version is taken. A field of a group that several forms ask is a new
minor version of each of them.
"""

from typing import Annotated, ClassVar

from referral_contracts.payloads.actor import Actor, Happening
from referral_contracts.payloads.base import FieldGroup, label
from referral_contracts.payloads.basis import About


class Payload(FieldGroup):
    """What one sealed section says, with its schema's name and version."""

    schema_name: ClassVar[str]
    about: ClassVar[About]
    major: ClassVar[int] = 1
    minor: ClassVar[int] = 0

    actor: Annotated[
        Actor,
        label(
            "Người thực hiện",
            "actor",
            "Ai trong cơ quan thực hiện việc này.",
            "Who in the agency did this.",
            essential=True,
        ),
    ]
    happened: Annotated[
        Happening | None,
        label(
            "Thời điểm và kênh",
            "when and how",
            "Việc xảy ra lúc nào, ghi nhận lúc nào, qua kênh nào.",
            "When it happened, when it was recorded, and over which channel.",
        ),
    ] = None

    @classmethod
    def schema_id(cls) -> str:
        """Name and version as written in the section: ``mau01/1.0``."""
        return f"{cls.schema_name}/{cls.major}.{cls.minor}"
