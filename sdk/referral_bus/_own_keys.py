"""
What the directory says of this agency's own keys, held against its key file.

Whoever has enough root keys can list a key under any agency, and with it speak and read for it. Nobody but the agency
can tell: so it looks at each version, and a person is told once of each key.
"""

import sqlite3
from collections.abc import Iterable
from typing import Final

from referral_bus._store import alarms, notes
from referral_bus.keys import AgencyKeys
from referral_contracts.codes import Code
from referral_contracts.directory import Directory
from referral_contracts.directory_model import KeyRecord
from referral_contracts.encoding import parse_time

_KNOWN: Final = "key {}"
_ENDED: Final = "key {} ended"
"""What is remembered: that a key was in the key file once, or that a person was told of it; and the same of its end."""


def strange_keys(keys: AgencyKeys, listed: Iterable[KeyRecord], now_ms: int) -> list[KeyRecord]:
    """Return what is *listed* and in force, or will be, and not among *keys*."""
    return [
        key
        for key in listed
        if key.kid not in keys.kids and key.revoked_at is None and now_ms < parse_time(key.valid_until)
    ]


def look(db: sqlite3.Connection, directory: Directory, keys: AgencyKeys, now_ms: int) -> None:
    """Raise an alarm where *directory* lists a key under our name that we never held, or ends one that we hold."""
    member = directory.member(keys.agency)
    listed = () if member is None else member.entry.keys
    for kid in keys.kids:
        notes.remember(db, _KNOWN.format(kid), 1)
    ended = [key for key in listed if key.kid in keys.kids and (key.revoked_at or key.compromised_since)]
    for kind, found, told in (
        (_KNOWN, strange_keys(keys, listed, now_ms), "listed under this agency, and not in its key file"),
        (_ENDED, ended, "revoked or called compromised, and in its key file"),
    ):
        new = [key for key in found if not notes.number(db, kind.format(key.kid))]
        for key in new:
            notes.remember(db, kind.format(key.kid), 1)
        if new:
            named = ", ".join(f"{key.use} {key.kid}" for key in new)
            alarms.raise_alarm(db, Code.OWN_KEY_CHANGED, now_ms, detail=f"{told}: {named}")
