"""What others read in our bytes: a JOSE library, a CloudEvents library, a Merkle-tree library."""

import json
from pathlib import Path

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_structured
from cloudevents.core.formats.json import JSONFormat
from joserfc import jws
from joserfc.errors import BadSignatureError
from joserfc.jwk import OKPKey
from pymerkle import InmemoryTree

from referral_contracts import merkle
from referral_contracts.envelope import Envelope

VECTORS = Path(__file__).resolve().parents[2] / "contracts/vectors"
ENVELOPES = sorted(VECTORS.glob("envelope_*.json"))


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


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(told["value"]["utf8"].encode(), id=told["name"])
        for told in (json.loads(path.read_text()) for path in ENVELOPES)
        if told["expect"] == "valid"
    ],
)
def test_a_cloudevents_library_reads_our_envelopes(value: bytes) -> None:
    message = HTTPMessage(headers={"content-type": "application/cloudevents+json"}, body=value)
    event = from_structured(message, JSONFormat())
    ours = Envelope.decode(value)

    assert (ours.id, ours.source, ours.type, ours.subject) == (
        event.get_id(),
        event.get_source(),
        event.get_type(),
        event.get_subject(),
    )
    assert (ours.bus, ours.exercise) == (event.get_extension("bus"), event.get_extension("exercise"))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 100])
def test_a_merkle_library_has_our_roots(size: int) -> None:
    leaves = [bytes([number]) * 40 for number in range(size)]
    tree = InmemoryTree(algorithm="sha256")
    for leaf in leaves:
        tree.append_entry(leaf)

    assert tree.get_root() == merkle.root([merkle.leaf_hash(leaf) for leaf in leaves])
