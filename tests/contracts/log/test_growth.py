import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from referral_contracts import merkle
from referral_contracts.codes import Code
from referral_contracts.errors import LocalError
from referral_contracts.log.growth import Frontier
from tests.contracts.log.trees import leaves

LEAVES = leaves(1200)


@pytest.mark.parametrize("size", [*range(20), 255, 256, 257, 511, 512, 1199])
def test_a_tree_that_grew_leaf_by_leaf_has_the_root_over_all(size: int) -> None:
    frontier = Frontier.empty()
    for leaf in LEAVES[:size]:
        frontier, gained = frontier.grow([leaf])

        assert gained[0] == leaf

    assert size == frontier.size
    assert merkle.root(LEAVES[:size]) == frontier.root()


@given(st.lists(st.integers(0, 300), max_size=5))
def test_it_is_the_same_tree_in_whatever_batches_it_grew(batches: list[int]) -> None:
    frontier, size = Frontier.empty(), 0
    for count in batches:
        if size + count > len(LEAVES):
            break
        frontier, gained = frontier.grow(LEAVES[size : size + count])
        before, size = size, size + count

        assert frontier == Frontier.empty().grow(LEAVES[:size])[0]
        assert gained == tuple(
            b"".join(
                merkle.root(LEAVES[index << level : (index + 1) << level])
                for index in range(before >> level, size >> level)
            )
            for level in range(0, 64, 8)
            if before >> level != size >> level
        )
    assert merkle.root(LEAVES[:size]) == frontier.root()


def test_roots_are_those_of_pymerkle_at_every_size() -> None:
    tree = InmemoryTree(algorithm="sha256")
    for size in range(1101):
        assert tree.get_root() == Frontier.empty().grow(LEAVES[:size])[0].root()
        tree.append_entry(b"%d" % size)


def test_an_edge_is_kept_in_bytes() -> None:
    for size in range(70):
        frontier, _ = Frontier.empty().grow(LEAVES[:size])

        assert frontier == Frontier.decode(frontier.encode())
        assert 8 + 32 * size.bit_count() == len(frontier.encode())


@pytest.mark.parametrize("value", [b"", bytes(7), bytes(9), bytes(8) + bytes(32), bytes([0] * 7 + [3]) + bytes(32)])
def test_other_bytes_are_no_edge(value: bytes) -> None:
    with pytest.raises(LocalError) as refused:
        Frontier.decode(value)

    assert refused.value.code is Code.STATE_FORMAT


def test_a_tree_ends_where_others_cannot_count_on() -> None:
    size = 2**63 - 1
    frontier = Frontier(size, (bytes(32),) * 63)

    assert frontier == Frontier.decode(frontier.encode())
    with pytest.raises(LocalError) as refused:
        frontier.grow([bytes(32)])
    assert refused.value.code is Code.OVERSIZE


@pytest.mark.long
def test_a_million_leaves_take_a_few_seconds() -> None:
    leaf = leaves(1)
    began = time.process_time()
    frontier = Frontier.empty()
    for _ in range(1000):
        frontier, _ = frontier.grow(leaf * 1000)

    assert frontier.size == 1_000_000
    assert time.process_time() - began < 10
