"""Waits for the end of processes that are not our children, without asking again and again."""

import os
import select


class Watched:
    """A process, known by a descriptor: its id may be given to another one, the descriptor may not."""

    def __init__(self, pid: int) -> None:
        """Take hold of it while it lives."""
        self._descriptor = os.pidfd_open(pid)

    def has_ended(self, timeout_s: float = 20.0) -> bool:
        """Return whether it has ended, as soon as it has."""
        return bool(select.select([self._descriptor], [], [], timeout_s)[0])

    def close(self) -> None:
        os.close(self._descriptor)
