"""
The names of what a rule can wait for: the triggers that clock sections tell, and the verbs themselves.

A trigger is a word for a happening (`clocks`, `paper_clocks`); a verb has a dot in it and is read off the envelope.
"""

from collections.abc import Mapping
from typing import Final

from referral_contracts.clocks import BY_MEASURE, TRIGGERS
from referral_contracts.verbs import Verb

_NAMES: Final[Mapping[str, tuple[str, str]]] = {
    **{trigger: (kind.vi, kind.en) for kind, trigger in BY_MEASURE.items()},
    "information-received": ("tiếp nhận thông tin lần đầu", "information first received"),
    "intake-recorded": ("đã ghi chép tiếp nhận theo Mẫu 01", "intake recorded on Mẫu 01"),
    "crime-reported": ("đã gửi tin báo về tội phạm", "crime reported"),
    "contact-ban-requested": ("nhận đề nghị cấm tiếp xúc", "contact ban asked for"),
    "evidence-requested": ("nhận yêu cầu thu thập chứng cứ", "evidence asked for"),
    "injury-order-received": ("nhận trưng cầu giám định: thương tích, tuổi", "forensic order received: injury or age"),
    "injury-examination-concluded": (
        "có kết luận giám định: thương tích, tuổi",
        "examination concluded: injury or age",
    ),
    "death-order-received": ("nhận trưng cầu giám định: nguyên nhân chết", "forensic order received: cause of death"),
    "death-examination-concluded": ("có kết luận giám định: nguyên nhân chết", "examination concluded: cause of death"),
    "mental-order-received": ("nhận trưng cầu giám định: tình trạng tâm thần", "forensic order received: mental state"),
    "mental-examination-concluded": (
        "có kết luận giám định: tình trạng tâm thần",
        "examination concluded: mental state",
    ),
    "abuse-order-received": (
        "nhận trưng cầu giám định: xâm hại tình dục, hành hạ, thai nghén",
        "forensic order received: sexual abuse, maltreatment, pregnancy",
    ),
    "abuse-examination-concluded": (
        "có kết luận giám định: xâm hại tình dục, hành hạ, thai nghén",
        "examination concluded: sexual abuse, maltreatment, pregnancy",
    ),
    "laboratory-order-received": (
        "nhận trưng cầu giám định: độc chất, mô bệnh học, ADN",
        "forensic order received: toxicology, histopathology, DNA",
    ),
    "laboratory-examination-concluded": (
        "có kết luận giám định: độc chất, mô bệnh học, ADN",
        "examination concluded: toxicology, histopathology, DNA",
    ),
    "information-forwarded": ("chuyển thông tin đến cấp xã", "information forwarded to the commune"),
    "form-received": ("nơi khác nhận được Mẫu 01", "a Mẫu 01 reached another receiving place"),
    "data-misdirected": ("dữ liệu gửi nhầm nơi nhận", "data reached the wrong recipient"),
    "commune-informed": ("cấp xã nhận được thông tin", "the commune has the information"),
    "report-received": ("tiếp nhận tin báo về tội phạm", "crime report received"),
    "forensic-order-received": ("nhận quyết định trưng cầu giám định", "forensic order received"),
    "forensic-conclusion-given": ("có kết luận giám định", "forensic conclusion given"),
    "information-requested": ("nhận yêu cầu cung cấp thông tin", "information asked for"),
    "information-provided": ("đã cung cấp thông tin", "information given"),
    "legal-aid-requested": ("nhận yêu cầu trợ giúp pháp lý", "legal aid asked for"),
    "legal-aid-answered": ("đã trả lời yêu cầu trợ giúp pháp lý", "request for legal aid answered"),
    "legal-aid-registered": ("ghi vào Sổ thụ lý trợ giúp pháp lý", "entered in the legal-aid register"),
    "detailed-risk-assessed": ("đã đánh giá nguy cơ cụ thể", "detailed risk assessed"),
    "plan-drafted": ("đã xây dựng kế hoạch hỗ trợ, can thiệp", "plan drafted"),
    "plan-approved": ("đã phê duyệt kế hoạch", "plan approved"),
    "plan-reviewed": ("đã rà soát kế hoạch", "plan reviewed"),
    "prosecution-requested": ("đã kiến nghị khởi tố", "prosecution requested"),
    "school-reported": ("nhà trường đã báo cáo", "reported by the school"),
    "forensic-delay-notified": ("đã thông báo chậm kết luận giám định", "delay of the examination notified"),
    "serious-case-detected": ("phát hiện vụ việc nghiêm trọng", "serious case detected"),
    "serious-case-reported": ("đã báo cáo ngay vụ việc nghiêm trọng", "serious case reported"),
    "serious-case-result-reported": ("đã báo cáo kết quả bằng văn bản", "result reported in writing"),
    "breach-detected": ("phát hiện vi phạm dữ liệu cá nhân", "data breach detected"),
    "breach-notified": ("đã thông báo vi phạm", "data breach notified"),
}
"""What people call a trigger, in Vietnamese and in English."""

VERBS: Final = frozenset(verb.value for verb in Verb)


def known(name: str) -> bool:
    """Whether there is such a happening."""
    return name in TRIGGERS or name in VERBS


def names() -> frozenset[str]:
    """Return every happening that there is."""
    return TRIGGERS | VERBS


def happening_name(name: str) -> tuple[str, str]:
    """Return what people call the happening *name*, in Vietnamese and in English; a verb is called by its name."""
    return _NAMES.get(name, (name, name))
