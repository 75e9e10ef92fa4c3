"""
The records that follow from each event of a load, in a file for the processes that write them without having judged.

The copies are the submission's own bytes. The rest is the same for every event: what the router writes hardly differs
in length from one to the next.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

PARTITIONS: Final = 4
"""Partitions of submissions, as a deployment has them."""
LEDGER: Final = "bench.ledger"
STATE: Final = "bench.state"
"""Stand for the router's own topics, so that neither reads what the other has written."""

Headers: TypeAlias = list[tuple[str, bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """The records that follow from one submission, all but its own bytes."""

    copy: Headers
    ledger: Headers
    verdict: bytes
    verdict_headers: Headers
    state: bytes
    targets: Mapping[bytes, Sequence[str]]
    """By the record's key: the recipients' topics, then the sender's."""

    @classmethod
    def load(cls, path: Path) -> "Outputs":
        """Return what `save` wrote."""
        told = json.loads(path.read_text("ascii"))
        return cls(
            copy=_headers(told["copy"]),
            ledger=_headers(told["ledger"]),
            verdict=bytes.fromhex(told["verdict"]),
            verdict_headers=_headers(told["verdict_headers"]),
            state=bytes.fromhex(told["state"]),
            targets={key.encode("ascii"): names for key, names in told["targets"].items()},
        )

    def save(self, path: Path) -> None:
        """Write it down for another process."""
        told = {
            "copy": _hex(self.copy),
            "ledger": _hex(self.ledger),
            "verdict": self.verdict.hex(),
            "verdict_headers": _hex(self.verdict_headers),
            "state": self.state.hex(),
            "targets": {key.decode("ascii"): names for key, names in self.targets.items()},
        }
        path.write_text(json.dumps(told), "ascii")


def _hex(headers: Headers) -> list[tuple[str, str]]:
    return [(name, value.hex()) for name, value in headers]


def _headers(told: Sequence[Sequence[str]]) -> Headers:
    return [(name, bytes.fromhex(value)) for name, value in told]
