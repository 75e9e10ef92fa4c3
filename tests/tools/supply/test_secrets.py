import secrets as random
from base64 import b64encode, urlsafe_b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from referral_contracts.keys import SigningKey
from tools.supply.__main__ import main
from tools.supply.secrets import in_file, in_repository

KNOWN = {"random": {"files": ["vectors/*"]}, "public": {}}

# Put together here, so that this file is not found.
PEM = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
SHAPED = {
    "a private key": PEM,
    "an age key": b"AGE-SECRET-" + b"KEY-1" + b"Q" * 58,
    "a key of a cloud": b"AKIA" + b"Q7" * 8,
    "a token of a code host": b"ghp_" + b"a1" * 18,
    "a token of a chat": b"xoxb-" + b"1234567890",
    "a signed token": b"eyJ" + b"a" * 20 + b".eyJ" + b"b" * 20 + b"." + b"c" * 43,
    "a password in an address": b"postgresql://bus:" + b"hunter2@db.example/bus",
    "a password": b'password = "' + b'hunter2hunter2"',
}


def found(data: bytes, name: str = "code.py") -> list[str]:
    return [finding.what for finding in in_file(name, data, KNOWN)]


@pytest.mark.parametrize("what", SHAPED)
def test_what_has_the_shape_of_a_secret_is_found_wherever_it_is(what: str) -> None:
    planted = b"first line\n" + SHAPED[what] + b"\n"

    assert what in found(planted)
    assert what in found(planted, "vectors/one.json")
    assert in_file("code.py", planted, KNOWN)[0].line == 2


@pytest.mark.parametrize("spelled", [b64encode, urlsafe_b64encode, lambda seed: seed.hex().encode()])
@pytest.mark.parametrize("attempt", range(20))
def test_a_seed_is_found_by_its_randomness(spelled: object, attempt: int) -> None:
    assert callable(spelled)
    seed = SigningKey.generate().to_seed()

    assert found(b'SEED = "' + spelled(seed) + b'"') == ["as random as a key"]
    assert found(b'SEED = "' + spelled(seed) + b'"', "vectors/one.json") == []


def test_what_is_listed_as_public_is_passed_over() -> None:
    planted = random.token_hex(32).encode()
    (finding,) = in_file("code.py", planted, KNOWN)

    assert in_file("code.py", planted, {**KNOWN, "public": {finding.digest: "a hash"}}) == []


def test_a_finding_does_not_say_the_secret() -> None:
    planted = random.token_hex(32).encode()

    assert planted.decode() not in str(in_file("code.py", planted, KNOWN))


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://bus@localhost/bus",
        "postgresql://{user}:{password}@{host}/bus",
        'password = os.environ["PASSWORD"]',
        "https://example.org/a/long/path/of/words/and/numbers/2026/11/22/Readme",
        "test_a_name_of_a_test_that_is_a_whole_sentence_with_1_number_And_a_capital",
        "0" * 64,
    ],
)
def test_what_people_write_is_no_secret(text: str) -> None:
    assert found(text.encode()) == []


def test_the_repository_holds_none() -> None:
    assert in_repository() == []


def test_the_gate_fails_on_a_planted_one(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    planted = in_file("code.py", PEM, KNOWN)
    monkeypatch.setattr("tools.supply.secrets.in_repository", lambda: planted)

    assert main(["check"]) == 1
    assert "code.py:1: a private key" in capsys.readouterr().err
