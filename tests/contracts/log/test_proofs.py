from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_contracts import merkle
from referral_contracts.codes import Code
from referral_contracts.errors import LocalError, RemoteError, Tampered
from referral_contracts.log.proofs import (
    EMPTY_ROOT,
    Node,
    consistency_proof,
    inclusion_proof,
    subtrees,
    tree_root,
    verify_consistency,
    verify_inclusion,
)
from tests.contracts.log.trees import leaves, reader

SIZES = range(40)
LEAVES = leaves(300)


def naive_consistency(old: int, hashes: Sequence[bytes], *, whole: bool = True) -> list[bytes]:
    """RFC 6962 section 2.1.2, SUBPROOF, word for word."""
    if old == len(hashes):
        return [] if whole else [merkle.root(hashes)]
    k = 1 << (len(hashes) - 1).bit_length() - 1
    if old <= k:
        return [*naive_consistency(old, hashes[:k], whole=whole), merkle.root(hashes[k:])]
    return [*naive_consistency(old - k, hashes[k:], whole=False), merkle.root(hashes[:k])]


def code_of(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> Code:
    with pytest.raises(RemoteError) as refused:
        verify_consistency(old, old_root, new, new_root, proof)
    return refused.value.code


@pytest.mark.parametrize("size", SIZES)
def test_a_root_is_that_over_all_leaves(size: int) -> None:
    assert merkle.root(LEAVES[:size]) == tree_root(size, reader(LEAVES[:size]))


@pytest.mark.parametrize("size", SIZES)
def test_an_inclusion_proof_is_the_rfcs_path(size: int) -> None:
    root, paths = merkle.paths(LEAVES[:size])

    for index, path in enumerate(paths):
        proof = inclusion_proof(index, size, reader(LEAVES[:size]))

        assert path == b"".join(proof)
        verify_inclusion(LEAVES[index], index, size, root, proof)


@pytest.mark.parametrize("new", SIZES)
def test_a_consistency_proof_is_the_rfcs(new: int) -> None:
    for old in range(new + 1):
        proof = consistency_proof(old, new, reader(LEAVES[:new]))

        assert (naive_consistency(old, LEAVES[:new]) if old else []) == proof
        verify_consistency(old, merkle.root(LEAVES[:old]), new, merkle.root(LEAVES[:new]), proof)


@pytest.mark.parametrize(("old", "new"), [(1, 2), (3, 7), (4, 7), (6, 8), (8, 39), (21, 39), (38, 39)])
def test_no_other_proof_shows_consistency(old: int, new: int) -> None:
    roots = merkle.root(LEAVES[:old]), merkle.root(LEAVES[:new])
    proof = consistency_proof(old, new, reader(LEAVES))
    flipped = [[*proof[:at], bytes([proof[at][0] ^ 1, *proof[at][1:]]), *proof[at + 1 :]] for at in range(len(proof))]
    others = [[], proof[:-1], proof[1:], [*proof, bytes(32)], [bytes(32), *proof], [*proof, b""], *flipped]

    for other in others:
        if other != proof:
            assert code_of(old, roots[0], new, roots[1], other) is Code.BAD_PROOF
    assert code_of(old, bytes(32), new, roots[1], proof) is Code.BAD_PROOF
    assert code_of(old, roots[0], new, bytes(32), proof) is Code.BAD_PROOF


def test_a_history_that_was_changed_is_not_consistent_however_it_is_proven() -> None:
    other = [*LEAVES[:5], LEAVES[99], *LEAVES[6:40]]

    for old in range(6, 40):
        proof = consistency_proof(old, 40, reader(other))

        assert code_of(old, merkle.root(LEAVES[:old]), 40, merkle.root(other), proof) is Code.BAD_PROOF


def test_two_trees_of_one_size_are_a_fork() -> None:
    with pytest.raises(Tampered):
        verify_consistency(7, merkle.root(LEAVES[:7]), 7, merkle.root(LEAVES[1:8]), [])

    assert code_of(7, merkle.root(LEAVES[:7]), 7, merkle.root(LEAVES[1:8]), []) is Code.LOG_FORK


def test_a_smaller_tree_is_a_rollback() -> None:
    proof = consistency_proof(6, 7, reader(LEAVES))

    assert code_of(7, merkle.root(LEAVES[:7]), 6, merkle.root(LEAVES[:6]), proof) is Code.LOG_ROLLBACK


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 7), (7, 7)])
def test_where_nothing_is_to_be_proven_a_proof_is_empty(old: int, new: int) -> None:
    roots = merkle.root(LEAVES[:old]), merkle.root(LEAVES[:new])

    verify_consistency(old, roots[0], new, roots[1], [])
    assert code_of(old, roots[0], new, roots[1], [bytes(32)]) is Code.BAD_PROOF


def test_the_root_over_nothing_is_the_hash_of_nothing() -> None:
    assert merkle.root([]) == EMPTY_ROOT
    assert code_of(0, bytes(32), 7, merkle.root(LEAVES[:7]), []) is Code.BAD_PROOF
    assert code_of(0, EMPTY_ROOT, 0, bytes(32), []) is Code.BAD_PROOF


@pytest.mark.parametrize(("index", "size"), [(-1, 5), (5, 5), (0, 0), (0, 2**63)])
def test_no_proof_is_made_of_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(LocalError) as refused:
        inclusion_proof(index, size, reader(LEAVES))

    assert refused.value.code is Code.BAD_PROOF


@pytest.mark.parametrize(("old", "new"), [(-1, 5), (6, 5), (1, 2**63)])
def test_no_proof_is_made_of_a_tree_that_shrinks(old: int, new: int) -> None:
    with pytest.raises(LocalError) as refused:
        consistency_proof(old, new, reader(LEAVES))

    assert refused.value.code is Code.BAD_PROOF


@pytest.mark.parametrize(("old", "new"), [(-1, 5), (1, 2**63), (2**63, 2**63)])
def test_no_tree_is_larger_than_others_can_count(old: int, new: int) -> None:
    assert code_of(old, bytes(32), new, bytes(32), [bytes(32)]) is Code.BAD_PROOF
    with pytest.raises(RemoteError):
        verify_inclusion(bytes(32), 0, 2**63, bytes(32), [bytes(32)] * 63)


@given(st.integers(0, 300).flatmap(lambda end: st.tuples(st.integers(0, end), st.just(end))))
def test_subtrees_cover_every_leaf_of_a_trees_end_once(limits: tuple[int, int]) -> None:
    old, size = limits

    covered = [
        leaf for node in subtrees(0, size) for leaf in range(node.index << node.level, (node.index + 1) << node.level)
    ]

    assert list(range(size)) == covered
    assert Node(0, old) in subtrees(old, old + 1)


@given(st.data())
def test_a_proof_is_of_one_pair_of_trees_alone(data: st.DataObject) -> None:
    new = data.draw(st.integers(2, 300))
    old = data.draw(st.integers(1, new - 1))
    other = data.draw(st.integers(1, new).filter(lambda size: size != old))
    proof = consistency_proof(old, new, reader(LEAVES))
    root = merkle.root(LEAVES[:new])

    verify_consistency(old, merkle.root(LEAVES[:old]), new, root, proof)
    assert code_of(other, merkle.root(LEAVES[:other]), new, root, proof) in {Code.BAD_PROOF, Code.LOG_FORK}


@given(
    st.integers(-1, 2**64),
    st.binary(max_size=33) | st.binary(min_size=32, max_size=32),
    st.integers(-1, 2**64),
    st.lists(st.binary(min_size=32, max_size=32) | st.binary(max_size=40), max_size=70),
)
def test_any_proof_shows_nothing_or_our_error(old: int, root: bytes, new: int, proof: list[bytes]) -> None:
    try:
        verify_consistency(old, root, new, root, proof)
    except RemoteError as error:
        assert error.code in {Code.BAD_PROOF, Code.LOG_ROLLBACK, Code.LOG_FORK}
    try:
        verify_inclusion(root, old, new, root, proof)
    except RemoteError as error:
        assert error.code is Code.BAD_PROOF
