"""
What the product is made of, and what must not be in it: `check` for the gate, `sbom FILE`, `advisories FOLDER`.

`check` asks for known vulnerabilities when ADVISORIES names a folder of records; otherwise it says that nobody asked.
"""

import os
import sys
from itertools import chain
from pathlib import Path
from typing import Final

from tools.supply import advisories, sbom, secrets
from tools.supply.locks import ROOT, Unlocked, of_repository

USAGE: Final = "usage: python -m tools.supply check | sbom FILE | advisories FOLDER"


def main(arguments: list[str]) -> int:
    try:
        match arguments:
            case ["check"]:
                return check(os.environ.get("ADVISORIES", ""))
            case ["sbom", path]:
                Path(path).parent.mkdir(parents=True, exist_ok=True)
                Path(path).write_text(sbom.written(sbom.bill()))
                return 0
            case ["advisories", folder]:
                return asked(Path(folder))
            case _:
                print(USAGE, file=sys.stderr)
                return 2
    except Unlocked as error:
        print(f"referral-bus: error: {error}", file=sys.stderr)
        return 1


def check(folder: str) -> int:
    """Look at the locks, what they give as a bill, and every file for secrets."""
    sbom.bill()
    found = secrets.in_repository()
    for finding in found:
        print(f"referral-bus: error: {finding}", file=sys.stderr)
    if found:
        print("referral-bus: hint: what is public goes to tools/supply/known.toml, with its reason", file=sys.stderr)
        return 1
    if folder:
        return asked(Path(folder))
    print("Known vulnerabilities: not asked. ADVISORIES=<folder of OSV records> asks.")
    return 0


def asked(folder: Path) -> int:
    """Look for known vulnerabilities of what is locked."""
    told = list(advisories.records(folder))
    if not told:
        print(f"referral-bus: error: no records in {folder}", file=sys.stderr)
        return 2
    locked = chain.from_iterable(of_repository(ROOT).values())
    found = advisories.hits(locked, told)
    for hit in found:
        print(f"referral-bus: error: {hit.package}: {hit.advisory}, fixed in {hit.fixed}", file=sys.stderr)
    newest = max(str(record.get("modified", "")) for record in told)
    print(f"Known vulnerabilities: {len(found)} in {len(told)} records, the newest of {newest[:10]}.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
