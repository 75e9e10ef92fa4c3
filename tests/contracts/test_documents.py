import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from referral_contracts import documents
from referral_contracts.codes import Code
from referral_contracts.documents import LOCK_SIZE, lock, unlock
from referral_contracts.encoding import b64, sha256
from referral_contracts.errors import LocalError, Tampered
from referral_contracts.payloads.document import Document

PAGE = "Kết luận giám định".encode()


def reference(document: bytes, key: bytes | None) -> Document:
    return Document(size=len(document), sha256=b64(sha256(document)), key=None if key is None else b64(key))


@given(st.binary(min_size=1, max_size=2000))
def test_a_locked_document_comes_out_as_it_went_in(document: bytes) -> None:
    locked = lock(document)

    assert len(locked.stored) == len(document) + LOCK_SIZE
    assert unlock(locked.stored, reference(document, locked.key)) == document


def test_the_lock_is_what_the_specification_says() -> None:
    locked = lock(PAGE)

    assert AESGCM(locked.key).decrypt(locked.stored[:12], locked.stored[12:], None) == PAGE
    key, nonce = bytes(range(32)), bytes(range(12))
    assert unlock(nonce + AESGCM(key).encrypt(nonce, PAGE, None), reference(PAGE, key)) == PAGE


def test_no_two_locks_have_a_key_or_a_nonce_in_common() -> None:
    made = [lock(PAGE) for _ in range(20)]

    assert len({locked.key for locked in made}) == len({locked.stored[:12] for locked in made}) == 20
    assert made[0].key.hex() not in repr(made[0])


def test_one_that_is_kept_as_it_is_is_held_against_its_reference_too() -> None:
    assert unlock(PAGE, reference(PAGE, None)) == PAGE
    with pytest.raises(Tampered):
        unlock(PAGE + b" ", reference(PAGE, None))


@given(data=st.data())
def test_whatever_byte_is_changed_the_document_is_refused(data: st.DataObject) -> None:
    locked = lock(PAGE)
    at = data.draw(st.integers(0, len(locked.stored) - 1))
    changed = bytearray(locked.stored)
    changed[at] ^= data.draw(st.integers(1, 255))

    with pytest.raises(Tampered) as refused:
        unlock(bytes(changed), reference(PAGE, locked.key))

    assert refused.value.code is Code.WRONG_DOCUMENT


@pytest.mark.parametrize("cut", [0, 1, 11, 12, 27, 28])
def test_a_file_that_is_cut_is_refused(cut: int) -> None:
    locked = lock(PAGE)

    with pytest.raises(Tampered):
        unlock(locked.stored[:cut], reference(PAGE, locked.key))


def test_what_opens_and_is_another_document_is_refused() -> None:
    # Whoever keeps the file cannot pass another for it, and neither can whoever made the key.
    other = lock("Kết luận khác".encode())
    meant = reference(PAGE, other.key)

    with pytest.raises(Tampered) as refused:
        unlock(other.stored, meant)

    assert refused.value.code is Code.WRONG_DOCUMENT
    with pytest.raises(Tampered):
        unlock(PAGE, reference(PAGE, None).model_copy(update={"size": 1}))


def test_a_reference_without_a_hash_means_nothing() -> None:
    with pytest.raises(LocalError) as refused:
        unlock(PAGE, Document(place="tủ số 1"))

    assert refused.value.code is Code.INCOMPLETE_INPUT


def test_nothing_and_too_much_are_no_document(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "DOCUMENT_MAX", 10)
    for document in (b"", b"x" * 11):
        with pytest.raises(LocalError) as refused:
            lock(document)
        assert refused.value.code is Code.OVERSIZE
