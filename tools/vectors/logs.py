"""The log: leaves, tiles, proofs, checkpoints, cosignatures, policies, receipts, and what a witness answers."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from referral_contracts import merkle
from referral_contracts.codes import Code
from referral_contracts.decisions import NO_DECISION, decision_leaf, sign_batch
from referral_contracts.encoding import b64, event_hash, format_time
from referral_contracts.keys import SigningKey
from referral_contracts.log.checkpoint import Checkpoint, cosign, sign_checkpoint
from referral_contracts.log.leaf import LedgerEntry, Statement, entry, leaf
from referral_contracts.log.note import Kind, NoteKey, NoteSignature, parse_note, sign, std64, write_note
from referral_contracts.log.proof import Opening, Receipt
from referral_contracts.log.proofs import EMPTY_ROOT, Node, consistency_proof, inclusion_proof
from referral_contracts.log.tiles import tiles_for
from referral_contracts.log.witnessing import request
from referral_contracts.signing import Typ
from tools.vectors.cast import BUS, HOTLINE, LOG, ROUTER, START, secret
from tools.vectors.vector import Vector, fault, octets, repeated, valid

ORIGIN: Final = f"{BUS}.log"
KEY: Final = NoteKey(ORIGIN, Kind.ED25519, LOG.signing.verify_key)
WITNESSES: Final = {
    name: SigningKey.from_seed(secret(f"{name} cosigns", 32)) for name in ("commune", "police", "court")
}
_NAMES: Final = {name: f"{name}.example/witness" for name in WITNESSES}
WITNESS_KEYS: Final = {name: NoteKey(_NAMES[name], Kind.COSIGNATURE, key.verify_key) for name, key in WITNESSES.items()}
_TIME_S: Final = START // 1000

VALUE: Final = b'{"bus":"training"}'
SIGNATURE: Final = HOTLINE.signing.sign(Typ.EVENT, VALUE).encode()
SALT: Final = secret("a leaf's salt", 32)
DECISION: Final = decision_leaf(
    admitted=format_time(START),
    bus=BUS,
    case=1,
    code=Code.ACCEPTED,
    counter=1,
    directory=1,
    event=event_hash(VALUE),
    offset=0,
    partition=0,
    previous=NO_DECISION,
    salt=secret("a decision's salt", 16),
    size=len(VALUE),
    stamp=format_time(START),
)
_BATCH: Final = sign_batch([merkle.leaf_hash(DECISION)], bus=BUS, partition=0, key=ROUTER.signing)
LOGGED: Final = LedgerEntry(signature=SIGNATURE, value=VALUE, decision=DECISION, path=_BATCH.paths[0], root=_BATCH.root)
ENTRY: Final = entry(SALT, LOGGED.record())
STATEMENT: Final = Statement.signed(b'{"kind":"example"}', LOG.signing)
INDEX: Final = 4
LEAVES: Final = [leaf(ENTRY if number == INDEX else secret(f"entry {number}", 32)) for number in range(13)]
FORKED: Final = [*LEAVES[:6], *(leaf(secret(f"another {number}", 32)) for number in range(7))]


def read(leaves: Sequence[bytes], nodes: Sequence[Node]) -> list[bytes]:
    return [merkle.root(leaves[node.index << node.level : (node.index + 1) << node.level]) for node in nodes]


def checkpoint(size: int, leaves: Sequence[bytes] = LEAVES) -> Checkpoint:
    return Checkpoint(ORIGIN, size, merkle.root(leaves[:size]))


def cosigned(note: bytes, *names: str) -> bytes:
    """Return the checkpoint *note* with the cosignatures of these witnesses."""
    text, signatures = parse_note(note)
    return write_note(text, [*signatures, *(cosign(text, _TIME_S, _NAMES[name], WITNESSES[name]) for name in names)])


SIGNED: Final = sign_checkpoint(checkpoint(13), LOG.signing)
POLICY: Final = (
    f"log {KEY.vkey}\n"
    + "".join(f"witness {name} {key.vkey}\n" for name, key in WITNESS_KEYS.items())
    + "group most 2 commune police court\nquorum most\n"
)


def cases() -> Iterator[Vector]:
    """Yield the vectors of the log."""
    yield from _leaves()
    yield from _tiles()
    yield from _inclusions()
    yield from _consistencies()
    yield from _keys()
    yield from _checkpoints()
    yield from _cosignatures()
    yield from _policies()
    yield from _unusable()
    yield from _receipts()
    yield from _requests()


def _leaves() -> Iterator[Vector]:
    kind, salt = "log-leaf", b64(SALT)
    for name, comment, record in (
        ("log_leaf", "an event, accepted", LOGGED.record()),
        ("log_leaf_of_a_statement", "something that the log says itself", STATEMENT.record()),
    ):
        found = entry(SALT, record)
        given = {"record": octets(record), "salt": salt}
        yield valid(kind, name, comment, **given, entry=b64(found), leaf=b64(leaf(found)))
    bad, half = Code.MALFORMED_RECORD, replace(LOGGED, root=b"")
    for name, comment, record in (
        ("log_leaf_cut", "the last byte is missing", LOGGED.record()[:-1]),
        ("log_leaf_with_more", "a byte too many", LOGGED.record() + b"\0"),
        ("log_leaf_half_decided", "a decision without its root", half.record()),
        (
            "log_leaf_of_nobodys_statement",
            "no decision, and no signature",
            Statement(signatures=(), value=b"{}").record(),
        ),
    ):
        yield fault(bad, kind, name, comment, record=octets(record), salt=salt)


def _tiles() -> Iterator[Vector]:
    for old, new in ((0, 1), (0, 256), (255, 257), (0, 70_000), (65_535, 65_537), (7, 7)):
        paths = [tile.path for tile in tiles_for(old, new)]
        if len(paths) > 8:
            paths = [*paths[:2], *paths[-6:]]
        name, comment = f"log_tiles_from_{old}_to_{new}", "what a growth writes: the first two and the last six"
        yield valid("log-tiles", name, comment, old=old, new=new, paths=paths)


def _inclusions() -> Iterator[Vector]:
    kind, bad, root = "log-inclusion", Code.BAD_PROOF, b64(merkle.root(LEAVES))
    path = inclusion_proof(INDEX, 13, lambda nodes: read(LEAVES, nodes))
    given = {"leaf": b64(LEAVES[INDEX]), "index": INDEX, "size": 13, "root": root, "proof": [*map(b64, path)]}
    yield valid(kind, "log_inclusion", "leaf 4 of 13", **given)
    for name, comment, changed in (
        ("log_inclusion_of_another", "the leaf beside it", {"leaf": b64(LEAVES[5])}),
        ("log_inclusion_elsewhere", "one place further", {"index": 5}),
        ("log_inclusion_short", "without its last hash", {"proof": [*map(b64, path[:-1])]}),
        ("log_inclusion_long", "with a hash too many", {"proof": [*map(b64, [*path, path[0]])]}),
        ("log_inclusion_past_the_end", "a leaf that there is not", {"index": 13}),
    ):
        yield fault(bad, kind, name, comment, **given | changed)


def _consistency(old: int, new: int, leaves: Sequence[bytes] = LEAVES) -> dict[str, object]:
    proof = consistency_proof(old, new, lambda nodes: read(leaves, nodes)) if old <= new else []
    roots = {"old_root": b64(merkle.root(LEAVES[:old])), "new_root": b64(merkle.root(leaves[:new]))}
    return {"old": old, "new": new, **roots, "proof": [*map(b64, proof)]}


def _consistencies() -> Iterator[Vector]:
    kind, bad, empty = "log-consistency", Code.BAD_PROOF, b64(bytes(32))
    for old, new in ((0, 13), (4, 13), (6, 13), (13, 13)):
        yield valid(kind, f"log_consistency_from_{old}_to_{new}", "a tree that grew", **_consistency(old, new))
    good, proof = _consistency(6, 13), consistency_proof(6, 13, lambda nodes: read(LEAVES, nodes))
    short = [*map(b64, proof[:-1])]
    for name, comment, given in (
        ("log_consistency_of_another_history", "a leaf that both have was changed", _consistency(7, 13, FORKED)),
        ("log_consistency_short", "without its last hash", good | {"proof": short}),
        (
            "log_consistency_of_nothing",
            "a proof where there is nothing to prove",
            _consistency(0, 13) | {"proof": [empty]},
        ),
        ("log_consistency_from_no_root", "another root over nothing", _consistency(0, 13) | {"old_root": empty}),
    ):
        yield fault(bad, kind, name, comment, **given)
    yield fault(Code.LOG_ROLLBACK, kind, "log_consistency_backwards", "a tree that shrank", **_consistency(13, 6))
    yield fault(Code.LOG_FORK, kind, "log_consistency_of_two", "one size, two roots", **_consistency(13, 13, FORKED))


def _keys() -> Iterator[Vector]:
    kind = "log-key"
    witness = WITNESS_KEYS["commune"]
    for name, comment, key in (("log_key", "a log's", KEY), ("log_key_of_a_witness", "a witness'", witness)):
        yield valid(kind, name, comment, vkey=key.vkey, key_id=key.key_id.hex(), type=int(key.kind))
    weak = "w+00000000+" + std64(b"\x01\x01" + bytes(31))
    for name, comment, code, vkey in (
        ("log_key_under_another_name", "the id is another name's", Code.MALFORMED_KEY, KEY.vkey.replace("tr", "Tr", 1)),
        ("log_key_in_capitals", "the id in capitals", Code.MALFORMED_KEY, _shouted(KEY.vkey)),
        ("log_key_of_another_type", "an ML-DSA-44 cosigner", Code.MALFORMED_KEY, "w+00000000+" + std64(b"\x06" * 33)),
        ("log_key_of_small_order", "the identity point", Code.WEAK_KEY, weak),
    ):
        yield fault(code, kind, name, comment, vkey=vkey)


def _shouted(vkey: str) -> str:
    name, key_id, rest = vkey.split("+", 2)
    return f"{name}+{key_id.upper()}+{rest}"


def _of(text: str) -> bytes:
    return write_note(text, [sign(text, ORIGIN, LOG.signing)])


def _checkpoints() -> Iterator[Vector]:
    kind, given = "log-checkpoint", {"vkey": KEY.vkey}
    root, good = std64(checkpoint(13).root), checkpoint(13).text()
    for name, comment, size, note in (
        ("log_checkpoint", "thirteen leaves", 13, SIGNED),
        ("log_checkpoint_of_nothing", "an empty log", 0, sign_checkpoint(checkpoint(0), LOG.signing)),
        ("log_checkpoint_cosigned", "with lines of keys that are not asked for", 13, cosigned(SIGNED, "commune")),
    ):
        told = {"origin": ORIGIN, "size": size, "root": b64(checkpoint(size).root)}
        yield valid(kind, name, comment, **given, note=octets(note), **told)
    other = parse_note(sign_checkpoint(checkpoint(12), LOG.signing))[1]
    for code, name, comment, note in (
        (Code.BAD_NOTE, "log_checkpoint_unsigned", "a text alone", good.encode()),
        (Code.BAD_NOTE, "log_checkpoint_cut", "without its last line end", SIGNED[:-1]),
        (Code.BAD_NOTE, "log_checkpoint_with_a_tab", "a control character", _tabbed(SIGNED)),
        (Code.BAD_SIGNATURE, "log_checkpoint_by_another_key", "another key's", _by_another()),
        (Code.BAD_SIGNATURE, "log_checkpoint_with_anothers_signature", "of another size", write_note(good, other)),
        (Code.BAD_CHECKPOINT, "log_checkpoint_of_another_log", "another origin", _of(good.replace(BUS, "production"))),
        (Code.BAD_CHECKPOINT, "log_checkpoint_with_a_zero", "a leading zero", _of(good.replace("\n13", "\n013"))),
        (Code.BAD_CHECKPOINT, "log_checkpoint_that_says_more", "a fourth line", _of(good + "more\n")),
        (Code.BAD_CHECKPOINT, "log_checkpoint_of_half_a_root", "31 bytes", _of(good.replace(root, std64(bytes(31))))),
        (Code.BAD_CHECKPOINT, "log_checkpoint_without_leaves", "another root over nothing", _of(_zero())),
    ):
        yield fault(code, kind, name, comment, **given, note=octets(note))
    yield fault(Code.BAD_NOTE, kind, "log_checkpoint_oversize", "too long", **given, note=repeated("a", 262_145))


def _tabbed(note: bytes) -> bytes:
    return note.replace(b"\n13\n", b"\n13\t\n")


def _by_another() -> bytes:
    return sign_checkpoint(checkpoint(13), ROUTER.signing)


def _zero() -> str:
    return Checkpoint(ORIGIN, 0, bytes(32)).text()


def _cosignatures() -> Iterator[Vector]:
    kind, text = "log-cosignature", checkpoint(13).text()
    key, name = WITNESSES["commune"], _NAMES["commune"]
    given = {"text": text, "vkey": WITNESS_KEYS["commune"].vkey}
    good = cosign(text, _TIME_S, name, key)
    yield valid(kind, "log_cosignature", "a witness' line", **given, line=octets(good.line.encode()), time=_TIME_S)
    later = replace(good, raw=good.raw[:7] + bytes([good.raw[7] ^ 1]) + good.raw[8:])
    untimed = NoteSignature(name, good.key_id, bytes(8) + key.sign_raw(b"cosignature/v1\ntime 0\n" + text.encode()))
    for label, comment, line in (
        ("log_cosignature_of_another", "of a smaller tree", cosign(checkpoint(12).text(), _TIME_S, name, key).line),
        ("log_cosignature_at_another_time", "one second moved", later.line),
        ("log_cosignature_without_time", "the time 0", untimed.line),
        ("log_cosignature_as_a_log", "signed as a log signs", sign(text, name, key).line),
    ):
        yield fault(Code.BAD_SIGNATURE, kind, label, comment, **given, line=octets(line.encode()))


def _policies() -> Iterator[Vector]:
    kind = "log-policy"
    for name, names, quorum in (
        ("log_policy", ("commune", "court"), True),
        ("log_policy_with_too_few", ("police",), False),
        ("log_policy_with_nobody", (), False),
    ):
        note = octets(cosigned(SIGNED, *names))
        given = {"policy": octets(POLICY.encode()), "note": note}
        yield valid(kind, name, "two of three", **given, size=13, witnesses=[*names], quorum=quorum)
    alone = f"# nobody else\n\n\tlog {KEY.vkey} https://log.example \nquorum none".encode()
    given = {"policy": octets(alone), "note": octets(SIGNED)}
    yield valid(kind, "log_policy_of_a_log_alone", "white space, no end", **given, size=13, witnesses=[], quorum=True)
    policy = octets(POLICY.encode())
    only = write_note(checkpoint(13).text(), parse_note(cosigned(SIGNED, "court"))[1][1:])
    bad = write_note(checkpoint(12).text(), [*parse_note(_of(checkpoint(12).text()))[1], *parse_note(only)[1]])
    for name, comment, unsigned in (
        ("log_policy_unsigned_by_the_log", "a witness alone", only),
        ("log_policy_with_a_wrong_cosignature", "a cosignature of another tree", bad),
    ):
        yield fault(Code.BAD_SIGNATURE, kind, name, comment, policy=policy, note=octets(unsigned))


def _unusable() -> Iterator[Vector]:
    kind = "log-policy"
    for name, comment, policy in (
        ("log_policy_without_a_log", "no log", POLICY.split("\n", 1)[1]),
        ("log_policy_without_quorum", "no quorum", POLICY.replace("quorum most\n", "")),
        ("log_policy_key_twice", "one key, two witnesses", POLICY.replace(_v("police"), _v("court"))),
        ("log_policy_member_twice", "one member in two places", POLICY.replace("2 commune", "2 commune commune")),
        ("log_policy_asks_too_much", "four of three", POLICY.replace("most 2", "most 4")),
        ("log_policy_with_a_log_as_witness", "a log's key", POLICY.replace(_v("court"), KEY.vkey)),
        ("log_policy_with_a_line_end", "carriage return", POLICY.replace("\n", "\r\n")),
    ):
        told = {"policy": octets(policy.encode()), "note": octets(SIGNED)}
        yield fault(Code.BAD_LOG_POLICY, kind, name, comment, **told)


def _v(name: str) -> str:
    return WITNESS_KEYS[name].vkey


def _receipts() -> Iterator[Vector]:
    kind = "log-receipt"
    path = tuple(inclusion_proof(INDEX, 13, lambda nodes: read(LEAVES, nodes)))
    opening = Opening(salt=SALT, decision=DECISION, path=LOGGED.path, root=LOGGED.root)
    good = Receipt(index=INDEX, path=path, checkpoint=SIGNED, extra=opening.encode())
    given = {"signature": octets(SIGNATURE), "value": octets(VALUE), "policy": octets(POLICY.encode())}
    for name, comment, receipt, witnessed in (
        ("log_receipt", "provisional", good, False),
        ("log_receipt_witnessed", "final", replace(good, checkpoint=cosigned(SIGNED, "commune", "police")), True),
    ):
        told = {"index": INDEX, "decision": b64(merkle.leaf_hash(DECISION)), "size": 13, "witnessed": witnessed}
        yield valid(kind, name, comment, receipt=octets(receipt.encode()), **given, **told)
    text, salted = good.encode().decode(), replace(opening, salt=bytes(32))
    for name, comment, changed in (
        ("log_receipt_elsewhere", "another index", replace(good, index=5).encode()),
        ("log_receipt_with_another_salt", "another salt", replace(good, extra=salted.encode()).encode()),
        ("log_receipt_without_extra", "nothing to open it with", replace(good, extra=b"").encode()),
        ("log_receipt_of_another_version", "@v2", text.replace("@v1", "@v2").encode()),
        ("log_receipt_with_a_zero", "a leading zero", text.replace("index 4", "index 04").encode()),
    ):
        yield fault(Code.BAD_PROOF, kind, name, comment, receipt=octets(changed), **given)
    other = given | {"value": octets(b"{}")}
    comment = "another event under the same receipt"
    yield fault(Code.BAD_PROOF, kind, "log_receipt_of_another", comment, receipt=octets(good.encode()), **other)
    stranger = replace(good, checkpoint=_by_another()).encode()
    comment = "a log that the policy does not have"
    yield fault(Code.BAD_SIGNATURE, kind, "log_receipt_of_a_stranger", comment, receipt=octets(stranger), **given)


def _requests() -> Iterator[Vector]:
    def asked(old: int, size: int, leaves: Sequence[bytes] = LEAVES, key: SigningKey = LOG.signing) -> bytes:
        proof = consistency_proof(old, size, lambda nodes: read(leaves, nodes)) if old <= size else []
        return request(old, proof, sign_checkpoint(checkpoint(size, leaves), key))

    nothing = sign_checkpoint(Checkpoint(ORIGIN, 0, bytes(32)), LOG.signing)
    unknown = sign_checkpoint(Checkpoint("other.log", 0, EMPTY_ROOT), LOG.signing)
    for name, comment, body, last, status in (
        ("log_request", "it continues", asked(6, 13), 6, 200),
        ("log_request_again", "the same once more", asked(13, 13), 13, 200),
        ("log_request_first", "nothing was cosigned before", asked(0, 13), None, 200),
        ("log_request_of_an_older_one", "from a size before the last", asked(4, 13), 6, 409),
        ("log_request_rolled_back", "smaller than what it follows", asked(13, 6), 13, 400),
        ("log_request_without_old", "no old size", asked(6, 13)[6:], 6, 400),
        ("log_request_of_an_unknown_log", "another origin", request(0, [], unknown), None, 404),
        ("log_request_by_a_stranger", "another key", asked(6, 13, key=ROUTER.signing), 6, 403),
        ("log_request_of_another_history", "a split view", asked(7, 13, FORKED), 7, 422),
        ("log_request_of_two", "one size, two roots", asked(13, 13, FORKED), 13, 422),
        ("log_request_proving_nothing", "a proof from nothing", request(0, [bytes(32)], SIGNED), None, 422),
        ("log_request_without_leaves", "another root over nothing", request(0, [], nothing), None, 422),
    ):
        told = None if last is None else octets(sign_checkpoint(checkpoint(last), LOG.signing))
        yield valid("log-request", name, comment, vkey=KEY.vkey, body=octets(body), last=told, status=status)
