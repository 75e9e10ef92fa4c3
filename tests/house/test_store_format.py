"""A store of other tables is another format: an old file is refused by its number, never met by a wrong statement."""

import hashlib
import re

from referral_bus._store.schema import FORMAT, TABLES

PINNED = ("12", "d7e95f5e663075fbf98759b6a5318cf9")
"""The format's number, and what its tables hash to without their comments. Both change together."""


def test_other_tables_have_another_format() -> None:
    statements = " ".join(re.sub(r"--.*", "", TABLES).split())

    assert (FORMAT, hashlib.sha256(statements.encode()).hexdigest()[:32]) == PINNED
