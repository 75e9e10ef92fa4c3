"""
Keys, sealing and signing against Wycheproof: the vectors with which others' mistakes were found.

Each goes through our own functions, and each is counted. What is not ours is counted too, with the reason.
"""

import hmac
from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from referral_contracts import sealing
from referral_contracts.codes import Code
from referral_contracts.encoding import b64
from referral_contracts.errors import LocalError, RemoteError
from referral_contracts.keys import SealingKey, SealingPublic, SigningKey, VerifyKey
from referral_contracts.signing import Typ, parse_signature, sign
from tests.contracts.independent.contents import Opening
from tests.contracts.independent.halves import Known, opens_mlkem, with_mlkem
from tests.contracts.independent.vectors import raw
from tests.interop.of_others import folder_of, wycheproof

pytestmark = pytest.mark.interop

VECTOR_KEY: Final = SigningKey.from_seed(bytes(32))
OURS: Final = SealingKey.from_bytes(bytes(range(96)))
EXPANDED: Final = 32 + 12 + 32


@pytest.fixture(scope="module")
def folder() -> Path:
    return folder_of("github.com/c2sp/wycheproof")


def admitted(raw_key: bytes) -> str:
    """Return what becomes of a sealing key that somebody presents."""
    try:
        SealingPublic.admit(raw_key)
    except RemoteError as error:
        return error.code.value
    return "admitted"


def spelled(signature: bytes) -> bool:
    """Tell whether the wire has a spelling for *signature*."""
    protected = sign(VECTOR_KEY, Typ.EVENT, b"").partition("..")[0]
    try:
        parse_signature(f"{protected}..{b64(signature)}".encode(), Typ.EVENT)
    except RemoteError as error:
        assert error.code is Code.MALFORMED_SIGNATURE
        return False
    return True


def test_signatures_are_judged_as_wycheproof_says(folder: Path) -> None:
    seen = Counter[str]()
    for group, test in wycheproof(folder, "ed25519"):
        message, signature = raw(test, "msg", "sig")
        key = VerifyKey.admit(bytes.fromhex(group["publicKey"]["pk"]))
        taken = spelled(signature) and key.verify_raw(signature, message)

        assert taken == (test["result"] == "valid")
        seen["taken" if taken else "refused, 64 bytes" if len(signature) == 64 else "no spelling on the wire"] += 1

    assert seen == {"taken": 88, "refused, 64 bytes": 51, "no spelling on the wire": 12}


def test_secrets_of_x25519_are_those_of_wycheproof(folder: Path) -> None:
    seed, sealed, shared = next(
        raw(test, "seed", "c", "K") for _, test in wycheproof(folder, "mlkem_768") if test["result"] == "valid"
    )
    known, seen = Known(seed, sealed, shared), Counter[str]()
    for _, test in wycheproof(folder, "x25519"):
        scalar, public, secret = raw(test, "private", "public", "shared")
        opened = known.opens_x25519(scalar, public, secret)

        # RFC 7748 lets one refuse the secret that anybody knows; we do. All others are found, on the twist too.
        assert opened == ("ZeroSharedSecret" not in test["flags"])
        seen["opened" if opened else "refused: a secret of zeros"] += 1

    assert seen == {"opened": 487, "refused: a secret of zeros": 31}


def test_weak_and_twice_spelled_halves_of_x25519_are_no_keys_of_ours(folder: Path) -> None:
    seen = Counter[str]()
    for _, test in wycheproof(folder, "x25519"):
        came = admitted(OURS.public[:1184] + bytes.fromhex(test["public"]))
        if "NonCanonicalPublic" in test["flags"]:
            assert came == Code.MALFORMED_KEY
        elif "LowOrderPublic" in test["flags"]:
            assert came in {Code.WEAK_KEY, Code.MALFORMED_KEY}
        seen[came] += 1

    assert seen == {"admitted": 474, "weak-key": 15, "malformed-key": 29}


def test_secrets_of_ml_kem_are_those_of_wycheproof(folder: Path) -> None:
    seen = Counter[str]()
    for _, test in wycheproof(folder, "mlkem_768"):
        seed, sealed, shared = raw(test, "seed", "c", "K")
        try:
            key = with_mlkem(seed)
        except LocalError as error:
            assert (error.code, test["result"]) == (Code.MALFORMED_KEY, "invalid")
            seen["refused: no seed"] += 1
            continue
        opened = opens_mlkem(key, sealed, shared)

        assert opened == (test["result"] == "valid")
        assert not opened or key.public[:1184].hex() == test["ek"]
        seen["opened" if opened else "refused"] += 1

    assert seen == {"opened": 161, "refused": 20, "refused: no seed": 20}


def test_keys_of_ml_kem_are_admitted_as_wycheproof_says(folder: Path) -> None:
    """Which secret a given randomness makes is not asked: our sealing takes none from outside."""
    seen = Counter[str]()
    for _, test in wycheproof(folder, "mlkem_768_encaps"):
        came = admitted(bytes.fromhex(test["ek"]) + OURS.public[1184:])

        assert came == ("admitted" if test["result"] == "valid" else Code.MALFORMED_KEY)
        seen[came] += 1

    assert seen == {"admitted": 133, "malformed-key": 132}


def test_keys_of_ml_kem_come_from_seeds_as_wycheproof_says(folder: Path) -> None:
    tried = 0
    for _, test in wycheproof(folder, "mlkem_768_keygen_seed"):
        assert with_mlkem(bytes.fromhex(test["seed"])).public[:1184].hex() == test["ek"]
        tried += 1

    assert tried == 100


def test_content_keys_are_expanded_as_wycheproof_says(folder: Path) -> None:
    """Extract, which we do not use, is HMAC here; ours are 76 bytes, so a longer output is compared that far."""
    seen = Counter[str]()
    for _, test in wycheproof(folder, "hkdf_sha256"):
        if test["result"] == "invalid":
            seen["not ours: a length that is asked for"] += 1
            continue
        ikm, salt, info, okm = raw(test, "ikm", "salt", "info", "okm")
        expanded = b"".join(sealing._expand(hmac.digest(salt, ikm, "sha256"), info))

        assert expanded[: len(okm)] == okm[:EXPANDED]
        seen["expanded"] += 1

    assert seen == {"expanded": 83, "not ours: a length that is asked for": 3}


def test_contents_open_and_are_refused_as_wycheproof_says(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, seen = Opening(monkeypatch), Counter[str]()
    for group, test in wycheproof(folder, "aes_gcm"):
        if (group["keySize"], group["ivSize"]) != (256, 96):
            seen["not ours: a key has 32 bytes, a nonce 12"] += 1
            continue
        key, nonce, content, aad, tag = raw(test, "key", "iv", "ct", "aad", "tag")
        plaintext = opened.of(key, nonce, content + tag, aad)

        assert plaintext == (bytes.fromhex(test["msg"]) if test["result"] == "valid" else None)
        seen["refused" if plaintext is None else "opened"] += 1

    assert seen == {"opened": 39, "refused": 27, "not ours: a key has 32 bytes, a nonce 12": 250}


def test_no_other_form_of_jws_is_a_signature_here(folder: Path) -> None:
    """All of Wycheproof's carry their payload, and none has our header: valid for others or not, none is taken."""
    refused = 0
    for _, test in wycheproof(folder, "json_web_signature"):
        jws = test["jws"] if isinstance(test["jws"], str) else str(test["jws"])
        header, _, rest = jws.partition(".")
        for text in (jws, f"{header}..{rest.rpartition('.')[2]}"):
            for typ in Typ:
                with pytest.raises(RemoteError) as caught:
                    parse_signature(text.encode(), typ)
                assert caught.value.code is Code.MALFORMED_SIGNATURE
        refused += 1

    assert refused == 401
