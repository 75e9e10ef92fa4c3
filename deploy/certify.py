"""
Give an agency, a service or a broker its certificate: by it the broker knows who connects, and others know the broker.

    KAFKA_PKI=.run/bus/pki python deploy/certify.py AGENCY FOLDER
    KAFKA_PKI=.run/bus/pki python deploy/certify.py kafka FOLDER --host kafka-1 --host localhost

Into FOLDER go ``tls.pem``, a new key with its certificate, for its owner alone, and ``ca.crt``, whom to believe that
the broker is the broker. It holds for thirty days; run again in its last twenty, it makes the next one, and programs
that run go on with that. What the agency may do with it is for `provision`. A broker's holds for a year, and is read
when it starts.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from access import read_access
from kafka_node import Authority, KafkaFailed, Kind
from kafka_node.authority import BROKER, CA, HERE


def main(arguments: Sequence[str]) -> int:
    """Carry out the command and return its exit code."""
    parser = argparse.ArgumentParser(description="Give an agency, a service or a broker its certificate.")
    parser.add_argument("name", help=f"its id in the directory; of a broker, {BROKER}")
    parser.add_argument("folder", type=Path, help="where its owner keeps what is its own")
    parser.add_argument("--host", action="append", help="a name or address by which agencies or brokers reach a broker")
    parser.add_argument("--found", metavar="DEPLOYMENT", help="make the authority first, where there is none")
    options = parser.parse_args(arguments)
    pki = os.environ.get("KAFKA_PKI")
    if not pki or not (options.found or (Path(pki) / CA).exists()):
        print("certify: error: KAFKA_PKI names no folder with an authority", file=sys.stderr)
        return 2
    if options.host and options.name != BROKER:
        print(f"certify: error: only a broker is reached, and its name is {BROKER}", file=sys.stderr)
        return 2
    try:
        authority = Authority.open(Path(pki), *([options.found] if options.found else []))
        held = authority.hold(_kind(options.name, options.host), options.name, options.folder, options.host or HERE)
    except KafkaFailed as error:
        print(f"certify: error: {error}", file=sys.stderr)
        return 1
    print(f"{held.certificate}\n{held.authority}")
    return 0


def _kind(name: str, hosts: Sequence[str] | None) -> Kind:
    if hosts:
        return Kind.BROKER
    return Kind.SERVICE if name in read_access().services else Kind.AGENCY


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
