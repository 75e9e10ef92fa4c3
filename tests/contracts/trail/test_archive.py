import io
import re
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referral_contracts.codes import Code
from referral_contracts.errors import LocalError, RemoteError
from referral_contracts.trail import archive
from referral_contracts.trail.archive import pack, unpack

ANY = re.compile(r".*")
FILES = {"b.txt": b"second", "a/1.txt": b"first", "empty": b""}
NAMES = st.from_regex(r"[a-z0-9][a-z0-9./-]{0,20}", fullmatch=True)


def refused(data: bytes, names: re.Pattern[str] = ANY) -> RemoteError:
    with pytest.raises(RemoteError) as caught:
        unpack(data, names)
    return caught.value


def zipped(*files: tuple[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    """Return what another program writes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, data in files:
            file.writestr(zipfile.ZipInfo(name), data, compress_type=method)
    return buffer.getvalue()


@given(st.dictionaries(NAMES, st.binary(max_size=200), min_size=1, max_size=8))
def test_what_was_packed_comes_out(files: dict[str, bytes]) -> None:
    assert unpack(pack(files), ANY) == files


def test_the_same_files_make_the_same_bytes_whatever_their_order() -> None:
    assert pack(FILES) == pack(dict(reversed(FILES.items())))


def test_other_programs_open_it() -> None:
    with zipfile.ZipFile(io.BytesIO(pack(FILES))) as file:
        assert file.testzip() is None
        assert {name: file.read(name) for name in file.namelist()} == FILES


def test_no_byte_can_be_changed_without_its_being_found() -> None:
    data = pack(FILES)
    for at in range(len(data)):
        for bit in (1, 128):
            refused(data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :])


def test_nothing_can_be_cut_off_or_put_on() -> None:
    data = pack(FILES)
    for end in range(len(data)):
        refused(data[:end])
    refused(data + b"\0")
    refused(b"\0" + data)


@given(st.binary(max_size=300))
def test_garbage_is_refused_with_our_own_error(data: bytes) -> None:
    refused(data)


@pytest.mark.parametrize(
    "name",
    [
        "../../../evil",
        "/etc/passwd",
        "a\\b",
        "C:evil",
        "a\0.txt",
        "trăng",
        "A.txt",
        "",
        "x" * 101,
        "-rf",
        ".hidden",
    ],
)
def test_a_name_leads_nowhere(name: str) -> None:
    title = name.encode()
    header = archive._LOCAL.pack(b"PK\x03\x04", 10, 0, 0, 0, 33, 0, 0, 0, len(title), 0) + title

    assert refused(header).detail == "the archive has a file that does not belong in it"


def test_only_the_names_that_are_asked_for_are_read() -> None:
    assert refused(pack(FILES), re.compile("a/.*|b.txt")).code is Code.BAD_BUNDLE


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_stands_once() -> None:
    found = refused(zipped(("a", b"one"), ("a", b"two")))

    assert found.code is Code.BAD_BUNDLE


def test_what_is_compressed_is_refused_before_anything_is_inflated() -> None:
    bomb = zipped(("a", bytes(50_000_000)), method=zipfile.ZIP_DEFLATED)

    assert len(bomb) < 100_000
    assert refused(bomb).detail.startswith("a: ")


def test_a_size_that_is_only_claimed_is_refused() -> None:
    header = archive._LOCAL.pack(b"PK\x03\x04", 10, 0, 0, 0, 33, 0, 2**32 - 1, 2**32 - 1, 1, 0) + b"a"

    assert refused(header + b"short").detail == "a: cut"


def test_there_is_a_limit_to_bytes_and_files(monkeypatch: pytest.MonkeyPatch) -> None:
    data = pack(FILES)
    monkeypatch.setattr(archive, "MAX_SIZE", len(data) - 1)

    assert refused(data).code is Code.OVERSIZE
    with pytest.raises(LocalError) as caught:
        pack(FILES)
    assert caught.value.code is Code.OVERSIZE
    monkeypatch.undo()
    monkeypatch.setattr(archive, "MAX_FILES", 2)

    assert refused(data).code is Code.OVERSIZE
    with pytest.raises(LocalError):
        pack(FILES)


def test_what_another_zip_program_wrote_is_not_ours_though_its_files_are() -> None:
    assert refused(zipped(*sorted(FILES.items()))).code is Code.BAD_BUNDLE
