"""
The directory's own partition, folded: changes of the registrar, judged by root keys and the previous head.

Never by freshness: an expired head can always be renewed. An accepted change goes to the compacted directory topic
whole, its head last, in one transaction.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass

from referral_contracts import topics
from referral_contracts.codes import Code
from referral_contracts.decisions import NOTHING_TOLD
from referral_contracts.directory import ROLE_REGISTRAR, Directory, TrustRoot, apply, assemble
from referral_contracts.directory_model import HEAD_KEY, POLICY_KEY, Change, Entry, SignedHead
from referral_contracts.encoding import event_hash
from referral_contracts.errors import Fatal, RemoteError
from referral_contracts.records import Record, Write
from referral_contracts.signing import Typ, parse_signature, verify
from referral_contracts.topics import POSITION_KEY
from referral_router.core.examine import Examined, Sender, signature_header, sketch
from referral_router.core.ledger import Lane, Ledger
from referral_router.core.position import Position


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrarStep:
    """What some directory submissions make of the directory; true once its transaction is committed."""

    position: int
    writes: Sequence[Write]
    after: Position
    directory: Directory | None
    kids: dict[str, str]


class Registrar:
    """The state of the partition of ``directory.submissions``."""

    def __init__(self, lane: Lane, root: TrustRoot) -> None:
        """Start empty, trusting *root* alone."""
        self._lane = lane
        self._root = root
        self._entries: dict[str, bytes] = {}
        self._head: SignedHead | None = None
        self._kids: dict[str, str] = {}
        self._directory: Directory | None = None
        self.after: Position | None = None

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Take one record of the state topic, oldest first."""
        if key == POSITION_KEY:
            self.after = None if value is None else Position.decode(value)
            self._directory = None
        elif value is None:
            raise Fatal(Code.ENTRY_VANISHED, "an entry of the directory's state was removed")
        else:
            try:
                self._take(key.decode("ascii"), value)
            except (RemoteError, UnicodeDecodeError) as error:
                raise Fatal(Code.STATE_FORMAT, "a record of the directory's state in another format") from error

    def _take(self, key: str, value: bytes) -> None:
        if key == HEAD_KEY:
            self._head = SignedHead.decode(value)
            return
        if key != POLICY_KEY:
            self._kids.update(_kids(Entry.decode(value)))
        self._entries[key] = value

    def position(self) -> int | None:
        """Return the next input offset; None says that the state is empty."""
        return None if self.after is None else self.after.position

    def position_in(self, value: bytes) -> int:
        """Return the next input offset that a reserved record names."""
        return Position.decode(value).position

    def size(self) -> int:
        """Return how many bytes of entries the state holds."""
        return sum(map(len, self._entries.values()))

    def directory(self) -> Directory | None:
        """
        Return the directory as of the last committed step.

        Raises:
            Fatal: The state holds no directory that the pinned root vouches for.
        """
        if self._directory is None and self._head is not None:
            try:
                self._directory = assemble(self._entries, self._head, self._root, None)
            except RemoteError as error:
                raise Fatal(error.code, "the directory's state is not what the root keys signed") from error
        return self._directory

    def step(self, records: Sequence[Record], inboxes: Container[str]) -> RegistrarStep:
        """Judge *records* in order. The state is as before until `merge`."""
        directory = self.directory()
        kids = dict(self._kids)
        ledger = Ledger(self._lane, self.after or Position(), 0 if directory is None else directory.version)
        state: dict[str, bytes] = {}
        for record in records:
            found, change = self._examine(record)
            ledger.admit(found)
            code = found.code
            if change is not None:
                try:
                    directory, code = apply(directory, change, self._root, kids), Code.ACCEPTED
                except RemoteError as error:
                    code = error.code
                else:
                    ledger.directory = directory.version
                    state.update(_records(change))
                    for entry in change.data.agencies:
                        kids.update(_kids(entry))
            decision = ledger.decide(found, code or Code.INTERNAL, None)
            if _answerable(found, directory, inboxes):
                ledger.answer(found, code or Code.INTERNAL, decision, NOTHING_TOLD)
        after, writes = ledger.finish(self._state(state))
        return RegistrarStep(position=after.position, writes=writes, after=after, directory=directory, kids=kids)

    def _examine(self, record: Record) -> tuple[Examined, Change | None]:
        value = record.value or b""
        found = Examined(record=record, event=event_hash(value))
        try:
            found.signature = parse_signature(signature_header(record), Typ.EVENT)
            key = self._root.by_kid.get(found.signature.kid)
            if key is None:
                raise RemoteError(Code.UNKNOWN_KEY)
            # Before anything is parsed: the root keys are few, and a change may be a megabyte.
            verify(key, found.signature, value)
            try:
                change = Change.decode(value)
            except RemoteError as error:
                found.sender, found.code = sketch(value, error.code), error.code
                return found, None
        except RemoteError as error:
            found.disown(error.code)
            return found, None
        found.sender = Sender(change.source, change.id, None)
        return found, change

    def _state(self, changed: dict[str, bytes]) -> list[Write]:
        # The head comes last: whoever reads up to it has all that it was signed over.
        keys = sorted(changed, key=lambda key: (key == HEAD_KEY, key))
        own = [Write(topics.STATE, self._lane.partition, key.encode("ascii"), changed[key]) for key in keys]
        return own + [Write(topics.DIRECTORY, 0, key.encode("ascii"), changed[key]) for key in keys]

    def merge(self, step: RegistrarStep) -> None:
        """Make what *step* changed the state."""
        self.after, self._directory, self._kids = step.after, step.directory, step.kids
        if step.directory is not None:
            self._entries = dict(step.directory.entries)
        for write in step.writes:
            if write.topic == topics.DIRECTORY and write.key == HEAD_KEY.encode("ascii"):
                self._head = SignedHead.decode(write.value or b"")


def _answerable(found: Examined, directory: Directory | None, inboxes: Container[str]) -> bool:
    if found.sender is None or found.sender.source not in inboxes:
        return False
    # A root key may write any source into its events; its verdicts go to nobody but a registrar, once there is one.
    return directory is None or found.sender.source in directory.services[ROLE_REGISTRAR]


def _records(change: Change) -> dict[str, bytes]:
    found = {entry.id: entry.encode() for entry in change.data.agencies}
    if change.data.policy is not None:
        found[POLICY_KEY] = change.data.policy.encode()
    found[HEAD_KEY] = change.data.head.encode()
    return found


def _kids(entry: Entry) -> dict[str, str]:
    return {key.kid: entry.id for key in entry.keys}
