"""What a bus that was founded on this machine has for each of its services."""

from pathlib import Path

from founding import Founding
from referral_contracts.log.policy import Policy
from running import AGENCIES
from witnessing import POLICY

FILES = ("REFERRAL_BUS_LOG_POLICY", "REFERRAL_BUS_LOG_KEY", "REFERRAL_BUS_TRUST")


def test_a_log_finds_the_files_that_its_settings_name_on_a_bus_that_had_none(tmp_path: Path) -> None:
    founding = Founding.open(tmp_path, AGENCIES, None)
    settings = founding.log_settings(0)

    assert [name for name in FILES if not Path(settings[name]).is_file()] == []
    told = Policy.parse(Path(settings["REFERRAL_BUS_LOG_POLICY"]).read_bytes())
    assert told.logs[0].key.public == founding.keys("audit-log").signing.verify_key
    assert told.witnesses == ()


def test_a_log_keeps_the_witnesses_that_its_policy_names(tmp_path: Path) -> None:
    founding = Founding.open(tmp_path, AGENCIES, None)
    founding.log_settings(0)
    founding.tell_policy(founding.witnesses())
    path = founding.folder("audit-log") / POLICY
    before = path.read_bytes()

    founding.log_settings(0)

    assert path.read_bytes() == before
    assert len(Policy.parse(before).witnesses) == 2
