from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_bus.registrar import trust_root
from referral_contracts.codes import Code
from referral_contracts.encoding import jcs, parse_json
from referral_contracts.errors import RemoteError
from referral_contracts.keys import SigningKey
from referral_contracts.log.note import Kind, NoteKey
from referral_contracts.log.policy import Log, Policy, Witness
from referral_contracts.log.proof import Receipt
from referral_contracts.trail import archive, page
from referral_contracts.trail.bundle import read_bundle, write_bundle
from tests.contracts.trail.bundles import changed, flipped, found, opened, packed, sampled, swapped, without
from tests.contracts.trail.conftest import Case, told_case
from tests.stories.logged import LOG, ORIGIN, POLICY, WITNESS
from tests.stories.world import keys

MAIN_FILES = ["checkpoint", "directory.jsonl", "events.jsonl", "page.html", "trail.json"]


@pytest.fixture(scope="session")
def bundle(case: Case) -> bytes:
    return case.bundle(case.subject)


def refused(case: Case, data: bytes, policy: Policy = POLICY) -> RemoteError:
    with pytest.raises(RemoteError) as caught:
        read_bundle(data, policy, case.world.simulator.root)
    return caught.value


def proof_of(case: Case, number: int) -> str:
    return f"proofs/{case.indexes(case.subject)[number]}.tlog-proof"


class TestABundle:
    def test_it_proves_the_trail_offline(self, case: Case, bundle: bytes) -> None:
        read = read_bundle(bundle, POLICY, case.world.simulator.root)

        assert read.trail.sound
        assert read.page_compared
        assert read.trail.subject == case.subject

    def test_it_is_the_same_whoever_makes_it(self, case: Case, bundle: bytes) -> None:
        assert set(opened(bundle)) == {
            "manifest.json",
            *MAIN_FILES,
            *(proof_of(case, number) for number in range(len(case.indexes(case.subject)))),
        }
        assert case.bundle(case.subject) == bundle

    def test_it_holds_a_receipt_for_each_event_that_stands_by_itself(self, case: Case, bundle: bytes) -> None:
        receipt = Receipt.decode(opened(bundle)[proof_of(case, 0)])

        assert POLICY.check(receipt.checkpoint).quorum

    def test_with_an_erased_event_it_is_still_sound(self) -> None:
        case = told_case()
        index = case.indexes(case.subject)[6]
        indexes = case.indexes(case.subject)
        case.erase(index)
        erased = case.erasure(case.subject, [index])
        indexes += [erased - 1, erased]
        trail = read_bundle(case.bundle(case.subject, indexes=indexes), POLICY, case.world.simulator.root).trail

        assert trail.sound
        assert trail.erased == 1

    def test_faults_do_not_keep_a_trail_from_being_shown(self, case: Case) -> None:
        indexes = case.indexes(case.subject)
        told = found(case, case.bundle(case.subject, indexes=[*indexes[:4], *indexes[5:]]))

        assert told == f"leaf {indexes[5]}: counter-gap: event 5 of the case is missing before it"


class TestFlippedBytes:
    def test_of_the_file_each_is_found(self, case: Case, bundle: bytes) -> None:
        for at in sampled(len(bundle), 200):
            assert found(case, flipped(bundle, at)), at

    @pytest.mark.parametrize("name", MAIN_FILES)
    def test_of_each_part_each_is_found_though_the_manifest_fits(self, case: Case, bundle: bytes, name: str) -> None:
        for at in sampled(len(opened(bundle)[name]), 20):
            told = found(case, changed(bundle, name, lambda data, at=at: flipped(data, at)))  # type: ignore[misc]

            assert told, (name, at)

    def test_of_a_receipt_each_byte_is_found(self, case: Case, bundle: bytes) -> None:
        name = proof_of(case, 4)
        for at in sampled(len(opened(bundle)[name]), 40):
            assert found(case, changed(bundle, name, lambda data, at=at: flipped(data, at))), at  # type: ignore[misc]

    def test_what_was_flipped_is_named(self, case: Case, bundle: bytes) -> None:
        told = found(case, changed(bundle, "trail.json", lambda data: data.replace(b'"ward-a"', b'"ward-b"', 1)))
        shown = found(case, changed(bundle, "page.html", lambda data: data.replace(b"ward-a", b"ward-b", 1)))

        assert told == "bad-bundle: trail.json: says something else than the events and proofs beside it"
        assert shown == "bad-bundle: page.html: says something else than the events and proofs beside it"


class TestTampering:
    def test_a_file_that_is_dropped_is_missed(self, case: Case, bundle: bytes) -> None:
        for name in [*MAIN_FILES, proof_of(case, 2)]:
            kept = {one: data for one, data in opened(bundle).items() if one != name}

            assert refused(case, packed(kept)).code is Code.BAD_BUNDLE, name

    def test_a_file_that_is_put_in_is_found(self, case: Case, bundle: bytes) -> None:
        for name in ("proofs/99999.tlog-proof", "readme.txt", "proofs/../x.tlog-proof"):
            assert refused(case, packed({**opened(bundle), name: b"x"})).code is Code.BAD_BUNDLE, name

    def test_an_event_dropped_with_its_receipt_and_row_is_missed(self, case: Case, bundle: bytes) -> None:
        indexes = case.indexes(case.subject)
        shorter = case.bundle(case.subject, indexes=[*indexes[:9], *indexes[10:]])

        assert Code.COUNTER_GAP.value in found(case, shorter)
        assert found(case, changed(bundle, "events.jsonl", lambda data: without(data, 9)))

    def test_lines_in_another_order_are_found(self, case: Case, bundle: bytes) -> None:
        assert found(case, changed(bundle, "events.jsonl", lambda data: swapped(data, 3)))
        assert found(case, changed(bundle, "directory.jsonl", lambda data: swapped(data, 2)))

    def test_receipts_that_are_swapped_are_found(self, case: Case, bundle: bytes) -> None:
        files, one, other = opened(bundle), proof_of(case, 3), proof_of(case, 4)

        assert found(case, packed({**files, one: files[other], other: files[one]}))

    def test_what_is_cut_is_found(self, case: Case, bundle: bytes) -> None:
        for end in sampled(len(bundle) - 1, 50):
            assert refused(case, bundle[:end]).code is Code.BAD_BUNDLE
        for name in MAIN_FILES:
            assert found(case, changed(bundle, name, lambda data: data[:-1])), name
            assert found(case, changed(bundle, name, lambda data: data[: len(data) // 2])), name

    def test_an_older_checkpoint_is_found(self, case: Case, bundle: bytes) -> None:
        old = case.checkpoint(size=len(case.entries) - 2)

        assert "under another checkpoint" in found(case, changed(bundle, "checkpoint", lambda _: old))
        assert found(case, _under(bundle, old))

    def test_a_checkpoint_of_another_tree_that_the_log_signed_too_is_found(self, case: Case, bundle: bytes) -> None:
        fork = told_case()

        assert "bad-proof" in found(case, _under(bundle, fork.checkpoint()))

    def test_a_checkpoint_by_another_key_of_the_same_name_is_found(self, case: Case, bundle: bytes) -> None:
        forged = case.checkpoint(key=SigningKey.generate(), witnessed=False)

        assert refused(case, _under(bundle, forged)).code is Code.BAD_SIGNATURE

    def test_a_directory_by_other_registrars_is_found(self, case: Case, bundle: bytes) -> None:
        stranger = trust_root("training", [SigningKey.generate()])
        with pytest.raises(RemoteError) as caught:
            read_bundle(bundle, POLICY, stranger)

        assert caught.value.code is Code.NOT_ENOUGH_SIGNATURES

    def test_the_log_of_another_bus_is_found(self, case: Case, bundle: bytes) -> None:
        other = Policy(logs=(Log(NoteKey(ORIGIN, Kind.ED25519, keys()["router"].signing.verify_key)),), quorum="none")

        assert refused(case, bundle, other).code is Code.BAD_SIGNATURE
        assert refused(case, packed(opened(bundle), bus="production")).code is Code.WRONG_BUS

    def test_another_subject_is_found(self, case: Case, bundle: bytes) -> None:
        assert found(case, packed(opened(bundle), subject="0" * 32))

    def test_an_event_without_its_bytes_is_named(self, case: Case, bundle: bytes) -> None:
        """Who leaves the bytes of an event out has to show an erasure of it."""
        case = told_case()
        index = case.indexes(case.subject)[3]
        indexes = case.indexes(case.subject)
        case.erase(index)

        assert found(case, case.bundle(case.subject, indexes=indexes)).startswith(f"leaf {index}: missing-erasure")

    def test_a_row_that_says_something_else_is_found(self, case: Case, bundle: bytes) -> None:
        def lie(data: bytes) -> bytes:
            told = parse_json(data)
            assert isinstance(told, dict)
            told["rows"][5]["admitted"] = "2026-01-01T00:00:00.000Z"
            return jcs(told)

        assert found(case, changed(bundle, "trail.json", lie))

    def test_a_page_of_another_version_is_not_vouched_for(self, case: Case, bundle: bytes) -> None:
        files = {**opened(bundle), "page.html": b"<p>all is well</p>"}
        read = read_bundle(packed(files, page=page.VERSION + 1), POLICY, case.world.simulator.root)

        assert not read.page_compared
        assert found(case, packed(files))

    def test_without_witnesses_it_is_provisional(self, case: Case) -> None:
        indexes = case.indexes(case.subject)
        checkpoint, directory = case.checkpoint(witnessed=False), case.extract(indexes)
        data = write_bundle(
            case.grounds(checkpoint, directory),
            case.subject,
            case.sealed(indexes),
            checkpoint=checkpoint,
            directory=directory,
        )
        trail = read_bundle(data, POLICY, case.world.simulator.root).trail

        assert trail.sound
        assert not trail.checked.quorum

    def test_cosignatures_that_are_cut_off_leave_it_provisional(self, case: Case, bundle: bytes) -> None:
        """Nobody can be kept from taking a cosignature away; what is left claims no more than it proves."""
        bare = _under(bundle, case.checkpoint(witnessed=False))
        trail = read_bundle(bare, POLICY, case.world.simulator.root).trail

        assert (trail.sound, trail.checked.quorum, trail.checked.witnesses) == (True, False, ())

    def test_whom_its_reader_trusts_is_the_readers_own(self, case: Case, bundle: bytes) -> None:
        other = Policy(logs=POLICY.logs, witnesses=(Witness("phường A", WITNESS),), quorum="phường A")
        trail = read_bundle(bundle, other, case.world.simulator.root).trail

        assert (trail.sound, trail.checked.quorum, trail.checked.witnesses) == (True, True, ("phường A",))
        assert read_bundle(bundle, Policy(logs=POLICY.logs), case.world.simulator.root).trail.sound


def _under(bundle: bytes, checkpoint: bytes) -> bytes:
    """Return the bundle with every receipt under another *checkpoint*."""
    files = opened(bundle)
    for name in files:
        if name.startswith("proofs/"):
            files[name] = replace(Receipt.decode(files[name]), checkpoint=checkpoint).encode()
    return packed({**files, "checkpoint": checkpoint})


@given(st.binary(max_size=400))
def test_garbage_is_refused_with_our_own_error(data: bytes) -> None:
    with pytest.raises(RemoteError):
        read_bundle(data, Policy(logs=(Log(LOG),)), trust_root("training", [keys()["root"].signing]))


@given(st.sampled_from([*MAIN_FILES, "manifest.json"]), st.binary(max_size=200))
def test_garbage_in_any_part_is_refused_with_our_own_error(case: Case, bundle: bytes, name: str, data: bytes) -> None:
    files = {**opened(bundle), name: data}

    assert found(case, archive.pack(files) if name == "manifest.json" else packed(files))
