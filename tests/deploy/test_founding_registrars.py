from pathlib import Path

from founding import ROOT_FILES, Founding
from referral_bus.keys import AgencyKeys
from referral_bus.registrar import trust_root
from referral_contracts.directory import apply
from referral_contracts.directory_model import Change
from referral_contracts.encoding import parse_time

AGENCIES = Path(__file__).parents[2] / "deploy" / "agencies.toml"
NOW = parse_time("2026-03-14T02:20:00.000Z")


def test_a_new_bus_has_three_registrars_of_whom_two_have_to_sign(tmp_path: Path) -> None:
    bus = Founding.open(tmp_path, AGENCIES, None)
    keys = [AgencyKeys.load(bus.folder("registrar") / name).signing for name in ROOT_FILES]

    assert (bus.trust.threshold, set(bus.trust.by_kid)) == (2, {key.kid for key in keys})

    first = Change.decode(bus.first_change(NOW)[0])
    founded = apply(None, first, bus.trust, {})
    (bus.folder("registrar") / ROOT_FILES[0]).unlink()
    renewed = Change.decode(bus.renewal(founded, NOW)[0])

    # One may be lost: the other two go on.
    assert apply(founded, renewed, bus.trust, {}).version == 2


def test_a_bus_that_was_founded_with_one_root_key_keeps_it(tmp_path: Path) -> None:
    bus = Founding.open(tmp_path, AGENCIES, None)
    one = AgencyKeys.load(bus.folder("registrar") / ROOT_FILES[0]).signing
    for name in ROOT_FILES[1:]:
        (bus.folder("registrar") / name).unlink()
    (tmp_path / "trust.json").write_bytes(trust_root(bus.trust.bus, [one]).encode())

    again = Founding.open(tmp_path, AGENCIES, None)

    assert (again.trust.threshold, set(again.trust.by_kid)) == (1, {one.kid})
    assert apply(None, Change.decode(again.first_change(NOW)[0]), again.trust, {}).version == 1
