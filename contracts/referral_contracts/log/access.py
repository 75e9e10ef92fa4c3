"""
What the log states about a read: who read what of a case, by which grant.

A statement is about one case, so that its owner sees who read it and nobody learns of the others that were read beside
it: who searches leaves one for each case of which the answer has something. `request` says which go together. It is
in the log before the answer is given: a read that left no trace was not answered, and an answer may never have come.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Literal

from referral_contracts.canonical import Canonical
from referral_contracts.codes import Code
from referral_contracts.directory import EventKey
from referral_contracts.directory_model import Agency, Count, Grant, Hash, Time, grant_case
from referral_contracts.encoding import parse_time
from referral_contracts.errors import RemoteError
from referral_contracts.log.erasing import Subject
from referral_contracts.log.leaf import Statement
from referral_contracts.log.signers import check_signers

ACCESSED: Final = "audit.accessed"


class Way(StrEnum):
    """What was asked for."""

    BUNDLE = "bundle"
    """The evidence bundle of the case."""
    READS = "reads"
    """Who has read the case."""
    SEARCH = "search"
    """Something that the case has a leaf among; without a case: nothing of any case was found."""
    TRAIL = "trail"
    """The trail of the case."""


class Access(Canonical):
    """That somebody reads something of a case."""

    spells = "statement of a read"

    asked: Way
    at: Time
    bus: Agency
    by: Agency
    """Who reads."""
    directory: Count
    """The version of the directory by which it was granted."""
    grant: Grant | None = None
    """As it stood in the reader's entry; None: who owns the case asks who has read it."""
    kind: Literal["audit.accessed"] = ACCESSED
    request: Hash
    """SHA-256 of what the request's signature is over (RFC 9421: the signature base)."""
    subject: Subject | None = None
    """Which case."""

    def check_granted(self) -> None:
        """
        Return if its grant is for this case, at this time.

        Whose province the case is, and that the grant stood in the reader's entry, the directory of that version says.

        Raises:
            RemoteError: MALFORMED_RECORD, NOT_PERMITTED.
        """
        if self.subject is None and self.asked is not Way.SEARCH:
            raise RemoteError(Code.MALFORMED_RECORD, "a read of no case")
        if self.grant is None:
            if self.asked is not Way.READS:
                raise RemoteError(Code.NOT_PERMITTED, "a read that nobody granted")
            return
        if not self.grant.valid(parse_time(self.at)):
            raise RemoteError(Code.NOT_PERMITTED, "a read outside its grant's time")
        if None not in {self.grant.case, self.subject} and grant_case(self.subject or "") != self.grant.case:
            raise RemoteError(Code.NOT_PERMITTED, "a read of another case than is granted")


def check_access(statement: Statement, bus: str, keys: Mapping[str, EventKey]) -> Access:
    """
    Return the read in *statement* of the log of *bus*, which the log signed with one of its own *keys*.

    Raises:
        RemoteError: WRONG_BUS, or as `Access.decode`, `Access.check_granted` and `check_signers`.
    """
    found = Access.decode(statement.value)
    if found.bus != bus:
        raise RemoteError(Code.WRONG_BUS)
    found.check_granted()
    check_signers(statement, keys, parse_time(found.at))
    return found
