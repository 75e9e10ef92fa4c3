"""The log as somebody sees it who has the published folder, the store and the ledger: every byte checked anew."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from sqlalchemy import Engine, text

from audit_log.core.reading import Taken
from referral_contracts import merkle
from referral_contracts.encoding import lp, sha256
from referral_contracts.log.checkpoint import Checkpoint, open_checkpoint
from referral_contracts.log.note import NoteKey
from referral_contracts.log.tiles import TILE_WIDTH, Tile, entries_in, tiles_for


def published(folder: Path, key: NoteKey) -> Checkpoint:
    """Return the published checkpoint."""
    return open_checkpoint((folder / "checkpoint").read_bytes(), key)


def entries_of(folder: Path, size: int) -> list[bytes]:
    """Return the published entries of a tree of *size*."""
    found: list[bytes] = []
    for index in range(-(-size // TILE_WIDTH)):
        tile = Tile(0, index, min(TILE_WIDTH, size - index * TILE_WIDTH))
        found += entries_in((folder / tile.entries_path).read_bytes())
    return found


def verify_published(folder: Path, key: NoteKey) -> list[bytes]:
    """Check every tile that the published checkpoint covers; return the entries."""
    told = published(folder, key)
    entries = entries_of(folder, told.size)
    level, hashes = 0, [sha256(b"\x00" + one) for one in entries]

    assert merkle.root(hashes) == told.root
    while hashes:
        for tile in (tile for tile in tiles_for(0, told.size) if tile.level == level):
            start = tile.index * TILE_WIDTH
            assert (folder / tile.path).read_bytes() == b"".join(hashes[start : start + tile.width])
        level += 1
        hashes = [
            merkle.root(hashes[start : start + TILE_WIDTH])
            for start in range(0, len(hashes) // TILE_WIDTH * TILE_WIDTH, TILE_WIDTH)
        ]
    return entries


def verify_whole(engine: Engine, folder: Path, key: NoteKey, ledger: Iterable[Sequence[Taken]]) -> Checkpoint:
    """Check folder, store and the *ledger*'s partitions against each other: nothing lost, nothing doubled."""
    entries = verify_published(folder, key)
    with engine.connect() as connection:
        stored = connection.execute(text("select idx, entry, partition, counter from entries order by idx")).all()
        records = connection.execute(text("select * from records order by idx")).all()
        size = connection.execute(text("select size from tree")).scalar_one()

    assert [row.idx for row in stored] == list(range(size))
    assert [bytes(row.entry) for row in stored[: len(entries)]] == entries
    for row, record in zip(stored, records, strict=True):
        parts = [bytes(part) for part in record[2:]]
        assert bytes(row.entry) == sha256(b"referral-bus-leaf/v1\n" + bytes(record.salt) + lp(*parts))
    _verify_ledger({(row.partition, row.counter): bytes(row.entry) for row in stored}, len(stored), records, ledger)
    return published(folder, key)


def _verify_ledger(
    stored: Mapping[tuple[int, int], bytes], size: int, records: Sequence[object], ledger: Iterable[Sequence[Taken]]
) -> None:
    wanted = {(one.partition, one.counter): one for partition in ledger for one in partition}

    assert size == len(stored) == len(wanted)
    assert stored.keys() == wanted.keys()
    assert sorted(tuple(map(bytes, record[2:])) for record in records) == sorted(  # type: ignore[index]
        (one.signature, one.value, one.decision, one.path, one.root) for one in wanted.values()
    )
