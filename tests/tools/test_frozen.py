import json
from pathlib import Path

import pytest

from referral_contracts.keys import SealingKey
from tools.vectors import frozen
from tools.vectors.frozen import Frozen

KEY = SealingKey.from_bytes(bytes(range(96)))
CEK = bytes(32)


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "frozen.json"
    monkeypatch.setattr(frozen, "KEPT", path)
    return path


def test_a_seal_is_made_once(kept: Path) -> None:
    first = Frozen()
    sealed = first.seal(KEY, CEK, b"place")
    kept.write_text(first.text())
    again = Frozen()

    assert again.seal(KEY, CEK, b"place") == sealed
    assert again.text() == first.text()


def test_a_seal_that_nobody_asks_for_is_dropped(kept: Path) -> None:
    first = Frozen()
    first.seal(KEY, CEK, b"place")
    kept.write_text(first.text())

    assert json.loads(Frozen().text()) == {}


def test_a_seal_that_does_not_open_is_made_anew(kept: Path) -> None:
    first = Frozen()
    first.seal(KEY, CEK, b"place")
    kept.write_text(json.dumps(dict.fromkeys(json.loads(first.text()), "AAAA")))

    assert KEY.decapsulate(Frozen().seal(KEY, CEK, b"place"), b"place") == CEK
