"""Packs as texts, for the tests: a head and rows, each with what it needs and one thing changed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.house.tree import ROOT

SHELF: Final = ROOT / "contracts/packs"

RULE: Final = {
    "id": '"emergency-measures-12h"',
    "vi": '"áp dụng biện pháp khẩn cấp"',
    "en": '"emergency measures"',
    "trigger": '["information-received"]',
    "role": '"commune"',
    "required": '["emergency-measures-applied"]',
    "kind": '"elapsed"',
    "limit": '"PT12H"',
    "confidence": '"T"',
    "source": '"NĐ 56/2017/NĐ-CP Đ.26 k.3"',
    "valid_from": "2017-07-01",
}


def head(kind: str = "national", name: str | None = None, **more: str) -> str:
    told: dict[str, str | None] = {
        "id": f'"{name or kind}"',
        "kind": f'"{kind}"',
        "version": "1",
        "issued": "2026-11-22",
        "vi": '"bộ quy tắc"',
        "en": '"rules"',
        **more,
    }
    return _table("[pack]", told)


def rule(**more: str | None) -> str:
    """Return a row; a value of None leaves the field out."""
    return _table("[[rule]]", {**RULE, **more})


def override(**more: str | None) -> str:
    told = {
        "rule": RULE["id"],
        "limit": '"PT8H"',
        "confidence": '"T"',
        "source": '"QT-45/LĐTBXH"',
        "valid_from": "2022-07-12",
    }
    return _table("[[override]]", {**told, **more})


def threshold(**more: str | None) -> str:
    told = {"rule": RULE["id"], "limit": '"PT2H"', "source": '"policy"', "valid_from": "2022-07-12"}
    return _table("[[threshold]]", {**told, **more})


def shelved(*names: str) -> dict[str, str]:
    """Return the packs that the repository ships, or those of them that are named."""
    files = [Path(SHELF / name) for name in names] or sorted([*SHELF.glob("*.toml"), *SHELF.glob("local/*.toml")])
    return {str(path.relative_to(SHELF)): path.read_text() for path in files}


def _table(title: str, fields: Mapping[str, str | None]) -> str:
    return "\n".join([title, *(f"{name} = {value}" for name, value in fields.items() if value is not None), ""])
