"""What others read in our bytes: a JOSE library, a Merkle-tree library."""

import json
from pathlib import Path

import pytest
from joserfc import jws
from joserfc.errors import BadSignatureError
from joserfc.jwk import OKPKey
from pymerkle import InmemoryTree

from referral_contracts import merkle

VECTORS = Path(__file__).resolve().parents[2] / "contracts/vectors"


def vector(name: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads((VECTORS / f"{name}.json").read_text())
    return found


def verified_by_joserfc(name: str) -> bytes:
    """Return the payload that a JOSE library finds signed: RFC 7797, alg Ed25519 of RFC 9864."""
    told = vector(name)
    key = OKPKey.import_key({"kty": "OKP", "crv": "Ed25519", "x": told["public"]["base64url"]})
    registry = jws.JWSRegistry(algorithms=["Ed25519"])
    payload = told["payload"]["utf8"].encode()
    signature = jws.deserialize_compact(told["text"]["utf8"], key, payload=payload, registry=registry)
    assert signature.payload is not None
    return signature.payload


@pytest.mark.parametrize("name", ["signature_event", "signature_decision", "signature_tick"])
def test_a_jose_library_verifies_our_signatures(name: str) -> None:
    assert vector(name)["payload"]["utf8"].encode() == verified_by_joserfc(name)


def test_a_jose_library_refuses_what_we_refuse() -> None:
    with pytest.raises(BadSignatureError):
        verified_by_joserfc("signature_other_payload")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 100])
def test_a_merkle_library_has_our_roots(size: int) -> None:
    leaves = [bytes([number]) * 40 for number in range(size)]
    tree = InmemoryTree(algorithm="sha256")
    for leaf in leaves:
        tree.append_entry(leaf)

    assert tree.get_root() == merkle.root([merkle.leaf_hash(leaf) for leaf in leaves])
