import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_contracts.codes import Code
from referral_contracts.errors import LocalError, RemoteError, Tampered
from referral_contracts.keys import SigningKey
from referral_contracts.log.note import (
    MAX_NOTE,
    Kind,
    NoteKey,
    NoteSignature,
    is_name,
    open_note,
    parse_note,
    sign,
    std64,
    unstd64,
    write_note,
)

# The example of c2sp.org/signed-note.
VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
NOTE = """This is an example message.

— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=
""".encode()
KEY = NoteKey.parse(VKEY)
OURS = SigningKey.from_seed(bytes(range(32)))
OUR_KEY = NoteKey("bus.log", Kind.ED25519, OURS.verify_key)
TEXT = "a text\n"
SIGNATURE = sign(TEXT, "bus.log", OURS)


def code_of(note: bytes, *known: NoteKey) -> Code:
    with pytest.raises(RemoteError) as refused:
        open_note(note, known)
    return refused.value.code


def test_the_specifications_example_is_opened() -> None:
    opened = open_note(NOTE, [KEY])

    assert opened.text == "This is an example message.\n"
    assert opened.is_by(KEY)
    assert KEY.vkey == VKEY
    assert write_note(opened.text, opened.signatures) == NOTE


def test_a_note_is_opened_by_the_keys_that_are_known() -> None:
    stranger = sign(TEXT, "stranger", SigningKey.generate())
    note = write_note(TEXT, [stranger, SIGNATURE])

    opened = open_note(note, [KEY, OUR_KEY])

    assert (opened.signatures, opened.others) == ((SIGNATURE,), (stranger,))
    assert not opened.is_by(KEY)


def test_nobody_known_signed() -> None:
    assert code_of(NOTE, OUR_KEY) is Code.BAD_SIGNATURE
    assert code_of(NOTE) is Code.BAD_SIGNATURE


def test_a_known_keys_bad_signature_spoils_the_note() -> None:
    bad = sign("another text\n", "bus.log", OURS)
    other = SigningKey.generate()
    other_key = NoteKey("other", Kind.ED25519, other.verify_key)

    with pytest.raises(Tampered) as refused:
        open_note(write_note(TEXT, [sign(TEXT, "other", other), bad]), [OUR_KEY, other_key])

    assert refused.value.code is Code.BAD_SIGNATURE


def test_a_second_signature_under_one_key_is_left_out() -> None:
    bad = sign("another text\n", "bus.log", OURS)

    assert open_note(write_note(TEXT, [SIGNATURE, bad]), [OUR_KEY]).signatures == (SIGNATURE,)


def test_a_key_of_the_same_name_or_id_is_another() -> None:
    other = NoteKey("bus.log", Kind.ED25519, SigningKey.generate().verify_key)
    renamed = NoteSignature("other", SIGNATURE.key_id, SIGNATURE.raw)

    assert code_of(write_note(TEXT, [SIGNATURE]), other) is Code.BAD_SIGNATURE
    assert code_of(write_note(TEXT, [renamed]), OUR_KEY) is Code.BAD_SIGNATURE


def test_one_public_key_has_another_id_for_each_kind() -> None:
    witness = NoteKey("bus.log", Kind.COSIGNATURE, OURS.verify_key)

    assert witness.key_id != OUR_KEY.key_id
    assert code_of(write_note(TEXT, [SIGNATURE]), witness) is Code.BAD_SIGNATURE


LINE = SIGNATURE.line + "\n"


@pytest.mark.parametrize(
    "note",
    [
        "",
        TEXT,
        "a text\n\n",
        f"a text\n{LINE}",
        f"a text\n\n{LINE[:-1]}",
        f"a text\n\n{LINE}\n",
        f"a text\n\n\n{LINE}".replace("\n\n\n", "\n\n \n"),
        f"a\ttext\n\n{LINE}",
        f"a text\r\n\n{LINE}",
        f"a\x00text\n\n{LINE}",
        f"a text\n\n{LINE.replace('—', '-')}",
        f"a text\n\n{LINE.replace('bus.log', '')}",
        f"a text\n\n{LINE.replace('bus.log', 'bus+log')}",
        "a text\n\n" + LINE.replace("bus.log", "bus\u00a0log"),
        f"a text\n\n{LINE.replace(' ', '  ')}",
        f"a text\n\n— bus.log {std64(b'1234')}\n",
        "a text\n\n— bus.log\n",
        f"a text\n\n{LINE.replace('=', '')}",
        f"a text\n\n{LINE * 101}",
        "a" * MAX_NOTE + f"\n\n{LINE}",
    ],
)
def test_what_is_no_note_is_refused(note: str) -> None:
    assert code_of(note.encode(), OUR_KEY) is Code.BAD_NOTE


def test_a_note_is_utf8() -> None:
    assert code_of(b"\xff\n\n" + LINE.encode(), OUR_KEY) is Code.BAD_NOTE


@pytest.mark.parametrize(
    ("vkey", "code"),
    [
        ("", Code.MALFORMED_KEY),
        (VKEY[:-1], Code.MALFORMED_KEY),
        (VKEY + "=", Code.MALFORMED_KEY),
        (VKEY.replace("530d903a", "530D903A"), Code.MALFORMED_KEY),
        (VKEY.replace("530d903a", "530d903b"), Code.MALFORMED_KEY),
        (VKEY.replace("example", "exbmple"), Code.MALFORMED_KEY),
        (VKEY.replace("example", "exa mple"), Code.MALFORMED_KEY),
        (VKEY.replace("+Ae", "+Be"), Code.MALFORMED_KEY),
        ("w+00000000+" + std64(b"\x04" + bytes(31)), Code.MALFORMED_KEY),
        ("w+00000000+" + std64(b"\x01\x01" + bytes(31)), Code.WEAK_KEY),
    ],
)
def test_what_is_no_key_is_refused(vkey: str, code: Code) -> None:
    with pytest.raises(RemoteError) as refused:
        NoteKey.parse(vkey)

    assert refused.value.code is code


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u2003b", "a\nb", "a\x1fb", "\udc80"])
def test_no_key_has_such_a_name(name: str) -> None:
    assert not is_name(name)
    with pytest.raises(RemoteError):
        NoteKey(name, Kind.ED25519, OURS.verify_key)


@pytest.mark.parametrize("text", ["", "a text", "a\ttext\n"])
def test_no_note_has_such_a_text(text: str) -> None:
    with pytest.raises(LocalError) as refused:
        write_note(text, [SIGNATURE])

    assert refused.value.code is Code.BAD_NOTE


@pytest.mark.parametrize("text", ["AA=", "AAA", "AB==", "AAA=\n", "A-==", " AA==", "AA==AA==", "é"])
def test_base64_has_one_spelling(text: str) -> None:
    assert unstd64(text) is None


@given(
    st.text(st.characters(exclude_categories=("Cc", "Cs")) | st.just("\n"), max_size=200).map(lambda text: text + "\n")
)
def test_any_text_is_signed_and_opened(text: str) -> None:
    note = write_note(text, [sign(text, "bus.log", OURS)])

    assert open_note(note, [OUR_KEY]).text == text


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_anything_is_a_note_or_our_error(note: bytes) -> None:
    for whole in (note, note + b"\n\n" + LINE.encode(), TEXT.encode() + b"\n\xe2\x80\x94 " + note):
        try:
            text, signatures = parse_note(whole)
        except RemoteError as error:
            assert error.code is Code.BAD_NOTE
        else:
            assert whole == write_note(text, signatures)
