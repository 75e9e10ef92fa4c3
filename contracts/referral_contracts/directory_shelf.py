"""
The directory topic, read into one good directory: what every reader keeps between records and decisions.

Entries are collected as they come and count only once a head is signed over exactly them. Compaction may have taken
what an older head was signed over, so a head is judged when the reader has come to the end, never on the way.
"""

from referral_contracts.codes import Code
from referral_contracts.directory import Directory, TrustRoot, assemble
from referral_contracts.directory_model import HEAD_KEY, SignedHead
from referral_contracts.errors import RemoteError

_HEAD = HEAD_KEY.encode("ascii")


class Shelf:
    """The last good directory, and what has been read since."""

    def __init__(self, root: TrustRoot, current: Directory | None = None) -> None:
        """Trust *root* alone, and never go back behind *current*."""
        self._root = root
        self._entries: dict[str, bytes] = {} if current is None else dict(current.entries)
        self._head: bytes | None = None
        self.current = current
        self.fault: Code | None = None
        """Why the newest head was not taken; the last good one stays in use until it expires."""

    def take(self, key: bytes | None, value: bytes | None) -> None:
        """Take one record of the topic."""
        if key is None or value is None:
            # Nothing leaves the directory by a null value: what an agency once was stays checkable.
            self.fault = Code.ENTRY_VANISHED
        elif key == _HEAD:
            self._head = value
        else:
            self._entries[key.decode("ascii", "replace")] = value

    def settle(self) -> bool:
        """Having read to the end, judge the newest head; return whether there is a new directory."""
        if self._head is None:
            return False
        value, self._head = self._head, None
        try:
            found = assemble(self._entries, SignedHead.decode(value), self._root, self.current)
            _ = found.policy
        except RemoteError as error:
            self.fault = error.code
            return False
        except KeyError:
            self.fault = Code.MALFORMED_ENVELOPE
            return False
        changed = self.current is None or found.version > self.current.version
        self.current, self.fault = found, None
        return changed

    def unusable(self, now_ms: int) -> Code | None:
        """Say why nothing may be decided by it at *now_ms*, or None."""
        if self.current is None:
            return self.fault or Code.DIRECTORY_MISSING
        if now_ms >= self.current.expires_ms:
            return self.fault or Code.DIRECTORY_EXPIRED
        return None
