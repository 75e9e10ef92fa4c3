"""Signing keys against Ed25519's own 1,024 vectors (RFC 8032 takes five of them)."""

from referral_contracts.encoding import b64
from referral_contracts.keys import SigningKey, VerifyKey
from referral_contracts.signing import Typ, parse_signature, sign
from tests.contracts.independent.vectors import told


def test_keys_sign_and_are_admitted_as_the_authors_of_ed25519_say() -> None:
    tried = 0
    for line in told("asymmetric/Ed25519/sign.input").splitlines():
        secret, public, message, signed = (bytes.fromhex(part) for part in line.split(":")[:4])
        key, signature = SigningKey.from_seed(secret[:32]), signed[:64]

        assert key.public == VerifyKey.admit(public).public == public
        assert key.sign_raw(message) == signature
        assert VerifyKey.load(public).verify_raw(signature, message)
        assert not VerifyKey.load(public).verify_raw(signature, message + b".")
        tried += 1

    assert tried == 1024


def test_a_signature_on_the_wire_is_the_vectors_over_what_jws_says() -> None:
    """RFC 7797: the signing input is the protected header, a dot and the bytes; the vectors' keys sign that."""
    secret = bytes.fromhex(told("asymmetric/Ed25519/sign.input").partition(":")[0])
    key = SigningKey.from_seed(secret[:32])
    signature = parse_signature(sign(key, Typ.EVENT, b"bytes").encode(), Typ.EVENT)

    assert signature.raw == key.sign_raw(signature.protected + b".bytes")
    assert signature.encode().endswith(b".." + b64(signature.raw).encode())
