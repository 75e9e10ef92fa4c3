"""
A record that has one spelling: RFC 8785 form, with what is absent left out.

A model's fields stand in alphabetical order: its serializer then writes that form.
"""

from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from referral_contracts.codes import Code
from referral_contracts.encoding import parse_json
from referral_contracts.errors import RemoteError


class Canonical(BaseModel):
    """The base of what is signed or hashed as it is spelled."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    spells: ClassVar[str] = "record"
    """What it is, in an error's words."""

    @classmethod
    def decode(cls, value: bytes) -> Self:
        """
        Return the model that *value* spells.

        Raises:
            RemoteError: MALFORMED_ENVELOPE, NOT_CANONICAL and what `parse_json` raises.
        """
        try:
            found = cls.model_validate_json(value)
        except ValidationError:
            parse_json(value)
            raise RemoteError(Code.MALFORMED_ENVELOPE, f"not a {cls.spells}") from None
        if found.encode() != value:
            raise RemoteError(Code.NOT_CANONICAL, f"{cls.spells} not its own RFC 8785 form")
        return found

    def encode(self) -> bytes:
        """Return the model's bytes, in RFC 8785 form."""
        serializer: Any = self.__pydantic_serializer__
        encoded: bytes = serializer.to_json(self, exclude_none=True)
        return encoded
