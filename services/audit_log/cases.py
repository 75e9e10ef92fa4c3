"""What the log has of its cases, read beside whoever writes it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from audit_log.core.erasing import CaseFile, read_case
from audit_log.core.reading import DIRECTORY_CHANGED
from audit_log.core.searching import MOST, Found, Query
from audit_log.core.trails import Kept
from audit_log.store.reading import StoreReader
from referral_contracts.codes import Code
from referral_contracts.directory import Directory, TrustRoot, apply
from referral_contracts.directory_model import Change
from referral_contracts.errors import LocalError


class Cases:
    """The cases of one log: of *size* leaves, by *directory*."""

    def __init__(self, reader: StoreReader, size: Callable[[], int], directory: Callable[[], Directory | None]) -> None:
        self._reader, self._size, self._directory = reader, size, directory

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return self._size()

    @property
    def directory(self) -> Directory:
        """
        Whose keys count.

        Raises:
            LocalError: DIRECTORY_MISSING.
        """
        found = self._directory()
        if found is None:
            raise LocalError(Code.DIRECTORY_MISSING, "there is no directory yet")
        return found

    def case(self, subject: str) -> CaseFile:
        """
        Return what the log has of a case.

        Raises:
            LocalError: OVERSIZE, DIRECTORY_MISSING, STORE_AWAY.
            RemoteError: A statement that nobody could have made.
        """
        leaves = self._reader.case(subject, self.size)
        return read_case(self.kept(leaves), self.directory, self._reader.logged_ms(leaves))

    def found(self, query: Query) -> Iterator[Found]:
        """Go through all leaves that answer *query*."""
        size = self.size
        found: Sequence[Found] = self._reader.search(query, size)
        yield from found
        while len(found) == query.most:
            found = self._reader.search(replace(query, after=found[-1].leaf), size)
            yield from found

    def kept(self, leaves: Sequence[int]) -> Iterator[Kept]:
        """Go through what there is under *leaves*."""
        for start in range(0, len(leaves), MOST):
            yield from self._reader.kept(leaves[start : start + MOST])


def logged_directory(reader: StoreReader, size: int, root: TrustRoot) -> Directory | None:
    """Return the directory that a log of *size* leaves tells of: each change is judged again, from *root* on."""
    directory: Directory | None = None
    cases, kids = Cases(reader, lambda: size, lambda: None), dict[str, str]()
    changes = [one.leaf for one in cases.found(Query(verb=DIRECTORY_CHANGED, accepted=True))]
    for kept in cases.kept(changes):
        change = Change.decode(kept.value or b"")
        directory = apply(directory, change, root, kids)
        kids.update((key.kid, entry.id) for entry in change.data.agencies for key in entry.keys)
    return directory
