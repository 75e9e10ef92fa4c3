"""
A forensic examination: what is ordered, and what is concluded.

The kinds and their limits are in the norms' own words (T: BLTTHS Đ.206, Đ.208 k.1; TT 13/2022/TT-BYT Đ.2 k.2), and so
is the duty to order one without delay (T: TTLT 01/2022 Đ.13 k.1 a) and to say in writing why one is late (T: BLTTHS
Đ.208 k.3). The printed forms of the order and of the conclusion were not read (N): the fields here are the plain
minimum, the bus's own.
"""

from typing import Annotated, ClassVar, Final

from referral_contracts.payloads.base import Answer, Choice, Day, Line, Moment, Text, label
from referral_contracts.payloads.basis import About, Basis, Confidence
from referral_contracts.payloads.document import Documents, Enclosed
from referral_contracts.payloads.paper import LegalBases
from referral_contracts.payloads.payload import Payload
from referral_contracts.payloads.place import Child


class ExaminationKind(Choice):
    """What is examined: each kind has a limit of its own."""

    INJURY = "injury", "Thương tích, tổn hại sức khỏe", "injury, harm to health"
    SEXUAL_ABUSE = "sexual_abuse", "Xâm hại tình dục", "sexual abuse"
    MALTREATMENT = "maltreatment", "Hành hạ, ngược đãi", "maltreatment"
    PREGNANCY = "pregnancy", "Mang thai", "pregnancy"
    AGE = "age", "Độ tuổi", "age"
    MENTAL_STATE = "mental_state", "Tình trạng tâm thần", "mental state"
    CAUSE_OF_DEATH = "cause_of_death", "Nguyên nhân chết người", "cause of death"
    TOXICOLOGY = "toxicology", "Độc chất", "toxicology"
    HISTOPATHOLOGY = "histopathology", "Mô bệnh học", "histopathology"
    DNA = "dna", "ADN", "DNA"
    OTHER = "other", "Khác", "other"
    UNKNOWN = "unknown", "Không biết", "unknown"


_KINDS: Final = (
    Basis(
        place="BLTTHS 2015, Điều 206, Điều 208 khoản 1; TT 13/2022/TT-BYT, Điều 2 khoản 2",
        vi="các loại giám định và thời hạn",
        en="the kinds of examination and their limits",
        confidence=Confidence.TEXT,
    ),
)
ExaminationKindOther = Annotated[
    Line | None,
    label(
        "Loại giám định khác",
        "other examination",
        "Ghi rõ khi chọn “Khác”.",
        "Which, when “other” was chosen.",
        personal=True,
    ),
]


class ForensicRequest(Payload):
    """Quyết định trưng cầu giám định, as far as the examiner has to know."""

    schema_name: ClassVar[str] = "forensic-request"
    about: ClassVar[About] = About(
        vi="Thông tin kèm quyết định trưng cầu giám định",
        en="forensic request",
        basis=(
            *_KINDS,
            Basis(
                place="TTLT 01/2022, Điều 13 khoản 1 điểm a",
                vi="kịp thời ban hành quyết định trưng cầu giám định (vụ xâm hại tình dục)",
                en="that it is ordered without delay (sexual abuse)",
                confidence=Confidence.TEXT,
            ),
        ),
    )

    order_number: Annotated[
        Line | None,
        label("Số quyết định", "order number", "Số quyết định trưng cầu.", "Number of the order.", essential=True),
    ] = None
    ordered_at: Annotated[
        Moment | None,
        label("Thời điểm ký", "ordered at", "Lúc ký quyết định trưng cầu.", "When it was signed.", essential=True),
    ] = None
    ordering_body: Annotated[
        Line | None,
        label("Cơ quan trưng cầu", "ordering body", "Cơ quan ra quyết định.", "Who orders it.", essential=True),
    ] = None
    kind: Annotated[
        ExaminationKind,
        label(
            "Loại giám định",
            "kind",
            "Cần giám định về điều gì.",
            "What is to be examined.",
            personal=True,
            essential=True,
        ),
    ]
    kind_other: ExaminationKindOther = None
    child: Annotated[
        Child | None,
        label("Trẻ em được giám định", "the child", "Ai được giám định.", "Who is to be examined.", essential=True),
    ] = None
    circumstances: Annotated[
        Text | None,
        label(
            "Tóm tắt sự việc",
            "circumstances",
            "Chỉ ghi điều giám định viên cần biết.",
            "Only what the examiner has to know.",
            personal=True,
        ),
    ] = None
    questions: Annotated[
        Text | None,
        label(
            "Yêu cầu giám định",
            "questions",
            "Những câu hỏi cần kết luận.",
            "The questions to be answered.",
            personal=True,
            essential=True,
        ),
    ] = None
    materials: Annotated[
        Text | None,
        label(
            "Mẫu vật, tài liệu gửi kèm",
            "materials",
            "Mẫu nào, thu lúc nào, niêm phong thế nào.",
            "Which samples, when taken, how sealed.",
            personal=True,
        ),
    ] = None
    priority: Annotated[
        Answer | None,
        label(
            "Đề nghị ưu tiên",
            "priority asked",
            "Nạn nhân là trẻ em.",
            "The victim is a child.",
        ),
    ] = None
    legal_basis: LegalBases = ()
    documents: Documents = ()
    enclosed: Enclosed = None


class ForensicConclusion(Payload):
    """Kết luận giám định, or notice that it will be late."""

    schema_name: ClassVar[str] = "forensic-conclusion"
    about: ClassVar[About] = About(
        vi="Thông tin kèm kết luận giám định",
        en="forensic conclusion",
        basis=(
            *_KINDS,
            Basis(
                place="BLTTHS 2015, Điều 208 khoản 3",
                vi="thông báo bằng văn bản, nêu rõ lý do khi không kịp thời hạn",
                en="written notice with reasons when the limit cannot be met",
                confidence=Confidence.TEXT,
            ),
        ),
    )

    conclusion_number: Annotated[
        Line | None,
        label("Số kết luận", "conclusion number", "Số của kết luận giám định.", "Its number."),
    ] = None
    concluded_on: Annotated[
        Day | None,
        label("Ngày kết luận", "concluded on", "Ngày ký kết luận.", "The day it was signed."),
    ] = None
    order_number: Annotated[
        Line | None,
        label(
            "Theo quyết định trưng cầu số",
            "order number",
            "Quyết định trưng cầu nào.",
            "Which order it answers.",
            essential=True,
        ),
    ] = None
    organisation: Annotated[
        Line | None,
        label("Tổ chức giám định", "organisation", "Nơi thực hiện giám định.", "Who examined.", essential=True),
    ] = None
    examiners: Annotated[
        Text | None,
        label("Giám định viên", "examiners", "Họ tên, chức danh.", "Names and titles.", personal=True),
    ] = None
    kind: Annotated[
        ExaminationKind,
        label(
            "Loại giám định", "kind", "Đã giám định về điều gì.", "What was examined.", personal=True, essential=True
        ),
    ]
    kind_other: ExaminationKindOther = None
    findings: Annotated[
        Text | None,
        label("Kết quả khám, xét nghiệm", "findings", "Những gì đã thấy.", "What was found.", personal=True),
    ] = None
    conclusion: Annotated[
        Text | None,
        label(
            "Kết luận",
            "conclusion",
            "Trả lời từng câu hỏi.",
            "The answer to each question.",
            personal=True,
            essential=True,
        ),
    ] = None
    consultation: Annotated[
        Answer | None,
        label(
            "Có hội chẩn, xin ý kiến chuyên gia",
            "consultation",
            "Có hội chẩn thì thời hạn dài hơn.",
            "With one, the limit is longer.",
        ),
    ] = None
    late_reason: Annotated[
        Text | None,
        label(
            "Lý do chưa kịp thời hạn",
            "reason for delay",
            "Chỉ ghi khi chưa thể kết luận đúng hạn.",
            "Only when it cannot be concluded in time.",
            personal=True,
        ),
    ] = None
    documents: Documents = ()
    enclosed: Enclosed = None
