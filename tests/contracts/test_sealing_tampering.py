"""What a dishonest sender, co-reader or broker can try with a section, and what each reader says to it."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from referral_contracts.codes import Code
from referral_contracts.encoding import b64, unb64
from referral_contracts.errors import NotForUs, ReferralBusError, Tampered
from referral_contracts.keys import SealingPublic
from referral_contracts.sealing import SealContext, _aad, _expand, _reader_info, disclose, open_disclosed, seal, unseal
from referral_contracts.wire import Section, SectionReader
from tests.contracts.sections import CONTEXT, KEYS, KIDS, READERS, TEXT, sealed_with, written

SEALED = seal(TEXT, CONTEXT, READERS)
SECTION = SEALED.section


def changed(section: Section = SECTION, **fields: object) -> Section:
    """The section with other fields, even where the wire model would refuse them."""
    return Section.model_construct(**{name: getattr(section, name) for name in Section.model_fields} | fields)


def with_reader(address: str, /, **fields: object) -> Section:
    """The section with other fields in one reader's entry."""
    readers = tuple(
        SectionReader.model_construct(**(reader.model_dump() | fields)) if reader.address == address else reader
        for reader in SECTION.readers
    )
    return changed(readers=readers)


def refusal_of(section: Section, context: SealContext = CONTEXT, address: str = "a") -> Code:
    """The code of the Tampered that every way to open raises."""
    for way in (unseal, disclose):
        with pytest.raises(Tampered) as refused:
            way(section, context, address, KEYS[address])
    return refused.value.code


def flipped(text: str, at: int) -> str:
    raw = unb64(text)
    return b64(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])


# Transplants.


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("bus", "production"),
        ("event_id", "01930b5e-8f00-7000-8000-000000000002"),
        ("source", "school-7"),
        ("subject", "f" * 32),
        ("handoff", "01930b5e-8f00-7000-8000-000000000000 b"),
        ("handoff", ""),
        ("section", "s1"),
    ],
)
def test_a_section_opens_at_its_own_place_alone(field: str, value: str) -> None:
    elsewhere = replace(CONTEXT, **{field: value})

    assert refusal_of(SECTION, elsewhere) is Code.WRONG_COMMITMENT
    with pytest.raises(Tampered) as refused:
        open_disclosed(SECTION, elsewhere, SEALED.cek)
    assert refused.value.code is Code.WRONG_COMMITMENT


def test_parts_of_a_place_do_not_run_into_each_other() -> None:
    shifted = replace(CONTEXT, bus=CONTEXT.bus + CONTEXT.event_id[0], event_id=CONTEXT.event_id[1:])

    assert refusal_of(SECTION, shifted) is Code.WRONG_COMMITMENT


def test_an_entry_of_another_section_does_not_open_this_one() -> None:
    other = seal(b"{}", CONTEXT, READERS).section

    # The same place and reader, so the entry itself opens: its key is not the one this section commits to.
    entry = next(reader for reader in other.readers if reader.address == "a")

    assert refusal_of(with_reader("a", enc=entry.enc)) is Code.WRONG_COMMITMENT


def test_content_of_another_section_does_not_open_here() -> None:
    other = seal(b"{}", CONTEXT, READERS).section

    assert refusal_of(changed(content=other.content)) is Code.WRONG_COMMITMENT
    assert refusal_of(changed(commit=other.commit)) is Code.WRONG_COMMITMENT
    assert refusal_of(changed(commit=other.commit, content=other.content)) is Code.WRONG_COMMITMENT


# Readers.


def test_a_reader_cannot_be_stripped() -> None:
    for stripped in "bc":
        rest = tuple(reader for reader in SECTION.readers if reader.address != stripped)
        assert refusal_of(changed(readers=rest)) is Code.WRONG_COMMITMENT


def test_one_who_was_stripped_is_not_a_reader() -> None:
    rest = tuple(reader for reader in SECTION.readers if reader.address != "a")

    with pytest.raises(NotForUs):
        unseal(changed(readers=rest), CONTEXT, "a", KEYS["a"])


def test_a_reader_cannot_be_added() -> None:
    two = seal(TEXT, CONTEXT, READERS[:2])
    # The sender's own code, so that the added entry is a good one.
    three = written(unb64(two.section.content), unb64(two.section.commit), dict.fromkeys(KEYS, two.cek))

    for address in "abc":
        assert refusal_of(three, address=address) is Code.WRONG_COMMITMENT


def test_a_reader_listed_twice_changes_the_list() -> None:
    assert refusal_of(changed(readers=(*SECTION.readers, SECTION.readers[0]))) is Code.WRONG_COMMITMENT


def test_the_order_of_readers_means_nothing_to_the_seal() -> None:
    assert unseal(changed(readers=SECTION.readers[::-1]), CONTEXT, "a", KEYS["a"]) == TEXT


def test_an_entry_under_another_key_id_is_not_ours() -> None:
    with pytest.raises(NotForUs) as refused:
        unseal(with_reader("a", kid=b64(bytes(32))), CONTEXT, "a", KEYS["a"])
    assert refused.value.code is Code.NOT_A_READER


def test_an_entry_at_another_address_is_not_ours_and_does_not_open_there() -> None:
    moved = with_reader("a", address="a/desk")

    with pytest.raises(NotForUs):
        unseal(moved, CONTEXT, "a", KEYS["a"])
    with pytest.raises(Tampered):
        unseal(moved, CONTEXT, "a/desk", KEYS["a"])


def test_readers_that_exchange_their_entries_open_nothing() -> None:
    first, second = (reader for reader in SECTION.readers if reader.address in "ab")

    assert refusal_of(with_reader(first.address, enc=second.enc), address=first.address) is Code.WRONG_COMMITMENT


def test_the_key_id_of_another_reader_counts_too() -> None:
    assert refusal_of(with_reader("b", kid=b64(bytes(32)))) is Code.WRONG_COMMITMENT


# Bytes.


@pytest.mark.parametrize("at", range(0, 1168, 61))
def test_every_byte_of_an_entry_counts(at: int) -> None:
    entry = next(reader for reader in SECTION.readers if reader.address == "a")

    assert refusal_of(with_reader("a", enc=flipped(entry.enc, at))) is Code.WRONG_COMMITMENT


@pytest.mark.parametrize("at", range(0, 1040, 47))
def test_every_byte_of_the_content_counts(at: int) -> None:
    assert refusal_of(changed(content=flipped(SECTION.content, at))) is Code.WRONG_COMMITMENT


@pytest.mark.parametrize("at", range(32))
def test_every_byte_of_the_commitment_counts(at: int) -> None:
    assert refusal_of(changed(commit=flipped(SECTION.commit, at))) is Code.WRONG_COMMITMENT


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 1039])
def test_content_cut_short_does_not_open(size: int) -> None:
    assert refusal_of(changed(content=b64(unb64(SECTION.content)[:size]))) is Code.WRONG_COMMITMENT


@pytest.mark.parametrize("size", [0, 1, 32, 1088, 1120, 1136, 1167])
def test_an_entry_cut_short_does_not_open(size: int) -> None:
    entry = next(reader for reader in SECTION.readers if reader.address == "a")

    assert refusal_of(with_reader("a", enc=b64(unb64(entry.enc)[:size]))) is Code.WRONG_COMMITMENT


@pytest.mark.parametrize("text", ["=", "A", "A===", "+/", "é", "AB", " "])
def test_what_is_no_base64url_is_malformed(text: str) -> None:
    assert refusal_of(changed(content=text)) is Code.MALFORMED_SECTION
    assert refusal_of(changed(commit=text)) is Code.MALFORMED_SECTION
    assert refusal_of(with_reader("a", enc=text)) is Code.MALFORMED_SECTION


def test_content_beyond_the_largest_size_is_malformed_even_if_it_opens() -> None:
    padded = (200 * 1024).to_bytes(4, "big").ljust(256 * 1024, b"\0")
    key, nonce, _ = _expand(SEALED.cek, CONTEXT.info())
    content = AESGCM(key).encrypt(nonce, padded, _aad(CONTEXT.info(), KIDS))

    assert refusal_of(changed(content=b64(content))) is Code.MALFORMED_SECTION


def test_a_content_key_of_another_size_is_refused() -> None:
    info = _reader_info(CONTEXT.info(), "a", KEYS["a"].kid)
    for cek in (b"", bytes(31), bytes(33)):
        enc = SealingPublic.load(KEYS["a"].public).encapsulate(cek, info)
        assert refusal_of(with_reader("a", enc=b64(enc))) is Code.WRONG_COMMITMENT


@settings(max_examples=200)
@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=80))
def test_any_section_is_a_plaintext_or_our_error(commit: str, content: str, enc: str) -> None:
    for section in (
        changed(commit=commit),
        changed(content=content),
        with_reader("a", enc=enc),
        changed(with_reader("a", enc=enc), commit=commit, content=content),
    ):
        with pytest.raises(ReferralBusError) as refused:
            unseal(section, CONTEXT, "a", KEYS["a"])
        assert isinstance(refused.value, Tampered)
        assert refused.value.code in {Code.WRONG_COMMITMENT, Code.MALFORMED_SECTION}


# One ciphertext, two keys.


def gf_multiply(x: int, y: int) -> int:
    """The product in GF(2^128), bits in GCM's order (NIST SP 800-38D section 6.3)."""
    product = 0
    for bit in range(127, -1, -1):
        if x >> bit & 1:
            product ^= y
        y = y >> 1 ^ (0xE1 << 120 if y & 1 else 0)
    return product


def gf_power(x: int, exponent: int) -> int:
    product = 1 << 127
    while exponent:
        if exponent & 1:
            product = gf_multiply(product, x)
        x = gf_multiply(x, x)
        exponent >>= 1
    return product


def blocks(data: bytes) -> list[int]:
    return [int.from_bytes(data[at : at + 16].ljust(16, b"\0"), "big") for at in range(0, len(data), 16)]


def tag_parts(key: bytes, nonce: bytes, aad: bytes, content: bytes) -> tuple[int, int]:
    """GCM's hash key, and the tag that *content* has under *key*."""
    ecb = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    h = int.from_bytes(ecb.update(bytes(16)), "big")
    tag = 0
    for block in [*blocks(aad), *blocks(content), len(aad) * 8 << 64 | len(content) * 8]:
        tag = gf_multiply(tag ^ block, h)
    return h, tag ^ int.from_bytes(ecb.update(nonce + b"\0\0\0\1"), "big")


def content_under_two_keys(ceks: tuple[bytes, bytes], padded: bytes, free: int) -> bytes:
    """
    Ciphertext and tag that AES-GCM takes under the keys of both CEKs; under the first it is *padded*.

    Only the block number *free* differs from what the first key encrypts to: it is chosen so that both tags agree,
    which is one linear equation over GF(2^128).
    """
    ctx = CONTEXT.info()
    aad = _aad(ctx, KIDS)
    key, nonce, _ = _expand(ceks[0], ctx)
    content = AESGCM(key).encrypt(nonce, padded, aad)[:-16]
    parts = [tag_parts(*_expand(cek, ctx)[:2], aad, content) for cek in ceks]
    after = len(content) // 16 - free + 1  # how often the block is multiplied by the hash key
    slope = gf_power(parts[0][0], after) ^ gf_power(parts[1][0], after)
    change = gf_multiply(parts[0][1] ^ parts[1][1], gf_power(slope, 2**128 - 2))
    block = (blocks(content)[free] ^ change).to_bytes(16, "big")
    content = content[: 16 * free] + block + content[16 * (free + 1) :]
    return content + tag_parts(key, nonce, aad, content)[1].to_bytes(16, "big")


def test_one_ciphertext_does_not_show_two_readers_two_documents() -> None:
    ceks = (b"\1" * 32, b"\2" * 32)
    ctx = CONTEXT.info()
    # A full plaintext of 1020 bytes, so that the one free block lies inside the text.
    content = content_under_two_keys(ceks, (1020).to_bytes(4, "big") + b"the child is safe ".ljust(1020, b"."), 40)

    # AES-GCM alone opens it under both keys, to two documents.
    opened = [AESGCM(key).decrypt(nonce, content, _aad(ctx, KIDS)) for key, nonce, _ in (_expand(c, ctx) for c in ceks)]
    assert b"the child is safe" in opened[0]
    assert b"the child is safe" not in opened[1]

    # The section commits to one key, whichever the sender takes: the other reader refuses.
    for committed in (0, 1):
        commit = _expand(ceks[committed], ctx)[2]
        section = written(content, commit, {"a": ceks[0], "b": ceks[1], "c": ceks[1]})
        assert refusal_of(section, address="ba"[committed]) is Code.WRONG_COMMITMENT
        with pytest.raises(Tampered) as refused:
            open_disclosed(section, CONTEXT, ceks[1 - committed])
        assert refused.value.code is Code.WRONG_COMMITMENT
    assert b"the child is safe" in unseal(
        written(content, _expand(ceks[0], ctx)[2], dict.fromkeys(KEYS, ceks[0])), CONTEXT, "a", KEYS["a"]
    )


def test_the_sections_of_these_tests_are_good_ones() -> None:
    for address, key in KEYS.items():
        assert unseal(SECTION, CONTEXT, address, key) == TEXT
        assert unseal(sealed_with(bytes(32)), CONTEXT, address, key) == TEXT
