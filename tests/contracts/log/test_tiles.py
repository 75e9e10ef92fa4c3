from collections import Counter
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_contracts import merkle
from referral_contracts.codes import Code
from referral_contracts.errors import RemoteError
from referral_contracts.log.proofs import Node, inclusion_proof, tree_root
from referral_contracts.log.tiles import (
    Tile,
    TileReader,
    bundle,
    entries_in,
    hashes_in,
    node_in,
    tile_data,
    tile_of,
    tiles_for,
)
from tests.contracts.log.trees import Published, leaves, reader

SIZE = 70_000
LEAVES = leaves(SIZE)


@pytest.fixture(scope="module")
def published() -> Published:
    """A log of 70,000 leaves, whose tiles the specification counts."""
    log = Published()
    for start in range(0, SIZE, 7_000):
        log.grow(LEAVES[start : start + 7_000])
    return log


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 5, 1), "tile/0/005.p/1"),
        (Tile(0, 1_234_067), "tile/0/x001/x234/067"),
        (Tile(2, 1000, 255), "tile/2/x001/000.p/255"),
        (Tile(63, 999), "tile/63/999"),
    ],
)
def test_a_tile_lies_where_the_specification_puts_it(tile: Tile, path: str) -> None:
    assert path == tile.path
    assert tile.entries_path.removeprefix("tile/entries/") == path.split("/", 2)[2]


def test_a_tree_has_the_tiles_that_the_specification_counts() -> None:
    widths = Counter((tile.level, tile.width) for tile in tiles_for(0, 70_000))

    assert widths == {(0, 256): 273, (0, 112): 1, (1, 256): 1, (1, 17): 1, (2, 1): 1}
    assert tiles_for(0, 256) == (Tile(0, 0), Tile(1, 0, 1))
    assert tiles_for(0, 0) == tiles_for(7, 7) == ()


@given(st.integers(0, 70_000), st.integers(0, 70_000))
def test_a_growth_writes_what_it_adds_hashes_to(one: int, other: int) -> None:
    old, new = sorted((one, other))

    written = tiles_for(old, new)

    kept = {tile for tile in tiles_for(0, old) if tile == tile.full or tile in tiles_for(0, new)}
    assert set(tiles_for(0, new)) == {*kept, *written}
    assert not {tile for tile in kept if tile == tile.full} & {*written}


@given(st.integers(1, SIZE), st.integers(0, 17), st.data())
def test_a_node_lies_in_a_tile_of_the_tree(size: int, level: int, data: st.DataObject) -> None:
    if not size >> level:
        return
    node = Node(level, data.draw(st.integers(0, (size >> level) - 1)))

    tile = tile_of(node, size)

    assert tile in tiles_for(0, size)
    read = tile_data(tile, reader(LEAVES[:size]))
    assert len(read) == 32 * tile.width
    assert reader(LEAVES)([node]) == [node_in(read, node)]


@pytest.mark.parametrize("size", [0, 1, 2, 255, 256, 257, 1000, 65_535, 65_536, 65_537, 70_000])
def test_a_reader_reads_the_tree_from_its_tiles(size: int) -> None:
    log = Published()
    log.grow(LEAVES[:size])
    root = merkle.root(LEAVES[:size])
    read = TileReader(log.fetch, size, root)

    assert root == tree_root(size, read)
    for index in {0, size // 3, size - 1} if size else set():
        assert inclusion_proof(index, size, reader(LEAVES[:size])) == inclusion_proof(index, size, read)


def test_a_reader_keeps_few_tiles_and_reads_the_same(published: Published) -> None:
    read = TileReader(published.fetch, SIZE, merkle.root(LEAVES), keep=1)

    for index in range(0, SIZE, 9_999):
        assert LEAVES[index] == read([Node(0, index)])[0]


@given(st.data())
def test_a_flipped_bit_in_any_tile_is_found_when_it_is_read(published: Published, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, SIZE - 1))
    level = data.draw(st.sampled_from([0, 8, 16]).filter(lambda level: index >> level < SIZE >> level))
    bad = tile_of(Node(level, index >> level), SIZE)
    at, bit = data.draw(st.integers(0, 32 * bad.width - 1)), data.draw(st.integers(0, 7))

    def fetch(tile: Tile) -> bytes:
        found = bytearray(published.fetch(tile))
        if tile == bad:
            found[at] ^= 1 << bit
        return bytes(found)

    with pytest.raises(RemoteError) as refused:
        TileReader(fetch, SIZE, merkle.root(LEAVES)).tile(bad)

    assert refused.value.code is Code.BAD_TILE


@pytest.mark.parametrize("cut", [-32, -1, 1, 32])
@pytest.mark.parametrize("bad", [Tile(0, 3), Tile(0, 273, 112), Tile(1, 1, 17)])
def test_a_tile_of_another_size_is_refused(published: Published, bad: Tile, cut: int) -> None:
    def fetch(tile: Tile) -> bytes:
        found = published.fetch(tile)
        return found if tile != bad else found[:cut] if cut < 0 else found + bytes(cut)

    with pytest.raises(RemoteError) as refused:
        TileReader(fetch, SIZE, merkle.root(LEAVES)).tile(bad)

    assert refused.value.code is Code.BAD_TILE


def test_tiles_of_another_tree_are_refused(published: Published) -> None:
    read = TileReader(published.fetch, SIZE, merkle.root(LEAVES[:-1]))

    with pytest.raises(RemoteError) as refused:
        read([Node(0, 7)])

    assert refused.value.code is Code.BAD_TILE


@pytest.mark.parametrize("tile", [Tile(0, 273), Tile(0, 1, 7), Tile(0, 274), Tile(1, 1), Tile(3, 0), Tile(2, 0, 2)])
def test_a_tile_that_the_tree_does_not_have_is_not_asked_for(published: Published, tile: Tile) -> None:
    def fetch(asked: Tile) -> bytes:
        assert asked != tile
        return published.fetch(asked)

    with pytest.raises(RemoteError) as refused:
        TileReader(fetch, SIZE, merkle.root(LEAVES)).tile(tile)

    assert refused.value.code is Code.BAD_TILE


def test_a_bundle_holds_its_entries() -> None:
    entries = [sha256(b"%d" % number).digest() for number in range(256)]

    assert entries == entries_in(bundle(entries))
    assert len(bundle(entries)) == 256 * 34
    assert [merkle.leaf_hash(entry) for entry in entries] == hashes_in(b"".join(map(merkle.leaf_hash, entries)))


@given(st.binary(max_size=200))
def test_any_bundle_is_read_and_written_again_or_refused(data: bytes) -> None:
    try:
        assert data == bundle(entries_in(data))
    except RemoteError as error:
        assert error.code is Code.BAD_TILE
