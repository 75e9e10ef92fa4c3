"""A store of other tables is another format: an old file is refused by its number, never met by a wrong statement."""

import hashlib
import re

from referral_bus._store.schema import FORMAT, TABLES

PINNED = ("13", "bd880f32abd786ec5b79ac102845080d")
"""The format's number, and what its tables hash to without their comments. Both change together."""


def test_other_tables_have_another_format() -> None:
    statements = " ".join(re.sub(r"--.*", "", TABLES).split())

    assert (FORMAT, hashlib.sha256(statements.encode()).hexdigest()[:32]) == PINNED
