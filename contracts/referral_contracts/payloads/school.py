"""
Báo cáo của nhà trường: what a school has noticed of violence or abuse, and what it has done.

For vocational schools the duty is in the norm's own words (T: TT 38/2019/TT-BLĐTBXH Đ.9: report at once, tell the
family, first medical help). For general schools it is from memory (N: NĐ 80/2017 Đ.6), that whoever told stays secret
is from a secondary source (S). No printed form is known: the fields are the plain minimum, the bus's own, and no
limit stands here.
"""

from typing import Annotated, ClassVar

from referral_contracts.payloads.base import Answer, Line, Moment, Text, label
from referral_contracts.payloads.basis import About, Basis, Confidence
from referral_contracts.payloads.document import Documents, Enclosed
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.place import Child, Place


class SchoolReport(Payload):
    """Báo cáo của nhà trường về bạo lực, xâm hại đối với học sinh."""

    schema_name: ClassVar[str] = "school-report"
    about: ClassVar[About] = About(
        vi="Báo cáo của nhà trường về bạo lực, xâm hại đối với học sinh",
        en="school report on violence or abuse of a pupil",
        basis=(
            Basis(
                place="TT 38/2019/TT-BLĐTBXH, Điều 9",
                vi="cơ sở giáo dục nghề nghiệp: báo cáo ngay, thông tin cho gia đình, sơ cứu",
                en="vocational schools: report at once, inform the family, first medical help",
                confidence=Confidence.TEXT,
            ),
            Basis(
                place="NĐ 80/2017/NĐ-CP",
                vi="giữ bí mật người cung cấp thông tin",
                en="whoever told stays secret",
                confidence=Confidence.SECONDARY,
            ),
            Basis(
                place="NĐ 80/2017/NĐ-CP, Điều 6",
                vi="nghĩa vụ của trường phổ thông",
                en="the duty of general schools",
                confidence=Confidence.NOT_VERIFIED,
            ),
        ),
    )

    school: Annotated[
        Line | None,
        label("Trường", "school", "Tên trường báo cáo.", "The school that reports.", essential=True),
    ] = None
    noticed_at: Annotated[
        Moment | None,
        label(
            "Thời điểm phát hiện",
            "noticed at",
            "Lúc nhà trường biết việc.",
            "When the school learned of it.",
            essential=True,
        ),
    ] = None
    child: Annotated[
        Child | None,
        label("Học sinh", "the pupil", "Trẻ em được báo cáo.", "Whom it is about.", essential=True),
    ] = None
    what_happened: Annotated[
        Text | None,
        label(
            "Diễn biến",
            "what happened",
            "Thấy gì, nghe gì; không tra hỏi trẻ em.",
            "What was seen and heard; the child is not to be questioned.",
            personal=True,
            essential=True,
        ),
    ] = None
    at_school: Annotated[
        Answer | None,
        label("Xảy ra ở trường", "at school", "Việc xảy ra trong trường không.", "Whether it happened at school."),
    ] = None
    place: Annotated[
        Place | None,
        label("Nơi xảy ra", "place", "Nếu ngoài trường, xảy ra ở đâu.", "Where, if not at school."),
    ] = None
    first_aid: Annotated[
        Text | None,
        label(
            "Sơ cứu, y tế",
            "first medical help",
            "Đã chăm sóc y tế thế nào.",
            "What was done for health.",
            personal=True,
        ),
    ] = None
    family_informed: Annotated[
        Answer | None,
        label(
            "Đã thông tin cho gia đình",
            "family informed",
            "Không thông tin cho người bị nghi gây hại.",
            "Whoever is suspected is told nothing.",
            essential=True,
        ),
    ] = None
    reported_to: Annotated[
        Text | None,
        label("Đã báo cho", "reported to", "Cơ quan nào, lúc nào.", "Which agencies, and when.", personal=True),
    ] = None
    measures: Annotated[
        Text | None,
        label(
            "Việc nhà trường đã làm",
            "what was done",
            "Biện pháp bảo vệ học sinh.",
            "To protect the pupil.",
            personal=True,
        ),
    ] = None
    informant: Annotated[
        Text | None,
        label(
            "Người cung cấp thông tin",
            "informant",
            "Chỉ ghi nếu người đó đồng ý.",
            "Only if that person agrees.",
            personal=True,
        ),
    ] = None
    documents: Documents = ()
    enclosed: Enclosed = None
