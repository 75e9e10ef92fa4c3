"""Decision records are numbered from 1, each number once, and refer to records that there are."""

import re

from tests.house.tree import ROOT

FOLDER = ROOT / "docs" / "decisions"
RECORDS = sorted(FOLDER.glob("*.md"))


def test_each_number_stands_once_in_the_name_and_in_the_title() -> None:
    numbers = [int(path.name[:4]) for path in RECORDS]
    titles = [re.match(r"# (\d+)\. ", path.read_text("utf-8")) for path in RECORDS]

    assert numbers == list(range(1, len(RECORDS) + 1))
    assert [int(title[1]) for title in titles if title] == numbers


def test_a_record_that_is_named_is_there() -> None:
    for path in RECORDS:
        text = path.read_text("utf-8")
        for name in re.findall(r"\]\((\d{4}-[^)]*)\)", text):
            assert (FOLDER / name).exists(), (path.name, name)
        for number in re.findall(r"\((0\d{3})\)", text):
            assert int(number) <= len(RECORDS), (path.name, number)
