"""
The watcher's rules, pure: the same ledger, directory and packs make the same clocks, and the same clocks say the same.

`Watcher` folds one partition of the ledger; `Speaker` says what is to be said about it now; `Counting` counts what came
of it all.
"""

from deadline_watcher.core.counting import Counting
from deadline_watcher.core.fold import Desk, Watcher, WatcherStep
from deadline_watcher.core.speaker import Round, Speaker

__all__ = ["Counting", "Desk", "Round", "Speaker", "Watcher", "WatcherStep"]
