"""The whole check over a store of a million leaves."""

import tracemalloc
from pathlib import Path

import pytest

from audit_log.checking.findings import Finding
from audit_log.checking.tree import PUBLISHED, Told, TreeCheck
from audit_log.core.growing import Batch, _nodes
from audit_log.store import open_snapshot
from referral_contracts.encoding import sha256
from referral_contracts.log.growth import Frontier
from referral_contracts.log.leaf import leaf
from tests.services.audit_log.outside import published
from tests.services.audit_log.tampering import reading
from tests.services.audit_log.world import World


@pytest.mark.long
def test_a_million_leaves_are_built_anew_in_little_memory(tmp_path: Path) -> None:
    size, step = 1_000_000, 50_000
    kept = World.on_files(tmp_path)
    store, edge = kept.store(), Frontier.empty()
    for first in range(0, size, step):
        entries = [sha256(b"%d" % index) for index in range(first, first + step)]
        after, gained = edge.grow([leaf(one) for one in entries])
        rows = [(first + number, one, 1, 0, 0, 0) for number, one in enumerate(entries)]
        batch = Batch(before=first, frontier=after, nodes=list(_nodes(first, gained)), entries=rows, places={})
        store.append(batch)
        edge = after
    store.close()
    # A start publishes what is stored.
    with kept.opened():
        pass

    tracemalloc.start()
    found: list[Finding] = []
    with open_snapshot(kept.url) as snapshot:
        shown = Told(PUBLISHED, published(kept.tiles, kept.desk.note_key))
        tree = TreeCheck([shown], snapshot.nodes, reading(kept.tiles), found.append)
        for index, entry in snapshot.entries():
            tree.take(index, entry)
        tree.finish(*snapshot.tree())
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert (found, shown.checkpoint.size) == ([], size)
    assert most < 64 * 1024 * 1024
