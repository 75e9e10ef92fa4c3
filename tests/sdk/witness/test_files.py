import json
from pathlib import Path

import pytest

from referral_bus._cli import run
from referral_bus._cli.world import Exit, World
from referral_bus.witness import WitnessKey, WitnessStore
from referral_contracts.codes import Code
from referral_contracts.errors import Fatal, LocalError
from referral_contracts.log.note import std64
from referral_contracts.log.witnessing import Conflict, Refused, Submitted, read_request
from tests.sdk.witness.histories import FORKED, LOG_KEY, ORIGIN, asked, signed
from tests.sdk.witness.running import Files


def submitted(body: bytes) -> Submitted:
    found = read_request(body, {ORIGIN: [LOG_KEY]})
    assert isinstance(found, Submitted)
    return found


def test_a_key_is_kept_as_x_mod_keeps_them(tmp_path: Path) -> None:
    key = WitnessKey.generate("witness.example/w")
    file = tmp_path / "key"
    key.save(file)

    assert WitnessKey.load(file) == key
    private, word, name, key_id, material = file.read_text().strip().split("+", 4)
    assert (private, word, name, key_id) == ("PRIVATE", "KEY", key.name, key.public.key_id.hex())
    assert material == std64(b"\x04" + key.signing.to_seed())
    assert file.stat().st_mode & 0o777 == 0o600
    assert std64(key.signing.to_seed())[:16] not in repr(key)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("PRIVATE", "PUBLIC"), Code.MALFORMED_KEY),
        (("witness.example/w", "witness.example/v"), Code.MALFORMED_KEY),
        (("witness.example/w", "witness example"), Code.MALFORMED_KEY),
        (("+B", "+A"), Code.MALFORMED_KEY),
        (("\n", "=\n"), Code.MALFORMED_KEY),
    ],
)
def test_another_file_is_no_key(tmp_path: Path, change: tuple[str, str], code: Code) -> None:
    file = Files.made(tmp_path).key
    file.write_text(file.read_text().replace(*change))

    with pytest.raises(LocalError) as refused:
        WitnessKey.load(file)

    assert refused.value.code is code


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    file = Files.made(tmp_path).key
    file.chmod(0o644)

    with pytest.raises(LocalError) as refused:
        WitnessKey.load(file)

    assert refused.value.code is Code.LOOSE_PERMISSIONS


def test_a_store_is_made_once_and_never_by_itself(tmp_path: Path) -> None:
    files = Files.made(tmp_path)
    key = WitnessKey.load(files.key)

    with pytest.raises(LocalError) as again:
        WitnessStore.create(files.store, key)
    files.store.unlink()
    with pytest.raises(LocalError) as lost:
        WitnessStore.open(files.store, key)

    assert (again.value.code, lost.value.code) == (Code.FILE_EXISTS, Code.NO_SUCH_FILE)


def test_a_store_is_of_one_witness(tmp_path: Path) -> None:
    files = Files.made(tmp_path)
    other = tmp_path / "other.db"
    other.write_bytes(b"not a store" * 100)

    for path, key in ((files.store, WitnessKey.generate("witness.example/w")), (other, WitnessKey.load(files.key))):
        with pytest.raises(LocalError) as refused:
            WitnessStore.open(path, key)
        assert refused.value.code is Code.STATE_FORMAT


def test_a_disk_that_takes_nothing_gets_no_cosignature(tmp_path: Path) -> None:
    files = Files.made(tmp_path)
    store = WitnessStore.open(files.store, WitnessKey.load(files.key))
    store._db.execute("PRAGMA query_only = ON")

    with pytest.raises(Fatal):
        store.consider(submitted(asked(0, 7)), 1)
    store._db.execute("PRAGMA query_only = OFF")

    assert store.last(ORIGIN) is None
    store.close()


def test_evidence_does_not_fill_the_disk(tmp_path: Path) -> None:
    files = Files.made(tmp_path)
    store = WitnessStore.open(files.store, WitnessKey.load(files.key))
    store.consider(submitted(asked(0, 20)), 1)
    for start in range(120):
        found = store.consider(submitted(asked(20, 20, [*FORKED[start % 60 :], *FORKED[: start % 60]])), 2)
        assert isinstance(found, Conflict | Refused)
        assert found.forked

    assert 0 < len(store.disputes()) <= 100
    store.close()


def test_what_was_synced_is_synced_in_full(tmp_path: Path) -> None:
    files = Files.made(tmp_path)
    store = WitnessStore.open(files.store, WitnessKey.load(files.key))

    settings = [store._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]

    assert settings == ["wal", 2]
    store.close()


def typed(*arguments: str) -> int:
    return run(arguments, World.of_this_process())


def test_an_agency_makes_a_witness_and_sees_what_it_saw(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key, store = str(tmp_path / "w.key"), str(tmp_path / "w.db")

    assert typed("witness", "key", "--name", "w.example", "--out", key, "--store", store, "--json") == Exit.DONE
    made = json.loads(capsys.readouterr().out)
    assert made == {"name": "w.example", "vkey": WitnessKey.load(key).public.vkey, "key": key, "store": store}
    assert typed("witness", "key", "--name", "w.example", "--out", key, "--store", store) == Exit.USAGE
    assert "file-exists" in capsys.readouterr().err

    opened = WitnessStore.open(store, WitnessKey.load(key))
    opened.consider(submitted(asked(0, 20)), 1_790_000_000)
    assert typed("witness", "show", "--key", key, "--store", store) == Exit.DONE
    assert "training.log" in capsys.readouterr().out

    opened.consider(submitted(asked(20, 20, FORKED)), 1_790_000_000)
    opened.close()
    assert typed("witness", "show", "--key", key, "--store", store, "--json") == Exit.ALARM
    told = json.loads(capsys.readouterr().out)
    assert [log["size"] for log in told["logs"]] == [20]
    assert [dispute["note"].encode() for dispute in told["disputes"]] == [signed(20, FORKED)]


def test_a_name_that_no_note_can_carry_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key, store = str(tmp_path / "w.key"), str(tmp_path / "w.db")

    assert typed("witness", "key", "--name", "a b", "--out", key, "--store", store) == Exit.USAGE
    assert "malformed-key: a name has no white space and no plus" in capsys.readouterr().err
    assert not (tmp_path / "w.key").exists()
