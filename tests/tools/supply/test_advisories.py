import json
from pathlib import Path
from typing import Any

import pytest

from tests.house.test_requirements import locked_in
from tools.supply.__main__ import main
from tools.supply.advisories import Hit, hits
from tools.supply.locks import Locked

FIXED = {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.10"}]}
LAST = {"type": "SEMVER", "events": [{"introduced": "1.0"}, {"last_affected": "2.9"}]}
TWICE = {
    "type": "ECOSYSTEM",
    "events": [{"introduced": "0"}, {"fixed": "1.5"}, {"introduced": "2.0"}, {"fixed": "2.10"}],
}


def locked(name: str, version: str, kind: str = "pypi") -> Locked:
    return Locked(kind=kind, name=name, version=version, hashes=())


def record(ecosystem: str = "PyPI", name: str = "Some_Package", **affected: Any) -> dict[str, Any]:
    return {"id": "X-1", "affected": [{"package": {"ecosystem": ecosystem, "name": name}, **affected}]}


@pytest.mark.parametrize("version", ["0.1", "2.9", "2.10rc1"])
def test_a_version_before_the_fix_is_named(version: str) -> None:
    assert hits([locked("some-package", version)], [record(ranges=[FIXED])]) == [
        Hit(f"some-package {version}", "X-1", "2.10")
    ]


@pytest.mark.parametrize(
    ("version", "told"),
    [
        pytest.param("2.10", record(ranges=[FIXED]), id="fixed"),
        pytest.param("2.9.1", record(ranges=[LAST]), id="behind the last"),
        pytest.param("0.9", record(ranges=[LAST]), id="before the first"),
        pytest.param("1.7", record(ranges=[TWICE]), id="between two"),
        pytest.param("2.1", record(name="another", ranges=[FIXED]), id="another package"),
        pytest.param("2.1", record(ecosystem="npm", ranges=[FIXED]), id="another ecosystem"),
        pytest.param("2.1", {**record(ranges=[FIXED]), "withdrawn": "2026-01-01T00:00:00Z"}, id="withdrawn"),
        pytest.param("2.1", record(ranges=[{**FIXED, "type": "GIT"}]), id="commits"),
    ],
)
def test_a_version_that_no_record_means_is_not(version: str, told: dict[str, Any]) -> None:
    assert hits([locked("some-package", version)], [told]) == []


@pytest.mark.parametrize(
    ("package", "told"),
    [
        pytest.param(locked("some-package", "2.9"), record(ranges=[LAST]), id="the last affected"),
        pytest.param(locked("some-package", "2.1"), record(ranges=[TWICE]), id="affected again"),
        pytest.param(locked("some-package", "7"), record(versions=["7"]), id="listed"),
        pytest.param(locked("x.org/a", "v2.1.0", "golang"), record("Go", "x.org/a", ranges=[FIXED]), id="Go"),
        pytest.param(locked("a", "2.1", "npm"), record("npm", "a", ranges=[FIXED]), id="npm"),
        pytest.param(locked("a_2.13", "2.1", "maven"), record("Maven", "org:a_2.13", ranges=[FIXED]), id="Maven"),
    ],
)
def test_every_kind_of_lock_and_record_is_understood(package: Locked, told: dict[str, Any]) -> None:
    assert [hit.advisory for hit in hits([package], [told])] == ["X-1"]


def test_the_gate_fails_on_a_record_of_what_we_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = record(name="cryptography", versions=[locked_in("run.txt")["cryptography"]])
    (tmp_path / "one.json").write_text(json.dumps(ours))
    monkeypatch.setenv("ADVISORIES", str(tmp_path))

    assert main(["check"]) == 1


def test_the_gate_says_when_nobody_asked(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("ADVISORIES", raising=False)

    assert main(["check"]) == 0
    assert "not asked" in capsys.readouterr().out


def test_a_folder_without_records_is_no_answer(tmp_path: Path) -> None:
    assert main(["advisories", str(tmp_path)]) == 2
