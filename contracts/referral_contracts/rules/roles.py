"""The roles that a rule can name: whose clock it is. They are the directory's roles, under the names people know."""

from collections.abc import Mapping
from typing import Final

ANYBODY: Final = "*"
"""Whoever the trigger says, whatever its role: the duty is everybody's."""

ROLES: Final[Mapping[str, tuple[str, str]]] = {
    "hotline": ("Tổng đài điện thoại quốc gia bảo vệ trẻ em", "child protection hotline"),
    "dv-hotline": ("Tổng đài phòng, chống bạo lực gia đình", "domestic-violence hotline"),
    "commune": ("Ủy ban nhân dân cấp xã", "commune people's committee"),
    "child-affairs": ("Cơ quan phụ trách về trẻ em", "child-affairs agency"),
    "police": ("Công an cấp xã", "commune police"),
    "investigators": ("Cơ quan điều tra", "investigation body"),
    "police-forensic": ("Kỹ thuật hình sự, Công an", "police forensic unit"),
    "procuracy": ("Viện kiểm sát nhân dân", "procuracy"),
    "court": ("Tòa án nhân dân", "court"),
    "hospital": ("Cơ sở khám bệnh, chữa bệnh", "health facility"),
    "forensic": ("Tổ chức giám định pháp y", "forensic organisation"),
    "legal-aid": ("Tổ chức trợ giúp pháp lý", "legal-aid organisation"),
    "social-work": ("Cơ sở cung cấp dịch vụ công tác xã hội", "social-work service provider"),
    "school": ("Cơ sở giáo dục", "school"),
    "statistics": ("Cơ quan thống kê", "statistics agency"),
    "province": ("Ủy ban nhân dân cấp tỉnh", "provincial people's committee"),
    ANYBODY: ("Cơ quan, tổ chức, cá nhân liên quan", "any agency concerned"),
}
"""Each with its name in Vietnamese and in English."""


def role_name(role: str) -> tuple[str, str]:
    """Return what people call *role*, in Vietnamese and in English."""
    return ROLES.get(role, (role, role))
