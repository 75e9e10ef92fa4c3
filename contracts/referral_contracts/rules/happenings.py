"""
The names of what a rule can wait for: the triggers that clock sections tell, and the verbs themselves.

A trigger is a word for a happening (`clocks`, `paper_clocks`); a verb has a dot in it and is read off the envelope.
"""

from collections.abc import Mapping
from typing import Final

from referral_contracts.verbs import Verb

TRIGGERS: Final[Mapping[str, tuple[str, str]]] = {
    "information-received": ("tiếp nhận thông tin lần đầu", "information first received"),
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
    "initial-risk-assessed": ("đã đánh giá nguy cơ ban đầu", "initial risk assessed"),
    "emergency-measures-applied": ("đã áp dụng biện pháp can thiệp khẩn cấp", "emergency measures applied"),
    "separation-in-force": ("tạm thời cách ly trẻ em có hiệu lực", "separation in force"),
    "investigators-alerted": ("đã báo Cơ quan điều tra", "investigators alerted"),
    "report-transferred": ("đã chuyển tin báo", "report transferred"),
    "evidence-taken": ("đã thu thập chứng cứ, dấu vết", "evidence taken"),
    "forensic-order-issued": ("đã ra quyết định trưng cầu giám định", "forensic order issued"),
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
"""Every trigger, with its name in Vietnamese and in English."""

VERBS: Final = frozenset(verb.value for verb in Verb)


def known(name: str) -> bool:
    """Whether there is such a happening."""
    return name in TRIGGERS or name in VERBS


def happening_name(name: str) -> tuple[str, str]:
    """Return what people call the happening *name*, in Vietnamese and in English; a verb is called by its name."""
    return TRIGGERS.get(name, (name, name))
