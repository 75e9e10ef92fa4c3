"""A batch is signed once and believed leaf by leaf; what is remembered of it believes nothing that was not signed."""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from referral_contracts import batch_check, decisions
from referral_contracts.batch_check import BatchCheck, router_key
from referral_contracts.codes import Code
from referral_contracts.decisions import SignedBatch, sign_batch
from referral_contracts.errors import RemoteError
from referral_contracts.keys import SigningKey
from referral_contracts.merkle import leaf_hash
from tests.contracts.refusals import code_of
from tests.services.referral_router.founding import BUS, DAY, KEYS, NOW, YEAR, directory

LEAVES = [b"leaf %d" % number for number in range(5)]


class Batch(NamedTuple):
    """Leaves, and what was signed of them."""

    signed: SignedBatch
    partition: int = 1

    @classmethod
    def of(cls, key: SigningKey = KEYS["router"].signing, *, name: bytes = b"") -> "Batch":
        return cls(sign_batch([leaf_hash(leaf + name) for leaf in LEAVES], bus=BUS, partition=1, key=key))

    def check(self, checking: BatchCheck, at: int, leaf: bytes, *, partition: int = 1, at_ms: int = NOW) -> None:
        path, root = self.signed.paths[at], self.signed.root
        checking.check(leaf, leaf_hash(leaf), path, root, partition=partition, directory=directory(), at_ms=at_ms)


@pytest.fixture
def verified(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Give the leaves for which a signature was verified."""
    found: list[bytes] = []
    verify: Callable[..., None] = decisions.verify_leaf

    def counted(leaf: bytes, *rest: bytes, **told: object) -> None:
        found.append(leaf)
        verify(leaf, *rest, **told)

    monkeypatch.setattr(batch_check, "verify_leaf", counted)
    return found


def test_one_signature_serves_a_whole_batch(verified: list[bytes]) -> None:
    batch, checking = Batch.of(), BatchCheck(BUS)
    for at, leaf in enumerate(LEAVES):
        batch.check(checking, at, leaf)

    assert verified == LEAVES[:1]


def test_what_is_remembered_believes_no_other_leaf_partition_or_time() -> None:
    batch, checking = Batch.of(), BatchCheck(BUS)
    batch.check(checking, 0, LEAVES[0])

    assert code_of(lambda: batch.check(checking, 1, LEAVES[0])) is Code.BAD_DECISION
    assert code_of(lambda: batch.check(checking, 0, b"another")) is Code.BAD_DECISION
    assert code_of(lambda: batch.check(checking, 0, LEAVES[0], partition=2)) is Code.BAD_DECISION
    assert code_of(lambda: batch.check(checking, 0, LEAVES[0], at_ms=NOW - 2 * DAY)) is Code.UNKNOWN_KEY
    assert code_of(lambda: batch.check(checking, 0, LEAVES[0], at_ms=NOW + YEAR)) is Code.UNKNOWN_KEY


def test_another_bus_s_check_does_not_believe_it() -> None:
    batch = Batch.of()

    assert code_of(lambda: batch.check(BatchCheck("production"), 0, LEAVES[0])) is Code.BAD_DECISION


def test_only_the_router_is_believed() -> None:
    batch = Batch.of(KEYS["hotline-111"].signing)

    assert router_key(directory(), batch.signed.root) is None
    assert code_of(lambda: batch.check(BatchCheck(BUS), 0, LEAVES[0])) is Code.UNKNOWN_KEY


def test_it_forgets_the_oldest_batch_and_verifies_it_anew(verified: list[bytes]) -> None:
    first, second, checking = Batch.of(), Batch.of(name=b"!"), BatchCheck(BUS, remembered=1)
    first.check(checking, 0, LEAVES[0])
    second.check(checking, 0, LEAVES[0] + b"!")
    first.check(checking, 1, LEAVES[1])

    assert verified == [LEAVES[0], LEAVES[0] + b"!", LEAVES[1]]


@pytest.mark.parametrize("path", [b"", bytes(7), bytes(9), bytes(39), bytes(8)])
def test_a_path_that_is_none_is_refused(path: bytes) -> None:
    root, leaf = Batch.of().signed.root, LEAVES[0]

    with pytest.raises(RemoteError) as told:
        BatchCheck(BUS).check(leaf, leaf_hash(leaf), path, root, partition=1, directory=directory(), at_ms=NOW)
    assert told.value.code is Code.BAD_DECISION
