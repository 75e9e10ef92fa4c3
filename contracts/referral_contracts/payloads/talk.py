"""A question about a hand-off and its answer: talk that moves nothing."""

from typing import Annotated, ClassVar

from referral_contracts.payloads.base import Moment, Text, label
from referral_contracts.payloads.basis import About
from referral_contracts.payloads.document import Documents, Enclosed
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.request import EventId


class Question(Payload):
    """One side asks the other."""

    schema_name: ClassVar[str] = "question"
    about: ClassVar[About] = About(vi="Câu hỏi", en="question")

    text: Annotated[
        Text | None,
        label("Nội dung hỏi", "text", "Cần biết điều gì.", "What one wants to know.", personal=True, essential=True),
    ] = None
    answer_by: Annotated[
        Moment | None,
        label("Cần trả lời trước", "answer by", "Cần câu trả lời lúc nào.", "When the answer is needed."),
    ] = None


class Answer(Payload):
    """The other side's answer."""

    schema_name: ClassVar[str] = "answer"
    about: ClassVar[About] = About(vi="Câu trả lời", en="answer")

    question: Annotated[
        EventId | None,
        label("Câu hỏi", "question", "Mã sự kiện của câu hỏi.", "Id of the event that asked.", essential=True),
    ] = None
    text: Annotated[
        Text | None,
        label("Nội dung trả lời", "text", "Trả lời.", "The answer.", personal=True, essential=True),
    ] = None
    documents: Documents = ()
    enclosed: Enclosed = None
