"""
Adapters that fail: each write of the append path, before it took effect and after.

The steps are counted as the log takes them: the store's `append` and `sign`, the folder's every single file, and every
folder that is flushed.
"""

import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from audit_log.core.growing import Batch
from audit_log.folder import Folder
from audit_log.store import Signed, State, Store
from referral_contracts.codes import Code
from referral_contracts.errors import LocalError


def refuse() -> None:
    """Fail as a disk does."""
    raise LocalError(Code.STORE_AWAY, "as the test wants it")


def die() -> None:
    """End as after kill -9."""
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass
class Fault:
    """Fails at the step number *at* (None: never), before or *after* it took effect."""

    at: int | None = None
    after: bool = False
    strike: Callable[[], None] = refuse
    steps: list[str] = field(default_factory=list)

    def around(self, name: str, step: Callable[[], Any]) -> Any:
        """Take *step*, or fail."""
        number = len(self.steps)
        self.steps.append(name)
        if number == self.at and not self.after:
            self.strike()
        result = step()
        if number == self.at and self.after:
            self.strike()
        return result


class FaultyStore:
    """A store between whom and the log something fails."""

    def __init__(self, store: Store, fault: Fault) -> None:
        self._store, self._fault = store, fault

    def state(self) -> State:
        return self._store.state()

    def append(self, batch: Batch) -> None:
        self._fault.around("append", lambda: self._store.append(batch))

    def sign(self, checkpoint: Signed, at_ms: int) -> None:
        self._fault.around("sign", lambda: self._store.sign(checkpoint, at_ms))

    def scrub(self) -> None:
        self._store.scrub()

    def hashes(self, level: int, start: int, end: int) -> Sequence[bytes]:
        return self._store.hashes(level, start, end)

    def close(self) -> None:
        self._store.close()


class FaultyFolder(Folder):
    """A folder of which each file fails by itself."""

    def __init__(self, path: Path, fault: Fault) -> None:
        super().__init__(path)
        self._fault = fault

    def write(self, files: Sequence[tuple[str, bytes]]) -> None:
        for file in files:
            self._fault.around(f"write {file[0]}", lambda one=file: super(FaultyFolder, self).write([one]))  # type: ignore[misc]

    def _put(self, file: tuple[str, bytes]) -> None:
        # Between what is written beside its place and its name: half of it is what a crash leaves there.
        path = self._path / file[0]
        half = path.with_name(path.name + ".part")
        self._fault.around(f"half of {file[0]}", lambda: half.write_bytes(file[1][: len(file[1]) // 2]))
        super()._put(file)


Steps = Mapping[str, int]
