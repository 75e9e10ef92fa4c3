import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_contracts.codes import Code
from referral_contracts.encoding import b64, jcs, unb64
from referral_contracts.errors import RemoteError
from referral_contracts.keys import SigningKey, VerifyKey
from referral_contracts.signing import Signature, Typ, parse_signature, sign, verify

KEY = SigningKey.from_seed(bytes(range(32)))
PUBLIC = VerifyKey.admit(KEY.public)
PAYLOAD = b'{"any": "bytes", with dots. and \xff'
SIGNED = sign(KEY, Typ.EVENT, PAYLOAD)
HEADER = {"alg": "Ed25519", "b64": False, "crit": ["b64"], "kid": KEY.kid, "typ": Typ.EVENT.value}


def wire(header: object, raw: bytes = bytes(64)) -> bytes:
    protected = header if isinstance(header, bytes) else jcs(header)
    return f"{b64(protected)}..{b64(raw)}".encode("ascii")


def refusal_of(text: bytes, typ: Typ = Typ.EVENT) -> Code:
    with pytest.raises(RemoteError) as refused:
        parse_signature(text, typ)
    return refused.value.code


def test_a_signature_is_a_detached_jws_over_the_bytes_themselves() -> None:
    protected, nothing, raw = SIGNED.split(".")

    assert json.loads(unb64(protected)) == HEADER
    assert unb64(protected) == jcs(HEADER)
    assert nothing == ""
    # RFC 7797 section 3: with b64 false the payload itself follows the dot.
    assert PUBLIC.verify_raw(unb64(raw, 64), protected.encode("ascii") + b"." + PAYLOAD)


def test_the_bytes_of_a_signature_never_change() -> None:
    # Ed25519 is deterministic: this is what every earlier and later version has to write.
    assert SIGNED == (
        "eyJhbGciOiJFZDI1NTE5IiwiYjY0IjpmYWxzZSwiY3JpdCI6WyJiNjQiXSwia2lkIjoiMUlHMnRNSDdKMndiSlpuT2Y4TEp6UWl0S2Y3TE12"
        "b0FFbHN1RE1WTTU0WSIsInR5cCI6InJlZmVycmFsLWJ1cy1ldmVudCtqd3MifQ.."
        "lvzUQw0Jyk70bmvVRyFDXFSQhrC5aS3DrMwOUiBXT4VF2HgVP7ctddA_L-UZUg6h8z08TM1YJaUNXqkNGA5cCQ"
    )


@pytest.mark.parametrize("typ", Typ)
def test_what_is_signed_verifies_as_what_it_is(typ: Typ) -> None:
    text = KEY.sign(typ, PAYLOAD).encode("ascii")

    signature = parse_signature(text, typ)

    verify(PUBLIC, signature, PAYLOAD)
    PUBLIC.verify(signature, PAYLOAD)
    assert signature.kid == KEY.kid
    assert signature.encode() == text


@pytest.mark.parametrize("signed", Typ)
@pytest.mark.parametrize("read", Typ)
def test_nothing_signed_as_one_thing_passes_as_another(signed: Typ, read: Typ) -> None:
    if signed is not read:
        assert refusal_of(sign(KEY, signed, PAYLOAD).encode("ascii"), read) is Code.MALFORMED_SIGNATURE


@pytest.mark.parametrize(
    ("payload", "key"),
    [
        pytest.param(PAYLOAD + b"\n", PUBLIC, id="a byte more"),
        pytest.param(PAYLOAD[:-1], PUBLIC, id="a byte less"),
        pytest.param(b"", PUBLIC, id="nothing"),
        pytest.param(PAYLOAD, SigningKey.from_seed(bytes(32)).verify_key, id="another key"),
    ],
)
def test_other_bytes_or_another_key_do_not_verify(payload: bytes, key: VerifyKey) -> None:
    with pytest.raises(RemoteError) as refused:
        verify(key, parse_signature(SIGNED.encode("ascii"), Typ.EVENT), payload)
    assert refused.value.code is Code.BAD_SIGNATURE


def test_a_key_id_that_is_not_the_keys_own_does_not_verify() -> None:
    other = SigningKey.from_seed(bytes(32))
    protected = wire(HEADER | {"kid": other.kid}).split(b".")[0]
    raw = KEY.sign_raw(protected + b"." + PAYLOAD)

    signature = parse_signature(protected + b".." + b64(raw).encode("ascii"), Typ.EVENT)

    for key in (PUBLIC, other.verify_key):
        with pytest.raises(RemoteError) as refused:
            verify(key, signature, PAYLOAD)
        assert refused.value.code is Code.BAD_SIGNATURE


def test_every_bit_of_a_signature_counts() -> None:
    signature = parse_signature(SIGNED.encode("ascii"), Typ.EVENT)
    for bit in range(0, 512, 7):
        raw = (int.from_bytes(signature.raw, "big") ^ 1 << bit).to_bytes(64, "big")
        with pytest.raises(RemoteError) as refused:
            verify(PUBLIC, replace(signature, raw=raw), PAYLOAD)
        assert refused.value.code is Code.BAD_SIGNATURE


def test_a_signature_has_no_second_form_with_a_larger_s() -> None:
    order = 2**252 + 27742317777372353535851937790883648493
    signature = parse_signature(SIGNED.encode("ascii"), Typ.EVENT)
    larger = (int.from_bytes(signature.raw[32:], "little") + order).to_bytes(32, "little")

    with pytest.raises(RemoteError):
        verify(PUBLIC, replace(signature, raw=signature.raw[:32] + larger), PAYLOAD)


@pytest.mark.parametrize(
    "header",
    [
        pytest.param({**HEADER, "alg": "EdDSA"}, id="the old name of the algorithm"),
        pytest.param({**HEADER, "alg": "none"}, id="no algorithm"),
        pytest.param({**HEADER, "alg": "HS256"}, id="another algorithm"),
        pytest.param({**HEADER, "b64": True}, id="an encoded payload"),
        pytest.param({**HEADER, "crit": []}, id="nothing critical"),
        pytest.param({**HEADER, "crit": ["b64", "b64"]}, id="critical twice"),
        pytest.param({**HEADER, "kid": KEY.kid[:-1]}, id="a short key id"),
        pytest.param({**HEADER, "kid": KEY.kid + "A"}, id="a long key id"),
        pytest.param({**HEADER, "kid": KEY.kid[:-1] + "B"}, id="a key id with stray bits"),
        pytest.param({**HEADER, "kid": '"' * 43}, id="a key id that ends its string"),
        pytest.param({**HEADER, "kid": "é" * 43}, id="a key id of other letters"),
        pytest.param({**HEADER, "typ": "JOSE"}, id="another type"),
        pytest.param({**HEADER, "typ": None}, id="no type"),
        pytest.param({**HEADER, "jwk": {}}, id="a key of its own"),
        pytest.param({**HEADER, "x5u": "https://example.org"}, id="an address of a key"),
        pytest.param({k: v for k, v in HEADER.items() if k != "b64"}, id="b64 missing"),
        pytest.param({k: v for k, v in HEADER.items() if k != "kid"}, id="kid missing"),
        pytest.param([HEADER], id="a list"),
        pytest.param(jcs(HEADER) + b" ", id="white space behind"),
        pytest.param(json.dumps(HEADER).encode(), id="white space within"),
        pytest.param(jcs(HEADER).replace(b'"alg"', b'"\\u0061lg"'), id="an escape"),
        pytest.param(jcs(HEADER)[:-1] + b',"typ":"x"}', id="a key twice"),
        pytest.param(b"{}", id="nothing"),
        pytest.param(b"\xff" * 40, id="no text"),
    ],
)
def test_a_protected_header_of_another_form_is_refused(header: object) -> None:
    assert refusal_of(wire(header)) is Code.MALFORMED_SIGNATURE


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"..", id="dots"),
        pytest.param(SIGNED.encode() + b"\n", id="a newline behind"),
        pytest.param(b" " + SIGNED.encode(), id="a space before"),
        pytest.param(SIGNED.encode() + b"==", id="padding"),
        pytest.param(SIGNED.encode()[:-1], id="a character short"),
        pytest.param(SIGNED.encode() + b"A", id="a character long"),
        pytest.param(SIGNED.encode()[:-1] + b"B", id="stray bits"),
        pytest.param(SIGNED.replace("..", ".").encode(), id="one dot"),
        pytest.param(SIGNED.replace("..", f".{b64(PAYLOAD)}.").encode(), id="the payload attached"),
        pytest.param(SIGNED.replace("..", "...").encode(), id="three dots"),
        pytest.param(SIGNED.replace("_", "/").replace("-", "+").encode() + b"", id="the other alphabet"),
        pytest.param(SIGNED.replace("..", "A..").encode(), id="a header with a character more"),
        pytest.param(SIGNED.replace("..", "=..").encode(), id="a header with padding"),
        pytest.param((SIGNED + "," + SIGNED).encode(), id="two signatures"),
        pytest.param(json.dumps({"signatures": [SIGNED]}).encode(), id="JSON"),
        pytest.param(b"A" * 100_000 + b".." + SIGNED.encode().split(b"..")[1], id="a header without end"),
        pytest.param(SIGNED.encode("utf-16"), id="another encoding"),
    ],
)
def test_a_signature_of_another_form_is_refused(text: bytes) -> None:
    assert refusal_of(text) is Code.MALFORMED_SIGNATURE


def test_a_parsed_header_is_remembered_for_its_own_kind_alone() -> None:
    text = SIGNED.encode("ascii")
    for _ in range(3):
        assert parse_signature(text, Typ.EVENT).kid == KEY.kid
        assert refusal_of(text, Typ.TICK) is Code.MALFORMED_SIGNATURE


@given(
    st.binary(max_size=400)
    | st.from_regex(rb"\A[A-Za-z0-9_-]{16,256}\.\.[A-Za-z0-9_-]{85}[AQgw]\Z")
    | st.builds(
        lambda at, byte: SIGNED.encode()[:at] + bytes([byte]) + SIGNED.encode()[at + 1 :],
        st.integers(0, len(SIGNED) - 1),
        st.integers(0, 255),
    )
)
def test_any_bytes_are_a_signature_or_our_error(text: bytes) -> None:
    try:
        signature = parse_signature(text, Typ.EVENT)
    except RemoteError as error:
        assert error.code is Code.MALFORMED_SIGNATURE
    else:
        assert isinstance(signature, Signature)
        assert signature.encode() == text
        if text != SIGNED.encode():
            with pytest.raises(RemoteError):
                verify(PUBLIC, signature, PAYLOAD)
