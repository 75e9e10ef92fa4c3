import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from referral_contracts.codes import Code
from referral_contracts.edwards import SMALL_ORDER_Y, P, decompress
from referral_contracts.encoding import unb64
from referral_contracts.errors import LocalError, RemoteError
from referral_contracts.keys import SigningKey, VerifyKey
from tests.contracts.test_edwards import add, encode, small_order_points

SEED = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")

# R = the identity, S = 0: what "verifies" wherever [h]A is the identity.
FORGED = b"\x01" + bytes(63)


def encodings(y: int) -> list[bytes]:
    return [(y | sign << 255).to_bytes(32, "little") for sign in (0, 1)]


SMALL_ORDER = [raw for y in sorted(SMALL_ORDER_Y) for raw in encodings(y)]
NOT_CANONICAL = [raw for y in range(P, 2**255) for raw in encodings(y)]


def openssl_takes(raw: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(raw).verify(signature, message)
    except Exception:  # noqa: BLE001
        return False
    return True


@pytest.mark.parametrize(
    ("seed", "public", "message", "signature"),
    [
        pytest.param(
            SEED.hex(),
            PUBLIC.hex(),
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
            id="TEST 1",
        ),
        pytest.param(
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
            id="TEST 3",
        ),
    ],
)
def test_keys_sign_as_rfc_8032_section_7_1_says(seed: str, public: str, message: str, signature: str) -> None:
    key = SigningKey.from_seed(bytes.fromhex(seed))

    assert key.public.hex() == public
    assert key.sign_raw(bytes.fromhex(message)).hex() == signature
    assert VerifyKey.admit(key.public).verify_raw(bytes.fromhex(signature), bytes.fromhex(message))


def test_a_key_id_is_the_thumbprint_of_rfc_8037_appendix_a_3() -> None:
    kid = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"

    assert SigningKey.from_seed(SEED).kid == kid
    assert VerifyKey.admit(PUBLIC).kid == kid
    assert VerifyKey.load(PUBLIC).kid == kid


def test_a_stored_key_is_the_same_key() -> None:
    key = SigningKey.generate()

    assert SigningKey.from_seed(key.to_seed()) == key
    assert key.verify_key == VerifyKey.admit(key.public)
    assert SigningKey.generate() != key


@pytest.mark.parametrize("raw", SMALL_ORDER, ids=bytes.hex)
def test_a_key_of_small_order_is_refused_for_which_openssl_takes_a_constant_signature(raw: bytes) -> None:
    assert any(openssl_takes(raw, FORGED, b"message %d" % number) for number in range(64))

    with pytest.raises(RemoteError) as admitted:
        VerifyKey.admit(raw)
    with pytest.raises(RemoteError) as loaded:
        VerifyKey.load(raw)

    assert admitted.value.code is loaded.value.code is Code.WEAK_KEY


@pytest.mark.parametrize("raw", [*encodings(P), *encodings(P + 1)], ids=bytes.hex)
def test_openssl_takes_a_constant_signature_for_other_spellings_too(raw: bytes) -> None:
    assert any(openssl_takes(raw, FORGED, b"message %d" % number) for number in range(64))
    assert raw in NOT_CANONICAL


def test_every_encoding_that_is_not_canonical_is_refused() -> None:
    assert len(NOT_CANONICAL) == 38
    for raw in NOT_CANONICAL:
        for construct in (VerifyKey.admit, VerifyKey.load):
            with pytest.raises(RemoteError) as refused:
                construct(raw)
            assert refused.value.code is Code.MALFORMED_KEY


def test_the_identity_would_verify_everything() -> None:
    identity = encodings(1)[0]

    assert all(openssl_takes(identity, FORGED, b"message %d" % number) for number in range(64))


def test_a_key_with_a_part_of_small_order_is_not_admitted() -> None:
    honest = decompress(PUBLIC)
    assert honest is not None
    for torsion in small_order_points() - {(0, 1)}:
        with pytest.raises(RemoteError) as refused:
            VerifyKey.admit(encode(add(honest, torsion)))
        assert refused.value.code is Code.WEAK_KEY


def test_bytes_that_are_no_point_are_not_admitted() -> None:
    no_point = next(raw for y in range(2, 99) if decompress(raw := y.to_bytes(32, "little")) is None)

    with pytest.raises(RemoteError) as refused:
        VerifyKey.admit(no_point)

    assert refused.value.code is Code.MALFORMED_KEY
    assert not VerifyKey.load(no_point).verify_raw(FORGED, b"message")


@pytest.mark.parametrize("size", [0, 31, 33, 64])
def test_a_key_of_another_size_is_refused(size: int) -> None:
    for construct in (VerifyKey.admit, VerifyKey.load):
        with pytest.raises(RemoteError) as refused:
            construct(bytes(size))
        assert refused.value.code is Code.MALFORMED_KEY
    with pytest.raises(LocalError) as local:
        SigningKey.from_seed(bytes(size))
    assert local.value.code is Code.MALFORMED_KEY


@pytest.mark.parametrize("size", [0, 63, 65])
def test_a_signature_of_another_size_verifies_nothing(size: int) -> None:
    assert not VerifyKey.admit(PUBLIC).verify_raw(bytes(size), b"")


@given(st.binary(max_size=40) | st.binary(min_size=32, max_size=32))
def test_any_bytes_are_a_key_or_our_error(raw: bytes) -> None:
    for construct in (VerifyKey.admit, VerifyKey.load):
        try:
            assert construct(raw).public == raw
        except RemoteError as error:
            assert error.code in {Code.MALFORMED_KEY, Code.WEAK_KEY}


def test_no_repr_shows_key_material() -> None:
    key = SigningKey.from_seed(SEED)

    assert repr(key) == f"SigningKey(kid='{key.kid}')"
    assert repr(key.verify_key) == f"VerifyKey(kid='{key.kid}')"
    assert len(unb64(key.kid, 32)) == 32
