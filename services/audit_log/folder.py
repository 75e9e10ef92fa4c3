"""
The folder that is published: tiles and the checkpoint, for any static web server to hand out (c2sp.org/tlog-tiles).

A file is here whole or not at all, and once it is here a power cut does not take it away: each is written beside its
place, flushed, renamed, and the folder flushed.
"""

import errno
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from referral_contracts.codes import Code
from referral_contracts.errors import Fatal, LocalError
from referral_contracts.log.tiles import CHECKPOINT_PATH, Tile

_FLUSHERS: Final = 8
"""Flushes that run at once share a journal's commit: eighty files take 25 ms instead of 300."""
_READ_ONLY: Final = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_PART: Final = ".part"


class Folder:
    """The published folder at *path*; what is not there yet is made."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pool = ThreadPoolExecutor(_FLUSHERS, thread_name_prefix="flush")

    def write(self, files: Sequence[tuple[str, bytes]]) -> None:
        """
        Write *files*, each by its name below the folder; all of them are durable when this returns.

        Raises:
            LocalError: DISK_FULL, READ_ONLY, STORE_AWAY: some of them may be there, each of them whole.
        """
        with _translated():
            folders = {(self._path / name).parent for name, _ in files}
            fresh = set[Path]()
            for folder in folders:
                fresh |= set(self._make(folder))
            for _ in self._pool.map(self._put, files):
                pass
            for _ in self._pool.map(_flush, folders | fresh):
                pass

    def publish(self, note: bytes) -> None:
        """Make *note* the checkpoint; see `write`."""
        self.write([(CHECKPOINT_PATH, note)])

    def checkpoint(self) -> bytes | None:
        """Return the checkpoint, or None where there is none yet."""
        return self.read(CHECKPOINT_PATH)

    def read(self, name: str) -> bytes | None:
        """Return a file's bytes, or None where there is no such file."""
        with _translated():
            try:
                return (self._path / name).read_bytes()
            except FileNotFoundError:
                return None

    def fetch(self, tile: Tile) -> bytes:
        """
        Return the bytes of *tile*: for a `TileReader`.

        Raises:
            Fatal: BAD_TILE: it is not there.
        """
        found = self.read(tile.path)
        if found is None:
            raise Fatal(Code.BAD_TILE, "a published tile is gone")
        return found

    def prune(self, tiles: Iterable[Tile]) -> None:
        """Remove what was published of these *tiles* before they were full."""
        with _translated():
            for tile in tiles:
                for name in (tile.path, tile.entries_path):
                    shutil.rmtree(self._path / f"{name}.p", ignore_errors=True)

    def close(self) -> None:
        self._pool.shutdown()

    def _make(self, folder: Path) -> Iterator[Path]:
        """Make *folder*, and yield those that have a new name in them."""
        if not folder.is_dir():
            missing = [folder, *folder.parents]
            yield from (one.parent for one in missing if not one.exists())
            folder.mkdir(parents=True, exist_ok=True)

    def _put(self, file: tuple[str, bytes]) -> None:
        path = self._path / file[0]
        part = path.with_name(path.name + _PART)
        handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        try:
            with os.fdopen(handle, "wb", closefd=False) as out:
                out.write(file[1])
            os.fsync(handle)
        finally:
            os.close(handle)
        part.replace(path)


def _flush(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        full, closed = error.errno in _FULL, error.errno in _READ_ONLY
        code = Code.DISK_FULL if full else Code.READ_ONLY if closed else Code.STORE_AWAY
        raise LocalError(code, "the published folder cannot be written") from error
