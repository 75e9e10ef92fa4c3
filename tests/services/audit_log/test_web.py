"""What the log shows over HTTP: files as they lie in the folder, receipts that verify offline, and nothing else."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from audit_log.core.limiting import Allowance
from audit_log.folder import Folder
from audit_log.log import Log
from audit_log.receipts import Receipts
from audit_log.store import open_store
from audit_log.store.sql import SqlStore
from audit_log.web import web
from audit_log.witnesses import WITNESSED_PATH
from referral_contracts.codes import Code
from referral_contracts.encoding import b64, event_hash, sha256
from referral_contracts.keys import SigningKey
from referral_contracts.log.checkpoint import cosign, open_checkpoint
from referral_contracts.log.note import Kind, NoteKey, parse_note, write_note
from referral_contracts.log.policy import Log as KnownLog
from referral_contracts.log.policy import Policy, Witness
from referral_contracts.log.proof import Proven, Receipt, verify_receipt
from referral_contracts.signing import Typ, sign
from tests.services.audit_log.ledger import opening
from tests.services.audit_log.tampering import alter
from tests.services.audit_log.world import ORIGIN, World
from tests.services.referral_router.founding import BUS, HOTLINE, KEYS

WITNESS = SigningKey.from_seed(bytes([78]) * 32)


@dataclass
class Site:
    """An open log and its pages."""

    world: World
    store: SqlStore
    folder: Folder
    log: Log
    allowance: Allowance = field(default_factory=lambda: Allowance(1000, 1000))
    faults: list[Code] = field(default_factory=list)
    open: bool = True

    def write(self, counts: list[int]) -> None:
        self.world.ledger.write(counts)
        taken, places = self.world.ledger.after(self.log.places)
        self.log.append(taken[self.log.size :], places)

    def get(self, *paths: str, method: str = "GET", **told: Any) -> list[httpx.Response]:
        receipts = Receipts(self.folder, lambda: self.store.reader if self.open else None, self.world.desk.note_key)
        app = web(self.folder, receipts, self.allowance, self.faults.append)

        async def asked() -> list[httpx.Response]:
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://log") as client:
                return [await client.request(method, path, **told) for path in paths]

        return asyncio.run(asked())

    def receipt(self, number: int) -> httpx.Response:
        return self.get(f"/receipt/{event_hash(opening(number))}")[0]


@pytest.fixture
def site(world: World) -> Iterator[Site]:
    store, folder = open_store(world.url, bus=BUS, origin=ORIGIN), Folder(world.tiles)
    try:
        yield Site(world, store, folder, Log(store, folder, world.desk))
    finally:
        folder.close()
        store.close()


def policy(site: Site) -> Policy:
    witness = Witness("ward", NoteKey("ward.example", Kind.COSIGNATURE, WITNESS.verify_key))
    return Policy(logs=(KnownLog(site.world.desk.note_key),), witnesses=(witness,), quorum="ward")


def proven(site: Site, answer: httpx.Response, number: int) -> Proven:
    assert answer.status_code == 200
    signature = sign(KEYS[HOTLINE].signing, Typ.EVENT, opening(number)).encode()
    return verify_receipt(Receipt.decode(answer.content), signature, opening(number), policy(site))


def cosign_published(site: Site) -> None:
    """Let the witness cosign what is published."""
    told, signatures = parse_note((site.world.tiles / "checkpoint").read_bytes())
    note = write_note(told, [*signatures, cosign(told, 1_790_000_000, "ward.example", WITNESS)])
    (site.world.tiles / WITNESSED_PATH).write_bytes(note)


def test_files_are_given_as_they_lie_there(site: Site) -> None:
    site.write([300])
    site.log.publish()
    names = [
        "checkpoint",
        "tile/0/000",
        "tile/0/001.p/44",
        "tile/1/000.p/1",
        "tile/entries/000",
        "tile/entries/001.p/44",
    ]

    for name, answer in zip(names, site.get(*(f"/{name}" for name in names)), strict=True):
        assert answer.content == (site.world.tiles / name).read_bytes()
        if name == "checkpoint":
            assert answer.headers["content-type"] == "text/plain; charset=utf-8"
            assert answer.headers["cache-control"] == "no-cache"
        else:
            assert answer.headers["content-type"] == "application/octet-stream"
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/checkpoint.witnessed",
        "/docs",
        "/receipt/",
        "/receipt/x",
        f"/receipt/{b64(sha256(b'nobody said this'))}",
        "/receipt/" + "A" * 42 + "B",
        "/tile/0/999",
        "/tile/0/001.p/256",
        "/tile/64/000",
        "/tile/%2e%2e/checkpoint",
        "/tile/0/%2e%2e/%2e%2e/%2e%2e/log.db",
        "/tile/0//000",
        "/tile/0/000.part",
    ],
)
def test_what_is_not_there_is_not_told_apart(site: Site, path: str) -> None:
    site.write([300])
    site.log.publish()
    (answer,) = site.get(path)

    assert (answer.status_code, answer.text) == (404, "not-found\n")
    assert site.faults == []


def test_nothing_is_written(site: Site) -> None:
    site.write([1])
    site.log.publish()
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert site.get("/checkpoint", method=method)[0].status_code == 405


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 600])
def test_a_receipt_verifies_offline(site: Site, size: int) -> None:
    site.write([size])
    site.log.publish()
    for number in {0, size // 2, size - 1}:
        found = proven(site, site.receipt(number), number)

        assert (found.index, found.checkpoint.size, found.witnessed) == (number, size, False)
        assert found.decision.event == event_hash(opening(number))


def test_a_receipt_is_under_the_newest_witnessed_checkpoint_that_covers_it(site: Site) -> None:
    site.write([200])
    site.log.publish()
    cosign_published(site)
    site.write([400])
    site.log.publish()

    early, late = proven(site, site.receipt(7), 7), proven(site, site.receipt(555), 555)

    assert (early.checkpoint.size, early.witnessed, early.witnesses) == (200, True, ("ward",))
    assert (late.checkpoint.size, late.witnessed) == (600, False)
    assert site.get("/checkpoint.witnessed")[0].content == (site.world.tiles / WITNESSED_PATH).read_bytes()


def test_what_no_checkpoint_covers_yet_is_asked_for_again(site: Site) -> None:
    site.write([3])
    answer = site.receipt(2)

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    site.log.publish()
    assert site.receipt(2).status_code == 200
    assert site.faults == []


def test_a_decision_is_found_among_several_on_one_event(site: Site) -> None:
    first, second = site.world.ledger.partitions[:2]
    value = opening(0)
    first.write([value], code=Code.WRONG_PARTITION)
    second.write([opening(5), value])
    second.write([value], code=Code.DUPLICATE)
    taken, places = site.world.ledger.after({})
    site.log.append(taken, places)
    site.log.publish()
    path = f"/receipt/{event_hash(value)}"
    answers = site.get(path, *(f"{path}?partition={p}&counter={c}" for p, c in [(0, 1), (1, 2), (1, 3), (2, 1)]))

    codes = [proven(site, answer, 0).decision.code for answer in answers[:-1]]
    assert codes == [Code.ACCEPTED, Code.WRONG_PARTITION, Code.ACCEPTED, Code.DUPLICATE]
    assert answers[-1].status_code == 404


def test_what_was_erased_is_not_there(site: Site) -> None:
    site.write([3])
    site.log.publish()
    alter(site.world, "delete from records where idx = 1")

    assert site.receipt(1).status_code == 404
    assert proven(site, site.receipt(2), 2).index == 2


def test_a_tile_that_was_changed_gives_no_receipt(site: Site) -> None:
    site.write([300])
    site.log.publish()
    tile = site.world.tiles / "tile/0/000"
    tile.write_bytes(bytes(32) + tile.read_bytes()[32:])

    assert site.receipt(5).status_code == 503
    assert site.faults == [Code.BAD_PROOF]
    tile.unlink()
    assert site.receipt(5).status_code == 503
    assert site.faults[1:] == [Code.BAD_TILE]


def test_a_store_that_is_away_takes_receipts_with_it_and_nothing_else(site: Site) -> None:
    site.write([3])
    site.log.publish()
    site.open = False

    assert [answer.status_code for answer in site.get("/checkpoint", "/tile/0/000.p/3")] == [200, 200]
    assert (site.receipt(0).status_code, site.faults) == (503, [Code.STORE_AWAY])


def test_who_asks_too_often_is_told_when_to_come_again(site: Site) -> None:
    site.write([1])
    site.log.publish()
    site.allowance = Allowance(0.5, 2)
    answers = site.get("/checkpoint", "/checkpoint", "/checkpoint")

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].headers["retry-after"] == "2"


def test_what_it_offers_is_published(site: Site) -> None:
    told = site.get("/openapi.json")[0].json()

    assert {*told["paths"]} == {"/checkpoint", "/checkpoint.witnessed", "/tile/{path}", "/receipt/{event}"}
    assert {"200", "404", "429", "503"} <= {*told["paths"]["/receipt/{event}"]["get"]["responses"]}


def test_the_witnessed_checkpoint_is_still_the_logs(site: Site) -> None:
    site.write([5])
    site.log.publish()
    cosign_published(site)

    note = site.get("/checkpoint.witnessed")[0].content
    assert open_checkpoint(note, site.world.desk.note_key).size == 5
    assert policy(site).check(note).quorum


def test_what_comes_without_a_length_is_not_read(site: Site) -> None:
    site.write([1])
    site.log.publish()
    (answer,) = site.get("/checkpoint", headers={"transfer-encoding": "chunked"})

    assert (answer.status_code, answer.headers["connection"]) == (411, "close")
    assert site.get("/checkpoint")[0].status_code == 200
