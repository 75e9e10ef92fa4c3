from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_contracts.codes import Code
from referral_contracts.errors import RemoteError
from referral_contracts.merkle import leaf_hash, node_hash, paths, root, root_from_path, verify_path

# The inputs and roots of the reference implementation of RFC 6962.
INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]

SIZES = range(71)


def leaves(size: int) -> list[bytes]:
    return [leaf_hash(b"%d" % number) for number in range(size)]


def naive_root(hashes: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if not hashes:
        return sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    k = split(len(hashes))
    return sha256(b"\x01" + naive_root(hashes[:k]) + naive_root(hashes[k:])).digest()


def naive_path(index: int, hashes: list[bytes]) -> bytes:
    """RFC 6962 section 2.1.1, word for word."""
    if len(hashes) == 1:
        return b""
    k = split(len(hashes))
    if index < k:
        return naive_path(index, hashes[:k]) + naive_root(hashes[k:])
    return naive_path(index - k, hashes[k:]) + naive_root(hashes[:k])


def split(size: int) -> int:
    return 1 << (size - 1).bit_length() - 1


def refusal_of(leaf: bytes, index: int, size: int, path: bytes, expected: bytes) -> Code:
    with pytest.raises(RemoteError) as refused:
        verify_path(leaf, index, size, path, expected)
    return refused.value.code


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_the_reference_implementation(size: int) -> None:
    hashes = [leaf_hash(bytes.fromhex(data)) for data in INPUTS[:size]]

    assert root(hashes).hex() == ROOTS[size]
    assert paths(hashes)[0].hex() == ROOTS[size]


@pytest.mark.parametrize("size", SIZES)
def test_roots_and_paths_are_those_of_the_rfcs_definition(size: int) -> None:
    hashes = leaves(size)

    found, found_paths = paths(tuple(hashes))

    assert found == root(hashes) == naive_root(hashes)
    assert found_paths == [naive_path(index, hashes) for index in range(size)]


@pytest.mark.parametrize("size", SIZES)
def test_a_path_proves_its_own_leaf_at_its_own_index(size: int) -> None:
    hashes = leaves(size)
    top, found = paths(hashes)

    for index, path in enumerate(found):
        verify_path(hashes[index], index, size, path, top)
        for other in range(0, size, 1 + size // 10):
            if other != index:
                assert refusal_of(hashes[index], other, size, path, top) is Code.BAD_DECISION
                assert refusal_of(hashes[other], index, size, path, top) is Code.BAD_DECISION


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 70])
def test_a_path_that_was_changed_proves_nothing(size: int) -> None:
    hashes = leaves(size)
    top, found = paths(hashes)
    for index, path in enumerate(found):
        changed = [path[:-32], path + bytes(32), path[:-1], path + b"\0", path[32:], bytes(32) + path]
        changed += [path[:at] + bytes([path[at] ^ 1]) + path[at + 1 :] for at in range(0, len(path), 31)]
        for other in changed:
            if other != path:
                assert refusal_of(hashes[index], index, size, other, top) is Code.BAD_DECISION
        assert refusal_of(hashes[index], index, size, path, bytes(32)) is Code.BAD_DECISION
        assert refusal_of(hashes[index], index, size, path, top[:-1]) is Code.BAD_DECISION


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 1), (1, 1), (5, 5), (-1, 5), (2**70, 5)])
def test_an_index_outside_the_tree_is_refused(index: int, size: int) -> None:
    assert refusal_of(leaf_hash(b""), index, size, b"", leaf_hash(b"")) is Code.BAD_DECISION


@pytest.mark.parametrize(("leaf", "path"), [(32, 31), (32, 33), (33, 31), (31, 32), (64, 0), (0, 64)])
def test_what_is_not_made_of_whole_hashes_is_refused(leaf: int, path: int) -> None:
    # 33 and 31 bytes would hash like 32 and 32.
    with pytest.raises(RemoteError):
        root_from_path(bytes(leaf), 0, 2 if path else 1, bytes(path))


def test_a_leaf_is_not_shown_as_the_only_one() -> None:
    hashes = leaves(2)
    top, found = paths(hashes)

    assert refusal_of(hashes[1], 0, 1, found[1], top) is Code.BAD_DECISION


def test_a_node_is_not_shown_as_a_leaf() -> None:
    hashes = leaves(4)
    top, _ = paths(hashes)
    left, right = node_hash(*hashes[:2]), node_hash(*hashes[2:])

    # As hashes they do fit: it is the leaf's own hash, made from its data, that keeps nodes out.
    verify_path(left, 0, 2, right, top)
    assert refusal_of(leaf_hash(hashes[0] + hashes[1]), 0, 2, right, top) is Code.BAD_DECISION
    assert refusal_of(hashes[0] + hashes[1], 0, 2, right, top) is Code.BAD_DECISION


@given(
    st.binary(max_size=33) | st.binary(min_size=32, max_size=32),
    st.integers(-1, 2**64),
    st.integers(-1, 2**64),
    st.binary(max_size=200) | st.lists(st.binary(min_size=32, max_size=32), max_size=70).map(b"".join),
)
def test_any_path_leads_to_a_hash_or_our_error(leaf: bytes, index: int, size: int, path: bytes) -> None:
    try:
        assert len(root_from_path(leaf, index, size, path)) == 32
    except RemoteError as error:
        assert error.code is Code.BAD_DECISION
