"""
A zip file with one spelling: files in the order of their names, each stored as it is, and nothing else.

Any zip program opens it. Read, it has to be byte for byte what `pack` makes of its files: so there is no compression
that could inflate, no name but those that are asked for, no file twice, and no byte between or behind the files that
nobody looks at.
"""

import re
import struct
from collections.abc import Mapping
from typing import Final
from zlib import crc32

from referral_contracts.codes import Code
from referral_contracts.errors import LocalError, RemoteError

MAX_SIZE: Final = 64 * 1024 * 1024
"""Of a whole archive: some 200 events of the largest size, and 15,000 of the usual 4 KB."""
MAX_FILES: Final = 16_384
"""Of one archive. Beyond 65,535 a zip file would need another form."""

_LOCAL: Final = struct.Struct("<4s5H3I2H")
_CENTRAL: Final = struct.Struct("<4s6H3I5H2I")
_END: Final = struct.Struct("<4s4H2IH")
_LOCAL_MARK: Final = b"PK\x03\x04"
_VERSION: Final = 10
"""1.0: a file that is stored asks no more of who reads it."""
_DATE: Final = 1 << 5 | 1
"""1 January 1980, the first day there is: what is in an archive does not depend on when it was made."""
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9./-]{0,99}")


def pack(files: Mapping[str, bytes]) -> bytes:
    """
    Return the archive of *files*, by name.

    Raises:
        LocalError: OVERSIZE.
    """
    data = _packed(files)
    if len(files) > MAX_FILES or len(data) > MAX_SIZE:
        raise LocalError(Code.OVERSIZE, "more than an archive may hold")
    return data


def _packed(files: Mapping[str, bytes]) -> bytes:
    found, directory, at = [], [], 0
    for name in sorted(files):
        data, title = files[name], name.encode("ascii")
        shared = (_VERSION, 0, 0, 0, _DATE, crc32(data), len(data), len(data), len(title), 0)
        local = _LOCAL.pack(_LOCAL_MARK, *shared) + title
        directory.append(_CENTRAL.pack(b"PK\x01\x02", _VERSION, *shared, 0, 0, 0, 0, at) + title)
        found += [local, data]
        at += len(local) + len(data)
    listed = b"".join(directory)
    end = _END.pack(b"PK\x05\x06", 0, 0, len(files), len(files), len(listed), at, 0)
    return b"".join([*found, listed, end])


def unpack(data: bytes, names: re.Pattern[str]) -> dict[str, bytes]:
    """
    Return the files of an archive, all of whose *names* have to be of this form.

    Raises:
        RemoteError: OVERSIZE, or BAD_BUNDLE: not byte for byte what `pack` makes.
    """
    if len(data) > MAX_SIZE:
        raise RemoteError(Code.OVERSIZE, f"an archive has at most {MAX_SIZE} bytes")
    found: dict[str, bytes] = {}
    at, last = 0, ""
    while data[at : at + len(_LOCAL_MARK)] == _LOCAL_MARK:
        name, start, end = _file(data, at, names)
        if len(found) == MAX_FILES:
            raise RemoteError(Code.OVERSIZE, f"an archive has at most {MAX_FILES} files")
        if name <= last:
            raise RemoteError(Code.BAD_BUNDLE, f"{name}: twice, or out of order")
        found[name] = data[start:end]
        at, last = end, name
    # Headers, list and end say nothing that does not follow from the files: they are compared, never obeyed.
    if not found or _packed(found) != data:
        raise RemoteError(Code.BAD_BUNDLE, "the archive is cut, or has bytes that belong to no file")
    return found


def _file(data: bytes, at: int, names: re.Pattern[str]) -> tuple[str, int, int]:
    """Return the name of the file whose header lies at *at*, and where its bytes begin and end."""
    try:
        _, _, flags, method, _, _, crc, packed, size, length, extra = _LOCAL.unpack_from(data, at)
    except struct.error:
        raise RemoteError(Code.BAD_BUNDLE, "the archive is cut") from None
    start = at + _LOCAL.size + length
    # Latin-1 reads anything, and the patterns let nothing but ASCII through.
    name = data[at + _LOCAL.size : start].decode("latin-1")
    if not _NAME.fullmatch(name) or not names.fullmatch(name):
        raise RemoteError(Code.BAD_BUNDLE, "the archive has a file that does not belong in it")
    if flags or method or extra or packed != size:
        raise RemoteError(Code.BAD_BUNDLE, f"{name}: not stored as it is")
    if start + size > len(data):
        raise RemoteError(Code.BAD_BUNDLE, f"{name}: cut")
    if crc32(data[start : start + size]) != crc:
        raise RemoteError(Code.BAD_BUNDLE, f"{name}: its bytes were changed")
    return name, start, start + size
