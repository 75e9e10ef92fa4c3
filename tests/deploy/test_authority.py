"""The deployment's own certificates."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from kafka_node import Authority, Held, KafkaFailed, Kind, authority_of
from kafka_node.authority import mapping_rule, principal


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority.open(tmp_path / "pki", "training")


def certificate(held: Held) -> x509.Certificate:
    return x509.load_pem_x509_certificates(held.certificate.read_bytes())[0]


def test_it_is_made_once_and_found_again(authority: Authority) -> None:
    again = Authority.open(authority.folder, "another")

    assert again.organisation == "training"
    assert again.operator().certificate.read_bytes() == authority.operator().certificate.read_bytes()


def test_keys_are_for_their_owner_alone(authority: Authority, tmp_path: Path) -> None:
    held = authority.hold(Kind.AGENCY, "ward-a", tmp_path / "ward-a")

    for file in (authority.folder / "ca.key", held.certificate, authority.operator().certificate):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert b"PRIVATE KEY" in file.read_bytes()
    assert b"PRIVATE KEY" not in held.authority.read_bytes()


def test_a_leaf_says_who_and_what_for_and_for_how_long(authority: Authority, tmp_path: Path) -> None:
    agency = certificate(authority.hold(Kind.AGENCY, "ward-a", tmp_path / "ward-a"))
    broker = certificate(authority.broker())

    assert agency.subject.rfc4514_string() == "O=training,OU=agencies,CN=ward-a"
    assert agency.not_valid_after_utc - datetime.now(UTC) < timedelta(days=31)
    assert not agency.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    usages = [set(found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) for found in (agency, broker)]
    # Nobody but a broker can pass itself off as one.
    assert usages == [
        {ExtendedKeyUsageOID.CLIENT_AUTH},
        {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH},
    ]


@pytest.mark.parametrize("left", [1, 25])
def test_a_certificate_is_renewed_before_it_ends(authority: Authority, tmp_path: Path, left: int) -> None:
    held = Held(tmp_path / "ward-a")
    held.folder.mkdir()
    held.certificate.write_bytes(authority.issue(Kind.AGENCY, "ward-a", term=timedelta(days=left)))
    before = held.certificate.read_bytes()
    authority.hold(Kind.AGENCY, "ward-a", held.folder)

    assert (held.certificate.read_bytes() == before) is (left == 25)


def test_what_is_anothers_or_broken_is_made_anew(authority: Authority, tmp_path: Path) -> None:
    other = Authority.open(tmp_path / "other", "training")
    folder = tmp_path / "ward-a"
    for put in (other.issue(Kind.AGENCY, "ward-a"), authority.issue(Kind.AGENCY, "ward-b"), b"garbage"):
        held = authority.hold(Kind.AGENCY, "ward-a", folder)
        held.certificate.write_bytes(put)
        authority.hold(Kind.AGENCY, "ward-a", folder)
        certificate(held).verify_directly_issued_by(
            x509.load_pem_x509_certificate((authority.folder / "ca.crt").read_bytes())
        )
        assert certificate(held).subject.rfc4514_string() == "O=training,OU=agencies,CN=ward-a"


def places(held: Held) -> list[str]:
    found = certificate(held).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(place.value) for place in found]


def test_a_broker_is_good_where_it_is_reached_and_nowhere_else(authority: Authority, tmp_path: Path) -> None:
    def held(*reached: str) -> Held:
        return authority.hold(Kind.BROKER, "kafka", tmp_path / "kafka-1", reached)

    assert places(authority.broker()) == ["localhost", "127.0.0.1"]
    assert places(held("kafka-1", "10.0.0.7")) == ["kafka-1", "10.0.0.7"]
    before = held("kafka-1", "10.0.0.7").certificate.read_bytes()
    # Another place, another certificate; the same, the same.
    assert places(held("kafka-1", "kafka.example")) == ["kafka-1", "kafka.example"]
    assert held("kafka-1", "10.0.0.7").certificate.read_bytes() != before
    for wrong in ("", "*", "kafka_1", "-a", "a..b", "a b"):
        with pytest.raises(KafkaFailed, match="neither an address nor"):
            held(wrong)


def test_no_agency_has_the_principal_of_anybody_else() -> None:
    others = {
        principal(kind, name) for kind in Kind if kind is not Kind.AGENCY for name in ("admin", "kafka", "router")
    }

    assert all("." in name for name in others)
    assert len(others) == 9
    assert principal(Kind.AGENCY, "admin") == "admin"
    assert mapping_rule("training", Kind.SERVICE) == "RULE:^O=training,OU=services,CN=([a-z0-9-]+)$/service.$1/"


def test_a_folder_without_its_key_signs_nothing(authority: Authority, tmp_path: Path) -> None:
    (authority.folder / "ca.key").unlink()
    with pytest.raises(KafkaFailed, match="no authority that can sign"):
        Authority.open(authority.folder)

    other = Authority.open(tmp_path / "other")
    (authority.folder / "ca.key").write_bytes((other.folder / "ca.key").read_bytes())
    with pytest.raises(KafkaFailed, match="the key of another authority"):
        Authority.open(authority.folder)


def test_plaintext_has_to_be_asked_for_by_name_and_is_warned_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert authority_of({}, tmp_path / "pki") is not None
    assert authority_of({"REFERRAL_BUS_UNSAFE_PLAINTEXT": "0"}, tmp_path / "pki") is not None
    assert capsys.readouterr().err == ""
    assert authority_of({"REFERRAL_BUS_UNSAFE_PLAINTEXT": "1"}, tmp_path / "pki") is None
    assert "nothing is encrypted" in capsys.readouterr().err
