from pathlib import Path

import pytest

from referral_bus.keys import AgencyKeys
from referral_contracts.codes import Code
from referral_contracts.errors import LocalError
from service_chassis.keyfile import read_signing_key

MODES = (0o600, 0o400, 0o640, 0o604, 0o660, 0o700, 0o644)


@pytest.mark.parametrize("mode", MODES, ids=oct)
def test_a_service_takes_the_key_files_that_an_agency_takes(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "keys.json"
    keys = AgencyKeys.generate("router")
    keys.save(file)
    file.chmod(mode)

    if mode & ~0o600:
        for read in (read_signing_key, AgencyKeys.load):
            with pytest.raises(LocalError) as refusal:
                read(file)
            assert refusal.value.code is Code.LOOSE_PERMISSIONS
    else:
        assert read_signing_key(file).kid == AgencyKeys.load(file).signing.kid == keys.signing.kid


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"signing": 1}', '{"signing": "AA"}'])
def test_a_file_that_is_no_key_file_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "keys.json"
    file.touch(mode=0o600)
    file.write_text(text)

    with pytest.raises(LocalError) as refusal:
        read_signing_key(file)

    assert refusal.value.code is Code.MALFORMED_KEY
