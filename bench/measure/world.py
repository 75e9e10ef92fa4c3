"""
The bus that is measured: its agencies, their keys, a founded directory, all of it real.

A few agencies that a case would involve, and three hundred others to draw recipients from.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from measure.outputs import PARTITIONS
from referral_bus.keys import AgencyKeys
from referral_bus.registrar import Registrar, Term, event_key_record, sealing_key_record, trust_root
from referral_contracts import topics
from referral_contracts.directory import Directory
from referral_contracts.directory_model import HEAD_KEY, Delivery, Entry, MayKnow, MaySend, Names, Policy
from referral_contracts.keys import SigningKey
from referral_contracts.records import Record, Write
from referral_contracts.sealing import random_salts
from referral_contracts.topics import H_SIGNATURE, TopicSpec, topic_specs
from referral_router import core

BUS: Final = "training"
SENDERS: Final = tuple(f"commune-{number}" for number in range(4))
TEAM: Final = tuple(f"team-{number}" for number in range(8))
"""The few that most offers go to."""
CROWD: Final = tuple(f"crowd-{number:03d}" for number in range(300))
WATCHER: Final = "deadline-watcher"

_HEAD_MS: Final = 24 * 3_600_000
_KEY_MS: Final = 90 * 24 * 3_600_000
_EARLIER_MS: Final = 60_000
_AT_ONCE: Final = 100
"""Agencies in one change of the directory; there is room for twice as many."""
_SERVICES: Final = ("registrar", "router", WATCHER, "audit-log")
_TEAM_ROLES: Final = ("police", "hospital", "social-work", "legal-aid")

POLICY: Final = Policy(
    may_know=(MayKnow(roles=_TEAM_ROLES),),
    may_open=("hotline", "commune", "police", "hospital"),
    may_send=(
        MaySend(senders=("hotline", "police", "hospital"), recipients=("commune",), verbs=("handoff.*", "case.*")),
        MaySend(senders=("commune",), recipients=(*_TEAM_ROLES, "commune"), verbs=("handoff.*", "case.*")),
        MaySend(senders=_TEAM_ROLES, recipients=_TEAM_ROLES, verbs=("handoff.*", "case.noted")),
    ),
    # A run takes longer than a deployment's two hours would let its events wait.
    window_ms=8 * 3_600_000,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A bus that has been founded, before its first referral."""

    directory: Directory
    writes: Sequence[Write]
    """What the founding left in the topics, but for the heads in the directory's own."""
    head: Write
    """The directory's head: with it, and only then, the directory is in force."""
    keys: Mapping[str, AgencyKeys] = field(repr=False)
    root: SigningKey = field(repr=False)
    trust: Path
    router_key: Path
    """The files that the router's process reads."""

    @property
    def agencies(self) -> frozenset[str]:
        """Everybody who has an inbox."""
        return frozenset(self.keys)

    def specs(self) -> list[TopicSpec]:
        """Return the topics that the bus needs."""
        return topic_specs(PARTITIONS, self.agencies)


def found(home: Path, now_ms: int) -> World:
    """Return a bus whose files lie in *home*, founded by the router's own core at *now_ms*."""
    keys = {name: AgencyKeys.generate(name) for name in (*_SERVICES, *SENDERS, *TEAM, *CROWD)}
    root = SigningKey.generate()
    pinned = trust_root(BUS, [root])
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    trust, router_key = home / "trust.json", home / "router.json"
    trust.write_bytes(pinned.encode())
    keys["router"].save(router_key, replace=True)
    lane = core.Lane(bus=BUS, partition=PARTITIONS, key=keys["router"].signing, salts=random_salts)
    fold = core.Registrar(lane, pinned)
    writes: list[Write] = []
    for value, signature in _changes(fold, root, [entry(name, keys[name], now_ms) for name in keys], now_ms):
        headers = ((H_SIGNATURE, signature),)
        step = fold.step([Record(0, fold.position() or 0, now_ms, None, value, headers)], frozenset(keys))
        fold.merge(step)
        writes += [Write(topics.DIRECTORY_SUBMISSIONS, 0, None, value, headers), *step.writes]
    directory = fold.directory()
    if directory is None or len(directory.entries) != len(keys) + 1:
        raise RuntimeError("the directory of the benchmark was refused")
    heads = [write for write in writes if _is_head(write)]
    others = [write for write in writes if not _is_head(write)]
    return World(
        directory=directory, writes=others, head=heads[-1], keys=keys, root=root, trust=trust, router_key=router_key
    )


def _is_head(write: Write) -> bool:
    return write.topic == topics.DIRECTORY and write.key == HEAD_KEY.encode("ascii")


def _changes(
    fold: core.Registrar, root: SigningKey, entries: Sequence[Entry], now_ms: int
) -> Iterator[tuple[bytes, bytes]]:
    """Yield the changes and their signatures, each after the one before was taken."""
    registrar = Registrar(agency="registrar", bus=BUS, keys=[root])
    for start in range(0, len(entries), _AT_ONCE):
        some, policy = entries[start : start + _AT_ONCE], None if start else POLICY
        yield registrar.change(fold.directory(), now_ms, _HEAD_MS, agencies=some, policy=policy)


def entry(name: str, keys: AgencyKeys, now_ms: int) -> Entry:
    """Return the directory's entry of an agency."""
    term = Term(from_ms=now_ms - _EARLIER_MS, until_ms=now_ms + _KEY_MS)
    return Entry(
        delivery=Delivery(kind="bus"),
        id=name,
        keys=(
            event_key_record(BUS, name, keys.signing, term),
            sealing_key_record(BUS, name, keys.sealing[name][0], term, signer=keys.signing),
        ),
        names=Names(en=name, vi=name),
        roles=(_role(name),),
    )


def _role(name: str) -> str:
    if name in _SERVICES:
        return name
    if name in SENDERS:
        return "commune"
    return _TEAM_ROLES[int(name.rpartition("-")[2]) % len(_TEAM_ROLES)]
