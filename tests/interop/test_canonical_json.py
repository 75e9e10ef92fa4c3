"""Canonical JSON against the test data of RFC 8785's author."""

import json
from collections import Counter
from typing import Final

import pytest

from referral_contracts.encoding import jcs, parse_json
from referral_contracts.errors import LocalError
from tests.interop.of_others import folder_of

pytestmark = pytest.mark.interop

FOREIGN: Final = {
    "structures.json": "not ours: a fraction",
    "values.json": "not ours: a fraction",
    "weird.json": "not ours: a key beyond ASCII that UTF-16 sorts otherwise",
}


def test_what_we_write_is_what_the_author_of_the_rfc_writes() -> None:
    data, seen = folder_of("github.com/cyberphone/json-canonicalization") / "testdata", Counter[str]()
    for path in sorted((data / "input").iterdir()):
        value = json.loads(path.read_bytes())
        canonical = bytes.fromhex((data / "outhex" / path.name).with_suffix(".txt").read_text())
        reason = FOREIGN.get(path.name)
        if reason == "not ours: a fraction":
            with pytest.raises(LocalError):
                jcs(value)
        else:
            assert (jcs(value) == canonical) == (reason is None)
            assert jcs(parse_json(canonical)) == jcs(value)
        seen[reason or "the same bytes"] += 1

    assert seen == {
        "the same bytes": 3,
        "not ours: a fraction": 2,
        "not ours: a key beyond ASCII that UTF-16 sorts otherwise": 1,
    }
