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


def test_a_module_is_named_for_what_it_does() -> None:
    assert [str(path) for path in files("*.py") if NAMELESS & set(path.with_suffix("").parts)] == []


def test_a_shelf_is_not_a_package() -> None:
    assert files("contracts/__init__.py", "sdk/__init__.py", "services/__init__.py") == []
