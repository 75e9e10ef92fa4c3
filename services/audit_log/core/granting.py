"""
Who may read what the log has of a case. Pure.

An auditor reads what a grant in its entry says, while that is valid: one case, the cases of a province, or all. Whose
province a case is says the entry of whoever speaks for its owner now: a case that was moved, or whose owner has ended,
goes along. Its owner may ask who has read it. Why somebody is refused is for the log's operators; who asked is told of
a case that is unknown, and of one that is not granted, the same.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from audit_log.core.erasing import read_case
from audit_log.core.trails import Kept
from referral_contracts.codes import Code
from referral_contracts.directory import Directory, Member
from referral_contracts.directory_model import ROLE_AUDITOR, Grant, grant_case
from referral_contracts.encoding import parse_time
from referral_contracts.log.access import Way
from referral_contracts.succession import has_ended, speaker

Owners: TypeAlias = Callable[[str], str | None]
"""Whose a case is; None: there is no such case."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: an agency, and the key that it signed its request with; the signature was found good."""

    agency: str
    kid: str


@dataclass(frozen=True, slots=True)
class Granted:
    """It may be read."""

    grant: Grant | None
    """By this; None: who owns the case asks who has read it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """It may not."""

    code: Code
    """Why: never for who asked, except that its key or agency is not good."""


def judge(
    asker: Asker, way: Way, subject: str | None, *, directory: Directory, owner: Owners, now_ms: int
) -> Granted | Refused:
    """
    Say whether *asker* may read what it asks for of the case *subject*.

    Without a case: whether it may search at all. Each case of which the answer has something is then judged by itself.
    """
    member = directory.member(asker.agency)
    wrong = _known(asker, member, directory, now_ms)
    if member is None or wrong is not None:
        return Refused(wrong or Code.UNKNOWN_SENDER)
    if subject is None:
        grants = _valid(member, now_ms)
        return Granted(grants[0]) if grants and way is Way.SEARCH else Refused(Code.NOT_PERMITTED)
    named = owner(subject)
    if named is None:
        return Refused(Code.NOT_FOUND)
    speaking = speaker(directory, named, now_ms)
    if way is Way.READS and speaking == asker.agency:
        return Granted(None)
    found = grant_of(member, subject, named, directory, now_ms)
    return Refused(Code.NOT_PERMITTED) if found is None else Granted(found)


def grant_of(member: Member, subject: str, owner: str, directory: Directory, now_ms: int) -> Grant | None:
    """Return the narrowest grant that *member* has for the case *subject* of *owner*, or None."""
    speaking = speaker(directory, owner, now_ms)
    provinces = _provinces(None if speaking is None else directory.member(speaking), now_ms)
    return next(_covering(_valid(member, now_ms), subject, provinces), None)


def owner_of(kept: Sequence[Kept], directory: Directory) -> str | None:
    """
    Return whose the case is that the leaves *kept* are of, all that the log has of it; None: nothing tells.

    After an erasure it is who has asked for that, beside the registrar.

    Raises:
        RemoteError: These leaves are not what the router let through: the store was changed.
    """
    return read_case(kept, directory, {one.leaf: 0 for one in kept}).owner or None


def _known(asker: Asker, member: Member | None, directory: Directory, now_ms: int) -> Code | None:
    """Return why nobody who asks so is answered."""
    if member is None:
        return Code.UNKNOWN_SENDER
    if now_ms >= directory.expires_ms:
        # What was taken back since stands in one that is newer.
        return Code.DIRECTORY_EXPIRED
    if has_ended(directory, member.id, now_ms):
        return Code.AGENCY_ENDED
    key = member.http_keys.get(asker.kid)
    if key is None:
        return Code.UNKNOWN_KEY
    stolen = [one.compromised_since for one in member.entry.keys if one.kid == asker.kid and one.compromised_since]
    if not key.valid(now_ms) or any(parse_time(since) <= now_ms for since in stolen):
        return Code.KEY_NOT_VALID
    return None


def _valid(member: Member, now_ms: int) -> Sequence[Grant]:
    found = (member.entry.grants or ()) if ROLE_AUDITOR in member.roles else ()
    return [one for one in found if one.valid(now_ms)]


def _provinces(member: Member | None, now_ms: int) -> frozenset[str]:
    places = () if member is None else member.entry.jurisdiction
    return frozenset(
        one.province
        for one in places
        if (one.valid_from is None or parse_time(one.valid_from) <= now_ms)
        and (one.valid_until is None or now_ms < parse_time(one.valid_until))
    )


def _covering(grants: Sequence[Grant], subject: str, provinces: frozenset[str]) -> Iterator[Grant]:
    """Yield the grants that cover a case, the narrowest first: the least that was needed is what is told."""
    named = grant_case(subject)
    yield from (one for one in grants if one.case == named)
    yield from (one for one in grants if one.case is None and one.province in provinces)
    yield from (one for one in grants if one.case is None and one.province is None)
