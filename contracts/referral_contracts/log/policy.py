"""
The trust file of log and witnesses (c2sp.org/tlog-policy): whose checkpoints are taken, and who must have seen them.

    log bus.example.log+…
    witness commune witness.commune-a+… https://commune-a.example/witness
    witness police witness.police-b+…
    group both all commune police
    quorum both

A person writes it and pins it, as the trust root of the directory: what is wrong with it is said by line.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Self, TypeVar

from referral_contracts.codes import Code
from referral_contracts.errors import LocalError, RemoteError
from referral_contracts.log.checkpoint import Checkpoint, checkpoint_of
from referral_contracts.log.note import Kind, NoteKey, open_note

NONE: Final = "none"
"""The quorum that asks for nobody."""
MAX_LINES: Final = 1024

_NOT_ALLOWED: Final = re.compile(rb"[^\t\n\x20-\x7e\x80-\xff]")
_COUNT: Final = re.compile(r"[1-9][0-9]{0,3}")
_Named = TypeVar("_Named", bound="Witness | Group")


@dataclass(frozen=True, slots=True)
class Log:
    """A log whose checkpoints are taken. Its key's name is the origin."""

    key: NoteKey
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Witness:
    """Somebody who cosigns."""

    name: str
    """What this file calls it; its key has a name of its own."""
    key: NoteKey
    url: str | None = None
    """Where it takes checkpoints: the submission prefix of c2sp.org/tlog-witness."""


@dataclass(frozen=True, slots=True)
class Group:
    """So many of these."""

    name: str
    least: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A checkpoint of a known log."""

    checkpoint: Checkpoint
    log: NoteKey
    witnesses: tuple[str, ...]
    """Which witnesses of the policy cosigned it, by the policy's names."""
    quorum: bool
    """Whether those are enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Which logs and witnesses are known, and whose cosignatures a checkpoint needs."""

    logs: tuple[Log, ...]
    witnesses: tuple[Witness, ...] = ()
    groups: tuple[Group, ...] = ()
    quorum: str = NONE

    @classmethod
    def parse(cls, value: bytes) -> Self:
        """
        Return the policy that *value* spells.

        Raises:
            LocalError: BAD_LOG_POLICY: it cannot be used; the detail names the line.
        """
        if _NOT_ALLOWED.search(value):
            raise LocalError(Code.BAD_LOG_POLICY, "a control character")
        # Names are octets: whatever is not UTF-8 stays different from all else, and is written again as it was.
        lines = value.decode("utf-8", "surrogateescape").split("\n")
        if len(lines) > MAX_LINES:
            raise LocalError(Code.BAD_LOG_POLICY, "too many lines")
        draft = _Draft()
        for number, line in enumerate(lines, 1):
            items = line.replace("\t", " ").split(" ")
            try:
                draft.take([item for item in items if item])
            except (RemoteError, _Wrong) as error:
                raise LocalError(Code.BAD_LOG_POLICY, f"line {number}: {error}") from error
        if draft.quorum is None or not draft.logs:
            raise LocalError(Code.BAD_LOG_POLICY, "a log and a quorum are needed")
        witnesses, groups = draft.named(Witness), draft.named(Group)
        return cls(logs=tuple(draft.logs), witnesses=witnesses, groups=groups, quorum=draft.quorum)

    def format(self) -> bytes:
        """Return the policy's text."""
        return "".join(line + "\n" for line in self._lines()).encode("utf-8", "surrogateescape")

    def _lines(self) -> Iterator[str]:
        for log in self.logs:
            yield " ".join(["log", log.key.vkey, *_url(log.url)])
        for witness in self.witnesses:
            yield " ".join(["witness", witness.name, witness.key.vkey, *_url(witness.url)])
        for group in self.groups:
            yield " ".join(["group", group.name, str(group.least), *group.members])
        yield f"quorum {self.quorum}"

    def check(self, note: bytes) -> Checked:
        """
        Return what a checkpoint's *note* is to this policy; whether it is witnessed enough, the result tells.

        Raises:
            RemoteError: BAD_NOTE, BAD_SIGNATURE, BAD_CHECKPOINT: not a checkpoint of a log of this policy, or a
                signature under a known key that is not its own.
        """
        opened = open_note(note, [*(log.key for log in self.logs), *(witness.key for witness in self.witnesses)])
        log = next((log.key for log in self.logs if opened.is_by(log.key)), None)
        if log is None:
            raise RemoteError(Code.BAD_SIGNATURE, "no known log signed the checkpoint")
        names = tuple(witness.name for witness in self.witnesses if opened.is_by(witness.key))
        return Checked(checkpoint=checkpoint_of(opened, log), log=log, witnesses=names, quorum=self.is_quorum(names))

    def is_quorum(self, witnesses: Sequence[str]) -> bool:
        """Tell whether these *witnesses* are enough."""
        reached = {*witnesses, NONE}
        # A group names only what stands before it.
        for group in self.groups:
            if sum(member in reached for member in group.members) >= group.least:
                reached.add(group.name)
        return self.quorum in reached


def _url(url: str | None) -> list[str]:
    return [] if url is None else [url]


class _Wrong(Exception):
    """What is wrong with a line."""


@dataclass(slots=True)
class _Draft:
    logs: list[Log] = field(default_factory=list)
    names: dict[str, Witness | Group] = field(default_factory=dict)
    members: set[str] = field(default_factory=set)
    keys: set[bytes] = field(default_factory=set)
    quorum: str | None = None

    def take(self, items: Sequence[str]) -> None:
        if not items or items[0].startswith("#"):
            return
        word, *rest = items
        takes: Mapping[str, Callable[[Sequence[str]], None]] = {
            "log": self._log,
            "witness": self._witness,
            "group": self._group,
            "quorum": self._quorum,
        }
        if word not in takes:
            raise _Wrong("log, witness, group or quorum is wanted")
        takes[word](rest)

    def named(self, kind: type[_Named]) -> tuple[_Named, ...]:
        return tuple(found for found in self.names.values() if isinstance(found, kind))

    def _log(self, rest: Sequence[str]) -> None:
        if len(rest) not in {1, 2}:
            raise _Wrong("log VKEY [URL]")
        self.logs.append(Log(self._key(rest[0], Kind.ED25519), *rest[1:]))

    def _witness(self, rest: Sequence[str]) -> None:
        if len(rest) not in {2, 3}:
            raise _Wrong("witness NAME VKEY [URL]")
        self._name(Witness(rest[0], self._key(rest[1], Kind.COSIGNATURE), *rest[2:]))

    def _group(self, rest: Sequence[str]) -> None:
        if len(rest) < 3:
            raise _Wrong("group NAME all|any|NUMBER MEMBER ...")
        name, count, *members = rest
        least = {"all": len(members), "any": 1}.get(count) or (int(count) if _COUNT.fullmatch(count) else 0)
        if not 1 <= least <= len(members):
            raise _Wrong("a group is all, any, or a number of its members")
        for member in members:
            if member not in self.names:
                raise _Wrong("a member is a witness or a group that stands above")
            if member in self.members:
                raise _Wrong("a member of one group, once")
            self.members.add(member)
        self._name(Group(name, least, tuple(members)))

    def _quorum(self, rest: Sequence[str]) -> None:
        if self.quorum is not None:
            raise _Wrong("one quorum")
        if len(rest) != 1 or rest[0] not in {NONE, *self.names}:
            raise _Wrong("quorum none, or a witness or group that stands above")
        self.quorum = rest[0]

    def _key(self, vkey: str, kind: Kind) -> NoteKey:
        key = NoteKey.parse(vkey)
        if key.kind is not kind:
            raise _Wrong(f"a key of the type {kind:#04x} is wanted here")
        if key.public.public in self.keys:
            raise _Wrong("a key twice")
        self.keys.add(key.public.public)
        return key

    def _name(self, found: Witness | Group) -> None:
        if found.name in {NONE, *self.names}:
            raise _Wrong("a name twice")
        self.names[found.name] = found
