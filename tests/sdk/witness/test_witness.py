"""A witness in a process of its own, asked over HTTP as a log asks it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from referral_bus.witness import WitnessKey, WitnessStore
from referral_contracts.errors import RemoteError
from referral_contracts.log.checkpoint import Checkpoint, sign_checkpoint, verify_cosignature
from referral_contracts.log.note import parse_signatures, write_note
from referral_contracts.log.policy import Policy
from referral_contracts.log.witnessing import origin_hash, request
from tests.sdk.witness.histories import FORKED, HISTORY, LOG, ORIGIN, POLICY, asked, checkpoint, signed
from tests.sdk.witness.running import Files, Running, running

SHOWN = f"/{origin_hash(ORIGIN)}/checkpoint"


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files.made(tmp_path)


def cosigned_size(witness: Running) -> int:
    """Return what the witness cosigned last, as it tells a log that asks too early."""
    conflict = witness.post(asked(99, 100))
    assert (conflict.status, conflict.content) == (409, "text/x.tlog.size")
    return int(conflict.body)


def test_it_cosigns_what_continues_and_shows_it(files: Files) -> None:
    key = WitnessKey.load(files.key)
    policy = Policy.parse(f"{POLICY.splitlines()[0]}\nwitness w {key.public.vkey}\nquorum w\n".encode())
    with running(files) as witness:
        assert witness.told == {"url": witness.url, "vkey": key.public.vkey, "logs": [ORIGIN]}
        assert witness.ask("GET", SHOWN).status == 404
        for old, size in ((0, 0), (0, 7), (7, 7), (7, 50)):
            answer = witness.post(asked(old, size))

            assert answer.status == 200
            (line,) = parse_signatures(answer.body.decode())
            assert verify_cosignature(checkpoint(size).text(), line, key.public) > 1_700_000_000
            shown = witness.ask("GET", SHOWN)
            assert (shown.status, shown.content) == (200, "text/plain; charset=utf-8")
            assert shown.body == signed(size) + answer.body
        assert policy.check(shown.body).quorum
        assert (witness.ask("HEAD", SHOWN).status, witness.ask("HEAD", SHOWN).body) == (200, b"")


def test_a_rollback_is_refused(files: Files) -> None:
    with running(files) as witness:
        witness.post(asked(0, 50))

        assert witness.post(asked(0, 7)).status == 409
        assert witness.post(asked(6, 7)).body == b"50\n"
        assert witness.post(request(50, [], signed(7))).status == 400
        assert cosigned_size(witness) == 50


def test_a_split_view_is_refused(files: Files) -> None:
    with running(files) as witness:
        witness.post(asked(0, 7))

        refused = witness.post(asked(7, 50, FORKED))

        assert (refused.status, refused.body) == (422, b"bad-proof: the proof does not lead to the two roots\n")
        assert cosigned_size(witness) == 7
        assert witness.post(asked(7, 50)).status == 200
        assert "bad-proof: training.log, size 50" in witness.errors()


def test_two_trees_of_one_size_are_kept_as_evidence(files: Files) -> None:
    with running(files) as witness:
        witness.post(asked(0, 50))

        assert witness.post(asked(50, 50, FORKED)).status == 422
        assert witness.post(asked(7, 50, FORKED)).status == 409
        assert "log-fork: training.log signed two trees of the size 50" in witness.errors()

    store = WitnessStore.open(files.store, WitnessKey.load(files.key))
    (dispute,) = store.disputes()
    assert (dispute.origin, dispute.note) == (ORIGIN, signed(50, FORKED))
    assert dispute.against.startswith(signed(50))
    store.close()


def test_what_was_answered_is_there_after_a_kill(files: Files) -> None:
    for size in range(1, 5):
        with running(files) as witness:
            assert cosigned_size(witness) == size - 1
            assert witness.post(asked(size - 1, size)).status == 200
            witness.kill()


def test_of_many_requests_at_once_one_is_cosigned(files: Files) -> None:
    with running(files) as witness, ThreadPoolExecutor(16) as pool:
        size = 0
        for _ in range(5):
            sizes = [size + 1 + more for more in range(16)]
            answers = [*pool.map(lambda new, old=size: witness.post(asked(old, new)), sizes)]

            statuses = sorted(answer.status for answer in answers)
            assert statuses == [200] + [409] * 15
            won = sizes[[answer.status for answer in answers].index(200)]
            assert {int(answer.body) for answer in answers if answer.status == 409} == {won}
            assert cosigned_size(witness) == won
            size = won


def test_two_processes_with_one_store_cosign_one_history(files: Files) -> None:
    with running(files) as one, running(files) as other, ThreadPoolExecutor(2) as pool:
        for old in range(0, 20, 2):
            branch = [*HISTORY[:old], *FORKED[50 + old :]]
            posts = [pool.submit(one.post, asked(old, old + 2)), pool.submit(other.post, asked(old, old + 2, branch))]
            statuses = [post.result().status for post in posts]

            assert sorted(statuses) == [200, 409]
            if statuses[0] == 409:
                break
        assert cosigned_size(one) == cosigned_size(other)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"old 0\n\nno note", 400),
        (b"old 0\n\n" + b"a" * 400_000, 400),
        (request(0, [], sign_checkpoint(checkpoint(7), LOG).replace(b"training", b"other")), 404),
        (request(0, [], sign_checkpoint(checkpoint(7), WitnessKey.generate("w").signing)), 403),
        (request(0, [], signed(7).replace(b"\n7\n", b"\n8\n")), 403),
        (request(9, [], signed(7)), 400),
        (request(3, [], signed(7)), 409),
        (request(0, [bytes(32)], signed(7)), 422),
        (request(0, [], sign_checkpoint(Checkpoint(ORIGIN, 0, bytes(32)), LOG)), 422),
        (asked(0, 7), 200),
    ],
)
def test_it_answers_with_the_status_of_the_specification(body: bytes, status: int, asked_once: Running) -> None:
    assert asked_once.post(body).status == status


@pytest.fixture(scope="module")
def asked_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Give one witness for all of these: only the last of them is cosigned."""
    with running(Files.made(tmp_path_factory.mktemp("witness"))) as witness:
        yield witness


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/add-checkpoint", 405),
        ("POST", SHOWN, 405),
        ("GET", "/", 404),
        ("GET", f"/{origin_hash('other.log')}/checkpoint", 404),
        ("POST", "/sign-subtree", 404),
    ],
)
def test_nothing_else_is_there(method: str, path: str, status: int, asked_once: Running) -> None:
    assert asked_once.ask(method, path).status == status


def test_its_own_cosignature_is_of_no_other_checkpoint(files: Files) -> None:
    key = WitnessKey.load(files.key)
    with running(files) as witness:
        (line,) = parse_signatures(witness.post(asked(0, 7)).body.decode())

    policy = Policy.parse(f"{POLICY.splitlines()[0]}\nwitness w {key.public.vkey}\nquorum w\n".encode())
    with pytest.raises(RemoteError):
        policy.check(write_note(checkpoint(8).text(), [line]))
