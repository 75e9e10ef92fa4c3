"""
Sealing against the vectors of RFC 9180 and its post-quantum draft, FIPS 203, RFC 7748, RFC 5869 and NIST's AES-GCM.

Each goes through our own functions as far as they let it. Every vector is counted: what is not ours says why.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

import pytest

from referral_contracts import sealing
from referral_contracts.keys import SealingKey, SealingPublic
from tests.contracts.independent import by_hand
from tests.contracts.independent.contents import Opening
from tests.contracts.independent.halves import CEK, INFO, Known, opens_mlkem, with_mlkem
from tests.contracts.independent.vectors import blocks_of, json_of, raw

MLKEM: Final = "asymmetric/MLKEM/kat_MLKEM_768.rsp"


def reads_of(vector: Mapping[str, Any]) -> str:
    """Tell what of a vector of HPKE is ours to try."""
    if vector["mode"] != 0:
        return "not ours: another mode than base"
    if vector["kdf_id"] != by_hand.SHA256 or vector["aead_id"] == 0xFFFF:
        return "not ours: another KDF, or export alone"
    return "tried"


@pytest.mark.parametrize(
    ("name", "counted"),
    [
        (
            "HPKE/test-vectors.json",
            {"tried": 12, "not ours: another mode than base": 96, "not ours: another KDF, or export alone": 20},
        ),
        ("HPKE/hpke-pq-test-vectors.json", {"tried": 4, "not ours: another KDF, or export alone": 9}),
    ],
)
def test_the_key_schedule_of_the_tests_is_that_of_the_rfc(name: str, counted: Mapping[str, int]) -> None:
    seen = Counter[str]()
    for vector in json_of(name):
        if (read := reads_of(vector)) == "tried":
            suite = by_hand.suite_id(vector["kem_id"], vector["kdf_id"], vector["aead_id"])
            shared, info, key, nonce = raw(vector, "shared_secret", "info", "key", "base_nonce")

            assert by_hand.schedule(suite, shared, info, len(key)) == (key, nonce)
        seen[read] += 1

    assert seen == counted


def test_keys_and_secrets_are_those_of_the_x_wing_vectors() -> None:
    """The vectors' AEAD is another than ours, so their secrets are put under ours by hand, and opened by us."""
    seen = Counter[str]()
    for vector in json_of("HPKE/hpke-pq-test-vectors.json"):
        if vector["kem_id"] != by_hand.X_WING:
            seen["not ours: another KEM"] += 1
            continue
        seed, public, encapsulated, shared = raw(vector, "skRm", "pkRm", "enc", "shared_secret")
        # The draft keeps a seed of 32 bytes; we keep what it is expanded to.
        key = SealingKey.from_bytes(hashlib.shake_256(seed).digest(96))
        enc = by_hand.sealed(encapsulated, shared, CEK, INFO)

        assert key.public == SealingPublic.admit(public).public == public
        assert key.decapsulate(enc, INFO) == CEK
        assert key.decapsulate(enc, INFO + b".") is None
        assert key.decapsulate(bytes([enc[0] ^ 1]) + enc[1:], INFO) is None
        seen["opened"] += 1

    assert seen == {"opened": 2, "not ours: another KEM": 11}


def test_the_ml_kem_half_comes_to_the_secrets_of_nists_known_answers() -> None:
    tried = 0
    for vector in blocks_of(MLKEM, "count"):
        d, z, public, sealed, shared, broken, rejected = raw(vector, "d", "z", "pk", "ct", "ss", "ct_n", "ss_n")
        key = with_mlkem(d + z)

        assert key.public[:1184] == public
        assert opens_mlkem(key, sealed, shared)
        # A broken ciphertext gives FIPS 203's secret of its own, and nothing under the right one.
        assert opens_mlkem(key, broken, rejected)
        assert not opens_mlkem(key, broken, shared)
        tried += 1

    assert tried == 1000


def test_the_x25519_half_comes_to_the_secrets_of_rfc_7748() -> None:
    known = Known(*(b"".join(raw(next(blocks_of(MLKEM, "count")), *names)) for names in (("d", "z"), ("ct",), ("ss",))))
    tried = 0
    for vector in blocks_of("asymmetric/X25519/rfc7748.txt", "COUNT"):
        scalar, sealed, shared = raw(vector, "INPUT_SCALAR", "INPUT_U", "OUTPUT_U")

        assert known.opens_x25519(scalar, sealed, shared)
        assert not known.opens_x25519(scalar, sealed, bytes(32))
        tried += 1

    assert tried == 3


def test_a_content_key_is_expanded_as_rfc_5869_says() -> None:
    """Expand alone: a content key is the PRK. Its 76 bytes are compared as far as the vector's reach."""
    tried = 0
    for vector in blocks_of("KDF/rfc-5869-HKDF-SHA256.txt", "COUNT"):
        prk, info, okm = raw(vector, "PRK", "info", "OKM")

        assert b"".join(sealing._expand(prk, info))[: len(okm)] == okm[:76]
        tried += 1

    assert tried == 3


def test_contents_open_and_are_refused_as_nist_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Key, nonce and AAD of a section are derived, so the vectors' stand in for them; what opens is then looked at."""
    opened = Opening(monkeypatch)
    seen = Counter[str]()
    for vector in blocks_of("ciphers/AES/GCM/gcmDecrypt256.rsp", "Count"):
        if (vector["IVlen"], vector["Taglen"]) != ("96", "128"):
            seen["not ours: a nonce has 12 bytes, a tag 16"] += 1
            continue
        key, nonce, content, aad, tag = raw(vector, "Key", "IV", "CT", "AAD", "Tag")
        if "FAIL" in vector:
            assert opened.of(key, nonce, content + tag, aad) is None
            seen["refused"] += 1
        else:
            assert opened.of(key, nonce, content + tag, aad) == bytes.fromhex(vector["PT"])
            seen["opened"] += 1

    assert seen == {"opened": 184, "refused": 191, "not ours: a nonce has 12 bytes, a tag 16": 7500}
