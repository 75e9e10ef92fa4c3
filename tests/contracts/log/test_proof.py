from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_contracts import merkle
from referral_contracts.codes import Code
from referral_contracts.decisions import NO_DECISION, decision_leaf, sign_batch, verify_leaf
from referral_contracts.encoding import event_hash
from referral_contracts.errors import RemoteError
from referral_contracts.keys import SigningKey
from referral_contracts.log.checkpoint import Checkpoint, cosign, sign_checkpoint
from referral_contracts.log.leaf import LedgerEntry, entry, leaf
from referral_contracts.log.note import Kind, NoteKey, parse_note, std64, write_note
from referral_contracts.log.policy import Policy
from referral_contracts.log.proof import HEADER, Opening, Receipt, verify_included, verify_receipt
from referral_contracts.log.proofs import inclusion_proof
from tests.contracts.log.trees import leaves, reader

LOG, WITNESS, ROUTER = (SigningKey.from_seed(bytes([number] * 32)) for number in (1, 2, 3))
POLICY = Policy.parse(
    f"""log {NoteKey("bus.log", Kind.ED25519, LOG.verify_key).vkey}
witness w {NoteKey("w.example", Kind.COSIGNATURE, WITNESS.verify_key).vkey}
quorum w
""".encode()
)
VALUE, SIGNATURE, SALT = b'{"id":"1"}', b"header..signature", bytes(range(32))
DECISION = decision_leaf(
    admitted="2026-11-22T12:44:00.000Z",
    bus="training",
    case=1,
    code=Code.ACCEPTED,
    counter=1,
    directory=1,
    event=event_hash(VALUE),
    offset=0,
    partition=0,
    previous=NO_DECISION,
    salt=bytes(16),
    size=len(VALUE),
    stamp="2026-11-22T12:44:00.000Z",
)
BATCH = sign_batch([merkle.leaf_hash(DECISION), bytes(32)], bus="training", partition=0, key=ROUTER)
LOGGED = LedgerEntry(signature=SIGNATURE, value=VALUE, decision=DECISION, path=BATCH.paths[0], root=BATCH.root)
ENTRY = entry(SALT, LOGGED.record())
INDEX, SIZE = 5, 13
LEAVES = [*leaves(5), leaf(ENTRY), *leaves(7)]


def checkpoint(*, witnessed: bool = False) -> bytes:
    found = Checkpoint("bus.log", SIZE, merkle.root(LEAVES))
    note = sign_checkpoint(found, LOG)
    if not witnessed:
        return note
    text, signatures = parse_note(note)
    return write_note(text, [*signatures, cosign(text, 7, "w.example", WITNESS)])


OPENING = Opening(salt=SALT, decision=DECISION, path=LOGGED.path, root=LOGGED.root)
RECEIPT = Receipt(
    index=INDEX,
    path=tuple(inclusion_proof(INDEX, SIZE, reader(LEAVES))),
    checkpoint=checkpoint(),
    extra=OPENING.encode(),
)


def code_of(receipt: Receipt, *, signature: bytes = SIGNATURE, value: bytes = VALUE) -> Code:
    with pytest.raises(RemoteError) as refused:
        verify_receipt(receipt, signature, value, POLICY)
    return refused.value.code


def test_a_receipt_proves_that_an_event_is_in_the_log() -> None:
    proven = verify_receipt(RECEIPT, SIGNATURE, VALUE, POLICY)

    assert (proven.index, proven.decision.code, proven.checkpoint.size) == (INDEX, Code.ACCEPTED, SIZE)
    assert proven.entry == LOGGED
    verify_leaf(
        proven.entry.decision,
        proven.entry.path,
        proven.entry.root,
        bus="training",
        partition=proven.decision.partition,
        key=ROUTER.verify_key,
    )


def test_a_receipt_is_provisional_until_enough_witnesses_saw_the_tree() -> None:
    provisional = verify_receipt(RECEIPT, SIGNATURE, VALUE, POLICY)
    proven = verify_receipt(replace(RECEIPT, checkpoint=checkpoint(witnessed=True)), SIGNATURE, VALUE, POLICY)

    assert (provisional.witnessed, provisional.witnesses) == (False, ())
    assert (proven.witnessed, proven.witnesses) == (True, ("w",))


def test_a_receipt_is_kept_in_a_file() -> None:
    assert Receipt.decode(RECEIPT.encode()) == RECEIPT
    assert RECEIPT.encode().startswith(b"c2sp.org/tlog-proof@v1\nextra AAEC")
    bare = replace(RECEIPT, extra=b"", path=())
    assert bare.encode() == f"{HEADER}\nindex 5\n\n".encode() + RECEIPT.checkpoint
    assert Receipt.decode(bare.encode()) == bare


def test_a_receipt_is_of_one_event() -> None:
    assert code_of(RECEIPT, value=b"{}") is Code.BAD_PROOF
    assert code_of(RECEIPT, signature=b"") is Code.BAD_PROOF


@pytest.mark.parametrize("part", ["salt", "decision", "path", "root"])
def test_a_receipt_is_of_one_decision(part: str) -> None:
    changed = replace(OPENING, **{part: getattr(OPENING, part)[:-1] + b"\xff"})

    assert code_of(replace(RECEIPT, extra=changed.encode())) is Code.BAD_PROOF


def test_a_receipt_is_of_one_place() -> None:
    assert code_of(replace(RECEIPT, index=4)) is Code.BAD_PROOF
    assert code_of(replace(RECEIPT, index=SIZE)) is Code.BAD_PROOF
    assert code_of(replace(RECEIPT, path=RECEIPT.path[:-1])) is Code.BAD_PROOF
    assert code_of(replace(RECEIPT, path=(*RECEIPT.path[1:], RECEIPT.path[0]))) is Code.BAD_PROOF


def test_a_receipt_is_of_one_log() -> None:
    other = sign_checkpoint(Checkpoint("bus.log", SIZE, merkle.root(LEAVES)), WITNESS)
    shorter = sign_checkpoint(Checkpoint("bus.log", SIZE - 1, merkle.root(LEAVES[:-1])), LOG)

    assert code_of(replace(RECEIPT, checkpoint=other)) is Code.BAD_SIGNATURE
    assert code_of(replace(RECEIPT, checkpoint=shorter)) is Code.BAD_PROOF


def of_another() -> Receipt:
    """Return a receipt for an entry that pairs the event with the decision on another."""
    decision = DECISION.replace(event_hash(VALUE).encode(), event_hash(b"").encode())
    logged = replace(LOGGED, decision=decision)
    alone = leaf(entry(SALT, logged.record()))
    note = sign_checkpoint(Checkpoint("bus.log", 1, alone), LOG)
    return Receipt(index=0, path=(), checkpoint=note, extra=replace(OPENING, decision=decision).encode())


def test_what_the_log_paired_wrongly_proves_nothing() -> None:
    assert code_of(of_another()) is Code.BAD_PROOF


def test_a_receipt_without_its_extra_line_shows_an_entry() -> None:
    checked = verify_included(replace(RECEIPT, extra=b""), ENTRY, POLICY)

    assert (checked.checkpoint.size, checked.quorum) == (SIZE, False)
    assert code_of(replace(RECEIPT, extra=b"")) is Code.BAD_PROOF


TEXT = RECEIPT.encode().decode()
HASH = std64(RECEIPT.path[0])


@pytest.mark.parametrize(
    "text",
    [
        "",
        TEXT.replace("@v1", "@v2"),
        TEXT.replace(HEADER + "\n", ""),
        TEXT.replace("index 5", "index 05"),
        TEXT.replace("index 5", "index -5"),
        TEXT.replace("index 5", f"index {2**63}"),
        TEXT.replace("index 5\n", ""),
        TEXT.replace("extra ", "extra"),
        TEXT.replace("extra AAEC", "extra AAE"),
        TEXT.replace(HEADER, HEADER + "\nextra AAEC"),
        TEXT.replace(HASH, HASH[:-1]),
        TEXT.replace(HASH, "AAEC"),
        TEXT.replace(HASH, f"{HASH}\n" * 63 + HASH),
        TEXT.replace("\n\n", "\n", 1),
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("extra ", "extra " + "AAEC" * 6000),
        TEXT.split("\n\n", 1)[0] + "\n\n",
        TEXT + "a" * 300_000,
    ],
)
def test_what_is_no_receipt_is_refused(text: str) -> None:
    with pytest.raises(RemoteError) as refused:
        Receipt.decode(text.encode())

    assert refused.value.code is Code.BAD_PROOF


@given(st.binary(max_size=200))
def test_anything_is_a_receipt_or_our_error(data: bytes) -> None:
    for value in (data, HEADER.encode() + b"\nindex 1\n" + data, HEADER.encode() + b"\nindex 1\n\n" + data):
        try:
            assert Receipt.decode(value).encode() == value
        except RemoteError as error:
            assert error.code is Code.BAD_PROOF
    try:
        assert Opening.decode(data).encode() == data
    except RemoteError as error:
        assert error.code is Code.BAD_PROOF


@given(st.data())
def test_a_receipt_with_a_flipped_bit_proves_nothing_else(data: st.DataObject) -> None:
    value = bytearray(RECEIPT.encode())
    value[data.draw(st.integers(0, len(value) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        proven = verify_receipt(Receipt.decode(bytes(value)), SIGNATURE, VALUE, POLICY)
    except RemoteError:
        return
    # What may change is what nobody signed: a signature line of another key.
    assert proven == verify_receipt(RECEIPT, SIGNATURE, VALUE, POLICY)
