import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_contracts.codes import Code
from referral_contracts.errors import LocalError, RemoteError
from referral_contracts.keys import SigningKey
from referral_contracts.log.checkpoint import (
    Checkpoint,
    cosign,
    open_checkpoint,
    sign_checkpoint,
    verify_cosignature,
)
from referral_contracts.log.note import Kind, NoteKey, NoteSignature, cosigned_message, parse_note, sign, write_note
from referral_contracts.log.proofs import EMPTY_ROOT

LOG = SigningKey.from_seed(bytes(range(32)))
LOG_KEY = NoteKey("bus.log", Kind.ED25519, LOG.verify_key)
WITNESS = SigningKey.from_seed(bytes(range(1, 33)))
WITNESS_KEY = NoteKey("w.example", Kind.COSIGNATURE, WITNESS.verify_key)
CHECKPOINT = Checkpoint("bus.log", 20852163, bytes(range(32)))
TEXT = CHECKPOINT.text()


def signed(text: str) -> bytes:
    return write_note(text, [sign(text, "bus.log", LOG)])


def test_a_checkpoint_is_three_lines() -> None:
    assert TEXT == "bus.log\n20852163\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
    assert Checkpoint.parse(TEXT) == CHECKPOINT


def test_a_signed_checkpoint_is_opened() -> None:
    assert open_checkpoint(sign_checkpoint(CHECKPOINT, LOG), LOG_KEY) == CHECKPOINT
    assert sign_checkpoint(CHECKPOINT, LOG) == signed(TEXT)


def test_an_empty_log_has_a_checkpoint() -> None:
    empty = Checkpoint("bus.log", 0, EMPTY_ROOT)

    assert open_checkpoint(sign_checkpoint(empty, LOG), LOG_KEY) == empty


ROOT = TEXT.split("\n")[2]


@pytest.mark.parametrize(
    "text",
    [
        f"bus.log\n7\n{ROOT}\nmore\n",
        f"other.log\n7\n{ROOT}\n",
        f"\n7\n{ROOT}\n",
        f"bus.log\n07\n{ROOT}\n",
        f"bus.log\n+7\n{ROOT}\n",
        f"bus.log\n-7\n{ROOT}\n",
        f"bus.log\n7 \n{ROOT}\n",
        f"bus.log\n\u0667\n{ROOT}\n",
        f"bus.log\n\n{ROOT}\n",
        f"bus.log\n{2**63}\n{ROOT}\n",
        f"bus.log\n7\n{ROOT[:-1]}\n",
        f"bus.log\n7\n{ROOT[:-2]}9=\n",
        "bus.log\n7\nAAAA\n",
        "bus.log\n7\n\n",
        "bus.log\n7\n",
        f"bus.log\n7\n{ROOT}\n\nmore\n",
        f"bus.log\n0\n{ROOT}\n",
    ],
)
def test_what_is_no_checkpoint_of_this_log_is_refused(text: str) -> None:
    with pytest.raises(RemoteError) as refused:
        open_checkpoint(signed(text), LOG_KEY)

    assert refused.value.code is Code.BAD_CHECKPOINT


def test_the_log_itself_has_to_sign() -> None:
    cosignature = cosign(TEXT, 1, "w.example", WITNESS)

    with pytest.raises(RemoteError) as refused:
        open_checkpoint(write_note(TEXT, [cosignature]), LOG_KEY)

    assert refused.value.code is Code.BAD_SIGNATURE


def test_a_witness_says_when_it_saw_a_checkpoint() -> None:
    cosignature = cosign(TEXT, 1679315147, "w.example", WITNESS)

    assert verify_cosignature(TEXT, cosignature, WITNESS_KEY) == 1679315147
    assert cosigned_message(TEXT, 1679315147) == b"cosignature/v1\ntime 1679315147\n" + TEXT.encode()
    note = write_note(TEXT, [*parse_note(signed(TEXT))[1], cosignature])
    assert open_checkpoint(note, LOG_KEY) == CHECKPOINT


@pytest.mark.parametrize("time_s", [0, -1, 2**63])
def test_a_cosignature_tells_a_time(time_s: int) -> None:
    with pytest.raises(LocalError) as refused:
        cosign(TEXT, time_s, "w.example", WITNESS)

    assert refused.value.code is Code.MALFORMED_VALUE


def untimed() -> NoteSignature:
    raw = bytes(8) + WITNESS.sign_raw(cosigned_message(TEXT, 0))
    return NoteSignature("w.example", WITNESS_KEY.key_id, raw)


GOOD = cosign(TEXT, 7, "w.example", WITNESS)


@pytest.mark.parametrize(
    "signature",
    [
        untimed(),
        cosign(TEXT + "\n", 7, "w.example", WITNESS),
        cosign(TEXT, 7, "other", WITNESS),
        cosign(TEXT, 7, "w.example", LOG),
        sign(TEXT, "w.example", WITNESS),
        NoteSignature(GOOD.name, GOOD.key_id, GOOD.raw[:-1]),
        NoteSignature(GOOD.name, GOOD.key_id, GOOD.raw[:7] + b"\x08" + GOOD.raw[8:]),
        NoteSignature(GOOD.name, GOOD.key_id, GOOD.raw + b"\0"),
    ],
)
def test_what_is_no_cosignature_is_refused(signature: NoteSignature) -> None:
    with pytest.raises(RemoteError) as refused:
        verify_cosignature(TEXT, signature, WITNESS_KEY)

    assert refused.value.code is Code.BAD_SIGNATURE


def test_a_log_is_no_witness() -> None:
    with pytest.raises(RemoteError):
        verify_cosignature(TEXT, sign(TEXT, "bus.log", LOG), LOG_KEY)


LIKELY = st.builds("{}\n{}\n{}\n".format, st.text(max_size=5), st.integers(-1, 2**64), st.just(ROOT))


@given(st.text(max_size=100) | LIKELY)
def test_any_text_is_a_checkpoint_or_our_error(text: str) -> None:
    try:
        assert Checkpoint.parse(text).text() == text
    except RemoteError as error:
        assert error.code is Code.BAD_CHECKPOINT
