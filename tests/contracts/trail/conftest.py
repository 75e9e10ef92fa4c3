"""One child's story on a simulated bus, and the log of it: told once for all tests that only look."""

import pytest

from referral_contracts.log.leaf import LedgerEntry
from tests.stories.logged import LoggedBus
from tests.stories.story import Told, tell
from tests.stories.world import World


class Case(LoggedBus):
    """The log of a bus on which one story was told."""

    told: Told

    @property
    def subject(self) -> str:
        """The case."""
        return self.told.opened.case

    def event(self, index: int) -> LedgerEntry:
        """Return the event under a leaf."""
        record = self.records[index][1]
        assert isinstance(record, LedgerEntry)
        return record

    def index_of(self, value: bytes) -> int:
        """Return the leaf of the event with these bytes: where it was first decided on."""
        return next(at for at, (_, one) in enumerate(self.records) if one is not None and one.value == value)


def told_case() -> Case:
    """Tell the story, and log it."""
    world = World()
    case = Case(world)
    case.told = tell(world)
    case.take()
    return case


@pytest.fixture(scope="session")
def case() -> Case:
    """The story, told; nobody changes it."""
    return told_case()
