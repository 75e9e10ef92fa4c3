"""What a log publishes, read by an outsider: tiles and checkpoints, over HTTP or from a copy of the folder."""

from pathlib import Path
from typing import Final, Protocol

import httpx

from referral_bus._plain import PLAIN, check_plain
from referral_contracts.codes import Code
from referral_contracts.errors import LocalError, RemoteError
from referral_contracts.log.tiles import CHECKPOINT_PATH, TILE_WIDTH, Tile
from referral_contracts.merkle import HASH_SIZE

_TIMEOUT_S: Final = 10.0
_MOST: Final = 65_536
"""Bytes of a file: a tile has 8,192, a checkpoint with many cosignatures less than this."""


class Published(Protocol):
    """A log's published files."""

    def read(self, name: str) -> bytes | None:
        """
        Return what the file *name* holds, None where there is none.

        Raises:
            LocalError: LOG_AWAY, NO_SUCH_FILE: nobody can tell.
        """

    def close(self) -> None:
        """Let go of it."""


class PublishedFolder:
    """A copy of the published folder."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, name: str) -> bytes | None:
        """See `Published`."""
        try:
            with (self._path / name).open("rb") as file:
                return file.read(_MOST + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise LocalError(Code.NO_SUCH_FILE, f"{name}: cannot be read") from error

    def close(self) -> None:
        """See `Published`."""


class PublishedOverHttp:
    """The log itself, or any web server that has its folder."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._client = httpx.Client(headers=PLAIN, timeout=_TIMEOUT_S, follow_redirects=False)

    def read(self, name: str) -> bytes | None:
        """See `Published`."""
        try:
            with self._client.stream("GET", f"{self._url}/{name}") as response:
                if response.status_code == httpx.codes.NOT_FOUND:
                    return None
                if response.status_code != httpx.codes.OK:
                    raise LocalError(Code.LOG_AWAY, f"the log answers with {response.status_code}")
                check_plain(response)
                found = b""
                for part in response.iter_bytes():
                    found += part
                    if len(found) > _MOST:
                        raise LocalError(Code.LOG_AWAY, "the log answers without an end")
                return found
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise LocalError(Code.LOG_AWAY, f"the log does not answer ({type(error).__name__})") from error

    def close(self) -> None:
        """See `Published`."""
        self._client.close()


def published_at(place: str) -> Published:
    """
    Return what is published at an address, or in a folder.

    Raises:
        LocalError: NO_SUCH_FILE: there is no such folder.
    """
    if place.startswith(("http://", "https://")):
        return PublishedOverHttp(place)
    if not Path(place).is_dir():
        raise LocalError(Code.NO_SUCH_FILE, f"{place}: there is no such folder")
    return PublishedFolder(Path(place))


def published_tile(published: Published, tile: Tile) -> bytes:
    """
    Return the bytes of *tile*, which nobody vouches for.

    Raises:
        RemoteError: BAD_TILE: it is not there.
    """
    found = published.read(tile.path)
    if found is None and tile.width < TILE_WIDTH:
        # One that has become full since has lost its narrower ones, and begins as they did.
        found = published.read(tile.full.path)
        found = None if found is None else found[: tile.width * HASH_SIZE]
    if found is None:
        raise RemoteError(Code.BAD_TILE, f"{tile.path} is not published")
    return found


def published_checkpoint(published: Published) -> bytes:
    """
    Return the published checkpoint's note.

    Raises:
        RemoteError: BAD_CHECKPOINT: there is none.
    """
    found = published.read(CHECKPOINT_PATH)
    if found is None:
        raise RemoteError(Code.BAD_CHECKPOINT, "no checkpoint is published there")
    return found
