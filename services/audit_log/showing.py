"""
What an auditor is given of a case: its trail and its evidence bundle, made from the store and the directory.

The store is not believed: what is read is proven under its newest checkpoint, and the trail tells what is not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from audit_log.core.trails import agencies_in, erased_in, seal
from audit_log.store.reading import StoreReader
from audit_log.store.store import Signed
from referral_contracts.codes import Code
from referral_contracts.directory import Directory
from referral_contracts.errors import LocalError
from referral_contracts.log.checkpoint import open_checkpoint
from referral_contracts.log.note import NoteKey
from referral_contracts.log.policy import Checked
from referral_contracts.log.tiles import TileReader
from referral_contracts.trail.bundle import Sealed, write_bundle
from referral_contracts.trail.checking import NO_DISCLOSURE, Grounds, make_trail
from referral_contracts.trail.extract import extract, part_of
from referral_contracts.trail.leaves import Disclosed
from referral_contracts.trail.model import Trail


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseShown:
    """The leaves of a case, and what they are proven under."""

    subject: str
    leaves: Sequence[Sealed]
    checkpoint: Signed
    grounds: Grounds
    directory: Directory
    """The whole one."""

    def trail(self, disclosed: Disclosed = NO_DISCLOSURE) -> Trail:
        """Return the trail."""
        return make_trail(self.grounds, self.subject, [one.leaf for one in self.leaves], disclosed)

    def bundle(self, reader: StoreReader, disclosed: Disclosed = NO_DISCLOSURE) -> bytes:
        """
        Return the evidence bundle.

        Raises:
            LocalError: OVERSIZE. DIRECTORY_MISSING: the log has not come as far as the directory yet.
        """
        signed = reader.head(self.directory.version, self.checkpoint.size)
        return write_bundle(
            self.grounds,
            self.subject,
            self.leaves,
            checkpoint=self.checkpoint.note,
            directory=extract(self.directory, signed, self.grounds.directory),
            disclosed=disclosed,
        )


def show_case(reader: StoreReader, subject: str, directory: Directory, key: NoteKey) -> CaseShown:
    """
    Return what the log with *key* has of the case *subject*.

    Raises:
        LocalError: NOT_FOUND: nothing. OVERSIZE, and as the store says.
        RemoteError: BAD_TILE, BAD_SIGNATURE, MALFORMED_RECORD: the store was changed.
        Fatal: LOG_FORK: it has lost leaves.
    """
    newest = reader.newest()
    found = [] if newest is None else reader.case(subject, newest.size)
    if newest is None or not found:
        raise LocalError(Code.NOT_FOUND, "no leaf names such a case")
    kept = reader.kept(found)
    gone = erased_in(kept) - set(found)
    if gone:
        kept = reader.kept(sorted({*found, *gone}))
    checkpoint = open_checkpoint(newest.note, key)
    return CaseShown(
        subject=subject,
        leaves=seal(kept, checkpoint.size, TileReader(reader.tile, checkpoint.size, checkpoint.root)),
        checkpoint=newest,
        # Whether witnesses are enough is for whoever reads it.
        grounds=Grounds(
            checked=Checked(checkpoint=checkpoint, log=key, witnesses=(), quorum=False),
            directory=part_of(directory, agencies_in(kept, directory)),
        ),
        directory=directory,
    )
