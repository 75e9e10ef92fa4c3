from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_contracts import merkle
from referral_contracts.codes import Code
from referral_contracts.keys import SigningKey
from referral_contracts.log.checkpoint import Checkpoint, cosign, sign_checkpoint
from referral_contracts.log.note import Kind, NoteKey, NoteSignature, parse_note, write_note
from referral_contracts.log.proofs import EMPTY_ROOT, consistency_proof
from referral_contracts.log.witnessing import (
    Conflict,
    Cosigned,
    Judgement,
    Refused,
    Submitted,
    judge,
    origin_hash,
    read_request,
    request,
)
from tests.contracts.log.trees import leaves, reader

LOG, STRANGER = (SigningKey.from_seed(bytes([number] * 32)) for number in (1, 2))
KEY = NoteKey("bus.log", Kind.ED25519, LOG.verify_key)
LOGS = {"bus.log": (KEY,)}
LEAVES = leaves(40)
FORKED = [*LEAVES[:5], *leaves(99)[60:]]


def at(size: int, hashes: Sequence[bytes] = LEAVES) -> Checkpoint:
    return Checkpoint("bus.log", size, merkle.root(hashes[:size]))


def asked(old: int, size: int, hashes: Sequence[bytes] = LEAVES, *, key: SigningKey = LOG) -> bytes:
    proof = consistency_proof(old, size, reader(hashes)) if old <= size else []
    return request(old, proof, sign_checkpoint(at(size, hashes), key))


def judged(body: bytes, last: int | None) -> Judgement:
    found = read_request(body, LOGS)
    return found if isinstance(found, Refused) else judge(found, None if last is None else at(last))


def status(judgement: Judgement) -> int:
    match judgement:
        case Cosigned():
            return 200
        case Conflict():
            return 409
        case Refused(status):
            return status


@pytest.mark.parametrize(("last", "size"), [(None, 0), (None, 7), (0, 7), (7, 7), (7, 8), (8, 40)])
def test_a_tree_that_continues_the_last_one_is_cosigned(last: int | None, size: int) -> None:
    found = judged(asked(last or 0, size), last)

    assert isinstance(found, Cosigned)
    assert found.submitted.checkpoint == at(size)
    assert found.submitted.text == at(size).text()
    assert found.submitted.signatures == parse_note(sign_checkpoint(at(size), LOG))[1]


@pytest.mark.parametrize(("old", "last", "size"), [(0, 7, 9), (6, 7, 9), (8, 7, 9), (7, None, 9)])
def test_what_follows_something_else_is_told_what_was_cosigned_last(old: int, last: int | None, size: int) -> None:
    assert judged(asked(old, size), last) == Conflict(last or 0)


def test_a_split_view_is_refused() -> None:
    body = asked(7, 20, FORKED)

    found = judged(body, 7)

    assert (status(found), found) == (422, Refused(422, Code.BAD_PROOF, "the proof does not lead to the two roots"))


def test_two_trees_of_one_size_are_a_fork_and_both_are_evidence() -> None:
    same, other = judged(asked(20, 20, FORKED), 20), judged(asked(7, 20, FORKED), 20)

    assert same == Refused(422, Code.LOG_FORK, "two trees of one size", forked=True)
    assert other == Conflict(20, forked=True)


def test_a_rollback_is_refused() -> None:
    smaller = request(20, [], sign_checkpoint(at(7), LOG))

    assert judged(smaller, 20) == Refused(400, Code.LOG_ROLLBACK, "the checkpoint is smaller than what it follows")
    assert judged(asked(0, 7), 20) == Conflict(20)
    assert judged(asked(6, 7), 20) == Conflict(20)


@pytest.mark.parametrize(
    ("body", "last"),
    [
        (request(0, [bytes(32)], sign_checkpoint(at(7), LOG)), None),
        (request(7, [bytes(32)], sign_checkpoint(at(7), LOG)), 7),
        (request(7, [], sign_checkpoint(at(9), LOG)), 7),
        (request(0, [], sign_checkpoint(Checkpoint("bus.log", 0, bytes(32)), LOG)), None),
    ],
)
def test_a_proof_that_shows_nothing_is_unprocessable(body: bytes, last: int | None) -> None:
    assert status(judged(body, last)) == 422


def test_an_unknown_log_is_not_found() -> None:
    other = request(0, [], sign_checkpoint(Checkpoint("other.log", 0, EMPTY_ROOT), LOG))

    assert status(judged(other, None)) == 404


def unsigned() -> bytes:
    return request(0, [], write_note(at(7).text(), [cosign(at(7).text(), 7, "w", LOG)]))


def with_a_bad_signature() -> bytes:
    _, signatures = parse_note(sign_checkpoint(at(8), LOG))
    return request(0, [], write_note(at(7).text(), signatures))


@pytest.mark.parametrize("body", [asked(0, 7, key=STRANGER), unsigned(), with_a_bad_signature()])
def test_what_no_trusted_key_signed_is_forbidden(body: bytes) -> None:
    assert status(judged(body, None)) == 403


def test_signatures_of_others_are_ignored() -> None:
    text, signatures = parse_note(sign_checkpoint(at(7), LOG))
    others = [NoteSignature("bus.log", b"abcd", bytes(64)), cosign(text, 7, "w", STRANGER)]

    found = judged(request(0, [], write_note(text, [*others, *signatures])), None)

    assert isinstance(found, Cosigned)
    assert found.submitted.signatures == signatures


def test_a_log_may_say_more_and_all_of_it_is_cosigned() -> None:
    more = Checkpoint("bus.log", 7, merkle.root(LEAVES[:7]), ("more",))

    found = judged(request(0, [], sign_checkpoint(more, LOG)), None)

    assert isinstance(found, Cosigned)
    assert found.submitted.text == more.text()


GOOD = asked(7, 9).decode()


@pytest.mark.parametrize(
    "body",
    [
        "",
        GOOD.replace("old 7", "old 07"),
        GOOD.replace("old 7", "old"),
        GOOD.replace("old 7", "old  7"),
        GOOD.replace("old 7", "new 7"),
        GOOD.replace("old 7\n", ""),
        GOOD.replace("old 7\n", "old 7\nAAEC\n"),
        GOOD.replace("old 7\n", "old 7\n-\n"),
        GOOD.replace("old 7\n", "old 7\n" + ("A" * 43 + "=\n") * 63),
        GOOD.split("\n\n", maxsplit=1)[0] + "\n\n",
        GOOD.split("\n\n", maxsplit=1)[0] + "\n\n" + "no note",
        GOOD.replace("\n9\n", "\n09\n"),
        GOOD + "a" * 300_000,
    ],
)
def test_what_is_no_request_is_a_bad_one(body: str) -> None:
    assert status(judged(body.encode(), 7)) == 400


def test_a_log_is_named_by_its_origins_hash() -> None:
    assert origin_hash("bus.log") == "a894cf40258ca19210ed1970feefbaae598c246634c4971f0c353e32eca78824"


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=12))
def test_whatever_is_submitted_the_last_checkpoint_never_goes_back(asking: list[tuple[int, int]]) -> None:
    last: Checkpoint | None = None
    for old, size in asking:
        found = read_request(asked(old, size), LOGS)
        if isinstance(found, Submitted) and isinstance(judge(found, last), Cosigned):
            assert old == (0 if last is None else last.size) <= size
            last = found.checkpoint
        else:
            assert old > size or old != (0 if last is None else last.size)


@given(st.binary(max_size=200))
def test_any_body_is_judged_or_refused(data: bytes) -> None:
    for body in (data, b"old 0\n\n" + data, GOOD.encode() + data, GOOD.encode()[: len(data)]):
        assert status(judged(body, 7)) in {200, 400, 403, 404, 409, 422}
