"""Signatures and keys: the one form that is taken, and what is near it."""

import json
from collections.abc import Iterator
from typing import Any, Final

from referral_contracts import edwards
from referral_contracts.codes import Code
from referral_contracts.encoding import b64, unb64
from referral_contracts.keys import SigningKey
from referral_contracts.signing import Typ
from tools.vectors.cast import HOSPITAL, HOTLINE
from tools.vectors.vector import Vector, fault, octets, valid

_KEY: Final = HOTLINE.signing
_PAYLOAD: Final = b'{"bus":"training"}'
_ORDER_8: Final = min(y for y in edwards.SMALL_ORDER_Y if y > 1)


def cases() -> Iterator[Vector]:
    yield from _signatures()
    yield from _headers()
    yield from _signing_keys()
    yield from _sealing_keys()


def _signature(text: str, typ: Typ = Typ.EVENT, key: SigningKey = _KEY, payload: bytes = _PAYLOAD) -> dict[str, object]:
    return {"typ": typ.value, "public": octets(key.public), "text": octets(text.encode()), "payload": octets(payload)}


def _signatures() -> Iterator[Vector]:
    kind, seed, text = "signature", b64(_KEY.to_seed()), _KEY.sign(Typ.EVENT, _PAYLOAD)
    protected, _, raw = text.partition("..")
    for typ in Typ:
        name = "signature_" + typ.value.removeprefix("referral-bus-").removesuffix("+jws").replace("-", "_")
        yield valid(kind, name, f"as {typ.value}", **_signature(_KEY.sign(typ, _PAYLOAD), typ), seed=seed)
    bad, malformed = Code.BAD_SIGNATURE, Code.MALFORMED_SIGNATURE
    yield fault(
        bad, kind, "signature_other_payload", "one byte changed", **_signature(text, payload=b'{"bus":"Training"}')
    )
    yield fault(bad, kind, "signature_other_key", "the kid of another key", **_signature(text, key=HOSPITAL.signing))
    s = int.from_bytes(unb64(raw)[32:], "little") + edwards.L
    high = unb64(raw)[:32] + s.to_bytes(32, "little")
    yield fault(
        bad,
        kind,
        "signature_malleable",
        "S + L: the same point, another spelling",
        **_signature(f"{protected}..{b64(high)}"),
    )
    yield fault(malformed, kind, "signature_cut", "63 bytes", **_signature(f"{protected}..{b64(unb64(raw)[:63])}"))
    yield fault(malformed, kind, "signature_empty", "none", **_signature(f"{protected}.."))
    yield fault(
        malformed,
        kind,
        "signature_attached",
        "the payload between the dots",
        **_signature(f"{protected}.{b64(_PAYLOAD)}.{raw}"),
    )
    yield fault(
        malformed,
        kind,
        "signature_stray_bits",
        "unused bits that are not zero",
        **_signature(text[:-1] + chr(ord(text[-1]) + 1)),
    )
    yield fault(malformed, kind, "signature_twice", "two signatures in one header", **_signature(f"{text},{text}"))


def _headers() -> Iterator[Vector]:
    header = {"alg": "Ed25519", "b64": False, "crit": ["b64"], "kid": _KEY.kid, "typ": Typ.EVENT.value}
    others: dict[str, tuple[dict[str, Any] | bytes, str]] = {
        "header_other_typ": ({**header, "typ": Typ.TICK.value}, "signed as a tick, shown as an event"),
        "header_extra_member": ({**header, "jwk": {}}, "a member more"),
        "header_without_b64": ({**header, "b64": None, "crit": None}, "an ordinary JWS"),
        "header_b64_true": ({**header, "b64": True}, "b64 true"),
        "header_old_alg": ({**header, "alg": "EdDSA"}, "the name before RFC 9864"),
        "header_no_alg": ({**header, "alg": "none"}, "alg none"),
        "header_short_kid": ({**header, "kid": _KEY.kid[:-1]}, "a key id of 42 characters"),
        "header_kid_stray_bits": ({**header, "kid": "A" * 42 + "B"}, "a key id whose unused bits are not zero"),
        "header_white_space": (json.dumps(header).encode(), "the same header with spaces"),
    }
    for name, (told, comment) in others.items():
        written = told if isinstance(told, bytes) else _compact({k: v for k, v in told.items() if v is not None})
        yield _with_header(name, comment, b64(written))
    yield _with_header("header_stray_bits", "base64url of the header with unused bits", _stray(header))


def _with_header(name: str, comment: str, protected: str) -> Vector:
    raw = _KEY.sign_raw(protected.encode() + b"." + _PAYLOAD)
    return fault(Code.MALFORMED_SIGNATURE, "signature", name, comment, **_signature(f"{protected}..{b64(raw)}"))


def _compact(header: dict[str, Any]) -> bytes:
    return json.dumps(header, separators=(",", ":"), sort_keys=True).encode()


def _stray(header: dict[str, Any]) -> str:
    # 151 characters leave two or four unused bits; the typ makes the length.
    text = b64(_compact(header))
    return text[:-1] + chr(ord(text[-1]) + 1)


def _signing_keys() -> Iterator[Vector]:
    kind = "signing-key"
    yield valid(kind, "signing_key", "an ordinary key", public=octets(_KEY.public), kid=_KEY.kid)
    faults = {
        "signing_key_too_short": (Code.MALFORMED_KEY, _KEY.public[:31], "31 bytes"),
        "signing_key_not_canonical": (Code.MALFORMED_KEY, (edwards.P + 3).to_bytes(32, "little"), "y = p + 3"),
        "signing_key_no_point": (Code.MALFORMED_KEY, _no_point(), "no x for this y"),
        "signing_key_identity": (
            Code.WEAK_KEY,
            (1).to_bytes(32, "little"),
            "the identity: a signature with R = identity and S = 0 verifies over everything",
        ),
        "signing_key_minus_zero": (
            Code.WEAK_KEY,
            (1 | 1 << 255).to_bytes(32, "little"),
            "the identity with a sign bit",
        ),
        "signing_key_of_order_8": (Code.WEAK_KEY, _ORDER_8.to_bytes(32, "little"), "a point of order 8"),
        "signing_key_of_mixed_order": (Code.WEAK_KEY, _mixed(), "an ordinary key plus the point of order 2"),
    }
    for name, (code, public, comment) in faults.items():
        yield fault(code, kind, name, comment, public={"base64url": b64(public)})


def _no_point() -> bytes:
    return next(raw for y in range(2, 99) if edwards.decompress(raw := y.to_bytes(32, "little")) is None)


def _mixed() -> bytes:
    # Adding (0, -1) turns (x, y) into (-x, -y).
    point = edwards.decompress(_KEY.public)
    if point is None:
        msg = "an honest key is a point"
        raise AssertionError(msg)
    x, y = (-coordinate % edwards.P for coordinate in point)
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _sealing_keys() -> Iterator[Vector]:
    kind, public = "sealing-key", HOSPITAL.sealing.public
    mlkem, x25519 = public[:1184], public[1184:]
    yield valid(kind, "sealing_key", "an ordinary key", public=octets(public), kid=HOSPITAL.sealing.kid)
    faults = {
        "sealing_key_too_short": (Code.MALFORMED_KEY, public[:-1], "1215 bytes"),
        "sealing_key_top_bit": (
            Code.MALFORMED_KEY,
            mlkem + x25519[:31] + bytes([x25519[31] | 0x80]),
            "the bit that X25519 ignores: the same key under another id",
        ),
        "sealing_key_mlkem_not_reduced": (
            Code.MALFORMED_KEY,
            b"\xff\xff\xff" + mlkem[3:] + x25519,
            "coefficients of 4095, which is more than 3328",
        ),
        "sealing_key_of_low_order": (
            Code.WEAK_KEY,
            mlkem + bytes(32),
            "an X25519 part that gives all keys the same secret",
        ),
    }
    for name, (code, changed, comment) in faults.items():
        yield fault(code, kind, name, comment, public={"base64url": b64(changed)})
