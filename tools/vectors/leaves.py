"""Merkle trees and paths, the router's leaves, and the proofs that it signed them."""

from collections.abc import Iterator
from typing import Final

from referral_contracts import merkle
from referral_contracts.codes import Code
from referral_contracts.decisions import (
    First,
    OpenHandoff,
    Standing,
    decision_leaf,
    delivery_leaf,
    sign_batch,
    verdict_leaf,
)
from referral_contracts.encoding import b64, format_time, sha256
from referral_contracts.envelope import EventRef, HandoffKey, case_pseudonym
from referral_contracts.lifecycle import CaseState, State
from referral_contracts.signing import Typ
from tools.vectors.cast import BUS, HOSPITAL, HOTLINE, ROUTER, START, event_id, secret
from tools.vectors.vector import Vector, fault, octets, valid

_BAD: Final = Code.BAD_DECISION
_EVENT: Final = b64(sha256(b"the event"))
_SUBJECT: Final = case_pseudonym(BUS, HOTLINE.id, event_id(1))
_TIME: Final = format_time(START)
_KEY: Final = HandoffKey(opening=event_id(2), recipient=HOSPITAL.id)
_HEAD: Final = EventRef(id=event_id(2), sha256=_EVENT)
_OPEN: Final = OpenHandoff(
    head=_HEAD, opening=_KEY.opening, recipient=_KEY.recipient, sender=HOTLINE.id, state=State.OFFERED
)
_PARTITION: Final = 3


def cases() -> Iterator[Vector]:
    yield from _trees()
    yield from _paths()
    yield from _leaves()
    yield from _misspelled()
    yield from _proofs()


def _trees() -> Iterator[Vector]:
    for size in (1, 2, 3, 7):
        leaves = [f"leaf {number}".encode() for number in range(size)]
        root, paths = merkle.paths([merkle.leaf_hash(leaf) for leaf in leaves])
        yield valid(
            "merkle-tree",
            f"merkle_tree_of_{size}",
            "RFC 6962",
            leaves=[octets(leaf) for leaf in leaves],
            root=b64(root),
            paths=[b64(path) for path in paths],
        )


def _paths() -> Iterator[Vector]:
    hashes = [merkle.leaf_hash(f"leaf {number}".encode()) for number in range(7)]
    root, paths = merkle.paths(hashes)

    def given(index: int, size: int, path: bytes) -> dict[str, object]:
        return {"leaf_hash": b64(hashes[4]), "index": index, "size": size, "path": b64(path), "root": b64(root)}

    kind, path = "merkle-path", paths[4]
    yield valid(kind, "merkle_path", "leaf 4 of 7", **given(4, 7, path))
    yield fault(_BAD, kind, "merkle_path_of_another_leaf", "leaf 5's path", **given(5, 7, paths[5]))
    yield fault(_BAD, kind, "merkle_path_too_short", "without its last hash", **given(4, 7, path[:-32]))
    yield fault(_BAD, kind, "merkle_path_too_long", "with a hash more", **given(4, 7, path + bytes(32)))
    yield fault(_BAD, kind, "merkle_path_cut", "with half a hash more", **given(4, 7, path + bytes(16)))
    yield fault(_BAD, kind, "merkle_path_past_the_end", "leaf 7 of 7", **given(7, 7, path))


def _decision(case: int | None = 1, code: Code = Code.ACCEPTED) -> bytes:
    return decision_leaf(
        admitted=_TIME,
        bus=BUS,
        case=case,
        code=code,
        counter=1,
        directory=1,
        event=_EVENT,
        offset=0,
        partition=_PARTITION,
        previous=bytes(32),
        salt=secret("a salt", 16),
        size=4096,
        stamp=_TIME,
    )


def _delivery(restored: int = 0) -> bytes:
    return delivery_leaf(
        admitted=_TIME,
        bus=BUS,
        counter=1,
        event=_EVENT,
        partition=_PARTITION,
        recipient=HOSPITAL.id,
        restored=restored,
        salt=secret("a salt", 16),
        subject=_SUBJECT,
    )


def _verdict(code: Code, standing: Standing, named: tuple[str | None, str | None] = (event_id(3), _SUBJECT)) -> bytes:
    return verdict_leaf(
        admitted=_TIME,
        bus=BUS,
        clock_offset_ms=-35,
        code=code,
        counter=1,
        decision=sha256(b"the decision"),
        event=_EVENT,
        event_id=named[0],
        partition=_PARTITION,
        salt=secret("a salt", 16),
        standing=standing,
        subject=named[1],
    )


def _leaves() -> Iterator[Vector]:
    first = First(code=Code.ACCEPTED, counter=1, decision=b64(sha256(b"the decision")), event=_EVENT)
    moved = Standing(handoff=_KEY, head=_HEAD, state=State.ACCEPTED)
    leaves = {
        "decision_accepted": ("decision", _decision(), "an event that was accepted"),
        "decision_refused": ("decision", _decision(None, Code.BAD_SIGNATURE), "one that was not, without a number"),
        "delivery": ("delivery", _delivery(), "one recipient's copy"),
        "delivery_restored": ("delivery", _delivery(2), "a copy of a case that came back from the archive twice"),
        "verdict_restored": (
            "verdict",
            _verdict(Code.ACCEPTED, Standing(case_head=_HEAD, case_restored=1, case_state=CaseState.OPEN)),
            "an archived case that is open again, to its owner",
        ),
        "verdict_accepted": (
            "verdict",
            _verdict(Code.ACCEPTED, moved),
            "an accepted answer, and where its hand-off is",
        ),
        "verdict_duplicate": ("verdict", _verdict(Code.DUPLICATE, Standing(first=first)), "the same bytes again"),
        "verdict_open_handoffs": (
            "verdict",
            _verdict(Code.OPEN_HANDOFFS, Standing(case_head=_HEAD, case_state=CaseState.OPEN, open=(_OPEN,))),
            "a case that cannot be closed yet, to its owner",
        ),
        "verdict_unread": (
            "verdict",
            _verdict(Code.MALFORMED_ENVELOPE, Standing(), (None, None)),
            "an envelope that spelled neither id nor subject",
        ),
    }
    for name, (kind, leaf, comment) in leaves.items():
        yield valid(kind, name, comment, leaf=octets(leaf), hash=b64(merkle.leaf_hash(leaf)))


def _misspelled() -> Iterator[Vector]:
    leaf = _delivery()
    wrong = {
        "delivery_white_space": (leaf.replace(b":", b": ", 1), "a space"),
        "delivery_strange_member": (leaf.replace(b"{", b'{"a":1,', 1), "a member more"),
        "delivery_other_kind": (leaf.replace(b'"kind":"delivery"', b'"kind":"decision"'), "the kind of another leaf"),
        "delivery_recipient_in_capitals": (leaf.replace(b"hospital-c", b"HOSPITAL-C"), "no address"),
        "delivery_restored_never": (
            _delivery(1).replace(b'"restored":1', b'"restored":0'),
            "what is left out, said all the same",
        ),
        "delivery_on_30_february": (leaf.replace(_TIME.encode(), b"2026-02-30T00:00:00.000Z"), "no such time"),
        "delivery_member_twice": (leaf.replace(b'"counter":1', b'"counter":1,"counter":1'), "a member twice"),
    }
    for name, (spelled, comment) in wrong.items():
        yield fault(_BAD, "delivery", name, comment, leaf=octets(spelled))
    unknown = _decision().replace(b'"accepted"', b'"perhaps"')
    yield fault(_BAD, "decision", "decision_unknown_code", "a code that is not on the list", leaf=octets(unknown))
    null = _verdict(Code.ACCEPTED, Standing()).replace(b'"kind"', b'"first":null,"kind"')
    yield fault(_BAD, "verdict", "verdict_null", "null for no value", leaf=octets(null))


def _proofs() -> Iterator[Vector]:
    leaves = [_decision(), _delivery(), _verdict(Code.ACCEPTED, Standing())]
    hashes = [merkle.leaf_hash(leaf) for leaf in leaves]
    batch = sign_batch(hashes, bus=BUS, partition=_PARTITION, key=ROUTER.signing)
    given: dict[str, object] = {
        "leaf": octets(leaves[1]),
        "path": octets(batch.paths[1]),
        "root": octets(batch.root),
        "bus": BUS,
        "partition": _PARTITION,
        "public": octets(ROUTER.signing.public),
    }
    event = HOTLINE.signing.sign(Typ.EVENT, b"{}").encode()
    changes: dict[str, tuple[dict[str, object], str]] = {
        "proof_other_leaf": ({"leaf": octets(leaves[0])}, "a leaf with the path of another"),
        "proof_other_index": ({"path": octets(batch.paths[2])}, "the path of another leaf"),
        "proof_other_partition": ({"partition": _PARTITION + 1}, "a root of another partition"),
        "proof_other_bus": ({"bus": "production"}, "a root of another bus"),
        "proof_other_key": ({"public": octets(HOTLINE.signing.public)}, "a key that is not the router's"),
        "proof_other_typ": ({"root": octets(event)}, "signed as an event"),
        "proof_short_path": ({"path": octets(batch.paths[1][:7])}, "no room for index and size"),
        "proof_larger_batch": (
            {"path": octets(batch.paths[1][:4] + (4).to_bytes(4, "big") + batch.paths[1][8:])},
            "a size that was not signed",
        ),
    }
    yield valid("proof", "proof", "the second of three leaves", **given)
    for name, (changed, comment) in changes.items():
        yield fault(_BAD, "proof", name, comment, **(given | changed))
