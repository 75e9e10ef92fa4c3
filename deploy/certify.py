"""
Give an agency its certificate: by it the broker knows who connects.

    KAFKA_PKI=.run/bus/pki python deploy/certify.py AGENCY FOLDER

Into FOLDER go ``tls.pem``, a new key with its certificate, for the agency alone, and ``ca.crt``, whom to believe that
the broker is the broker. It holds for thirty days; run again in its last twenty, it makes the next one, and programs
that run go on with that. What the agency may do with it is for `provision`.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from access import read_access
from kafka_node import Authority, KafkaFailed, Kind


def main(arguments: Sequence[str]) -> int:
    """Carry out the command and return its exit code."""
    parser = argparse.ArgumentParser(description="Give an agency its certificate.")
    parser.add_argument("agency", help="its id in the directory")
    parser.add_argument("folder", type=Path, help="where the agency keeps what is its own")
    options = parser.parse_args(arguments)
    pki = os.environ.get("KAFKA_PKI")
    if not pki or not (Path(pki) / "ca.crt").exists():
        print("certify: error: KAFKA_PKI names no folder with an authority", file=sys.stderr)
        return 2
    kind = Kind.SERVICE if options.agency in read_access().services else Kind.AGENCY
    try:
        held = Authority.open(Path(pki)).hold(kind, options.agency, options.folder)
    except KafkaFailed as error:
        print(f"certify: error: {error}", file=sys.stderr)
        return 1
    print(f"{held.certificate}\n{held.authority}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
