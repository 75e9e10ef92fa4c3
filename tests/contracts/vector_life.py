"""One referral's life from outside: every check that SPEC section 14 asks of a receiver, by the records alone."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from referral_contracts import decisions, merkle, topics
from referral_contracts.codes import Code
from referral_contracts.directory import Directory, TrustRoot, apply
from referral_contracts.directory_model import Change
from referral_contracts.encoding import b64, event_hash, jcs, parse_time, unb64
from referral_contracts.envelope import Envelope, case_pseudonym
from referral_contracts.keys import SealingKey, SigningKey, VerifyKey
from referral_contracts.sealing import unseal
from referral_contracts.sections import read_section
from referral_contracts.signing import Typ, parse_signature, verify

Given = Mapping[str, Any]


def octets(told: Given) -> bytes:
    return unb64(told["base64url"]) if "base64url" in told else str(told["utf8"]).encode()


def _router(directory: Directory, root: bytes, admitted: str) -> VerifyKey:
    router = directory.service("router")
    assert router is not None
    key = directory.event_key(router, decisions.router_key_id(root))
    assert key is not None
    assert key.valid(parse_time(admitted))
    return key.key


def founded(given: Given) -> Directory:
    """Return the directory of a story."""
    root = TrustRoot.decode(jcs(given["trust_root"]))
    value, signature = octets(given["change"]["value"]), octets(given["change"]["signature"])
    found = parse_signature(signature, Typ.EVENT)
    verify(root.by_kid[found.kid], found, value)
    return apply(None, Change.decode(value), root, {})


def live(given: Given) -> Given:
    """Check the whole story; its records are as they should be."""
    directory = founded(given)
    _held(given, directory)
    _submitted(given, directory)
    values = [octets(said["value"]) for said in given["submissions"]]
    ledger: list[bytes] = []
    changes: list[bytes] = []
    for record in given["records"]:
        headers = {name: octets(value) for name, value in record["headers"]}
        if record["topic"] == topics.DIRECTORY:
            assert headers == {}
            continue
        told = record.get("value")
        value = None if told is None else values[told["submission"]] if "submission" in told else octets(told)
        checked(record, headers, value, directory, given["bus"])
        if topics.H_DECISION in headers:
            (ledger if record["partition"] < given["partitions"] else changes).append(headers[topics.H_DECISION])
    assert {decisions.read_decision(leaf).code for leaf in (*ledger, *changes)} == {Code.ACCEPTED}
    _chained(ledger)
    _placed(ledger, given["submissions"])
    _placed(changes, [given["change"]])
    return {"records": given["records"]}


def _submitted(given: Given, directory: Directory) -> None:
    for said in given["submissions"]:
        value = octets(said["value"])
        envelope = Envelope.decode(value)
        assert envelope.encode() == value
        assert said["key"] == envelope.subject
        assert said["partition"] == topics.partition_for(envelope.subject, given["partitions"])
        if envelope.verb.value == "case.opened":
            assert envelope.subject == case_pseudonym(envelope.bus, envelope.source, envelope.id)
        signature = parse_signature(octets(said["signature"]), Typ.EVENT)
        key = directory.event_key(envelope.source, signature.kid)
        assert key is not None
        verify(key.key, signature, value)
        assert SigningKey.from_seed(unb64(given["keys"][envelope.source]["seed"])).kid == signature.kid
        _opened(given, envelope, [octets(text) for text in said["plaintexts"]])


def _held(given: Given, directory: Directory) -> None:
    """Every private key of the story belongs to a public one in the directory."""
    at_ms = parse_time(given["submissions"][0]["stamp"])
    for agency, keys in given["keys"].items():
        assert directory.event_key(agency, SigningKey.from_seed(unb64(keys["seed"])).kid) is not None
        sealing = SealingKey.from_bytes(unb64(keys["sealing"]))
        assert directory.may_seal_to(agency, sealing.kid, at_ms)


def _opened(given: Given, envelope: Envelope, plaintexts: list[bytes]) -> None:
    assert len(plaintexts) == len(envelope.data.sections)
    for number, (section, plaintext) in enumerate(zip(envelope.data.sections, plaintexts, strict=True)):
        assert read_section(plaintext).known
        for reader in section.readers:
            key = SealingKey.from_bytes(unb64(given["keys"][reader.address]["sealing"]))
            assert unseal(section, envelope.seal_context(number), reader.address, key) == plaintext


def checked(record: Given, headers: Mapping[str, bytes], value: bytes | None, directory: Directory, bus: str) -> None:
    root = headers[topics.H_ROOT]
    leaf: decisions.Decision | decisions.Delivery | decisions.Verdict
    match headers[topics.H_KIND]:
        case topics.KIND_VERDICT:
            assert headers.keys() == {topics.H_KIND, topics.H_PATH, topics.H_ROOT}
            assert value is not None
            spelled, leaf = value, decisions.read_verdict(value)
        case topics.KIND_DELIVERY:
            spelled = headers[topics.H_DELIVERY]
            leaf = decisions.read_delivery(spelled)
            assert record["topic"] == topics.inbox(leaf.recipient)
            assert record["key"] == leaf.subject
        case _:
            assert record["topic"] == topics.LEDGER
            spelled = headers[topics.H_DECISION]
            leaf = decisions.read_decision(spelled)
            assert record["partition"] == leaf.partition
    # Of what nobody is known to have said, the ledger keeps no bytes.
    if value and not isinstance(leaf, decisions.Verdict):
        assert event_hash(value) == leaf.event
    key = _router(directory, root, leaf.admitted)
    decisions.verify_leaf(spelled, headers[topics.H_PATH], root, bus=bus, partition=leaf.partition, key=key)


def _chained(leaves: list[bytes]) -> None:
    read = [decisions.read_decision(leaf) for leaf in leaves]
    assert read[0].previous == b64(decisions.NO_DECISION)
    assert [decision.counter for decision in read] == list(range(1, len(read) + 1))
    for leaf, following in pairwise(
        [(merkle.leaf_hash(leaf), found) for leaf, found in zip(leaves, read, strict=True)]
    ):
        assert b64(leaf[0]) == following[1].previous
        assert leaf[1].admitted <= following[1].admitted


def _placed(leaves: list[bytes], submissions: list[Given]) -> None:
    for leaf, said in zip(leaves, submissions, strict=True):
        decision, value = decisions.read_decision(leaf), octets(said["value"])
        assert (decision.event, decision.size) == (event_hash(value), len(value))
        assert (decision.stamp, decision.offset) == (said["stamp"], said.get("offset", decision.offset))
