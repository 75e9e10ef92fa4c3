import hmac
import re
import struct
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from referral_contracts.codes import Code
from referral_contracts.encoding import EVENT_ID, b64, lp, sha256, unb64
from referral_contracts.errors import LocalError, NotForUs, ReferralBusError, Tampered
from referral_contracts.keys import SealingKey
from referral_contracts.sealing import (
    Reader,
    SealContext,
    disclose,
    new_event_id,
    open_disclosed,
    random_salts,
    seal,
    unseal,
)
from referral_contracts.wire import MAX_READERS, PADDED_SIZES, Section
from tests.contracts.sections import CONTEXT, KEYS, READERS, TEXT, reader_of, sealed_with
from tests.contracts.test_sealing_keys import sealed_by_hand


def refusal_of(readers: list[Reader], plaintext: bytes = TEXT, context: SealContext = CONTEXT) -> Code:
    with pytest.raises(LocalError) as refused:
        seal(plaintext, context, readers)
    return refused.value.code


def test_every_reader_opens_a_section_with_its_own_key() -> None:
    section = seal(TEXT, CONTEXT, READERS).section

    for address, key in KEYS.items():
        assert unseal(section, CONTEXT, address, key) == TEXT


def test_nobody_else_opens_it() -> None:
    section = seal(TEXT, CONTEXT, READERS[:2]).section

    for address, key in [("c", KEYS["c"]), ("a", KEYS["c"]), ("a", KEYS["b"]), ("a/desk", KEYS["a"])]:
        with pytest.raises(NotForUs) as refused:
            unseal(section, CONTEXT, address, key)
        assert refused.value.code is Code.NOT_A_READER


def test_a_section_survives_its_wire_form() -> None:
    section = seal(TEXT, CONTEXT, READERS).section

    assert Section.model_validate_json(section.model_dump_json()) == section
    assert [reader.kid for reader in section.readers] == sorted(reader.kid for reader in READERS)


def test_two_seals_of_the_same_share_nothing() -> None:
    one, other = (seal(TEXT, CONTEXT, READERS) for _ in range(2))

    assert one.cek != other.cek
    assert one.section.commit != other.section.commit
    assert one.section.content != other.section.content


def test_the_context_is_the_concatenation_that_the_specification_names() -> None:
    parts = ["referral-bus/section", "1", "training", CONTEXT.event_id, "hotline-111", CONTEXT.subject]
    parts += [CONTEXT.handoff, "s0"]

    assert CONTEXT.info() == b"".join(struct.pack(">I", len(part)) + part.encode() for part in parts)


def test_without_a_handoff_the_events_own_id_stands_in_its_place() -> None:
    assert replace(CONTEXT, handoff="").info() == replace(CONTEXT, handoff=CONTEXT.event_id).info()


def test_what_a_stranger_seals_from_the_specification_opens() -> None:
    """A writer that knows design and RFCs only: HKDF-Expand, AES-GCM and HPKE by their own texts."""
    ctx, cek, okm, block = CONTEXT.info(), bytes(range(32)), b"", b""
    for number in (1, 2, 3):
        block = hmac.digest(cek, block + ctx + bytes([number]), "sha256")
        okm += block
    key, nonce, commit = okm[:32], okm[32:44], okm[44:76]
    kids = sorted([KEYS["a"].kid, KEYS["b"].kid])
    padded = (struct.pack(">I", len(TEXT)) + TEXT).ljust(1024, b"\0")
    content = AESGCM(key).encrypt(nonce, padded, ctx + sha256(lp(*(kid.encode() for kid in kids))))
    readers = [
        {
            "address": name,
            "enc": b64(sealed_by_hand(KEYS[name].public, cek, ctx + lp(name.encode(), KEYS[name].kid.encode()))),
            "kid": KEYS[name].kid,
        }
        for name in sorted("ab", key=lambda name: KEYS[name].kid)
    ]

    section = Section.model_validate({"commit": b64(commit), "content": b64(content), "readers": readers}, strict=False)

    assert unseal(section, CONTEXT, "a", KEYS["a"]) == TEXT
    assert unseal(section, CONTEXT, "b", KEYS["b"]) == TEXT


@pytest.mark.parametrize("size", PADDED_SIZES)
def test_the_size_on_the_wire_tells_only_the_power_of_two(size: int) -> None:
    largest = size - 4
    for length in (largest, size // 2 - 3 if size > 1024 else 0):
        section = seal(bytes(length), CONTEXT, READERS[:1]).section

        assert len(unb64(section.content)) == size + 16
        assert unseal(section, CONTEXT, "a", KEYS["a"]) == bytes(length)


def test_a_plaintext_that_fits_no_size_is_refused() -> None:
    assert refusal_of(READERS, bytes(PADDED_SIZES[-1] - 3)) is Code.OVERSIZE


def test_as_many_readers_as_a_section_holds() -> None:
    keys = [SealingKey.generate() for _ in range(MAX_READERS + 1)]
    readers = [reader_of(key, f"agency-{number}") for number, key in enumerate(keys)]

    section = seal(TEXT, CONTEXT, readers[:-1]).section

    assert unseal(section, CONTEXT, "agency-31", keys[31]) == TEXT
    assert refusal_of(readers) is Code.UNSEALABLE


@pytest.mark.parametrize(
    "readers",
    [
        pytest.param([], id="none"),
        pytest.param([READERS[0], READERS[0]], id="one twice"),
        pytest.param([READERS[0], replace(READERS[0], address="b")], id="one key at two addresses"),
        pytest.param([replace(READERS[0], public=bytes(1216 - 32) + bytes(32))], id="a low-order half"),
        pytest.param([replace(READERS[0], public=READERS[0].public[:-1])], id="a truncated key"),
        pytest.param([replace(READERS[0], public=b"")], id="no key"),
        pytest.param([replace(READERS[0], kid=READERS[1].kid)], id="a key under another id"),
        pytest.param([replace(READERS[0], kid="ä")], id="no key id"),
        pytest.param([replace(READERS[0], address="No Agency")], id="no address"),
        pytest.param([replace(READERS[0], address="\ud800")], id="a lone surrogate"),
        pytest.param([READERS[1], replace(READERS[0], public=b"")], id="one good and one bad"),
    ],
)
def test_what_cannot_be_sealed_to_is_refused_with_a_code(readers: list[Reader]) -> None:
    assert refusal_of(readers) is Code.UNSEALABLE


def test_one_who_knows_the_key_of_a_low_order_half_still_gets_no_seal() -> None:
    low = replace(READERS[0], public=KEYS["a"].public[:1184] + bytes(32))

    assert refusal_of([low]) is Code.UNSEALABLE


def test_a_context_that_is_no_text_is_refused() -> None:
    assert refusal_of(READERS, context=replace(CONTEXT, source="\ud800")) is Code.MALFORMED_VALUE


def test_a_disclosed_content_key_shows_what_the_section_said() -> None:
    sealed = seal(TEXT, CONTEXT, READERS)

    for address, key in KEYS.items():
        cek = disclose(sealed.section, CONTEXT, address, key)
        assert cek == sealed.cek
        assert open_disclosed(sealed.section, CONTEXT, cek) == TEXT


@pytest.mark.parametrize("cek", [bytes(32), b"", bytes(31), bytes(33), bytes(64)])
def test_another_content_key_shows_nothing(cek: bytes) -> None:
    section = seal(TEXT, CONTEXT, READERS).section

    with pytest.raises(Tampered) as refused:
        open_disclosed(section, CONTEXT, cek)
    assert refused.value.code is Code.WRONG_COMMITMENT


def test_a_content_key_has_one_spelling() -> None:
    sealed = seal(TEXT, CONTEXT, READERS)

    # HMAC pads its key with zeros: to HKDF these are the same key.
    with pytest.raises(Tampered) as refused:
        open_disclosed(sealed.section, CONTEXT, sealed.cek + b"\0")
    assert refused.value.code is Code.WRONG_COMMITMENT


@pytest.mark.parametrize(
    "padded",
    [
        pytest.param(bytes(1020) + b"\0\0\0\1", id="not zeros behind"),
        pytest.param((1020).to_bytes(4, "big") + b"x" * 1020 + bytes(1024), id="larger than needed"),
        pytest.param((1021).to_bytes(4, "big") + b"x" * 1020, id="longer than there is"),
        pytest.param(b"\xff" * 1024, id="far longer than there is"),
        pytest.param(bytes(2048), id="nothing, in two KiB"),
    ],
)
def test_another_form_of_padding_is_refused(padded: bytes) -> None:
    section = sealed_with(bytes(32), padded)

    with pytest.raises(Tampered) as refused:
        unseal(section, CONTEXT, "a", KEYS["a"])
    assert refused.value.code is Code.MALFORMED_SECTION


@settings(max_examples=50)
@given(st.binary(max_size=5000))
def test_any_plaintext_comes_back(plaintext: bytes) -> None:
    sealed = seal(plaintext, CONTEXT, READERS[:1])

    assert unseal(sealed.section, CONTEXT, "a", KEYS["a"]) == plaintext
    assert open_disclosed(sealed.section, CONTEXT, sealed.cek) == plaintext


@given(st.sampled_from(PADDED_SIZES[:3]), st.binary(max_size=64), st.integers(0, 2**32 - 1))
def test_any_padding_is_a_plaintext_or_our_error(size: int, some: bytes, length: int) -> None:
    padded = (length.to_bytes(4, "big") + some).ljust(size, b"\0")
    try:
        assert open_disclosed(sealed_with(bytes(32), padded), CONTEXT, bytes(32)) == padded[4 : 4 + length]
    except ReferralBusError as error:
        assert isinstance(error, Tampered)
        assert error.code is Code.MALFORMED_SECTION


def test_salts_are_of_the_size_asked_for_and_never_the_same() -> None:
    salts = random_salts(100)

    assert len(set(salts)) == 100
    assert {len(salt) for salt in salts} == {16}
    assert [len(salt) for salt in random_salts(2, 32)] == [32, 32]
    assert random_salts(0) == []


def test_event_ids_carry_their_time_and_never_repeat() -> None:
    ids = [new_event_id(1_763_815_440_000) for _ in range(100)]

    assert len(set(ids)) == 100
    assert all(re.fullmatch(EVENT_ID, event_id) for event_id in ids)
    assert {int(event_id.replace("-", "")[:12], 16) for event_id in ids} == {1_763_815_440_000}


def test_no_repr_shows_a_content_key_or_content() -> None:
    sealed = seal(TEXT, CONTEXT, READERS)

    assert b64(sealed.cek) not in repr(sealed)
    assert repr(sealed.cek) not in repr(sealed)
    assert sealed.section.content not in repr(sealed)
    assert all(reader.enc not in repr(sealed) for reader in sealed.section.readers)
