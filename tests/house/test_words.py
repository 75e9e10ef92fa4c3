import re

import pytest

from tests.house.tree import ROOT, files

NAMELESS = {"common", "helper", "helpers", "manager", "managers", "misc", "shared", "util", "utils"}


@pytest.mark.parametrize(
    "never",
    [
        pytest.param(r"\bTO[D]O\b|\bFIX[M]E\b", id="work left for later"),
        pytest.param(
            r"pypi\.org|pythonhosted\.org|registry\.npmjs|repo1?\.maven|proxy\.golang\.org|sum\.golang\.org",
            id="a registry, which is for each machine to choose",
        ),
        pytest.param(r"(?<![\w.])/(?:home|opt|root|Users|work)/\w", id="a path of one machine"),
    ],
)
def test_no_file_contains(never: str) -> None:
    pattern = re.compile(never)
    found = [
        f"{path}:{number}"
        for path in files()
        for number, line in enumerate((ROOT / path).read_text(errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]

    assert found == []


@pytest.mark.parametrize(
    ("word", "papers"),
    [
        # The law's word for a case is `vụ việc` (NĐ 56/2017, Đ. 26; Mẫu 01). What else these mean is listed.
        pytest.param("hồ[ ]sơ", {"bàn giao hồ sơ tâm lý", "thông tin, hồ sơ", "hồ sơ đã đủ"}, id="papers"),
        pytest.param("ca", {"làm ca đêm", "quản lý ca đêm"}, id="a shift"),
    ],
)
def test_a_case_has_one_name_in_vietnamese(word: str, papers: set[str]) -> None:
    meant = re.compile("|".join(sorted(papers)), re.IGNORECASE)
    named = re.compile(rf"(?<![\w/.-]){word}(?![\w/.-])", re.IGNORECASE if "[" in word else 0)
    found, used = [], set()
    for path in files("*.py", "*.md", "*.json", "*.txt", "*.toml", ":!tests/house"):
        for number, line in enumerate((ROOT / path).read_text().splitlines(), 1):
            used |= {phrase.lower() for phrase in meant.findall(line)}
            if named.search(meant.sub("", line)):
                found.append(f"{path}:{number}")

    assert found == []
    assert used == papers


def test_a_module_is_named_for_what_it_does() -> None:
    assert [str(path) for path in files("*.py") if NAMELESS & set(path.with_suffix("").parts)] == []


def test_a_shelf_is_not_a_package() -> None:
    assert files("contracts/__init__.py", "sdk/__init__.py", "services/__init__.py") == []
