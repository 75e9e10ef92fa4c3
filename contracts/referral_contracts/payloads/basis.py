"""
What a form is called, where it comes from, and how far its fields may be relied on.

A field is never shown as law when nobody has read the law: a form whose printed original was not seen says so in its
schema and wherever a person sees it. What the bus asks for its own purposes is called the bus's own.
"""

from dataclasses import dataclass

from pydantic.config import JsonDict

from referral_contracts.payloads.base import Choice


class Confidence(Choice):
    """How a statement about the law is known."""

    TEXT = "T", "đã đọc nguyên văn", "the wording itself was read"
    SECONDARY = "S", "theo nguồn thứ cấp", "from a secondary source"
    NOT_VERIFIED = "N", "chưa kiểm chứng", "not verified"


class Status(Choice):
    """How a form's fields came about."""

    FROZEN = "frozen", "theo mẫu in, đã đọc toàn văn", "as printed, read as a whole"
    PARTLY_READ = (
        "partly-read",
        "mẫu in chỉ đọc được một phần, phần còn lại tạm thời",
        "the printed form was read in part, the rest is provisional",
    )
    PROVISIONAL = (
        "provisional",
        "mẫu tạm thời, chưa đối chiếu với mẫu in",
        "provisional, not checked against the printed form",
    )
    OWN = (
        "own",
        "của trục, không thay cho mẫu do pháp luật quy định (nếu có)",
        "the bus's own, which replaces no form that law may prescribe",
    )

    @property
    def uncertain(self) -> bool:
        """Whether a person has to be told so wherever the form is shown."""
        return self in {Status.PARTLY_READ, Status.PROVISIONAL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """A place in the law that a form or some of its fields rest on."""

    place: str
    vi: str
    en: str
    """What is taken from there."""
    confidence: Confidence

    def as_schema(self) -> JsonDict:
        """Return it for the generated JSON Schema."""
        return {"place": self.place, "confidence": self.confidence.value, "vi": self.vi, "en": self.en}


def unread_form(number: str) -> Basis:
    """Return what the fields rest on of a form of NĐ 56/2017/NĐ-CP whose printed original nobody has seen."""
    return Basis(
        place=f"NĐ 56/2017/NĐ-CP, Mẫu số {number}",
        vi="các mục của mẫu",
        en="the fields of the form",
        confidence=Confidence.NOT_VERIFIED,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """A form's name in two languages, how its fields came about, and what they rest on."""

    vi: str
    en: str
    status: Status = Status.OWN
    basis: tuple[Basis, ...] = ()

    def as_schema(self) -> JsonDict:
        """Return it for the generated JSON Schema."""
        return {
            "vi": self.vi,
            "en": self.en,
            "schema_status": self.status.value,
            "schema_status_vi": self.status.vi,
            "schema_status_en": self.status.en,
            "basis": [part.as_schema() for part in self.basis],
        }
