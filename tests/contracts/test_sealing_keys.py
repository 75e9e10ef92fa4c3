import pytest
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from referral_contracts.codes import Code
from referral_contracts.encoding import jcs, sha256, unb64
from referral_contracts.errors import LocalError, RemoteError
from referral_contracts.keys import SealingKey, SealingPublic
from tests.contracts.independent.by_hand import combined, sealed

SECRET = bytes(range(96))
KEY = SealingKey.from_bytes(SECRET)
MLKEM, X25519 = KEY.public[:1184], KEY.public[1184:]

X25519_LOW_ORDER = [
    (0).to_bytes(32, "little"),
    (1).to_bytes(32, "little"),
    (2**255 - 20).to_bytes(32, "little"),
    bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    bytes.fromhex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
]


def sealed_by_hand(public: bytes, plaintext: bytes, info: bytes) -> bytes:
    """X-Wing (draft-connolly-cfrg-xwing-kem) and HPKE in base mode (RFC 9180 section 5.1), from their primitives."""
    mlkem, x25519 = public[:1184], public[1184:]
    shared_mlkem, sealed_mlkem = MLKEM768PublicKey.from_public_bytes(mlkem).encapsulate()
    ephemeral = X25519PrivateKey.generate()
    sealed_x25519 = ephemeral.public_key().public_bytes_raw()
    shared_x25519 = ephemeral.exchange(X25519PublicKey.from_public_bytes(x25519))
    shared = combined(shared_mlkem, shared_x25519, sealed_x25519, x25519)
    return sealed(sealed_mlkem + sealed_x25519, shared, plaintext, info)


def test_what_is_sealed_from_the_specifications_opens() -> None:
    assert KEY.decapsulate(sealed_by_hand(KEY.public, b"a content key", b"place"), b"place") == b"a content key"


def test_what_is_sealed_opens_with_its_key_and_info_alone() -> None:
    enc = SealingPublic.load(KEY.public).encapsulate(bytes(32), b"place")

    assert len(enc) == 1168
    assert KEY.decapsulate(enc, b"place") == bytes(32)
    assert KEY.decapsulate(enc, b"another place") is None
    assert SealingKey.generate().decapsulate(enc, b"place") is None


def test_a_key_id_is_the_thumbprint_of_the_akp_key() -> None:
    public = SealingPublic.admit(KEY.public)

    assert public.kid == KEY.kid
    members = jcs({"pub": unpadded(KEY.public), "kty": "AKP", "alg": "X-Wing"})
    assert unb64(KEY.kid) == sha256(members)


def unpadded(raw: bytes) -> str:
    text = raw.hex()
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    bits = bin(int("1" + text, 16))[3:]
    return "".join(digits[int(bits[at : at + 6].ljust(6, "0"), 2)] for at in range(0, len(bits), 6))


def test_a_stored_key_is_the_same_key() -> None:
    assert KEY.to_bytes() == SECRET
    assert SealingKey.from_bytes(SECRET) == KEY
    assert len(SealingKey.generate().to_bytes()) == 96
    assert len(KEY.public) == 1216


@pytest.mark.parametrize("half", X25519_LOW_ORDER, ids=bytes.hex)
def test_a_key_that_takes_no_seal_is_not_admitted(half: bytes) -> None:
    with pytest.raises(RemoteError) as refused:
        SealingPublic.admit(MLKEM + half)
    assert refused.value.code is Code.WEAK_KEY

    with pytest.raises(LocalError) as unsealable:
        SealingPublic.load(MLKEM + half).encapsulate(bytes(32), b"")
    assert unsealable.value.code is Code.UNSEALABLE


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(KEY.public[:-1], id="one byte short"),
        pytest.param(KEY.public + b"\0", id="one byte long"),
        pytest.param(X25519 + MLKEM, id="halves exchanged"),
        pytest.param(b"\xff" * 1184 + X25519, id="coefficients outside the field"),
        pytest.param(MLKEM + X25519[:-1] + bytes([X25519[-1] | 0x80]), id="the bit that X25519 ignores"),
        pytest.param(MLKEM + (2**255 - 19 + 9).to_bytes(32, "little"), id="a coordinate outside the field"),
    ],
)
def test_a_malformed_key_is_refused(raw: bytes) -> None:
    for construct in (SealingPublic.admit, SealingPublic.load):
        with pytest.raises(RemoteError) as refused:
            construct(raw)
        assert refused.value.code is Code.MALFORMED_KEY


@pytest.mark.parametrize("size", [0, 95, 97])
def test_a_secret_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(LocalError) as refused:
        SealingKey.from_bytes(bytes(size))
    assert refused.value.code is Code.MALFORMED_KEY


@given(st.binary(max_size=1300) | st.binary(min_size=1216, max_size=1216))
def test_any_bytes_are_a_key_or_our_error(raw: bytes) -> None:
    try:
        assert SealingPublic.admit(raw).public == raw
    except RemoteError as error:
        assert error.code in {Code.MALFORMED_KEY, Code.WEAK_KEY}


@given(st.binary(max_size=1200) | st.binary(min_size=1168, max_size=1168), st.binary(max_size=40))
def test_any_bytes_open_to_nothing(enc: bytes, info: bytes) -> None:
    assert KEY.decapsulate(enc, info) is None


def test_no_repr_shows_key_material() -> None:
    assert repr(KEY) == f"SealingKey(kid='{KEY.kid}')"
    assert repr(SealingPublic.load(KEY.public)) == f"SealingPublic(kid='{KEY.kid}')"
