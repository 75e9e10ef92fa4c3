"""
Mẫu số 01 of NĐ 56/2017: the report on receiving information about a child, complete.

Field names and labels follow the printed form. Everything may be left out: the form itself says "ghi nếu biết", and
whoever reports may stay unnamed. `happened` tells when the incident took place; when the information came in is
`received_at`, the stamp from which the 12 hours of Đ.26 and Đ.31 run.
"""

from typing import Annotated, ClassVar

from referral_contracts.payloads.base import Age, Choice, Day, Line, Moment, Text, label
from referral_contracts.payloads.basis import About, Basis, Confidence, Status
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.place import ChildSex, EstimatedAge, Place


class ChildCategory(Choice):
    """Note (4) of the form."""

    ABUSED = "abused", "Bị xâm hại", "abused"
    AT_RISK = (
        "at_risk",
        "Có nguy cơ bị bạo lực, bóc lột, bỏ rơi",
        "at risk of violence, exploitation or abandonment",
    )
    SPECIAL_CIRCUMSTANCES = "special_circumstances", "Có hoàn cảnh đặc biệt", "in special circumstances"
    OTHER = "other", "Khác", "other"
    UNKNOWN = "unknown", "Không biết", "unknown"


class IntakeChannel(Choice):
    """Line A.1 of the form: how the information came in."""

    PHONE = "phone", "Điện thoại", "phone"
    IN_PERSON = "in_person", "Gặp trực tiếp", "in person"
    THIRD_PARTY = "third_party", "Người khác báo", "told by another person"
    OTHER = "other", "Khác", "other"
    UNKNOWN = "unknown", "Không biết", "unknown"


class Mau01(Payload):
    """Báo cáo tiếp nhận thông tin trẻ em."""

    schema_name: ClassVar[str] = "mau01"
    about: ClassVar[About] = About(
        vi="Mẫu số 01: Báo cáo tiếp nhận thông tin trẻ em",
        en="Form 01: report on receiving information about a child",
        status=Status.FROZEN,
        basis=(
            Basis(
                place="NĐ 56/2017/NĐ-CP, Điều 25 khoản 1, Mẫu số 01",
                vi="nghĩa vụ ghi chép và toàn bộ các mục của mẫu",
                en="the duty to record, and every field of the form",
                confidence=Confidence.TEXT,
            ),
        ),
    )

    receiving_agency: Annotated[
        Line | None,
        label(
            "Tên cơ quan tiếp nhận thông tin",
            "receiving agency",
            "Cơ quan đã nhận thông tin ban đầu.",
            "The agency that first received the information.",
            essential=True,
        ),
    ] = None
    report_number: Annotated[
        Line | None,
        label(
            "Số …/BC-…",
            "report number",
            "Số báo cáo và chữ viết tắt tên cơ quan.",
            "Number of the report with the abbreviation of the agency.",
        ),
    ] = None
    place: Annotated[
        Line | None,
        label("Địa danh", "place of the report", "Nơi lập báo cáo.", "Where the report was written."),
    ] = None
    report_date: Annotated[
        Day | None,
        label("Ngày … tháng … năm …", "report date", "Ngày lập báo cáo.", "The day the report was written."),
    ] = None
    child_category: Annotated[
        ChildCategory | None,
        label(
            "Trẻ em thuộc đối tượng",
            "child category",
            "Bị xâm hại, có nguy cơ, hoặc có hoàn cảnh đặc biệt.",
            "Abused, at risk, or in special circumstances.",
            personal=True,
            essential=True,
        ),
    ] = None
    child_category_other: Annotated[
        Line | None,
        label(
            "Đối tượng khác",
            "other category",
            "Ghi rõ khi chọn “Khác”.",
            "Which category, when “other” was chosen.",
            personal=True,
        ),
    ] = None
    channel: Annotated[
        IntakeChannel | None,
        label(
            "Thông qua",
            "channel",
            "Thông tin đến qua điện thoại, gặp trực tiếp hay người khác báo.",
            "By phone, in person, or told by another person.",
            essential=True,
        ),
    ] = None
    channel_other: Annotated[
        Line | None,
        label(
            "Thông qua hình thức khác",
            "other channel",
            "Ghi rõ khi chọn “Khác”.",
            "Which channel, when “other” was chosen.",
            personal=True,
        ),
    ] = None
    received_at: Annotated[
        Moment | None,
        label(
            "Thời gian (mấy giờ), ngày tháng năm",
            "received at",
            "Lúc nhận thông tin; thời hạn 12 giờ tính từ đây.",
            "When the information was received; the 12 hours run from here.",
            essential=True,
        ),
    ] = None
    child_name: Annotated[
        Line | None,
        label("Họ và tên trẻ em", "child's name", "Ghi nếu biết.", "If known.", personal=True),
    ] = None
    birth_date: Annotated[
        Day | None,
        label(
            "Ngày tháng năm sinh",
            "birth date",
            "Ghi nếu biết; nếu không, ước lượng tuổi.",
            "If known; otherwise an estimated age.",
            personal=True,
        ),
    ] = None
    estimated_age: EstimatedAge = None
    sex: ChildSex = None
    incident_place: Annotated[
        Place | None,
        label(
            "Địa điểm xảy ra vụ việc",
            "incident place",
            "Quyết định Ủy ban nhân dân cấp xã nào nhận vụ việc.",
            "Decides which commune people's committee receives the case.",
            essential=True,
        ),
    ] = None
    current_condition: Annotated[
        Text | None,
        label(
            "Tình trạng hiện tại của trẻ em",
            "current condition of the child",
            "Sức khỏe, tinh thần và mức độ an toàn lúc này.",
            "Health, state of mind and safety at this moment.",
            personal=True,
            essential=True,
        ),
    ] = None
    expected_consequence_without_help: Annotated[
        Text | None,
        label(
            "Phỏng đoán hậu quả có thể sẽ xảy ra nếu không có được hỗ trợ, can thiệp",
            "expected consequence without help",
            "Điều gì có thể xảy ra với trẻ em nếu không ai can thiệp.",
            "What may happen to the child if nobody steps in.",
            personal=True,
        ),
    ] = None
    father_name: Annotated[
        Line | None,
        label("Họ và tên cha", "father's name", "Ghi nếu biết.", "If known.", personal=True),
    ] = None
    father_age: Annotated[
        Age | None,
        label("Tuổi của cha", "father's age", "Ghi nếu biết.", "If known.", personal=True),
    ] = None
    father_occupation: Annotated[
        Line | None,
        label("Nghề nghiệp của cha", "father's occupation", "Ghi nếu biết.", "If known.", personal=True),
    ] = None
    mother_name: Annotated[
        Line | None,
        label("Họ và tên mẹ", "mother's name", "Ghi nếu biết.", "If known.", personal=True),
    ] = None
    mother_age: Annotated[
        Age | None,
        label("Tuổi của mẹ", "mother's age", "Ghi nếu biết.", "If known.", personal=True),
    ] = None
    mother_occupation: Annotated[
        Line | None,
        label("Nghề nghiệp của mẹ", "mother's occupation", "Ghi nếu biết.", "If known.", personal=True),
    ] = None
    family_circumstances: Annotated[
        Text | None,
        label(
            "Hoàn cảnh gia đình",
            "family circumstances",
            "Ghi nếu biết.",
            "If known.",
            personal=True,
        ),
    ] = None
    current_carer: Annotated[
        Line | None,
        label(
            "Hiện … là người chăm sóc trẻ em",
            "current carer",
            "Ai đang chăm sóc trẻ em, nếu biết.",
            "Who looks after the child now, if known.",
            personal=True,
        ),
    ] = None
    prior_actions: Annotated[
        Text | None,
        label(
            "Những hành động hỗ trợ, can thiệp đã thực hiện đối với trẻ em trước khi nhận thông tin",
            "prior actions",
            "Ai đã làm gì cho trẻ em trước khi thông tin này đến.",
            "Who did what for the child before this information came in.",
            personal=True,
        ),
    ] = None
    reporter_name: Annotated[
        Line | None,
        label(
            "Họ và tên người cung cấp thông tin",
            "reporter's name",
            "Chỉ ghi nếu người đó đồng ý. Không chuyển cho cơ sở y tế, trợ giúp pháp lý, nhà trường.",
            "Only if that person agrees. Not for hospitals, legal aid or schools.",
            personal=True,
        ),
    ] = None
    reporter_phone: Annotated[
        Line | None,
        label(
            "Số điện thoại người cung cấp thông tin",
            "reporter's phone",
            "Chỉ ghi nếu người đó đồng ý. Không chuyển cho cơ sở y tế, trợ giúp pháp lý, nhà trường.",
            "Only if that person agrees. Not for hospitals, legal aid or schools.",
            personal=True,
        ),
    ] = None
    reporter_address: Annotated[
        Text | None,
        label(
            "Địa chỉ người cung cấp thông tin",
            "reporter's address",
            "Chỉ ghi nếu người đó đồng ý. Không chuyển cho cơ sở y tế, trợ giúp pháp lý, nhà trường.",
            "Only if that person agrees. Not for hospitals, legal aid or schools.",
            personal=True,
        ),
    ] = None
    reporter_note: Annotated[
        Text | None,
        label(
            "Ghi chú thêm",
            "note on the reporter",
            "Điều cần biết về người cung cấp thông tin, nếu họ đồng ý.",
            "What else to know about the reporter, if that person agrees.",
            personal=True,
        ),
    ] = None
    intake_officer: Annotated[
        Line | None,
        label(
            "Cán bộ tiếp nhận thông tin",
            "intake officer",
            "Họ tên người ký báo cáo.",
            "Name of the officer who signs the report.",
            personal=True,
        ),
    ] = None
