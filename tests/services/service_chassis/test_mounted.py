import os
import stat
from pathlib import Path

import pytest

from service_chassis.keyfile import state_key_file
from service_chassis.mounted import main


def mounted(folder: Path) -> Path:
    """Return a folder as Kubernetes mounts a secret: links to files that a group may read."""
    data = folder / "..2026_11_23"
    data.mkdir(parents=True)
    (data / "keys.json").write_bytes(state_key_file(bytes(32)))
    (data / "keys.json").chmod(0o440)
    (folder / "..data").symlink_to(data.name)
    (folder / "keys.json").symlink_to("..data/keys.json")
    return folder


def test_a_mounted_key_becomes_ones_own(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()

    assert main([str(mounted(tmp_path / "mounted")), str(tmp_path / "own")]) == 0
    assert [path.name for path in (tmp_path / "own").iterdir()] == ["keys.json"]
    assert stat.S_IMODE((tmp_path / "own/keys.json").stat().st_mode) == 0o600
    assert (tmp_path / "own/keys.json").read_bytes() == state_key_file(bytes(32))


def test_a_restart_takes_them_again(tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    source = mounted(tmp_path / "mounted")

    assert [main([str(source), str(tmp_path / "own")]) for _ in range(2)] == [0, 0]


def test_a_key_is_never_readable_by_others_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own").mkdir()
    seen = []
    monkeypatch.setattr(Path, "write_bytes", lambda path, _: seen.append(stat.S_IMODE(path.stat().st_mode)))
    old = os.umask(0)
    try:
        main([str(mounted_as_files(tmp_path / "mounted")), str(tmp_path / "own")])
    finally:
        os.umask(old)

    assert seen == [0o600]


def mounted_as_files(folder: Path) -> Path:
    folder.mkdir()
    (folder / "keys.json").touch()
    return folder


@pytest.mark.parametrize("arguments", [[], ["one"], ["nowhere", "nowhere"]])
def test_what_cannot_be_taken_is_said(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith("mounted: error: ")


def test_an_empty_mount_is_a_fault(tmp_path: Path) -> None:
    assert main([str(tmp_path), str(tmp_path)]) == 2
