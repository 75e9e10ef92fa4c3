from pathlib import Path

import pytest

from tests.sdk.cli.terminal import Script, Terminal


@pytest.fixture
def terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.chdir(tmp_path)
    return Terminal(folder=tmp_path, capsys=capsys)


@pytest.fixture
def script(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> Script:
    return Script(terminal, monkeypatch)
