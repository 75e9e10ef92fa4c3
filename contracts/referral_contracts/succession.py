"""
Who speaks for an agency, and where what is meant for it goes: agencies merge, split and close, and their cases go on.

An agency speaks for itself until the moment that its entry names; from then on its first-named successor does, or
theirs. What was moved to another of them is theirs, and nothing here is asked of it. Router, SDK and auditors ask the
same functions, of the directory that a decision names and the moment at which it was admitted.
"""

from referral_contracts.directory import Directory
from referral_contracts.topics import agency_of


def has_ended(directory: Directory, agency: str, at_ms: int) -> bool:
    """Whether *agency* says nothing more *at_ms*."""
    member = directory.member(agency) if agency in directory.ending else None
    return member is not None and at_ms >= member.ends_ms


def speaker(directory: Directory, agency: str, at_ms: int) -> str | None:
    """Return who speaks for *agency* at_ms: itself, or the first of its successors, or theirs. None: nobody."""
    seen: set[str] = set()
    while has_ended(directory, agency, at_ms):
        seen.add(agency)
        member = directory.member(agency)
        following = () if member is None else member.entry.successors
        if not following or following[0] in seen:
            # Nobody was named, or each names the other: it is the registrar's to say who it is.
            return None
        agency = following[0]
    return agency


def reached(directory: Directory, address: str, at_ms: int) -> str | None:
    """
    Return where what is meant for *address* goes *at_ms*, or None: to nobody, for nobody is there on the bus.

    A desk is answered for by the successor's desk of the same name, if it has one; a desk that is no more, by its
    agency.
    """
    agency = agency_of(address)
    following = speaker(directory, agency, at_ms)
    member = None if following is None else directory.member(following)
    if member is None or not member.on_bus:
        return None
    same = f"{member.id}{address[len(agency) :]}"
    return same if same in member.addresses else member.id


def superiors(directory: Directory, agency: str, at_ms: int) -> tuple[str, ...]:
    """Return who is above *agency* at_ms, the nearest first: who speaks for its `parent`, and so on up."""
    found: list[str] = []
    member = directory.member(agency)
    while member is not None and member.entry.parent is not None:
        above = speaker(directory, member.entry.parent, at_ms)
        if above is None or above in {agency, *found}:
            break
        found.append(above)
        member = directory.member(above)
    return tuple(found)


def takers(directory: Directory, agency: str) -> frozenset[str]:
    """Return to whom what *agency* has may be moved: its successors, from when they are named, and theirs."""
    found: set[str] = set()
    left = [agency]
    while left:
        member = directory.member(left.pop())
        following = () if member is None else member.entry.successors
        left += [one for one in following if one not in found]
        found.update(following)
    return frozenset(found - {agency})
