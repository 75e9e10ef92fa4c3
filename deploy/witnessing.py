"""
The log's witnesses on this machine: which agencies run one, at which address, and the policies that name them.

An agency of the plan with ``witness = true`` has ``witness.key`` and ``witness.db`` in its folder, made once, and
runs what `referral-bus witness run` is anywhere. In a real deployment each runs it on a machine of its own.
"""

import socket
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from referral_bus.witness import WitnessKey, WitnessStore
from referral_contracts.log.note import NoteKey
from referral_contracts.log.policy import Group, Log, Policy, Witness
from service_process import ServiceProcess

POLICY: Final = "log.policy"
_ALL: Final = "every-witness"
_KEY: Final = "witness.key"
_STORE: Final = "witness.db"
_PORT: Final = "witness.port"
_HOST: Final = "127.0.0.1"
_PROGRAM: Final = Path(sys.executable).with_name("referral-bus")


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessPlace:
    """Where an agency's witness lies, and where it listens."""

    agency: str
    folder: Path
    port: int

    @property
    def url(self) -> str:
        """Where it takes checkpoints."""
        return f"http://{_HOST}:{self.port}"

    @property
    def named(self) -> Witness:
        """How a policy names it."""
        return Witness(self.agency, WitnessKey.load(self.folder / _KEY).public, self.url)

    @classmethod
    def of(cls, agency: str, bus: str, folder: Path) -> "WitnessPlace":
        """Return the place of the witness of *agency*: key and store are made when it never had any."""
        if not (folder / _KEY).exists():
            key = WitnessKey.generate(f"{agency}.{bus}")
            # What another key has seen is of no use without that key.
            (folder / _STORE).unlink(missing_ok=True)
            WitnessStore.create(folder / _STORE, key).close()
            key.save(folder / _KEY)
        file = folder / _PORT
        port = _free(int(file.read_text("ascii")) if file.exists() else 0)
        file.write_text(f"{port}\n", "ascii")
        return cls(agency=agency, folder=folder, port=port)


class WitnessProcess(ServiceProcess):
    """A witness as an agency runs it."""

    def __init__(self, home: Path, place: WitnessPlace, number: int) -> None:
        """Prepare; `start` runs it."""
        super().__init__(home, "witness", "", {}, number)
        self.place = place

    def command(self) -> Sequence[str]:
        """See `ServiceProcess`."""
        folder = self.place.folder
        files = ["--key", str(folder / _KEY), "--store", str(folder / _STORE), "--policy", str(folder / POLICY)]
        return [str(_PROGRAM), "witness", "run", *files, "--host", _HOST, "--port", str(self.place.port)]

    @property
    def http(self) -> str | None:
        """Where it listens."""
        return self.place.url

    def ready(self) -> tuple[bool, bytes]:
        """Tell whether it answers at all: it has no page for that."""
        return self.get("/")[0] != 0, b""


def who_witnesses(plan: Mapping[str, Any]) -> list[str]:
    """Return the agencies of *plan* that run a witness."""
    return [agency["id"] for agency in plan["agency"] if agency.get("witness")]


def write_policies(folders: Iterable[Path], log: NoteKey, places: Sequence[WitnessPlace]) -> None:
    """
    Write into each of *folders* whose log it is and that all witnesses at *places* have to have seen it.

    A policy that somebody has changed stays, but for the addresses of these witnesses.
    """
    nobody = Policy(logs=(Log(log),))
    named = tuple(place.named for place in places)
    names = tuple(one.name for one in named)
    groups = (Group(_ALL, len(names), names),)
    wanted = Policy(logs=nobody.logs, witnesses=named, groups=groups, quorum=_ALL) if names else nobody
    for folder in folders:
        path = folder / POLICY
        there = path.read_bytes() if path.exists() else nobody.format()
        told = wanted.format() if there == nobody.format() else _moved(there, named)
        if told != there or not path.exists():
            path.write_bytes(told)


def _moved(text: bytes, named: Sequence[Witness]) -> bytes:
    there, known = Policy.parse(text), {one.key.vkey: one.url for one in named}
    moved = tuple(replace(one, url=known.get(one.key.vkey, one.url)) for one in there.witnesses)
    return text if moved == there.witnesses else replace(there, witnesses=moved).format()


def _free(port: int) -> int:
    """Return *port* if nobody listens there, else one where nobody does."""
    try:
        with socket.create_server((_HOST, port)) as listener:
            found: int = listener.getsockname()[1]
            return found
    except OSError:
        return _free(0)
