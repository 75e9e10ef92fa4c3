"""One vector: what is tried, what has to come of it, and how its bytes are written down."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from referral_contracts.codes import Code
from referral_contracts.encoding import b64
from tools.vectors.rules import rules_of

VALID: Final = "valid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vector:
    """One file."""

    name: str
    comment: str
    expect: str
    kind: str
    members: Mapping[str, object]

    def as_object(self) -> dict[str, object]:
        return {
            "name": self.name,
            "comment": self.comment,
            "expect": self.expect,
            "kind": self.kind,
            "rules": rules_of(self.name),
            **self.members,
        }


def valid(kind: str, name: str, comment: str, **members: object) -> Vector:
    """Return a vector that has to be taken; *members* holds what is given and what comes of it."""
    return Vector(name=name, comment=comment, expect=VALID, kind=kind, members=members)


def fault(code: Code, kind: str, name: str, comment: str, **members: object) -> Vector:
    """Return a vector that has to be refused with *code*."""
    return Vector(name=name, comment=comment, expect=code.value, kind=kind, members=members)


def octets(data: bytes) -> dict[str, object]:
    """Return *data* as a vector writes bytes: as text where it is text, else in base64url."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64url": b64(data)}
    return {"utf8": text} if text.isprintable() else {"base64url": b64(data)}


def repeated(text: str, times: int) -> dict[str, object]:
    """Return many bytes in few: *text*, so many times."""
    return {"utf8": text, "times": times}
