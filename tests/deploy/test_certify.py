"""The command that gives certificates."""

from pathlib import Path

import pytest
from cryptography import x509

from certify import main


@pytest.fixture
def pki(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KAFKA_PKI", str(tmp_path / "pki"))
    return tmp_path / "pki"


def made(folder: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / "tls.pem").read_bytes())


@pytest.mark.parametrize(
    ("name", "hosts", "who"),
    [
        ("ward-a", [], "O=training,OU=agencies,CN=ward-a"),
        ("router", [], "O=training,OU=services,CN=router"),
        ("kafka", ["--host", "kafka-1", "--host", "localhost"], "O=training,OU=brokers,CN=kafka"),
        # Without a host it is the agency of that id, and no broker.
        ("kafka", [], "O=training,OU=agencies,CN=kafka"),
    ],
)
def test_it_makes_a_certificate_for_whom_it_is_told(
    tmp_path: Path, pki: Path, name: str, hosts: list[str], who: str
) -> None:
    assert main([name, str(tmp_path / "own"), *hosts, "--found", "training"]) == 0

    assert made(tmp_path / "own").subject.rfc4514_string() == who
    assert (tmp_path / "own/ca.crt").read_bytes() == (pki / "ca.crt").read_bytes()


def test_an_authority_is_made_only_when_that_is_asked_for_and_only_once(tmp_path: Path, pki: Path) -> None:
    assert main(["ward-a", str(tmp_path / "own")]) == 2
    assert not pki.exists()

    assert main(["ward-a", str(tmp_path / "own"), "--found", "training"]) == 0
    first = (pki / "ca.crt").read_bytes()
    assert main(["ward-b", str(tmp_path / "other"), "--found", "another"]) == 0
    assert main(["ward-b", str(tmp_path / "third")]) == 0
    assert (pki / "ca.crt").read_bytes() == first


@pytest.mark.parametrize(
    ("arguments", "code", "why"),
    [
        (["router", "--host", "kafka-1"], 2, "only a broker is reached"),
        (["kafka", "--host", "a b"], 1, "neither an address nor a host's name"),
        (["Ward"], 1, "cannot be in a certificate"),
    ],
)
def test_what_it_cannot_make_it_says(
    tmp_path: Path, pki: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, why: str
) -> None:
    assert main([*arguments, str(tmp_path / "own"), "--found", "training"]) == code
    assert why in capsys.readouterr().err
    assert not (tmp_path / "own/tls.pem").exists()
    assert pki.exists() is (code == 1)
