"""Keys and the files they lie in."""

import os
import stat
from pathlib import Path

import pytest

from referral_bus import AgencyKeys, Code, LocalError, load_trust
from referral_bus.registrar import trust_root
from referral_contracts.keys import SigningKey
from tests.sdk.town import KEYS

WARD = AgencyKeys.generate("ward-a", desks=["night"])


def refused(path: Path) -> Code:
    with pytest.raises(LocalError) as refusal:
        AgencyKeys.load(path)
    return refusal.value.code


class TestFile:
    def test_keys_come_back_as_they_were_saved(self, tmp_path: Path) -> None:
        WARD.save(tmp_path / "keys.json")
        found = AgencyKeys.load(tmp_path / "keys.json")

        assert found == WARD
        assert found.signing.to_seed() == WARD.signing.to_seed()

    def test_a_key_for_requests_comes_back_too_and_is_replaced_alone(self, tmp_path: Path) -> None:
        asking = AgencyKeys.generate("ward-a", http=True)
        asking.save(tmp_path / "keys.json")
        found = AgencyKeys.load(tmp_path / "keys.json")
        renewed = found.with_http()

        assert found == asking
        assert WARD.http is None
        assert asking.http is not None
        assert renewed.http not in {None, asking.http, asking.signing}
        assert (renewed.signing, renewed.sealing) == (asking.signing, asking.sealing)

    def test_only_its_owner_can_read_a_saved_file(self, tmp_path: Path) -> None:
        before = os.umask(0)
        try:
            WARD.save(tmp_path / "keys.json")
        finally:
            os.umask(before)

        assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o700, 0o644])
    def test_a_file_with_loose_permissions_is_refused(self, tmp_path: Path, mode: int) -> None:
        WARD.save(tmp_path / "keys.json")
        (tmp_path / "keys.json").chmod(mode)

        assert refused(tmp_path / "keys.json") is Code.LOOSE_PERMISSIONS

    def test_a_file_is_not_written_over(self, tmp_path: Path) -> None:
        WARD.save(tmp_path / "keys.json")
        with pytest.raises(LocalError) as refusal:
            KEYS["ward-a"].save(tmp_path / "keys.json")

        assert refusal.value.code is Code.FILE_EXISTS
        assert AgencyKeys.load(tmp_path / "keys.json") == WARD

    def test_nothing_is_written_through_a_link_that_somebody_laid(self, tmp_path: Path) -> None:
        (tmp_path / "theirs").touch()
        (tmp_path / "keys.json").symlink_to(tmp_path / "theirs")
        with pytest.raises(LocalError) as refusal:
            WARD.save(tmp_path / "keys.json")

        assert refusal.value.code is Code.FILE_EXISTS
        assert (tmp_path / "theirs").read_bytes() == b""

    def test_renewed_keys_replace_the_file_and_still_open_what_is_old(self, tmp_path: Path) -> None:
        WARD.save(tmp_path / "keys.json")
        WARD.renewed("ward-a/night").save(tmp_path / "keys.json", replace=True)
        found = AgencyKeys.load(tmp_path / "keys.json")
        (old,) = WARD.sealing["ward-a/night"]

        assert len(found.sealing["ward-a/night"]) == 2
        assert found.sealing["ward-a/night"][0] != old
        assert found.opener("ward-a/night", old.kid) == old
        assert found.opener("ward-a", old.kid) is None
        assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600

    def test_no_file_and_no_folder_are_told(self, tmp_path: Path) -> None:
        assert refused(tmp_path / "keys.json") is Code.NO_SUCH_FILE
        with pytest.raises(LocalError) as refusal:
            WARD.save(tmp_path / "nowhere" / "keys.json")

        assert refusal.value.code is Code.NO_SUCH_FILE

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"\xff",
            b"{}",
            b"[]",
            b'{"agency":"ward-a","format":2,"sealing":{},"signing":""}',
            b'{"agency":"ward-a","format":1,"sealing":{},"signing":""}',
            b'{"agency":"ward-a","format":1,"sealing":{"ward-a":["AAAA"]},"signing":"AAAA"}',
        ],
    )
    def test_what_is_no_key_file_is_refused_and_not_quoted(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "keys.json").write_bytes(content)
        (tmp_path / "keys.json").chmod(0o600)

        assert refused(tmp_path / "keys.json") is Code.MALFORMED_KEY

    def test_a_file_with_another_agencys_address_is_refused(self, tmp_path: Path) -> None:
        WARD.save(tmp_path / "keys.json")
        text = (tmp_path / "keys.json").read_text().replace('"ward-a/night"', '"ward-b/night"')
        (tmp_path / "keys.json").write_text(text)

        assert refused(tmp_path / "keys.json") is Code.MALFORMED_KEY

    def test_no_repr_shows_a_key(self) -> None:
        assert WARD.signing.to_seed().hex() not in repr(WARD)
        assert "sealing" not in repr(WARD)

    def test_a_key_for_another_agency_is_not_made(self) -> None:
        with pytest.raises(LocalError) as refusal:
            WARD.renewed("ward-b")

        assert refusal.value.code is Code.UNKNOWN_RECIPIENT


class TestTrust:
    def test_what_was_pinned_is_read_back(self, tmp_path: Path) -> None:
        root = trust_root("training", [SigningKey.generate()])
        (tmp_path / "trust.json").write_bytes(root.encode())

        assert load_trust(tmp_path / "trust.json") == root

    def test_what_pins_nothing_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "trust.json").write_bytes(b"{}")
        with pytest.raises(LocalError):
            load_trust(tmp_path / "trust.json")
        with pytest.raises(LocalError) as refusal:
            load_trust(tmp_path / "nothing.json")

        assert refusal.value.code is Code.NO_SUCH_FILE
